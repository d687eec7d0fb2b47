# The one command for each chore. `make help` lists them.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c

# The race detector costs time: on in CI, `make unit RACE=-race` at home, `RACE=` to have it off.
RACE      ?= $(if $(CI),-race,)
# Empty, or a regular expression: make e2e RUN='Script/npm'
RUN       ?=
BENCH     ?= .
BENCHTIME ?= 1s
GOTESTSUM := go tool gotestsum

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start the server on :8080 with its data in ./data
	go run .

.PHONY: generate
generate: ## Write generated code anew: data model, GraphQL, pages
	go generate ./...

.PHONY: stale
stale: ## Fail if generated code is not what `make generate` writes
	.ci/stale

.PHONY: lint
lint: ## go vet and staticcheck, with and without the end-to-end tests
	.ci/lint

.PHONY: unit
unit: ## Tests beside the code; they need nothing but Go
	$(GOTESTSUM) --format pkgname-and-test-fails --format-hide-empty-pkg -- $(RACE) -timeout 20m $(if $(RUN),-run '$(RUN)') ./...

.PHONY: tools
tools: ## Install the real clients that the end-to-end tests drive (root or sudo)
	e2e/install

.PHONY: e2e
e2e: tools ## End-to-end tests: real clients, crashes, races, memory
	$(GOTESTSUM) --format testname -- -tags e2e -count 1 -timeout 45m $(if $(RUN),-run '$(RUN)') ./e2e/...

.PHONY: test
test: tools stale lint ## Everything CI runs
	RACE='$(RACE)' $(GOTESTSUM) --format pkgname-and-test-fails --format-hide-empty-pkg --raw-command -- .ci/tests

.PHONY: bench
bench: ## Benchmarks; make bench BENCH=Packument BENCHTIME=5s
	go test -run '^$$' -bench '$(BENCH)' -benchtime '$(BENCHTIME)' -benchmem ./...
