"""Scores of the parts that are not dictations: minimal pairs, sounds without speech, the price in time and memory."""

import json
import pathlib
import re
import subprocess
import tempfile

import forms
import score


def contains(tokens, part):
    return any(tokens[k : k + len(part)] == part for k in range(len(tokens) - len(part) + 1))


def written(text):
    return [t.text for t in forms.tokens(text.split()) if not t.mark]


def pairs(rows, half=None):
    """Per kind: clips, right, heard as the other reading, otherwise wrong, wrong but reported, right but reported."""
    known, out = score.truth("pairs"), {}
    for row in rows:
        said = known.get(row["id"])
        if said is None or (half and said["half"] != half):
            continue
        clip = score.Clip(said, row)
        e = clip.entities()[0]
        text = [t.text for t in clip.hyp if not t.mark]
        right = e["right"] and not contains_only_other(text, said)
        other = not right and contains(text, written(said["other"]))
        for kind in (said["pair"], "all"):
            c = out.setdefault(kind, dict.fromkeys(("clips", "right", "other", "else", "reported", "false"), 0))
            c["clips"] += 1
            c["right"] += right
            c["other"] += other
            c["else"] += not right and not other
            c["reported"] += not right and e["doubted"]
            c["false"] += right and e["doubted"]
    return out


def contains_only_other(text, said):
    """The other reading is there and the one that was said is not: "denies" aligned with another negation, say."""
    return contains(text, written(said["other"])) and not contains(text, written(said["said"]))


def nonspeech(rows):
    """Clips, clips with words, words; and the same by kind of sound."""
    known, out = score.truth("nonspeech"), {}
    for row in rows:
        said = known.get(row["id"])
        if said is None:
            continue
        # What stands in brackets or between notes is a description of the sound, not words that somebody said.
        text = re.sub(r"\[[^\]]*\]|\([^)]*\)|♪[^♪]*♪?|\*[^*]*\*", " ", " ".join(w["text"] for w in score.words_of(row)))
        n = len(written(text))
        for kind in (said["sound"], "all"):
            c = out.setdefault(kind, {"clips": 0, "with words": 0, "words": 0})
            c["clips"] += 1
            c["with words"] += n > 0
            c["words"] += n
    return out


def cost(rows):
    """Seconds, × real time, processor seconds, peak memory, load time."""
    seconds, audio = sum(r["seconds"] for r in rows), sum(r["audio_seconds"] for r in rows)
    return {"seconds": seconds, "audio": audio, "speed": audio / max(seconds, 1e-9), "cpu": sum(r.get("cpu_seconds", 0) for r in rows),
            "peak": max(r.get("peak_bytes", 0) for r in rows) / 2**20, "load": max(r.get("load", 0) or r.get("load_seconds", 0) for r in rows)}


def sclite(collected, rows):
    """The word error rate of sctk's sclite over the texts that Whisper's normaliser makes, or None without it."""
    from whisper_normalizer.english import EnglishTextNormalizer

    normal, by_id = EnglishTextNormalizer(), {r["id"]: r for r in rows}
    with tempfile.TemporaryDirectory() as tmp:
        ref, hyp = pathlib.Path(tmp, "ref.trn"), pathlib.Path(tmp, "hyp.trn")
        lines = lambda text: "".join(f"{normal(text(c))} (bench_{k:04d})\n" for k, c in enumerate(collected))
        ref.write_text(lines(lambda c: c["clip"].said["text"]))
        hyp.write_text(lines(lambda c: " ".join(w["text"].strip() for w in score.words_of(by_id[c["id"]]))))
        command = ["sctk", "sclite", "-r", ref, "trn", "-h", hyp, "trn", "-i", "rm", "-o", "sum", "stdout"]
        try:
            out = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True).stdout
        except (FileNotFoundError, subprocess.CalledProcessError):
            return None
    found = re.search(r"Sum/Avg\s*\|\s*\d+\s+\d+\s*\|\s*[\d.]+\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+([\d.]+)", out)
    return float(found.group(1)) / 100 if found else None


def calibration(confidences, bins=10):
    """Expected calibration error, and per bin: mean confidence, share right, count."""
    table, ece, total = [], 0.0, max(1, len(confidences))
    for b in range(bins):
        inside = [(c, ok) for c, ok in confidences if min(int(c * bins), bins - 1) == b]
        if inside:
            mean, right = sum(c for c, _ in inside) / len(inside), sum(ok for _, ok in inside) / len(inside)
            table.append((mean, right, len(inside)))
            ece += abs(mean - right) * len(inside) / total
    return ece, table


def review(confidences):
    """Which share of the wrong words is found when the least certain words are looked at: points (looked at, found)."""
    ordered = sorted(confidences, key=lambda x: x[0])
    wrong, points, found = max(1, sum(not ok for _, ok in ordered)), [(0.0, 0.0)], 0
    for k, (_, ok) in enumerate(ordered):
        found += not ok
        points.append(((k + 1) / len(ordered), found / wrong))
    return points


ORDER = ("vesper-full", "vesper", "faster-whisper", "whisper-cli")


def load(folder, part):
    """The kept results of a part by system, ours first."""
    name = lambda p: p.name.split(".", 1)[1].removesuffix(".jsonl")
    place = lambda p: (next((k for k, o in enumerate(ORDER) if name(p).startswith(o)), len(ORDER)), name(p))
    return {name(p): p for p in sorted(folder.glob(f"{part}.*.jsonl"), key=place)}


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]
