"""Which written word stands for which spoken one: the cheapest edits, marks for free."""

import dataclasses
import functools

import forms

COMMAND = {".": "period", ",": "comma", ":": "colon", "¶": "new_paragraph"}


@functools.lru_cache(maxsize=1 << 20)
def unlike(a, b):
    """0…1, only to choose between alignments of the same number of edits."""
    n = sum(x == y for x, y in zip(a, b)) + sum(x == y for x, y in zip(a[::-1], b[::-1]))
    return 1 - n / (2 * max(len(a), len(b)))


def reference(words):
    """The tokens of a script from its words ({"w", "mark"}): a dictated mark is one token of its own kind."""
    out, run, i = [], [], 0

    def flush():
        for t in forms.tokens([words[k]["w"] for k in run]):
            if not t.mark:
                out.append(forms.Tok(t.text, run[t.first], run[t.last], number=t.number))
        run.clear()

    while i < len(words):
        mark = words[i].get("mark")
        if not mark:
            run.append(i)
            i += 1
            continue
        flush()
        n = len(COMMAND[mark].split("_"))
        out.append(forms.Tok(COMMAND[mark], i, i + n - 1, mark=mark))
        i += n
    flush()
    return out


@dataclasses.dataclass
class Op:
    kind: str  # "=" right, "s" other word, "d" missing, "i" too many
    ref: int  # index of the reference token, −1 for "i"
    hyp: int  # index of the hypothesis token, −1 for "d"


def same(r, h):
    if h.mark:  # a mark that was written is a dictated mark that was understood, nothing else
        return bool(r.mark) and r.mark == h.mark
    return r.text == h.text


def align(ref, hyp):
    """The edits from ref to hyp. Written marks that nobody dictated cost nothing and do not show."""
    n, m = len(ref), len(hyp)
    cost = [[0.0] * (m + 1) for _ in range(n + 1)]
    back = [[""] * (m + 1) for _ in range(n + 1)]
    free = [0.0 if h.mark else 1.0 for h in hyp]
    for j in range(1, m + 1):
        cost[0][j], back[0][j] = cost[0][j - 1] + free[j - 1], "i"
    for i in range(1, n + 1):
        r, row, above = ref[i - 1], cost[i], cost[i - 1]
        row[0], back[i][0] = float(i), "d"
        for j in range(1, m + 1):
            h = hyp[j - 1]
            best, how = above[j] + 1, "d"
            if same(r, h):
                c, k = above[j - 1], "="
            elif h.mark:
                c, k = best + 1, "s"
            else:
                c, k = above[j - 1] + 1 + 1e-3 * unlike(r.text, h.text), "s"
            if c <= best:
                best, how = c, k
            c = row[j - 1] + free[j - 1]
            if c < best:
                best, how = c, "i"
            row[j], back[i][j] = best, how
    ops, i, j = [], n, m
    while i or j:
        how = back[i][j]
        if how == "d":
            i -= 1
            ops.append(Op("d", i, -1))
        elif how == "i":
            j -= 1
            if not hyp[j].mark:
                ops.append(Op("i", -1, j))
        else:
            i, j = i - 1, j - 1
            ops.append(Op(how, i, j))
    return ops[::-1]


def regions(ops):
    """The stretches of edits between right words."""
    out, run = [], []
    for op in ops:
        if op.kind == "=":
            if run:
                out.append(run)
            run = []
        else:
            run.append(op)
    return out + [run] if run else out
