"""Compares results with what was said.

Usage: score.py [--worst N] [--csv] RESULTS.jsonl ...        (results of run, of peer.py, of bench.py)

Prints one row per file ("swaps": drug names written that nobody said): word error rate with Whisper's normaliser (a) and with medical forms (b), what was dropped and
invented, which terms, drugs, doses, numbers, negations and sides came out right, and how fast.
"""

import argparse
import functools
import json
import math
import pathlib
import sys

import numpy as np

import align
import clips
import forms
import script

NEGATIONS = {"no", "not", "denies", "denied", "deny", "denying", "without", "never", "none", "nothing", "negative", "nor", "neither"}
RISK = ("dose", "num", "neg", "side")
COVERS = 0.6  # written letters per spoken letter from which a garbled stretch counts as misheard, not as dropped


def rows_of(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines() if line.strip()]


def truth(which):
    return {r["id"]: r for r in rows_of(clips.CLIPS / f"{which}.jsonl")}


def words_of(row):
    """The words with their times, whoever wrote them."""
    t = row.get("transcript") or row
    words = t.get("words")
    if words is None:
        words = [{"text": w} for w in (t.get("text") or "").split()]
    return words


def times_of(said):
    """For each word of a script the time at which it is said, as far as that is known: its place in its breath."""
    out = []
    for seg in said["segments"]:
        sizes = [len(said["words"][k]["w"]) + 1 for k in range(seg["first"], seg["last"])]
        at, length = seg["start"], seg["end"] - seg["start"]
        for size in sizes:
            step = length * size / sum(sizes)
            out.append((at, at + step))
            at += step
    return out


@functools.cache
def drugs():
    """Single-word drug names: those of the scripts and the generic names of the lexicon."""
    found = {e["text"].lower() for which in ("tune", "report") for x in script.load(which) for e in x.entities if e["kind"] == "drug"}
    for name in ("generic.tsv", "generic-dpd.tsv"):
        path = script.HERE.parents[1] / "internal" / "lexicon" / "data" / name
        if path.exists():
            found |= {line.split("\t")[0].strip().lower() for line in path.read_text().splitlines() if line and line[0] != "#"}
    return {x for x in found if " " not in x and len(x) > 4}


