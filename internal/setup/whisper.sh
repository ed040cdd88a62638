#!/usr/bin/env bash
# Builds whisper.cpp once, as static libraries, into a cache keyed by version, CPU and backend, and says where it is.
#
#   whisper.sh          builds if needed; the last line on stdout is the folder (include, ggml/include, lib, bin)
#   whisper.sh --env    the same, but prints shell lines for `eval` that let `go build` find headers and libraries
#   whisper.sh --where  prints the folder without building
#
# Progress goes to stderr. A second call returns at once. Two calls at the same time build once.
#
# VESPER_CACHE            cache folder; default $XDG_CACHE_HOME/vesper or ~/.cache/vesper
# WHISPER_CPP_SRC         a whisper.cpp source tree to build instead of fetching one
# VESPER_WHISPER_BACKEND  cpu (default on Linux), cuda, vulkan; metal (always, on macOS)
# VESPER_JOBS             parallel compilers; default: all processors
set -euo pipefail

version=1.9.1
recipe=4 # raise when the flags below change, so that old builds are not taken for new ones
npm_package=nodejs-whisper@0.3.1
npm_sha256=92041caf2b26c74b7f489fedf37bd093f216eebd61df512045ec2d19d0531d37
# Of the sources that are compiled (see sources_sum); the same in the package and under the tag.
sources_sha256=30eacebb9876252e2b840d19d5588930f1f9eacd6b989c2d67347509df274bc1
upstream=https://github.com/ggml-org/whisper.cpp/archive/refs/tags/v$version.tar.gz

say() { printf '%s\n' "whisper.cpp: $*" >&2; }
die() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
sha256() { if have sha256sum; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

system=$(uname -s) machine=$(uname -m)
if [[ $system == Darwin ]]; then backend=metal; else backend=${VESPER_WHISPER_BACKEND:-cpu}; fi
case $backend in
cpu | cuda | vulkan) [[ $system != Darwin ]] || die "on macOS the backend is always metal" ;;
metal) [[ $system == Darwin ]] || die "the metal backend needs macOS; use cpu, cuda or vulkan" ;;
*) die "unknown VESPER_WHISPER_BACKEND '$backend'; use cpu, cuda, metal or vulkan" ;;
esac

# The libraries are tuned to this CPU, so a cache shared by different machines must tell them apart.
cpu_flags() {
	if [[ -r /proc/cpuinfo ]]; then
		grep -m1 -E '^(flags|Features|isa)[[:space:]]*:' /proc/cpuinfo || true
	elif [[ $system == Darwin ]]; then
		sysctl -n machdep.cpu.brand_string
	fi
}
cpukey=$machine-$backend-$({ cpu_flags; echo "$recipe ${WHISPER_CPP_SRC:-}"; } | sha256 | cut -c1-12)
cache=${VESPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vesper}
out=$cache/whisper.cpp-$version-$cpukey

