#!/usr/bin/env bash
# Transcribe the recordings under dictations/ with the default model and settings, and write each transcript beside its
# recording: audio.ogg becomes audio.json. It goes one at a time and gives way to other work; a recording whose transcript
# is younger than itself is left alone.
#
# Usage: testdata/hear.sh VESPER [NAME]
set -euo pipefail
vesper=$1
here=$(cd "$(dirname "$0")" && pwd)
for case in "$here"/dictations/${2:-*}/; do
  for recording in "$case"audio.* "$case"second.*; do
    [[ -f $recording && $recording != *.json ]] || continue
    transcript=${recording%.*}.json
    [[ $transcript -nt $recording && -z ${2:-} ]] && continue
    nice -n 10 "$vesper" transcribe --json "$recording" >"$transcript.new" 2>/dev/null
    "$here"/compact.py "$transcript.new" >"$transcript"
    rm "$transcript.new"
    echo "$(basename "$case") $(basename "$recording")" >&2
  done
done