class Clip:
    """One result beside what was said."""

    def __init__(self, said, row):
        self.said, self.row = said, row
        self.words = words_of(row)
        # A word of a system may hold several words ("of the"); its parts share its times.
        flat = [(x, i) for i, w in enumerate(self.words) for x in w["text"].split()]
        self.owner = [i for _, i in flat]
        self.ref = align.reference(said["words"])
        self.hyp = forms.compounds(self.ref, forms.tokens([x for x, _ in flat]))
        self.ops = align.align(self.ref, self.hyp)
        self.of_ref = {op.ref: op for op in self.ops if op.ref >= 0}
        self.when = times_of(said)
        t = row.get("transcript") or {}
        self.spans = t.get("spans") or []
        self.doubts = [d for d in t.get("doubts") or [] if not d.get("repaired")]  # a repair is made, not asked about

    def count(self):
        """Edits of the medical-forms comparison and what they mean."""
        c = {k: sum(op.kind == k for op in self.ops) for k in "=sdi"}
        c["n"] = len(self.ref)
        c["plain"] = sum(not r.mark for r in self.ref)
        c["dropped"] = c["unmarked"] = c["dropped3"] = c["invented"] = 0
        for region in align.regions(self.ops):
            self.region(region, c)
        said = {t.text for t in self.ref}
        c["wrong drug"] = sum(h.text in drugs() and h.text not in said for h in self.hyp)
        return c

    def region(self, region, c):
        missing = [op.ref for op in region if op.kind == "d" and not self.ref[op.ref].mark]
        extra = [op for op in region if op.kind == "i"]
        said = sum(len(self.ref[op.ref].text) for op in region if op.ref >= 0)
        wrote = sum(len(self.hyp[op.hyp].text) for op in region if op.hyp >= 0)
        if missing and wrote < COVERS * said:
            c["dropped"] += len(missing)
            c["unmarked"] += sum(not self.unheard(r) for r in missing)
            c["dropped3"] += len(missing) if len(missing) >= 3 else 0
        if len(extra) >= 2 and said < COVERS * wrote:
            c["invented"] += len(extra)

    def span_of(self, first, last):
        """Seconds in which words first…last of the script are said, None if unknown."""
        if not self.when:
            return None
        return self.when[first][0], self.when[min(last, len(self.when) - 1)][1]

    def unheard(self, r):
        """Whether the transcript says that something here was not understood."""
        at = self.span_of(self.ref[r].first, self.ref[r].last)
        return bool(at) and any(s["kind"] in ("unheard", "struck") and overlap(at, (s["start"], s["end"])) > 0 for s in self.spans)

    def entities(self):
        """Each marked entity: its kind, whether it is right, whether a doubt is reported over it."""
        out = []
        for e in self.said["entities"]:
            tokens = [k for k, t in enumerate(self.ref) if t.last >= e["first"] and t.first < e["last"] and not t.mark]
            ops = [self.of_ref[k] for k in tokens]
            right = bool(ops) and all(self.right(e["kind"], op) for op in ops)
            doubts = self.doubts_over(e, ops)
            silent = any(op.kind != "=" and self.unheard(op.ref) for op in ops)
            out.append({"kind": e["kind"], "text": e["text"], "right": right, "doubted": bool(doubts) or silent, "named": self.named(ops, doubts),
                        "heard": " ".join(self.hyp[op.hyp].text for op in ops if op.hyp >= 0)})
        return out

    def right(self, kind, op):
        if op.kind == "=":
            return True
        return kind == "neg" and op.kind == "s" and self.hyp[op.hyp].text in NEGATIONS

    def doubts_over(self, e, ops):
        """The doubts that lie over one of its words, or, where nothing was written, over the time in which it is said."""
        own = {self.owner[k] for op in ops if op.hyp >= 0 for k in range(self.hyp[op.hyp].first, self.hyp[op.hyp].last + 1)}
        at = self.span_of(e["first"], e["last"] - 1)
        over = lambda d: own & set(range(d["first_word"], d["last_word"] + 1)) if own else at and overlap(at, (d["start"], d["end"])) > 0
        return [d for d in self.doubts if over(d)]

    def named(self, ops, doubts):
        """Whether the doubts name all that is wrong or missing here as their other reading."""
        said = {self.ref[op.ref].text for op in ops if op.kind != "="}
        offered = {t.text for d in doubts for t in forms.tokens(d.get("other", "").split())}
        return bool(said) and said <= offered

    def time_errors(self):
        """Seconds between where a breath's first and last words are written and where they are said."""
        out = []
        for seg in self.said["segments"]:
            for k, op in self.of_ref.items():
                if op.kind != "=" or self.hyp[op.hyp].mark:
                    continue
                h, r = self.hyp[op.hyp], self.ref[k]
                a, b = self.words[self.owner[h.first]], self.words[self.owner[h.last]]
                if r.first == seg["first"] and "start" in a:
                    out.append(a["start"] - seg["start"])
                if r.last == seg["last"] - 1 and "end" in b:
                    out.append(b["end"] - seg["end"])
        return out

    def confidences(self):
        """(confidence, right) of each written word that has one."""
        bad = {op.hyp for op in self.ops if op.kind in "si"}
        out = {}
        for k, h in enumerate(self.hyp):
            if h.mark:
                continue
            for w in {self.owner[h.first], self.owner[h.last]}:
                out[w] = out.get(w, True) and k not in bad
        return [(self.words[w]["confidence"], ok) for w, ok in out.items() if "confidence" in self.words[w]]


def overlap(a, b):
    return min(a[1], b[1]) - max(a[0], b[0])


def whisper_errors(said, row, normal):
    """Edits and words as the literature counts them: Whisper's normaliser, then jiwer."""
    import jiwer

    ref = normal(said["text"])
    hyp = normal(" ".join(w["text"].strip() for w in words_of(row)))
    out = jiwer.process_words(ref, hyp)
    return out.substitutions + out.deletions + out.insertions, len(ref.split())


def collect(path):
    """Everything that is counted in one file of results, per clip."""
    from whisper_normalizer.english import EnglishTextNormalizer

    normal, out, known = EnglishTextNormalizer(), [], {}
    for row in rows_of(path):
        which = row["id"].split("-")[0]
        if which not in known:
            known[which] = truth(which)
        said = known[which].get(row["id"])
        if said is None or said["kind"] != "dictation":
            continue
        clip = Clip(said, row)
        errors, n = whisper_errors(said, row, normal)
        times = clip.time_errors()
        out.append({"id": row["id"], "clip": clip, **clip.count(), "wer_a": (errors, n), "entities": clip.entities(), "times": times,
                    "seconds": row["seconds"], "audio": said["seconds"], "confidences": clip.confidences()})
    return out


