#!/usr/bin/env bash
# Finds which programs Vesper needs and this machine lacks, says so, and installs them with the system's package manager.
#
#   deps.sh            what building and running need
#   deps.sh --test     also what the tests need (a browser, fonts)
#   deps.sh --check    installs nothing; exit 1 when something is missing
#
# apt-get is used as root or through sudo, brew on macOS. Elsewhere it prints the list and exits 1. Nothing that it
# installs is started or set up as a system-wide server: Vesper runs its own PostgreSQL and Redis. It never installs Go.
# A run that finds everything is silent and takes a fraction of a second.
set -euo pipefail

least_go=26 least_postgres=15 least_redis=7 least_node=18

say() { printf '%s\n' "deps: $*" >&2; }
die() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

test=no check=no
for arg; do
	case $arg in
	--test) test=yes ;;
	--check) check=yes ;;
	*) die "usage: deps.sh [--test] [--check]" ;;
	esac
done
cd "$(dirname "$0")/../.."

# --- what is here -------------------------------------------------------------------------------------------------

postgres_major() {
	local best=0 dir v
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
		[[ -x $dir/postgres && -x $dir/initdb && -x $dir/psql ]] || continue
		v=$(major "$dir/postgres")
		((v > best)) && best=$v
	done
	if ((best == 0)) && have postgres && have initdb && have psql; then best=$(major postgres); fi
	echo "$best"
}

redis_major() {
	local name v best=0
	for name in redis-server valkey-server; do
		have $name || continue
		v=$(major $name)
		((v > best)) && best=$v
	done
	echo "$best"
}

# major prints the first whole number of a program's --version, 0 when there is none.
major() {
	local text
	text=$("$1" --version 2>/dev/null) || true
	if [[ $text =~ [0-9]+ ]]; then echo "${BASH_REMATCH[0]}"; else echo 0; fi
}

has_browser() { [[ -n ${CHROME:-} ]] || have chromium || have chromium-browser || have google-chrome || [[ -d "/Applications/Google Chrome.app" || -d /Applications/Chromium.app ]]; }

