#!/usr/bin/env python3
"""Write a transcript of `vesper transcribe --json` so that it is small and its changes can be read: times to the
hundredth of a second, confidences to two places, one word, span or doubt per line. Usage: compact.py FILE"""

import json
import sys


def rounded(value):
    if isinstance(value, float):
        return round(value, 2)
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return value


transcript = rounded(json.load(open(sys.argv[1], encoding="utf-8")))
lines = []
for key, value in transcript.items():
    one = lambda v: json.dumps(v, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, list) and value:
        lines.append(f'"{key}":[\n' + ",\n".join(one(v) for v in value) + "]")
    else:
        lines.append(f'"{key}":{one(value)}')
print("{" + ",\n".join(lines) + "}")
