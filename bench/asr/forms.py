"""One written form for each thing that can be said or written in several: numbers, units, letters, spellings.

"one twenty over eighty" and "120/80", "five milligrams" and "5mg", "L four L five" and "L4-L5" become the same tokens. The
same rules hold for what was said and for what any system wrote. Each token keeps which source words it came from.
"""

import dataclasses
import re

ONES = {w: i for i, w in enumerate("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split())}
TENS = {w: 10 * (i + 2) for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}
ORDINALS = {w: i + 1 for i, w in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split())}
UNITS = {
    "mg": "milligram milligrams mgs mg", "mcg": "microgram micrograms mcg mcgs ug", "g": "gram grams gm gms g", "kg": "kilogram kilograms kilo kilos kg kgs",
    "ml": "milliliter milliliters millilitre millilitres ml mls", "l": "liter liters litre litres", "cm": "centimeter centimeters centimetre centimetres cm cms",
    "mm": "millimeter millimeters millimetre millimetres mm mms", "meq": "milliequivalent milliequivalents meq", "lb": "pound pounds lb lbs",
    "percent": "percent percents", "unit": "unit units iu", "hour": "hour hours hr hrs", "minute": "minute minutes min mins", "second": "seconds sec secs",
    "millisecond": "millisecond milliseconds ms msec", "dl": "deciliter deciliters dl", "ft": "foot feet ft", "inch": "inch inches",
}
UNIT = {form: unit for unit, forms in UNITS.items() for form in forms.split()}
PLAIN = {"mister": "mr", "missus": "mrs", "misses": "mrs", "doctor": "dr", "versus": "vs", "okay": "ok", "x-ray": "xray", "cannot": "can not", "can't": "can not",
         "won't": "will not", "celcius": "celsius", "therefor": "therefore"}
SYMBOL = {"%": "percent", "°": "degrees", "+": "plus", "&": "and", "#": "number", "<": "below", ">": "above", "×": "by", "=": "equals"}
ROMAN = {"ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6"}
GRADED = ("class", "grade", "stage", "type", "factor", "degree")
MARKS = ".,;:?!"
PIECE = re.compile(r"\d{1,2}:\d\d(?!\d)|\d+(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\.\d+|\d+(?:st|nd|rd|th)\b|\d+|[^\W\d_]+(?:'[^\W\d_]+)?|[%°+&#<>×=/-]|[.,;:?!]")


@dataclasses.dataclass
class Tok:
    text: str
    first: int  # source words first…last, both included
    last: int
    mark: str = ""  # of a reference: the mark it dictates; of a hypothesis: this token is a mark, not a word
    number: bool = False


def spelling():
    """British to American, as Whisper's own normaliser has it."""
    from whisper_normalizer.english import EnglishSpellingNormalizer

    return EnglishSpellingNormalizer().mapping


SPELLING = spelling()


def pieces(raw):
    """The parts of one whitespace-separated word."""
    w = raw.lower().replace("’", "'").replace("µ", "u").replace("μ", "u").strip("\"“”()[]{}*_'")
    w = re.sub(r"^(mr|mrs|ms|dr|vs|st)\.$", r"\1", w)
    if re.fullmatch(r"(?:[a-z]\.){2,}[a-z]?\d*[.,]?", w):
        end = w[-1] if w[-1] == "," else ""
        w = w.replace(".", "").replace(",", "") + end
    if re.match(r"-\.?\d", w):
        w = "minus " + w[1:]
    return PIECE.findall(w)


def split(words):
    """Words with their index become letters, numbers, symbols and marks."""
    out = []
    for i, raw in enumerate(words):
        found = pieces(raw)
        for k, p in enumerate(found):
            if p in MARKS:
                out.append(Tok(p, i, i, mark=p))
            elif p == "-":
                continue
            elif p == "/":
                around = found[k - 1 : k] + found[k + 1 : k + 2]
                out.append(Tok("over" if all(x[0].isdigit() for x in around) else "per", i, i))
            elif p[0].isdigit() or (p[0] == "." and len(p) > 1):
                out.append(Tok(digits(p), i, i, number=True))
            else:
                p = re.sub(r"'s$", "", SYMBOL.get(p, p))
                for x in (PLAIN.get(p) or re.sub(r"n't$", " not", p)).split():
                    out.append(Tok(SPELLING.get(x, x), i, i))
    return out


def digits(p):
    """One form for a number in figures: no thousands separators, no trailing or missing zeros; 9:30 as 930."""
    p = p.replace(",", "").replace(":", "")
    if p[-1].isalpha():
        return p
    if "." in p:
        p = p.rstrip("0").rstrip(".")
        return "0" + p if p.startswith(".") else p or "0"
    return str(int(p))


def small(tokens, i):
    """A number below 100 in words at i: its value and length, or None."""
    w = tokens[i].text if i < len(tokens) and not tokens[i].mark else ""
    if w in ONES:
        return ONES[w], 1
    if w in TENS:
        nxt = tokens[i + 1].text if i + 1 < len(tokens) and not tokens[i + 1].mark else ""
        if 1 <= ONES.get(nxt, 0) <= 9:
            return TENS[w] + ONES[nxt], 2
        return TENS[w], 1
    return None


def whole(tokens, i):
    """A whole number in words at i: value and length. "one twenty eight" is 128, "twenty nineteen" 2019, "one oh five" 105."""
    word = lambda k: tokens[k].text if k < len(tokens) and not tokens[k].mark else ""
    if word(i) == "a" and word(i + 1) in ("hundred", "thousand"):
        got = (1, 1)
    else:
        got = small(tokens, i)
    if not got:
        return None
    value, n = got
    after = small(tokens, i + n)
    if word(i + n) == "oh" and 1 <= ONES.get(word(i + n + 1), 0) <= 9:
        return value * 100 + ONES[word(i + n + 1)], n + 2
    if after and after[0] >= 10 and 1 <= value <= 99:
        return value * 100 + after[0], n + after[1]
    total = 0
    while True:
        if word(i + n) == "hundred":
            value, n = value * 100, n + 1
            n += word(i + n) == "and" and small(tokens, i + n + 1) is not None
            rest = small(tokens, i + n)
            if rest:
                value, n = value + rest[0], n + rest[1]
        if word(i + n) != "thousand":
            return total + value, n
        total, n = (total + value) * 1000, n + 1
        skip = word(i + n) == "and" and small(tokens, i + n + 1) is not None
        rest = small(tokens, i + n + skip)
        if not rest:
            return total, n
        value, n = rest[0], n + rest[1] + skip


def decimals(tokens, i):
    """What follows "point": digits as a string, and how many words they are."""
    text, n = "", 0
    while True:
        got = small(tokens, i + n)
        if not got or (text and got[0] > 9):
            if i + n < len(tokens) and tokens[i + n].text == "oh":
                text, n = text + "0", n + 1
                continue
            return text, n
        text, n = text + str(got[0]), n + got[1]


def numbers(tokens):
    """Number words become figures."""
    out, i = [], 0
    while i < len(tokens):
        t = tokens[i]
        got = None if t.mark or t.number else whole(tokens, i)
        n, text = 0, ""
        if got:
            text, n = str(got[0]), got[1]
        point = i + n < len(tokens) and tokens[i + n].text == "point" and not tokens[i + n].mark
        if point and (got or (i + 1 < len(tokens) and small(tokens, i + 1))):
            frac, m = decimals(tokens, i + n + 1)
            if m:
                text, n = digits((text or "0") + "." + frac), n + 1 + m
        nxt = tokens[i + n].text if n and i + n < len(tokens) else t.text
        if nxt in ORDINALS and not t.mark and (not n or (got and got[0] in TENS.values() and ORDINALS[nxt] < 10)):
            value, n = (got[0] if n else 0) + ORDINALS[nxt], n + 1
            text = f"{value}{suffix(value)}"
        if n:
            out.append(Tok(text, t.first, tokens[i + n - 1].last, number=True))
            i += n
        else:
            out.append(t)
            i += 1
    return out


def suffix(n):
    return "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")


