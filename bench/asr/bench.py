"""Runs all systems over the clips in one go, clip by clip in turning order, and keeps what each of them wrote.

Usage: bench.py --binary RUN [--quick] [--out DIR] [--only part,part]

RUN is the compiled bench/asr/run. The results stay in DIR (in the cache, one file per system and part), so that report.py can
score them again without decoding. Parts: report, human, nonspeech, pairs, ablation, determinism, hog.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import platform
import random
import subprocess
import sys
import time

import clips
import systems

# Of a quick run: how many clips of each part.
QUICK = {"report": 12, "human": 1, "nonspeech": 15, "pairs": 20, "ablation": 6, "determinism": 3, "hog": 3}
FULL = {"report": 0, "human": 0, "nonspeech": 0, "pairs": 0, "ablation": 24, "determinism": 4, "hog": 6}
SHUFFLES = {True: 5, False: 20}


def rows(which, limit):
    path = clips.CLIPS / f"{which}.jsonl"
    all_ = [json.loads(line) for line in path.read_text().splitlines()]
    if limit and which == "nonspeech":
        return [all_[k * 7 % len(all_)] for k in range(limit)]  # 7 shares no factor with the number of clips or of kinds
    return all_[:limit] if limit else all_


class Run:
    def __init__(self, out):
        self.out = out
        out.mkdir(parents=True, exist_ok=True)

    def interleaved(self, part, listed, under_test):
        """Each clip by each system, in an order that turns by one from clip to clip."""
        files = {s.name: open(self.out / f"{part}.{s.name}.jsonl", "w") for s in under_test}
        began, heard = time.monotonic(), 0.0
        for i, row in enumerate(listed):
            turn = i % len(under_test)
            for s in under_test[turn:] + under_test[:turn]:
                got = {**s.one(row), "system": s.name, "audio_seconds": row["seconds"], "load": s.load}
                files[s.name].write(json.dumps(got, ensure_ascii=False) + "\n")
                files[s.name].flush()
            heard += row["seconds"]
            print(f"\r{part}: {i + 1}/{len(listed)} clips, {heard:.0f} s of audio, {time.monotonic() - began:.0f} s   ", end="", file=sys.stderr)
        print(file=sys.stderr)
        for f in files.values():
            f.close()

    def determinism(self, listed, binary, times):
        """The same clips in shuffled orders, in fresh processes and under changing load: how many different transcripts?"""
        seen, rng = {}, random.Random(1)
        for k in range(times):
            hogs = [hog() for _ in range(k % 3)]
            ours = systems.vesper(binary, ["full"])[0]
            try:
                for row in rng.sample(listed, len(listed)):
                    t = ours.one(row)["transcript"]
                    t.pop("engine_seconds")
                    seen.setdefault(row["id"], set()).add(hashlib.sha256(json.dumps(t, sort_keys=True).encode()).hexdigest())
            finally:
                ours.worker.close()
                for h in hogs:
                    h.kill()
                    h.wait()
            print(f"\rdeterminism: {k + 1}/{times}", end="", file=sys.stderr)
        print(file=sys.stderr)
        (self.out / "determinism.json").write_text(json.dumps({"times": times, "different": {k: len(v) for k, v in seen.items()}}))

    def hog(self, listed, under_test):
        """The same clips alone and with both cores kept busy by others; alternating, so that the machine is the same."""
        took = {s.name: {"alone": 0.0, "hogged": 0.0} for s in under_test}
        for row in listed:
            for s in under_test:
                took[s.name]["alone"] += s.one(row)["seconds"]
                hogs = [hog() for _ in range(os.cpu_count())]
                try:
                    took[s.name]["hogged"] += s.one(row)["seconds"]
                finally:
                    for h in hogs:
                        h.kill()
                        h.wait()
        (self.out / "hog.json").write_text(json.dumps(took))


def hog():
    """A process that keeps one core busy."""
    return subprocess.Popen([sys.executable, "-c", "while True: pass"])


def machine():
    """What the run ran on, for the head of the tables."""
    cpu = [line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    git = lambda *a: subprocess.run(["git", *a], capture_output=True, text=True, cwd=systems.HERE).stdout.strip()
    return {"commit": git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else ""),
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "machine": f"{cpu[0] if cpu else platform.processor()}, {os.cpu_count()} cores, {platform.system()}",
            "load_before": os.getloadavg()[0], "versions": versions()}


def versions():
    import ctranslate2
    import faster_whisper

    return f"faster-whisper {faster_whisper.__version__} on CTranslate2 {ctranslate2.__version__}, whisper.cpp 1.9.1"


def variants(binary):
    """The names of our settings, "full" first."""
    listed = subprocess.run([str(binary), "--list"], check=True, capture_output=True, text=True).stdout.split()
    return ["full"] + [v for v in listed if v != "full"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=pathlib.Path, default=clips.CACHE / "bench-asr" / "results" / "last")
    parser.add_argument("--only", default="report,human,pairs,nonspeech,ablation,determinism,hog")
    a = parser.parse_args()
    limits, parts, run = QUICK if a.quick else FULL, a.only.split(","), Run(a.out)
    names = variants(a.binary)
    about = {**machine(), "quick": a.quick, "command": "make bench-asr" + (" QUICK=1" if a.quick else ""), "parts": parts}
    (a.out / "about.json").write_text(json.dumps(about, indent=1))  # first, so that a run that was cut short can be reported too
    headline = ["full"] + [v for v in names if v == "greedy"]
    ours = systems.vesper(a.binary, names)
    mine = [s for s in ours if s.name in {f"vesper-{v}" for v in headline}]
    beam5, batched5, batched1 = systems.peer("beam5"), systems.peer("batched5"), systems.peer("batched1")
    beam1 = [] if a.quick else [systems.peer("beam1")]
    line = [systems.command_line("q8_0")] + ([] if a.quick else [systems.command_line("f16")])
    under_test = {"report": [*mine, beam5, *beam1, batched5, batched1, *line], "human": [*mine, beam5, *beam1, batched5, batched1, *line],
                  "pairs": [mine[0], beam5, batched5, line[0]], "nonspeech": [mine[0], beam5, batched5, line[0]], "ablation": ours}
    for part, chosen in under_test.items():
        if part in parts and len(chosen) > 0:
            run.interleaved(part, rows("report" if part == "ablation" else part, limits[part]), chosen)
    if "hog" in parts:
        run.hog(rows("report", limits["hog"]), [mine[0], beam5, batched1])
    ours[0].worker.close()
    for s in [beam5, batched5, batched1, *beam1]:
        s.worker.close()
    if "determinism" in parts:
        run.determinism(rows("report", limits["determinism"]), a.binary, SHUFFLES[a.quick])


if __name__ == "__main__":
    main()
