# Vesper. `make` lists what there is to do; `make run` is all that a fresh machine needs.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export VESPER_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vesper

# Tools of fixed versions. versitygw is the S3 store that `vesper up` and the tests run.
VERSITYGW    := v1.8.0
GOLANGCI     := v2.15.0
GOFUMPT      := v0.12.0
GOVULNCHECK  := v1.9.0

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
DATA    ?= ./data

# whisper.cpp is found through these variables, so every Go command that compiles cgo runs behind them.
WHISPER := whisper=$$(internal/setup/whisper.sh --env); eval "$$whisper"

comma   := ,
s3      := $(VESPER_CACHE)/bin/.versitygw-$(VERSITYGW)
modules := web/ui/node_modules/.package-lock.json
pages   := bin/.pages

##@ Use

.PHONY: run
run: build ## Install what is missing, build, fetch a model and start everything with a demo practice (DATA=./data)
	@$(WHISPER); bin/vesper models fetch
	@exec bin/vesper up --demo --data $(DATA)

.PHONY: demo
demo: build ## Take one real dictation the whole way on a fresh temporary stack
	@$(WHISPER); bin/vesper models fetch
	@exec bin/vesper demo

.PHONY: build
build: deps $(s3) $(pages) ## Build whisper.cpp (once), the pages and bin/vesper
	@$(WHISPER); echo "build: bin/vesper" >&2; \
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/vesper ./cmd/vesper

.PHONY: deps
deps: ## Say which programs are missing and install them
	@internal/setup/deps.sh $(DEPS)

##@ Check

# Tests also need a browser and fonts.
test test-race fuzz nemesis: DEPS := --test

.PHONY: test
test: $(s3) $(pages) ## Run every test against real services that the tests start themselves
	@internal/setup/test.sh

.PHONY: test-race
test-race: $(s3) $(pages) ## Run the Go tests with the race detector (slow)
	@internal/setup/test.sh --race

.PHONY: nemesis
nemesis: $(s3) $(pages) ## Break everything under a small practice, and prove that nothing is lost (SECONDS=1200 SEED=… ONLY=name)
	@$(WHISPER); go build -trimpath -o bin/vesper ./cmd/vesper; bin/vesper models fetch
	@$(WHISPER); seed=$(or $(SEED),$$RANDOM$$RANDOM); \
	go test -trimpath -count=1 -timeout $$(($(or $(SECONDS),1200) + 1800))s -v -run TestNothingIsLost ./bench/nemesis \
		-args -seconds $(or $(SECONDS),1200) -seed $$seed -only "$(ONLY)"

.PHONY: fuzz
fuzz: $(s3) $(pages) ## Fuzz each parser of outside bytes for a while (FUZZ=30s)
	@internal/setup/test.sh --fuzz $(or $(FUZZ),30s)

.PHONY: lint
lint: $(pages) ## Check style, vet, lint and known vulnerabilities
	@$(WHISPER); set -x; \
	go run mvdan.cc/gofumpt@$(GOFUMPT) -l . | { ! grep .; }; \
	go vet ./...; \
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI) run; \
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) ./...

.PHONY: bench
bench: build ## Measure Vesper; prints tables
	@$(WHISPER); bin/vesper models fetch
	@$(WHISPER); go run ./bench

.PHONY: bench-arriving
bench-arriving: build ## Measure how soon after its last byte a long dictation is drafted (MINUTES=2,5,10; as long as they last, and more)
	@$(WHISPER); bin/vesper models fetch
	@$(WHISPER); go run ./bench/arriving -minutes $(or $(MINUTES),2,5,10)

.PHONY: bench-asr
bench-asr: build ## Measure speech to words against faster-whisper and whisper-cli (an hour; QUICK=1: ten minutes)
	@$(WHISPER); bin/vesper models fetch base base-q8_0; \
	python=$$(bench/asr/setup.sh)/bin/python; \
	go build -o bin/bench-asr ./bench/asr/run; \
	$$python bench/asr/check.py >&2; \
	$$python bench/asr/clips.py >&2; \
	$$python bench/asr/bench.py --binary bin/bench-asr $(if $(QUICK),--quick); \
	$$python bench/asr/report.py $(if $(QUICK),--docs $(VESPER_CACHE)/bench-asr/results/last)

.PHONY: bench-notes
bench-notes: ## Measure notes over testdata: facts, sections, commands, flags, follow-ups; writes docs/bench/notes.md (MISSES=1 names them)
	@go run ./bench/notes $(if $(MISSES),-misses)

.PHONY: hear
hear: build ## Transcribe the recordings of testdata with the default model again, for bench-notes (NAME=… for one; else an hour)
	@$(WHISPER); bin/vesper models fetch; testdata/hear.sh bin/vesper $(NAME)

.PHONY: soak
soak: build ## Give the engine a thousand chunks; reports memory and how soon a cancel returns (CHUNKS=1000)
	@$(WHISPER); bin/vesper models fetch
	@$(WHISPER); go test ./transcribe/whisper -run '^$$' -bench '^BenchmarkSoak$$' -benchtime $(or $(CHUNKS),1000)x -timeout 4h

.PHONY: bench-load
bench-load: $(s3) $(pages) ## Measure a practice under load and pages over ten million notes (MINUTES=5 NOTES=10000000 ONLY=flow,lossy,queue,large)
	@$(WHISPER); go build -o bin/bench-load ./bench/load; \
	bin/bench-load -docs docs/bench -minutes $(or $(MINUTES),5) -notes $(or $(NOTES),10000000) -only $(or $(ONLY),flow$(comma)lossy$(comma)queue$(comma)large)

##@ Tidy

.PHONY: clean
clean: ## Remove what was built here; keeps ./data and the cache
	rm -rf bin web/static/build web/ui/node_modules

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
	/^##@/ { printf "\n%s\n", substr($$0, 5) } \
	/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- what the above is made of ---------------------------------------------------------------------------------------

# Packages must be there before anything is compiled, in whichever order the goals come.
$(s3) $(modules) $(pages): | deps

$(s3):
	@echo "build: versitygw $(VERSITYGW), the S3 store (once, a few minutes)" >&2
	@mkdir -p $(@D)
	@CGO_ENABLED=0 GOBIN=$(VESPER_CACHE)/bin go install -trimpath -ldflags=-s \
		github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW)
	@touch $@

$(modules): web/ui/package-lock.json
	@echo "build: packages of the pages" >&2
	@npm --prefix web/ui ci --no-audit --no-fund --loglevel=error
	@touch $@

# Everything below web/ui but the packages is a source of the pages.
$(pages): $(modules) $(shell find web/ui -type f -not -path '*/node_modules/*' 2>/dev/null)
	@echo "build: pages" >&2
	@npm --prefix web/ui run build --silent
	@mkdir -p $(@D) && touch $@