def ratio(rows, top, bottom):
    return sum(r[top] for r in rows) / max(1, sum(r[bottom] for r in rows))


def share(rows, kinds, also=None):
    """The share of entities that are right, or for which `also` ("doubted", "named") holds."""
    es = [e for r in rows for e in r["entities"] if e["kind"] in kinds]
    return sum(e["right"] or bool(also and e[also]) for e in es) / len(es) if es else math.nan


def false_reports(rows, kinds=RISK + ("drug",)):
    """The share of right risk entities over which a doubt is reported."""
    es = [e for r in rows for e in r["entities"] if e["kind"] in kinds and e["right"]]
    return sum(e["doubted"] for e in es) / len(es) if es else math.nan


MEASURES = {
    "WER(a)": lambda r: sum(x["wer_a"][0] for x in r) / max(1, sum(x["wer_a"][1] for x in r)),
    "WER(b)": lambda r: sum(x["s"] + x["d"] + x["i"] for x in r) / max(1, sum(x["n"] for x in r)),
    "dropped": lambda r: ratio(r, "dropped", "plain"),
    "unmarked": lambda r: ratio(r, "unmarked", "plain"),
    "invented": lambda r: ratio(r, "invented", "plain"),
    "terms": lambda r: share(r, ("term", "drug")),
    "drugs": lambda r: share(r, ("drug",)),
    "doses": lambda r: share(r, ("dose",)),
    "numbers": lambda r: share(r, ("num",)),
    "neg": lambda r: share(r, ("neg",)),
    "sides": lambda r: share(r, ("side",)),
    "risk": lambda r: share(r, RISK),
    "risk+": lambda r: share(r, RISK, also="doubted"),
    "named": lambda r: share(r, RISK, also="named"),
    "false": false_reports,
}


def interval(rows, measure, times=400):
    """The 95 % bootstrap interval over clips, from a fixed seed."""
    rng = np.random.default_rng(1)
    got = [measure([rows[k] for k in rng.integers(len(rows), size=len(rows))]) for _ in range(times)]
    return tuple(np.nanpercentile(got, [2.5, 97.5]))


def table(files):
    head = ["results", "clips", *MEASURES, "swaps", "t50", "≤0.2s", "sec", "×rt"]
    print("  ".join(f"{h:>8}" if i else f"{h:28}" for i, h in enumerate(head)))
    for name, rows in files.items():
        times = np.abs([t for r in rows for t in r["times"]] or [np.nan])
        cells = [f"{m(rows) * 100:7.2f}%" for m in MEASURES.values()] + [f"{sum(r['wrong drug'] for r in rows):8d}"]
        seconds, audio = sum(r["seconds"] for r in rows), sum(r["audio"] for r in rows)
        cells += [f"{np.median(times):7.2f}s", f"{(times <= 0.2).mean() * 100:7.1f}%", f"{seconds:8.1f}", f"{audio / max(seconds, 1e-9):8.1f}"]
        print("  ".join([f"{name:28}", f"{len(rows):8d}"] + cells))


def worst(rows, n):
    """The clips with most errors, and what became of their terms."""
    for r in sorted(rows, key=lambda r: -(r["s"] + r["d"] + r["i"]))[:n]:
        clip = r["clip"]
        print(f"\n{r['id']}: {r['s']} wrong, {r['d']} missing, {r['i']} too many of {r['n']}")
        for region in align.regions(clip.ops):
            said = " ".join(clip.ref[op.ref].text for op in region if op.ref >= 0)
            wrote = " ".join(clip.hyp[op.hyp].text for op in region if op.hyp >= 0)
            print(f"    {said or '–'}  →  {wrote or '–'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--worst", type=int, default=0, help="show the errors of the N worst clips")
    parser.add_argument("--common", action="store_true", help="only clips that all files have")
    a = parser.parse_args()
    files = {pathlib.Path(f).stem: collect(f) for f in a.files}
    if a.common:
        ids = set.intersection(*({r["id"] for r in rows} for rows in files.values()))
        files = {name: [r for r in rows if r["id"] in ids] for name, rows in files.items()}
    if not any(files.values()):
        sys.exit("no dictations among the results")
    table(files)
    for name, rows in files.items():
        if a.worst:
            print(f"\n== {name}")
            worst(rows, a.worst)


if __name__ == "__main__":
    main()