has_fonts() { [[ $(uname -s) == Darwin ]] || { have fc-match && [[ $(fc-match sans-serif file 2>/dev/null) == */* ]]; }; }

has_pip() { have python3 && { have pip3 || python3 -c 'import importlib.util as u, sys; sys.exit(u.find_spec("pip") is None)' 2>/dev/null; }; }

# find_missing fills the list of names of what is missing; names stand for one program or group each.
find_missing() {
	missing=()
	{ have cc || have gcc || have clang; } && { have c++ || have g++ || have clang++; } || missing+=(compiler)
	have cmake || missing+=(cmake)
	have git || missing+=(git)
	have ffmpeg || missing+=(ffmpeg)
	(($(postgres_major) >= least_postgres)) || missing+=(postgresql)
	(($(redis_major) >= least_redis)) || missing+=(redis)
	{ have node && (($(major node) >= least_node)); } || missing+=(node)
	have npm || missing+=(npm)
	has_pip || missing+=(python)
	if [[ $test == yes ]]; then
		has_browser || missing+=(browser)
		has_fonts || missing+=(fonts)
	fi
}

describe() {
	case $1 in
	compiler) echo "a C and C++ compiler (builds whisper.cpp)" ;;
	cmake) echo "cmake (builds whisper.cpp)" ;;
	git) echo "git" ;;
	ffmpeg) echo "ffmpeg (reads recordings)" ;;
	postgresql) echo "PostgreSQL $least_postgres or newer with initdb and psql (keeps everything but audio)" ;;
	redis) echo "Redis $least_redis or newer (queue)" ;;
	node) echo "Node.js $least_node or newer (builds the pages)" ;;
	npm) echo "npm (builds the pages)" ;;
	python) echo "Python 3 with pip (one source of speech models)" ;;
	browser) echo "Chromium (tests the pages)" ;;
	fonts) echo "a font (screenshots in tests)" ;;
	esac
}

# --- Go is asked for, not installed ---------------------------------------------------------------------------------

check_go() {
	have go || die "Go 1.$least_go or newer is needed and is not installed by this script. Get it from https://go.dev/dl/ and put its bin folder in the PATH."
	local v minor
	v=$(go version 2>/dev/null) || die "\"go version\" fails. Get Go 1.$least_go or newer from https://go.dev/dl/."
	v=${v#go version go} minor=${v#1.} minor=${minor%%[!0-9]*}
	((${minor:-0} >= least_go)) || die "Go 1.$least_go or newer is needed, this is ${v%% *}. Get it from https://go.dev/dl/."
}

# --- apt --------------------------------------------------------------------------------------------------------------

apt_names() {
	case $1 in
	compiler) echo gcc g++ libc6-dev ;;
	postgresql) echo postgresql ;;
	redis) candidate redis-server && echo redis-server || echo valkey-server ;;
	node) echo nodejs ;;
	npm) npm_comes_with_node || echo npm ;;
	python) echo python3 python3-pip ;;
	browser) candidate chromium && echo chromium || echo chromium-browser ;;
	fonts) echo fontconfig fonts-dejavu-core ;;
	*) echo "$1" ;;
	esac
}

candidate() { [[ $(apt-cache policy "$1" 2>/dev/null) =~ Candidate:\ [0-9] ]]; }

# Packages of Node.js that do not come from the distribution bring npm with them and conflict with the distribution's.
npm_comes_with_node() { apt-cache show nodejs 2>/dev/null | grep -E '^(Provides|Conflicts):.*\bnpm\b' >/dev/null; }

as_root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi; }

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@"; }

# Without these two files the packages would make a cluster and start servers of their own. They are removed afterwards.
policy=/usr/sbin/policy-rc.d
no_cluster=/etc/postgresql-common/createcluster.d/vesper-setup.conf
put_files=()

put() {
	[[ -e $1 ]] && return
	as_root mkdir -p "$(dirname "$1")"
	printf '%s\n' "$2" | as_root tee "$1" >/dev/null
	as_root chmod "$3" "$1"
	put_files+=("$1")
}

remove_files() { ((${#put_files[@]} == 0)) || as_root rm -f "${put_files[@]}"; }

apt_install() {
	[[ $(id -u) == 0 ]] || have sudo || die "you are not root and there is no sudo. As root, run: $0"
	trap remove_files EXIT
	say "reading the package lists"
	apt_get -qq update || say "the package lists could not be renewed; going on with the old ones"
	local packages=() name
	for name in "${missing[@]}"; do
		# shellcheck disable=SC2207 # package names hold no blanks
		packages+=($(apt_names "$name"))
	done
	say "installing with apt-get: ${packages[*]}"
	put "$policy" $'#!/bin/sh\nexit 101' 755
	put "$no_cluster" "create_main_cluster = false" 644
	apt_log=$(mktemp "${TMPDIR:-/tmp}/vesper-deps.XXXXXX")
	apt_get install --no-install-recommends "${packages[@]}" 2>&1 | tee "$apt_log" | apt_progress ||
		{ tail -n 20 "$apt_log" >&2; die "apt-get failed; its whole output is in $apt_log"; }
	rm -f "$apt_log"
	keep_redis_off
}

# apt_progress turns thousands of lines into a few.
apt_progress() {
	awk '/newly installed/ { total = $3 }
	/^Need to get/ { print "deps: " $0 > "/dev/stderr" }
	/^Unpacking / && ++unpacked % 50 == 0 { print "deps: unpacked " unpacked " of " total > "/dev/stderr" }
	/^Setting up / && ++set % 50 == 0 { print "deps: set up " set " of " total > "/dev/stderr" }'
}

# The policy above keeps Redis from starting now; this keeps it from starting with the next boot.
keep_redis_off() {
	[[ " ${missing[*]} " == *" redis "* && -d /run/systemd/system ]] || return 0
	as_root systemctl disable --quiet redis-server valkey-server 2>/dev/null || true
}

# --- brew -------------------------------------------------------------------------------------------------------------

brew_install() {
	local formulae=() name
	for name in "${missing[@]}"; do
		case $name in
		compiler) die "the compiler is missing. Run: xcode-select --install" ;;
		postgresql) formulae+=(postgresql@17) ;;
		npm) formulae+=(node) ;;
		python) formulae+=(python@3) ;;
		fonts) ;;
		browser)
			say "installing with brew: chromium"
			brew install --cask chromium
			;;
		*) formulae+=("$name") ;;
		esac
	done
	((${#formulae[@]} == 0)) && return
	say "installing with brew: ${formulae[*]}"
	brew install "${formulae[@]}"
}

# --- the run ----------------------------------------------------------------------------------------------------------

check_go
find_missing
((${#missing[@]} == 0)) && exit 0

say "this machine lacks:"
for name in "${missing[@]}"; do say "  - $(describe "$name")"; done
[[ $check == no ]] || exit 1

if have apt-get; then
	apt_install
elif have brew; then
	brew_install
else
	die "there is neither apt-get nor brew here. Install the above with your package manager and start again."
fi

hash -r
find_missing
((${#missing[@]} == 0)) || {
	say "still missing after the installation:"
	for name in "${missing[@]}"; do say "  - $(describe "$name")"; done
	die "this system's packages are too old or absent. Install the above by hand and start again."
}
say "everything needed is installed"
