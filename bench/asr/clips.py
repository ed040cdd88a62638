"""Makes the clips of the bench in the cache, never in git, the same bytes each time.

Usage: clips.py [--set tune|report|nonspeech|pairs|human] [--limit N]     (no set: all)

Writes $VESPER_CACHE/bench-asr/clips/SET/* and SET.jsonl: one line per clip with what is said, when, and what matters.
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import wave

import numpy as np

import script
import sound
import voices

CACHE = pathlib.Path(os.environ.get("VESPER_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "vesper")
CLIPS = CACHE / "bench-asr" / "clips"
# One pass takes all scripts in order; the second and third passes take some again with another voice and another way.
MOUTHS = ["piper/joe", "flite/slt", "flite/rms", "piper/joe", "flite/awb", "flite/rms", "piper/joe", "flite/slt", "piper/joe", "flite/rms", "flite/kal16",
          "piper/joe", "flite/slt", "flite/awb", "piper/joe", "espeak/en-us"]
SPEEDS = [1.0, 1.1, 0.95, 1.2, 0.9, 1.05, 1.25]  # of a voice's own speed; Flite's own is fast already
WAYS = ["clean", "room", "opus", "reverb", "clean", "phone", "webm", "low", "roomphone"]
AGAIN = 20  # how many scripts are taken a second time
LONG = 3  # how many recordings are three dictations in a row


def joined(scripts):
    """Several dictations spoken without stopping the recorder."""
    out = script.Script("+".join(s.name for s in scripts), "several", scripts[0].spoken, [], [], [])
    for s in scripts:
        n = len(out.words)
        out.words += s.words
        out.segments += [script.Segment(x.first + n, x.last + n, x.end, x.prosody, x.pause) for x in s.segments]
        out.segments[-1].pause += 2
        out.entities += [{**e, "first": e["first"] + n, "last": e["last"] + n} for e in s.entities]
    return out


def plan(which):
    """What is recorded: script, voice, speed, condition. The order mixes all of them, so that a few are a fair sample."""
    scripts = script.load(which)
    random.Random("order/" + which).shuffle(scripts)
    again = scripts[::2][:AGAIN]
    long = [joined(scripts[i * 3 : i * 3 + 3]) for i in range(LONG)]
    shift = {"tune": 0, "report": 5}[which]
    for i, s in enumerate(scripts + again + long):
        voice = MOUTHS[(i + shift + i // 16) % 16]
        yield i, s, voice, min(SPEEDS[(i * 3 + shift) % 7], 1.05 if voice.startswith("flite") else 2), WAYS[(i + 2 * shift + i // 9) % 9]


def babble(rng):
    """Several people of this set at once, too many to be followed."""
    talk = np.zeros(20 * voices.RATE, dtype=np.float32)
    for name in ("flite/slt", "flite/rms", "flite/awb", "flite/kal16"):
        v = voices.open_voice(name, 1.0, 1)
        text = "the weather in the north has been rather cold and wet, but they say that it will turn, and nobody at home minds the rain"
        for _ in range(3):
            said = np.resize(voices.resampled(v.speak(text), v.rate), len(talk))
            talk += np.roll(said, int(rng.integers(len(talk))))
    return talk


def facts(s, times):
    """The words with their segment, the segments with their times, and the entities."""
    owner = [i for i, x in enumerate(s.segments) for _ in range(x.last - x.first)]
    return {
        "text": s.text,
        "words": [{"w": w.text, "seg": owner[i], **({"mark": w.mark} if w.mark else {})} for i, w in enumerate(s.words)],
        "segments": [{"first": x.first, "last": x.last, "start": round(t[0], 3), "end": round(t[1], 3)} for x, t in zip(s.segments, times)],
        "entities": s.entities,
    }


def seconds_of(path):
    with wave.open(str(path)) as w:
        return round(w.getnframes() / w.getframerate(), 3)


def dictations(which, limit):
    folder = CLIPS / which
    folder.mkdir(parents=True, exist_ok=True)
    rows, talk = [], None
    for i, s, voice, speed, way in plan(which):
        if limit and i >= limit:
            break
        name = f"{which}-{i:02d}-{s.name.split('+')[0]}{'-long' if '+' in s.name else ''}-{voice.replace('/', '_')}-{way}"
        rng = np.random.default_rng(int(voices.key(name), 16))
        samples, times = remembered(s, voice, speed, name)
        if talk is None:
            talk = babble(np.random.default_rng(7))
        samples = sound.through(samples, way, rng, talk)
        if way == "clean" and i % 3:  # a third of the clean ones keep digital silence in their pauses
            samples = samples + 10 ** (-72 / 20) * sound.noise(len(samples), rng, 1)
        file, wav = sound.save(samples, folder, name, way)
        rows.append({"id": name, "set": which, "kind": "dictation", "file": file, "wav": wav, "seconds": seconds_of(folder / wav),
                     "voice": voice, "speed": speed, "condition": way, "script": s.name, "spoken_marks": s.spoken, **facts(s, times)})
        print(f"{name:70} {rows[-1]['seconds']:6.1f} s", flush=True)
    sound.dump(rows, CLIPS / f"{which}.jsonl")


def remembered(s, voice, speed, name):
    """The dry speech, kept between runs: synthesis takes longest."""
    keep = CACHE / "bench-asr" / "dry"
    keep.mkdir(parents=True, exist_ok=True)
    said = set(s.text.lower().split())
    table = [x for x in sorted(voices.respellings(voice).items()) if set(x[0].split()) <= said]
    table += [x for x in sorted(voices.pronunciations().items()) if x[0] in said]
    k = voices.key(name, voice, speed, [(x.prosody, x.end, x.pause) for x in s.segments], table)
    path = keep / f"{k}.npz"
    if not path.exists():
        seed = int(voices.key(name), 16) % 100000
        samples, times = voices.dry(s, voice, speed, random.Random(name), seed)
        np.savez_compressed(path, samples=(samples * 16384).round().astype("<i2"), times=np.array(times))
    with np.load(path) as z:
        return z["samples"].astype(np.float32) / 16384, [tuple(t) for t in z["times"]]


def human():
    """One person's voice: the few seconds that the bindings module brings along."""
    folder = CLIPS / "human"
    folder.mkdir(parents=True, exist_ok=True)
    module = subprocess.run(["go", "list", "-m", "-f", "{{.Dir}}", "github.com/ggerganov/whisper.cpp/bindings/go"], check=True, capture_output=True, text=True, cwd=script.HERE)
    shutil.copyfile(pathlib.Path(module.stdout.strip()) / "samples" / "jfk.wav", folder / "jfk.wav")
    text = "and so my fellow Americans ask not what your country can do for you ask what you can do for your country"
    words = text.split()
    rows = [{"id": "human-jfk", "set": "human", "kind": "dictation", "file": "jfk.wav", "wav": "jfk.wav", "seconds": seconds_of(folder / "jfk.wav"),
             "voice": "human", "speed": 1, "condition": "clean", "script": "jfk", "spoken_marks": False, "text": text,
             "words": [{"w": w, "seg": 0} for w in words], "segments": [], "entities": [{"kind": "neg", "first": 6, "last": 7, "text": "not"}]}]
    sound.dump(rows, CLIPS / "human.jsonl")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", choices=["tune", "report", "nonspeech", "pairs", "human"])
    parser.add_argument("--limit", type=int, default=0)
    a = parser.parse_args()
    for which in [a.set] if a.set else ["tune", "report", "nonspeech", "pairs", "human"]:
        if which in ("tune", "report"):
            dictations(which, a.limit)
        elif which == "nonspeech":
            import nonspeech
            nonspeech.make(CLIPS)
        elif which == "pairs":
            import pairs
            pairs.make(CLIPS)
        else:
            human()


if __name__ == "__main__":
    main()
