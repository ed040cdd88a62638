#!/usr/bin/env bash
# Runs every test of Vesper and ends with a summary. The tests start the services that they need themselves.
#
#   test.sh               vet, Go tests, tests of the pages
#   test.sh --race        the Go tests with the race detector
#   test.sh --fuzz TIME   each fuzz target for TIME
#
# It installs what is missing and fetches the models that the tests use, as `make run` does for running.
set -euo pipefail
cd "$(dirname "$0")/../.."

names=() results=() failed=0

# step runs one part under a name, shows its output, and goes on after a failure so that one run shows everything.
step() {
	local name=$1 began=$SECONDS result=passed
	shift
	printf '\n== %s\n' "$name"
	"$@" || { result=FAILED failed=1; }
	names+=("$name") results+=("$result in $((SECONDS - began)) s")
}

summary() {
	printf '\n== Summary\n'
	local i
	for i in "${!names[@]}"; do printf '%-28s %s\n' "${names[$i]}" "${results[$i]}"; done
	if ((failed)); then
		printf '\nSome tests failed.\n'
		exit 1
	fi
	printf '\nAll tests passed.\n'
}

formatted() {
	local bad
	bad=$(gofmt -l $(git ls-files '*.go' 2>/dev/null || find . -name '*.go' -not -path './web/ui/node_modules/*'))
	[[ -z $bad ]] || { printf 'not formatted:\n%s\n' "$bad"; return 1; }
}

# Tests of several packages at a time compete for the processors with the engine and three servers each; more than four
# gain nothing.
parallel() {
	local n
	n=$(getconf _NPROCESSORS_ONLN)
	echo $((n < 4 ? n : 4))
}

# The summary needs the packages' results, not their chatter: passing packages are one line each.
# What breaks things for minutes runs by itself afterwards, so that it does not slow the others.
go_tests() { go test -p "$(parallel)" -timeout 15m "$@" $(go list ./... | grep -v /bench/nemesis); }

nemesis() { go test -count=1 -timeout 25m ./bench/nemesis "$@"; }

models() { go build -o bin/vesper ./cmd/vesper && bin/vesper models fetch; }

fuzz() {
	local pkg target
	for pkg in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do
		for target in $(grep -h '^func Fuzz' "$pkg"/*_test.go | sed 's/func \(Fuzz[A-Za-z0-9_]*\).*/\1/'); do
			step "$pkg $target" go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$pkg"
		done
	done
}

internal/setup/deps.sh --test
whisper=$(internal/setup/whisper.sh --env)
eval "$whisper"
case ${1:-} in
"")
	step "formatted" formatted
	step "go vet" go vet ./...
	step "models" models
	step "Go tests" go_tests
	step "nemesis, two minutes" nemesis
	step "types of the pages" npm --prefix web/ui run check --silent
	step "tests of the pages" npm --prefix web/ui test --silent
	step "the way in a browser" npm --prefix web/ui run e2e --silent
	;;
--race)
	step "models" models
	step "Go tests with -race" go_tests -race
	;;
--fuzz) fuzz "$2" ;;
*)
	echo "usage: test.sh [--race | --fuzz TIME]" >&2
	exit 2
	;;
esac
summary