def joined(tokens, i, n, text, **more):
    tokens[i : i + n] = [Tok(text, tokens[i].first, tokens[i + n - 1].last, **more)]


def phrases(tokens):
    """Units, and words between numbers that are written in several ways."""
    for t in tokens:
        if not t.mark and not t.number:
            t.text = UNIT.get(t.text, t.text)
    i = 0
    while i < len(tokens):
        word = lambda k: tokens[i + k].text if 0 <= i + k < len(tokens) and not tokens[i + k].mark else ""
        number = lambda k: 0 <= i + k < len(tokens) and tokens[i + k].number
        if word(0) == "new" and word(1) in ("paragraph", "line"):
            joined(tokens, i, 2, "new_" + word(1))
        elif word(0) == "full" and word(1) == "stop":
            joined(tokens, i, 2, "period")
        elif word(0) == "out" and word(1) == "of" and number(-1) and number(2):
            joined(tokens, i, 2, "over")
        elif word(0) == "of" and number(-1) and number(1):
            tokens[i].text = "over"
        elif word(0) == "x" and number(-1) and number(1):
            tokens[i].text = "by"
        elif word(0) == "to" and number(-1) and number(1):
            del tokens[i]
            continue
        elif word(0) in ROMAN and not number(0) and (word(0) not in ("iv", "vi", "v") or word(-1) in GRADED):
            tokens[i].text, tokens[i].number = ROMAN[word(0)], True
        elif word(0) == "q" and number(1) and word(2) in ("h", "hour"):
            tokens[i].text, tokens[i + 2].text = "every", "hour"
        elif word(0) == "degrees" and word(1) in ("f", "c"):
            tokens[i + 1].text = {"f": "fahrenheit", "c": "celsius"}[word(1)]
        elif len(word(0)) == 1 and word(0) not in "ai" and word(0).isalpha() and not number(0):
            n = 1
            while len(word(n)) == 1 and word(n).isalpha():
                n += 1
            if n > 1:
                joined(tokens, i, n, "".join(word(k) for k in range(n)))
        i += 1
    return tokens


def tokens(words):
    """The canonical tokens of a list of whitespace-separated words, marks included."""
    return phrases(numbers(split(words)))


def compounds(ref, hyp):
    """Words that one side writes together and the other apart ("follow up", "followup") are written as said."""
    pairs = lambda side: {(a.text + b.text): (a.text, b.text) for a, b in zip(side, side[1:]) if not (a.mark or b.mark or a.number or b.number)}
    known, apart = {t.text for t in ref}, pairs(ref)
    i = 0
    while i < len(hyp):
        t = hyp[i]
        if not t.mark and not t.number:
            nxt = hyp[i + 1] if i + 1 < len(hyp) else None
            if nxt and not nxt.mark and not nxt.number and t.text + nxt.text in known and (t.text + nxt.text) not in apart:
                joined(hyp, i, 2, t.text + nxt.text)
            elif t.text in apart and t.text not in known:
                hyp[i : i + 1] = [Tok(x, t.first, t.last) for x in apart[t.text]]
                i += 1
        i += 1
    return hyp
