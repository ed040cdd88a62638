"""Checks the scorer against cases whose answer is known; `make bench-asr` runs it first. Ends with an error on the first failure."""

import align
import forms
import parts
import score

SAME = [  # said, written: the same thing
    ("blood pressure one twenty eight over seventy four", "Blood pressure 128/74."), ("five milligrams twice daily", "5mg twice daily,"), ("zero point zero five percent", "0.05%"),
    ("one hundred twelve micrograms", "112 mcg"), ("twelve point five milligrams", "12.5 mg"), ("twenty twenty one", "2021"), ("four thousand units", "4,000 units"),
    ("two fourteen in", "2:14 in"), ("one hundred forty thousand", "140,000"), ("three of six", "3/6"), ("two to three hours", "2-3 hours"), ("L five S one", "L5-S1"),
    ("the eighteenth", "the 18th"), ("fifteen hundred milligrams", "1500 milligrams"), ("every six hours", "Q6H"), ("minus one point eight", "-1.8"), ("FEV one", "F.E.V.1"),
    ("nine by seven millimeters", "9 x 7 mm"), ("three thousand and forty", "3,040"), ("twenty first", "21st"), ("one oh five", "105"), ("A1C is eight point four", "A1c is 8.4"),
    ("ten degrees Celsius", "10°C"), ("Alzheimer disease did not", "Alzheimer's disease didn't"), ("two zero absorbable", "2-0 absorbable"), ("number one", "#1"),
    ("thirty four weeks and two days", "34 weeks and two days"), ("zero point zero zero five percent", "0.005%"), ("zero point seven and zero point five", ".7 and .5"),
    ("seventy one year old", "71-year-old"), ("class four", "class IV"), ("stage three sigmoid", "Stage III sigmoid"), ("eleven forty", "11:40"), ("four point zero", "4"),
]
DIFFERENT = [
    ("fifteen milligrams", "50 mg"), ("fifty micrograms", "50 mg"), ("zero point five", "5"), ("one twelve", "112 mg"), ("no murmur", "a murmur"), ("two thousand", "2"),
    ("three point four", "4.3"), ("left", "right"), ("twenty milligrams", "20 mcg"), ("hypotension", "hypertension"), ("ten units", "10"),
]


def plain(text):
    return [t.text for t in forms.tokens(text.split()) if not t.mark]


def said(text, marks=(), entities=()):
    """A clip as clips.py lists it; marks are the places of words that are commands."""
    words = [{"w": w, "seg": 0, **({"mark": dict(marks)[k]} if k in dict(marks) else {})} for k, w in enumerate(text.split())]
    return {"id": "x", "kind": "dictation", "text": text, "words": words, "segments": [{"first": 0, "last": len(words), "start": 0.0, "end": float(len(words))}],
            "entities": [{"kind": k, "first": a, "last": b, "text": " ".join(text.split()[a:b])} for k, a, b in entities]}


def heard(text, spans=(), doubts=()):
    words = [{"text": w, "start": float(k), "end": k + 1.0, "confidence": 0.9} for k, w in enumerate(text.split())]
    return {"id": "x", "seconds": 1.0, "transcript": {"words": words, "spans": list(spans), "doubts": list(doubts)}}


def expect(what, got, want):
    if got != want:
        raise SystemExit(f"check: {what}: {got!r}, want {want!r}")


def edits(truth, row):
    c = score.Clip(truth, row).count()
    return c["s"], c["d"], c["i"]


def main():
    for a, b in SAME:
        expect(f"{b!r} for {a!r}", plain(b), plain(a))
    for a, b in DIFFERENT:
        if plain(a) == plain(b):
            raise SystemExit(f"check: {b!r} counts as {a!r}")
    spoken = said("no pain period lungs clear period", [(2, "."), (5, ".")])
    expect("a dictated mark, written as a mark or a word", edits(spoken, heard("No pain. Lungs clear, period.")), (0, 0, 0))
    expect("a dictated mark that is missing", edits(spoken, heard("no pain lungs clear")), (0, 2, 0))
    expect("a comma for a dictated period", edits(spoken, heard("no pain, lungs clear.")), (0, 1, 0))
    silent = said("no pain lungs clear")
    expect("marks that nobody dictated are free", edits(silent, heard("No pain. Lungs: clear!")), (0, 0, 0))
    expect("a written command that nobody dictated", edits(silent, heard("no pain period lungs clear")), (0, 0, 1))
    expect("a word in two parts", edits(said("echocardiogram follow up"), heard("echo cardiogram followup")), (0, 0, 0))

    long = said("the patient takes apixaban five milligrams twice daily and feels well today", entities=[("drug", 3, 4), ("dose", 4, 6)])
    c = score.Clip(long, heard("the patient takes well today")).count()
    expect("dropped words", (c["dropped"], c["unmarked"], c["dropped3"]), (7, 7, 7))
    c = score.Clip(long, heard("the patient takes well today", [{"kind": "unheard", "start": 3.0, "end": 12.0}])).count()
    expect("dropped words that are marked", (c["dropped"], c["unmarked"]), (7, 0))
    c = score.Clip(long, heard("the patient takes epic saban five milligrams twice daily and feels well today thanks for watching")).count()
    expect("misheard is not dropped, an ending that nobody said is invented", (c["dropped"], c["invented"]), (0, 3))
    wrong = score.Clip(long, heard("the patient takes apixaban 50 mg twice daily and feels well today", doubts=[{"start": 4.0, "end": 6.0, "first_word": 4, "last_word": 5, "other": "5 mg"}]))
    expect("a wrong dose with a doubt", [(e["right"], e["doubted"]) for e in wrong.entities()], [(True, False), (False, True)])
    expect("the doubt names what was said", [e["named"] for e in wrong.entities()], [False, True])
    expect("regions of edits", len(align.regions(wrong.ops)), 1)
    expect("calibration of sure and right words", round(parts.calibration([(1.0, True)] * 5)[0], 6), 0.0)
    expect("review of one wrong word that is least certain", parts.review([(0.1, False), (0.9, True)])[1], (0.5, 1.0))
    print("check: the scorer is as it should be")


if __name__ == "__main__":
    main()