# fetch_npm puts the source tree from the npm package in $1/src; it fails quietly when there is no npm or no network.
fetch_npm() {
	have npm || return 1
	say "fetching the source ($npm_package)"
	(cd "$1" && npm pack --silent "$npm_package" >/dev/null 2>"$1/npm.log") || return 1
	local tarball sum
	tarball=$(ls "$1"/*.tgz)
	sum=$(sha256 "$tarball" | cut -d' ' -f1)
	[[ $sum == "$npm_sha256" ]] || die "the package $npm_package has SHA-256 $sum, expected $npm_sha256; refused"
	mkdir "$1/unpacked" && tar xzf "$tarball" -C "$1/unpacked" && mv "$1/unpacked/package/cpp/whisper.cpp" "$1/src"
}

# fetch_upstream puts the tagged source tree in $1/src, for machines without npm.
fetch_upstream() {
	have curl || die "npm could not fetch $npm_package and there is no curl; set WHISPER_CPP_SRC to a source tree"
	say "fetching the source (tag v$version)"
	mkdir "$1/src"
	curl -fsSL --connect-timeout 5 --retry 2 "$upstream" | tar xz --strip-components=1 -C "$1/src" ||
		die "no source to be had; check the network or set WHISPER_CPP_SRC to a whisper.cpp $version tree"
}

# sources_sum prints one SHA-256 for all sources that are compiled. The archive of a tag is made anew by its host, so its
# own bytes cannot be pinned; what is in it can.
sources_sum() {
	(cd "$1" && {
		find CMakeLists.txt cmake src include ggml examples/quantize -type f ! -name .gitignore -print0
		printf '%s\0' examples/CMakeLists.txt examples/*.cpp examples/*.h
	} | LC_ALL=C sort -z | xargs -0 sh -c 'if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi' - |
		sha256 | cut -d' ' -f1)
}

# The library's AMX code dies on its first tile with GCC before 13, which drops most of the tile's configuration as dead
# stores. The kernels of our own do the heavy part with AVX-512, so nothing is lost without it.
no_amx="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
without_amx() {
	# shellcheck disable=SC2086 # these are three flags
	[[ $machine == x86_64 ]] && ${CXX:-c++} $no_amx -E -x c++ /dev/null >/dev/null 2>&1
}

# build compiles the libraries and the quantize tool; $1 source, $2 build folder.
build() {
	local flags=(
		-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON
		-DGGML_LLAMAFILE=ON -DGGML_NATIVE=ON
		-DWHISPER_BUILD_TESTS=OFF -DWHISPER_BUILD_SERVER=OFF -DWHISPER_BUILD_EXAMPLES=ON
	)
	case $backend in
	cuda) flags+=(-DGGML_CUDA=ON) ;;
	vulkan) flags+=(-DGGML_VULKAN=ON) ;;
	metal) flags+=(-DGGML_METAL=ON -DGGML_METAL_EMBED_LIBRARY=ON -DGGML_BLAS=ON) ;;
	esac
	if without_amx; then flags+=("-DCMAKE_C_FLAGS=$no_amx" "-DCMAKE_CXX_FLAGS=$no_amx"); fi
	have ninja && flags+=(-G Ninja)
	have cmake || die "cmake is missing; install it (apt install cmake, brew install cmake) and try again"
	local jobs=${VESPER_JOBS:-$(getconf _NPROCESSORS_ONLN)}
	say "configuring ($backend, log: $2.log)"
	export CCACHE_BASEDIR=${2%/*} CCACHE_NOHASHDIR=1 # where there is a ccache, a build elsewhere may use it
	cmake -S "$1" -B "$2" "${flags[@]}" >"$2.log" 2>&1 || failed "$2.log"
	say "compiling with $jobs jobs; this takes a few minutes, once"
	cmake --build "$2" --target whisper whisper-quantize -j "$jobs" 2>&1 | tee -a "$2.log" | progress ||
		failed "$2.log"
}

failed() {
	tail -n 30 "$1" >&2
	cp "$1" "$cache/whisper-build-failed.log"
	die "the build failed; the whole log is $cache/whisper-build-failed.log"
}

# progress turns ninja's [n/m] or make's [ n%] into one line for each tenth.
progress() {
	awk '{
		p = -1
		if (match($0, /^\[[0-9]+\/[0-9]+\]/)) { split(substr($0, 2, RLENGTH - 2), a, "/"); p = int(100 * a[1] / a[2]) }
		else if (match($0, /^\[ *[0-9]+%\]/)) { p = substr($0, 2, RLENGTH - 3) + 0 }
		if (p >= next_p) { printf "whisper.cpp: %3d%%\n", p > "/dev/stderr"; next_p = (int(p / 10) + 1) * 10 }
	}'
}

# collect copies what Vesper links against from build folder $2 of source $1 into folder $3.
collect() {
	mkdir -p "$3/include" "$3/ggml/include" "$3/lib" "$3/bin"
	cp "$1"/include/whisper.h "$3/include/"
	cp "$1"/ggml/include/*.h "$3/ggml/include/"
	# Ours is compiled together with the library's own source, to reach what its header does not offer.
	mkdir -p "$3/src" "$3/ggml/src"
	cp "$1"/src/*.cpp "$1"/src/*.h "$3/src/"
	cp "$1"/ggml/src/*.h "$3/ggml/src/"
	printf '#define WHISPER_VERSION "%s"\n' "$version" >"$3/src/whisper-version.h"
	cp "$1"/LICENSE "$3/LICENSE"
	local lib
	while IFS= read -r lib; do cp "$lib" "$3/lib/"; done < <(find "$2" -name 'libwhisper.a' -o -name 'libggml*.a')
	cp "$2/bin/whisper-quantize" "$3/bin/quantize"
	for lib in whisper ggml ggml-base ggml-cpu; do
		[[ -s $3/lib/lib$lib.a ]] || die "the build made no lib$lib.a"
	done
}

make_it() {
	local tmp
	rm -rf "$cache"/.whisper-build.* # of builds that were killed; the lock says that none is running
	tmp=$(mktemp -d "$cache/.whisper-build.XXXXXX")
	# shellcheck disable=SC2064 # the folder is known now
	trap "rm -rf '$tmp'" EXIT
	local src=${WHISPER_CPP_SRC:-$tmp/src}
	if [[ -z ${WHISPER_CPP_SRC:-} ]]; then
		fetch_npm "$tmp" || fetch_upstream "$tmp"
	fi
	grep -q "VERSION $version" "$src/CMakeLists.txt" 2>/dev/null || die "$src is no whisper.cpp $version source tree"
	if [[ $(sources_sum "$src") != "$sources_sha256" ]]; then
		[[ -n ${WHISPER_CPP_SRC:-} ]] || die "the fetched sources are not those of whisper.cpp $version; refused"
		say "note: $src differs from the released $version"
	fi
	build "$src" "$tmp/build"
	collect "$src" "$tmp/build" "$tmp/out"
	mv "$tmp/out" "$out"
	rm -rf "$tmp"
	trap - EXIT
	say "built in $out"
}

# locked runs a command while holding the cache's lock; mkdir is the lock where there is no flock (macOS).
locked() {
	mkdir -p "$cache"
	if have flock; then
		exec 9>"$cache/.whisper.lock"
		flock -n 9 || { say "another build is running; waiting for it"; flock 9; }
		"$@" 9>&- # compilers that outlive a killed script must not keep the lock
		exec 9>&-
		return
	fi
	local lock=$cache/.whisper.lock.d
	until mkdir "$lock" 2>/dev/null; do
		kill -0 "$(cat "$lock/pid" 2>/dev/null || echo $$)" 2>/dev/null || rm -rf "$lock"
		sleep 1
	done
	echo $$ >"$lock/pid"
	"$@"
	rm -rf "$lock"
}

# net_library compiles Vesper's own part of the network (transcribe/whisper/net) together with the library's source, once for
# each version of it, and prints the folder. It is no part of the Go package, which would compile it anew at each change.
net_library() {
	local here source sum dir tmp
	here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
	source=$here/transcribe/whisper/net
	sum=$(cat "$source"/* | sha256 | cut -c1-12)
	dir=$out/net-$sum
	if [[ ! -s $dir/libvespernet.a ]]; then
		say "compiling the network's own part"
		tmp=$(mktemp -d "$out/.net.XXXXXX")
		local compiler=${CXX:-c++}
		have ccache && compiler="ccache $compiler"
		$compiler -std=c++17 -O2 -fPIC -w -I"$out/include" -I"$out/ggml/include" -I"$out/src" -I"$out/ggml/src" \
			-c "$source/net.cpp" -o "$tmp/net.o" >&2 || die "the network's own part does not compile"
		ar rcs "$tmp/libvespernet.a" "$tmp/net.o"
		rm "$tmp/net.o"
		mkdir -p "$dir"
		mv "$tmp/libvespernet.a" "$dir/"
		rmdir "$tmp"
	fi
	echo "$dir"
}

make_if_missing() { [[ -x $out/bin/quantize ]] || make_it; }

# print_env prints what go build needs. The bindings name the usual libraries themselves; the group makes the order of
# static archives irrelevant and adds the backend's own.
print_env() {
	local net
	net=$(net_library)
	local libs="-lvespernet -lwhisper -lggml -lggml-base -lggml-cpu" extra=""
	case $backend in
	cuda) libs+=" -lggml-cuda" extra=" '-L${CUDA_HOME:-/usr/local/cuda}/lib64' -lcudart -lcublas -lcublasLt -lcuda" ;;
	vulkan) libs+=" -lggml-vulkan" extra=" -lvulkan" ;;
	esac
	[[ $system == Darwin ]] || libs="-Wl,--start-group $libs -Wl,--end-group$extra -lstdc++ -lm -fopenmp"
	printf 'export CGO_ENABLED=1\n'
	printf 'export CGO_CFLAGS="%s"\n' "-O2 -g '-I$out/include' '-I$out/ggml/include' '-I$out/src' '-I$out/ggml/src'"
	printf 'export CGO_CXXFLAGS="%s"\n' "-O2 -g '-I$out/include' '-I$out/ggml/include' '-I$out/src' '-I$out/ggml/src'"
	printf 'export CGO_LDFLAGS="%s"\n' "'-L$net' '-L$out/lib' $libs"
	printf 'export VESPER_QUANTIZE="%s"\n' "$out/bin/quantize"
}

case ${1:-} in
--where) echo "$out" ;;
--env | "")
	[[ -x $out/bin/quantize ]] || locked make_if_missing
	if [[ ${1:-} == --env ]]; then print_env; else echo "$out"; fi
	;;
*) die "usage: whisper.sh [--env | --where]" ;;
esac
