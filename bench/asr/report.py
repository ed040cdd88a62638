"""Scores what bench.py kept and writes docs/bench/asr.md with its plots.

Usage: report.py [RESULTS] [--docs DIR]       (no RESULTS: those of the last run)
"""

import argparse
import json
import math
import pathlib

import numpy as np

import clips
import parts
import plots
import score

M = score.MEASURES


def percent(x, digits=1):
    return "–" if math.isnan(x) else f"{100 * x:.{digits}f} %"


def table(head, lines):
    """A table for the document, which is also readable on a terminal."""
    cells = [head] + [[str(c) for c in line] for line in lines]
    wide = [max(len(line[k]) for line in cells) for k in range(len(head))]
    row = lambda line: "| " + " | ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(line, wide))) + " |"
    rule = "|" + "|".join("-" * (w + 2) if k == 0 else "-" * (w + 1) + ":" for k, w in enumerate(wide)) + "|"
    return "\n".join([row(cells[0]), rule] + [row(line) for line in cells[1:]]) + "\n"


def with_interval(rows, name, digits=1):
    if math.isnan(M[name](rows)):
        return "–"
    low, high = score.interval(rows, M[name])
    return f"{100 * M[name](rows):.{digits}f} ({100 * low:.{digits}f}–{100 * high:.{digits}f})"


