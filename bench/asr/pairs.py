"""Minimal pairs: sentences of which a listener may take one word for another of quite a different meaning."""

import random
import re

import numpy as np

import script
import sound
import voices

MOUTHS = ["piper/joe", "flite/slt", "flite/rms", "piper/joe", "flite/awb"]
WAYS = ["clean", "clean", "room", "phone", "opus", "low"]
ENTITY = {"dose": "dose", "unit": "dose", "negation": "neg", "side": "side", "hypo": "term", "frequency": "num", "number": "num"}


def load():
    """Each line as kind, sentence before, the two readings, sentence after, and its half."""
    seen = {}
    for line in (script.HERE / "scripts" / "pairs.txt").read_text().splitlines():
        if not line or line[0] == "#":
            continue
        kind, text = (x.strip() for x in line.split("|", 1))
        before, a, b, after = re.fullmatch(r"(.*?)\{(.+?)\|(.+?)\}(.*)", text).groups()
        n = seen[kind] = seen.get(kind, 0) + 1
        yield kind, before, (a, b), after, ("tune", "report")[n % 2]


def sentence(kind, before, said, after):
    s = script.parse("pair", "pairs", False, f"{before}{{{ENTITY[kind]}:{said}}}{after}")
    return s


def make(clips):
    import clips as maker

    folder = clips / "pairs"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, (kind, before, readings, after, half) in enumerate(load()):
        voice, way = MOUTHS[(i + i // 5) % 5], WAYS[(i * 5 + i // 6) % 6]
        for which, said in enumerate(readings):
            name = f"pairs-{half}-{i:03d}{'ab'[which]}-{kind}-{voice.replace('/', '_')}-{way}"
            s = sentence(kind, before, said, after)
            rng = np.random.default_rng(int(voices.key(name), 16))
            samples, times = maker.remembered(s, voice, 1.0, name)
            samples = sound.through(samples, way, rng)
            file, wav = sound.save(samples, folder, name, way)
            rows.append({"id": name, "set": "pairs", "kind": "dictation", "half": half, "pair": kind, "said": said, "other": readings[1 - which],
                         "file": file, "wav": wav, "seconds": maker.seconds_of(folder / wav), "voice": voice, "speed": 1.0, "condition": way,
                         "script": f"pair-{i:03d}", "spoken_marks": False, **maker.facts(s, times)})
    random.Random("pairs").shuffle(rows)
    sound.dump(rows, clips / "pairs.jsonl")
    print(f"pairs: {len(rows)} clips, {sum(r['seconds'] for r in rows):.0f} s, longest {max(r['seconds'] for r in rows):.1f} s")
