"""Reads the scripts of the bench: what is said, word for word, and which of the words matter.

A file holds dictations, each begun by a line `## name | specialty | spoken` or `… | plain`. In a spoken one every mark is
dictated: "." is said "period", "," "comma", ":" "colon", "¶" "new paragraph". In a plain one marks only shape the speech.
`{kind:words}` marks an entity; `[7]` is a pause of seven seconds. All other words are said as they stand.
"""

import dataclasses
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
SPOKEN = {".": "period", ",": "comma", ":": "colon", "¶": "new paragraph"}
KINDS = ("drug", "dose", "num", "neg", "side", "term")
TOKEN = re.compile(r"\[(\d+)\]|\{(\w+):([^{}]+)\}([.,:]?)|(¶)|([^\s\[\]{}]+)")


@dataclasses.dataclass
class Word:
    text: str
    mark: str = ""  # the mark that this word, or this and the one before, is the command for


@dataclasses.dataclass
class Segment:
    """What is said in one breath: words first…last-1 of the script; the pause after it is shaped by `end`."""

    first: int
    last: int
    end: str  # ".", ",", ":", "¶"
    prosody: str  # the text with the marks that a voice needs
    pause: float = 0.0  # seconds of extra pause after it


@dataclasses.dataclass
class Script:
    name: str
    specialty: str
    spoken: bool
    words: list
    segments: list
    entities: list  # dicts: kind, first, last (exclusive), text

    @property
    def text(self):
        return " ".join(w.text for w in self.words)


class Reader:
    def __init__(self, name, specialty, spoken):
        self.s = Script(name, specialty, spoken, [], [], [])
        self.start, self.prosody = 0, []

    def add(self, text, kind=None):
        first = len(self.s.words)
        self.s.words += [Word(w) for w in text.split()]
        self.prosody += text.split()
        if kind:
            self.s.entities.append({"kind": kind, "first": first, "last": len(self.s.words), "text": text})

    def close(self, end):
        if len(self.s.words) == self.start:
            return
        self.s.segments.append(Segment(self.start, len(self.s.words), end, " ".join(self.prosody)))
        self.start, self.prosody = len(self.s.words), []

    def mark(self, mark):
        if self.s.spoken:
            if mark == "¶":
                self.close(".")
            self.s.words += [Word(w, mark) for w in SPOKEN[mark].split()]
            self.prosody += ([","] if self.prosody else []) + [SPOKEN[mark]]
            self.close(mark)
        elif mark == ",":
            self.prosody.append(",")
        else:
            self.close(mark)


def parse(name, specialty, spoken, body):
    r = Reader(name, specialty, spoken)
    for pause, kind, marked, after, paragraph, plain in TOKEN.findall(body):
        if pause:
            r.close(".")
            r.s.segments[-1].pause += float(pause)
        elif paragraph:
            r.mark("¶")
        elif kind:
            if kind not in KINDS:
                raise ValueError(f"{name}: unknown kind {kind}")
            r.add(marked, kind)
            if after:
                r.mark(after)
        else:
            word, mark = (plain[:-1], plain[-1]) if plain[-1] in ".,:" else (plain, "")
            if word:
                r.add(word)
            if mark:
                r.mark(mark)
    r.close(".")
    return r.s


def load(name):
    """Every script of a set: "tune" or "report"."""
    text = (HERE / "scripts" / f"{name}.txt").read_text()
    out = []
    for block in re.split(r"(?m)^## ", text)[1:]:
        head, body = block.split("\n", 1)
        title, specialty, how = (part.strip() for part in head.split("|"))
        if how not in ("spoken", "plain"):
            raise ValueError(f"{title}: {how}?")
        out.append(parse(title, specialty, how == "spoken", body))
    return out


def overlap(kind):
    """The entities of a kind that both sets have."""
    of = lambda s: {e["text"].lower() for x in load(s) for e in x.entities if e["kind"] == kind}
    return of("tune"), of("report")


if __name__ == "__main__":
    for which in ("tune", "report"):
        scripts = load(which)
        sizes = [len(s.words) for s in scripts]
        count = {k: sum(e["kind"] == k for s in scripts for e in s.entities) for k in KINDS}
        print(which, len(scripts), "scripts,", sum(s.spoken for s in scripts), "with spoken marks;", sum(sizes), "words,",
              min(sizes), "to", max(sizes), count)
    for kind in ("drug", "term"):
        a, b = overlap(kind)
        print(f"{kind}: {len(a)} in tune, {len(b)} in report, {len(a & b)} in both: {', '.join(sorted(a & b))}")