class Report:
    def __init__(self, folder, docs):
        self.folder, self.docs, self.out = folder, docs, []
        self.about = json.loads((folder / "about.json").read_text())

    def say(self, *lines):
        self.out += [*lines, ""]

    def dictations(self, part, title):
        files = parts.load(self.folder, part)
        if not files:
            return {}
        collected = {name: score.collect(path) for name, path in files.items()}
        first = next(iter(collected.values()))
        self.say(f"## {title}", "", f"{len(first)} clips, {sum(r['audio'] for r in first) / 60:.1f} minutes, {sum(r['n'] for r in first)} words and dictated marks. In percent; in brackets the 95 % "
                 "bootstrap interval over clips.")
        self.say(table(["system", "WER (b)", "WER (a)", "sclite (a)", "missing", "dropped", "dropped, unmarked", "in runs ≥ 3", "invented"], [
            [name, with_interval(r, "WER(b)"), with_interval(r, "WER(a)"), self.sclite(r, files[name]), percent(sum(x["d"] for x in r) / sum(x["n"] for x in r)),
             with_interval(r, "dropped", 2), percent(M["unmarked"](r), 2), percent(score.ratio(r, "dropped3", "plain"), 2), percent(M["invented"](r), 2)]
            for name, r in collected.items()]))
        self.say(table(["system", "terms and drugs", "drugs", "names of other drugs", "doses", "numbers", "negations", "sides", "the last four", "right or reported", "right or named", "false reports"], [
            [name, with_interval(r, "terms"), with_interval(r, "drugs"), sum(x["wrong drug"] for x in r), *(percent(M[k](r)) for k in ("doses", "numbers", "neg", "sides")), with_interval(r, "risk"),
             percent(M["risk+"](r)), percent(M["named"](r)), percent(M["false"](r))] for name, r in collected.items()]))
        self.cost(files, collected)
        return collected

    def sclite(self, rows, path):
        got = parts.sclite(rows, parts.read(path))
        return "–" if got is None else percent(got)

    def cost(self, files, collected):
        lines = []
        for name, path in files.items():
            c, times = parts.cost(parts.read(path)), np.abs([t for r in collected.get(name, []) for t in r["times"]])
            c_times = len(times) > 0
            lines.append([name, f"{c['seconds']:.1f} s", f"{c['speed']:.1f} ×", f"{c['cpu']:.1f} s", f"{c['peak']:.0f} MB", f"{c['load']:.2f} s",
                          *([f"{np.median(times):.2f} s", f"{np.percentile(times, 95):.2f} s", percent((times <= 0.2).mean())] if c_times else ["–"] * 3)])
        self.say(table(["system", "wall", "× real time", "processor", "peak memory", "load, apart", "time error, median", "95 of 100", "within 0.2 s"], lines))

    def conditions(self, collected):
        """The same figure by how the clip was recorded and by voice."""
        for what, title in (("condition", "By recording"), ("voice", "By voice")):
            first = next(iter(collected.values()))
            kinds = sorted({r["clip"].said[what] for r in first})
            self.say(f"### {title}: WER (b) in percent")
            self.say(table(["system", *kinds], [[name, *(f"{100 * M['WER(b)']([r for r in rows if r['clip'].said[what] == k]):.1f}" for k in kinds)] for name, rows in collected.items()]))

    def sounds(self):
        files = parts.load(self.folder, "nonspeech")
        if not files:
            return
        got = {name: parts.nonspeech(parts.read(path)) for name, path in files.items()}
        kinds = [k for k in next(iter(got.values())) if k != "all"]
        n = next(iter(got.values()))["all"]["clips"]
        self.say("## Sounds without speech", "", f"{n} clips; every word is invented. Words per kind of sound:")
        self.say(table(["system", "clips with words", "words", *kinds], [[name, g["all"]["with words"], g["all"]["words"], *(g[k]["words"] for k in kinds)] for name, g in got.items()]))

    def pairs(self):
        files = parts.load(self.folder, "pairs")
        if not files:
            return
        for half, title in (("report", "report half"), ("tune", "tune half, on which thresholds may be fitted")):
            got = {name: parts.pairs(parts.read(path), half) for name, path in files.items()}
            if not all(got.values()):
                continue
            self.say(f"## Minimal pairs, {title}", "", f"{next(iter(got.values()))['all']['clips']} clips: one word said, another would change the treatment.")
            lines = []
            for name, g in got.items():
                a = g["all"]
                n = a["clips"]
                lines.append([name, percent(a["right"] / n), a["other"], a["else"], percent((a["right"] + a["reported"]) / n), percent(a["false"] / max(1, a["right"])),
                              *(f"{c['right']}/{c['clips']}" for k, c in sorted(g.items()) if k != "all")])
            kinds = sorted(k for k in next(iter(got.values())) if k != "all")
            self.say(table(["system", "right", "heard as the other", "otherwise wrong", "right or reported", "false reports", *kinds], lines))

    def ablation(self):
        files = parts.load(self.folder, "ablation")
        if not files:
            return
        self.say("## What each lever is worth", "", "Vesper's own settings on a part of the report set, one engine, in turning order.")
        lines = []
        for name, path in files.items():
            r, c = score.collect(path), parts.cost(parts.read(path))
            lines.append([name.removeprefix("vesper-"), *(percent(M[k](r)) for k in ("WER(b)", "terms", "drugs", "risk", "risk+")), percent(M["dropped"](r), 2), percent(M["invented"](r), 2),
                          f"{c['seconds']:.1f} s", f"{c['speed']:.1f} ×"])
        self.say(table(["settings", "WER (b)", "terms and drugs", "drugs", "doses, numbers, negations, sides", "right or reported", "dropped", "invented", "wall", "× real time"], lines))

    def steadiness(self):
        path = self.folder / "determinism.json"
        if path.exists():
            d = json.loads(path.read_text())
            different = {k: n for k, n in d["different"].items() if n > 1}
            self.say("## Same input, same bytes", "", f"{len(d['different'])} clips, {d['times']} runs each in shuffled order, in fresh processes, with zero, one or two cores kept busy by others: "
                     + ("every run gave the same transcript." if not different else f"**{len(different)} clips gave more than one transcript.**"))
        path = self.folder / "hog.json"
        if path.exists():
            self.say("## With both cores kept busy by others")
            self.say(table(["system", "alone", "with two busy loops", "slower by"], [
                [name, f"{t['alone']:.1f} s", f"{t['hogged']:.1f} s", f"{t['hogged'] / t['alone']:.2f} ×"] for name, t in json.loads(path.read_text()).items()]))

    def confidence(self, collected):
        for name, rows in collected.items():
            pairs = [c for r in rows for c in r["confidences"]]
            if not pairs:
                continue
            ece, bins = parts.calibration(pairs)
            points = parts.review(pairs)
            found = lambda x: next(y for a, y in points if a >= x)
            (self.docs / "asr-review.svg").write_text(plots.review(points))
            (self.docs / "asr-reliability.svg").write_text(plots.reliability(bins))
            self.say("## What the confidence of a word is worth", "", f"{name}, {len(pairs)} words, expected calibration error {ece:.3f}. Looking at the least certain 5 % of the words finds "
                     f"{percent(found(0.05), 0)} of the wrong ones, 10 % finds {percent(found(0.1), 0)}, 20 % finds {percent(found(0.2), 0)}.")
            self.say("![Wrong words found against words looked at](asr-review.svg)", "", "![Confidence against share right](asr-reliability.svg)")
            return

    def write(self):
        a = self.about
        self.say("# Speech to words: Vesper and its peers", "", "Written by the command below; do not edit. What is measured, and how, is in [the bench's own page](../../bench/asr/README.md).")
        self.say(table(["", "run"], [["commit", a["commit"]], ["date", a["date"]], ["machine", a["machine"]], ["load average before", f"{a['load_before']:.2f}"], ["command", f"`{a['command']}`"], ["versions", a["versions"]],
                                    ["model", "Whisper base for all: int8 for the peer, q8_0 for Vesper, q8_0 and f16 for whisper-cli; the same weights"], ["threads", "2 for each system"]]))
        if a["load_before"] > 1 or a["quick"]:
            self.say("**" + " ".join(["A quick run: few clips, wide intervals."] * a["quick"] + ["The machine had other work: times compare systems within this run only."] * (a["load_before"] > 1)) + "**")
        collected = self.dictations("report", "Dictations")
        if collected:
            wer = {name: (100 * M["WER(b)"](r), *(100 * x for x in score.interval(r, M["WER(b)"]))) for name, r in collected.items()}
            terms = {name: (100 * M["terms"](r), *(100 * x for x in score.interval(r, M["terms"]))) for name, r in collected.items()}
            (self.docs / "asr-wer.svg").write_text(plots.bars("Word error rate with medical forms", "percent, 95 % interval", wer))
            (self.docs / "asr-terms.svg").write_text(plots.bars("Medical terms and drugs right", "percent, 95 % interval", terms))
            self.say("![Word error rates](asr-wer.svg)", "", "![Terms right](asr-terms.svg)")
            self.conditions(collected)
        self.pairs()
        self.sounds()
        self.ablation()
        self.confidence(collected)
        self.steadiness()
        self.dictations("human", "A person")
        text = "\n".join(self.out).rstrip() + "\n"
        (self.docs / "asr.md").write_text(text)
        print(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results", nargs="?", type=pathlib.Path, default=clips.CACHE / "bench-asr" / "results" / "last")
    parser.add_argument("--docs", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2] / "docs" / "bench")
    a = parser.parse_args()
    a.docs.mkdir(parents=True, exist_ok=True)
    Report(a.results, a.docs).write()


if __name__ == "__main__":
    main()
