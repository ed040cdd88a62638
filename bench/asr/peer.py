"""Transcribes clips with faster-whisper and writes the results in the form that score.py reads.

Usage: peer.py --mode beam5|beam1|batched5|batched1 [--set S] [--limit N] [--filter X] --out FILE
       peer.py --mode M --serve        reads {"id","path"} lines, answers each with a result line

Language is fixed to English, weights are int8 on two threads; everything else is as its authors set it.
"""

import argparse
import json
import sys
import time

import clips

MODES = {"beam5": {"beam_size": 5}, "beam1": {"beam_size": 1}, "batched5": {"beam_size": 5, "batch_size": 8}, "batched1": {"beam_size": 1, "batch_size": 8}}


class Peer:
    def __init__(self, mode, threads=2):
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        began = time.perf_counter()
        self.options = MODES[mode]
        model = WhisperModel(str(clips.CACHE / "bench-asr" / "faster-whisper-base"), device="cpu", compute_type="int8", cpu_threads=threads)
        self.model = BatchedInferencePipeline(model) if "batch_size" in self.options else model
        self.load = time.perf_counter() - began

    def transcribe(self, path):
        """Whole segments with their times, as it writes them; words share their segment's time evenly by letters."""
        segments, _ = self.model.transcribe(path, language="en", **self.options)
        words = []
        for s in segments:
            texts = s.text.split()
            letters, at = sum(len(t) + 1 for t in texts), s.start
            for t in texts:
                step = (s.end - s.start) * (len(t) + 1) / letters
                words.append({"text": t, "start": round(at, 3), "end": round(at + step, 3)})
                at += step
        return words

    def one(self, name, path, **more):
        began = time.perf_counter()
        words = self.transcribe(path)
        return {"id": name, "seconds": time.perf_counter() - began, **more, "words": words}


def chosen(which, limit, words):
    rows = [json.loads(line) for line in (clips.CLIPS / f"{which}.jsonl").read_text().splitlines()]
    rows = [r for r in rows if all(w in r["id"] for w in words.split())]
    return rows[:limit] if limit else rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=MODES, required=True)
    parser.add_argument("--set", default="tune")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--filter", default="")
    parser.add_argument("--out")
    parser.add_argument("--serve", action="store_true")
    a = parser.parse_args()
    peer = Peer(a.mode)
    if a.serve:
        print(json.dumps({"ready": peer.load}), flush=True)
        for line in sys.stdin:
            q = json.loads(line)
            print(json.dumps(peer.one(q["id"], q["path"])), flush=True)
        return
    with open(a.out, "w") as out:
        for i, r in enumerate(chosen(a.set, a.limit, a.filter)):
            more = {"system": "faster-whisper " + a.mode, "audio_seconds": r["seconds"]}
            if i == 0:
                more["load_seconds"] = peer.load
            row = peer.one(r["id"], str(clips.CLIPS / a.set / r["file"]), **more)
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            print(f"\r{i + 1} clips", end="", file=sys.stderr)
    print(file=sys.stderr)


if __name__ == "__main__":
    main()
