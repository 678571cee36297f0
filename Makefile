# Everything happens in .venv, which `make setup` makes; nothing needs root.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
JOBS ?= 2
# Without compiled files, each of the thousand programs that the tests start would compile all of planton again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z][a-z -]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: setup
setup: .venv/.ready ## Make .venv with everything that is pinned, and the Pulumi command line
	@$(BIN)/planton setup

.venv/.ready: requirements.lock pyproject.toml tools/fetch_protos.py
	@echo "setting up .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; give one with PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python tools/fetch_protos.py
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: setup ## Bring up a cluster in the sandbox, scale it, repair drift, destroy it: the tour in minutes
	@$(BIN)/python tools/demo.py

.PHONY: check
check: setup lint ## Lint, and run every test that starts neither Pulumi nor a server: a minute and a half on two idle cores
	$(call run_tests,$(WORKERS) --dist worksteal $(addprefix --ignore=tests/,e2e languages official),$(ANYWHERE) and not pulumi and not slow)

.PHONY: test
test: check ## Run check, and one test of each behaviour end to end on Pulumi: ten minutes on two idle cores
	$(call run_tests,$(MORE_WORKERS) --dist loadgroup,$(ANYWHERE) and (pulumi or slow) and not variant)

.PHONY: test-all
test-all: EXAMPLES = --hypothesis-profile thorough
test-all: check ## Run all tests: also each behaviour on each cloud and database, and each language that is installed
	@for pair in go:go ts:npm java:mvn; do \
	  command -v $${pair#*:} >/dev/null || echo "test-$${pair%:*}: skipped: $${pair#*:} is not installed"; \
	done
	$(call run_tests,$(MORE_WORKERS) --dist loadgroup,$(INSTALLED) and (pulumi or slow or language))

PYTEST = $(BIN)/python -m pytest -q -rfE $(EXAMPLES)
# Tests wait for processes, databases and deadlines: there are more workers than cores.
WORKERS = -n $$((3 * $(JOBS) / 2))
# Those that start Pulumi or servers wait more.
MORE_WORKERS = -n $$((2 * $(JOBS)))
# Runs what failed once more, one test at a time: a machine that is too busy fails tests that wait. Both failures are printed.
define run_tests
$(PYTEST) $(1) -m "$(2)" || { [ $$? = 1 ] && echo "running what failed once more, alone" && $(PYTEST) --last-failed -m "$(2)"; }
endef
# Tests that need nothing but what `make setup` installs, and do not take the hours of the fault matrix.
INSTALLED = not official and not matrix
ANYWHERE = $(INSTALLED) and not language

.PHONY: test-go test-ts test-java test-python
test-go test-ts test-java test-python: test-%: setup ## Check one language: its stubs, its verdicts on all vectors, its program
	@$(PYTEST) tests/languages --language $*

.PHONY: test-official
test-official: setup ## Compare with the official plugins and command lines, where they can be had
	$(BIN)/python -m pytest -q -m official -rs

.PHONY: matrix
matrix: setup ## Play every cell of the fault matrix, test faults of controllers, and write their pages in docs/reference
	@# Many cells wait for Pulumi, which tries for half a minute to write a state.
	UPDATE_GOLDENS=1 $(BIN)/python -m pytest -n $$((2 * $(JOBS))) -q tests/e2e/test_fault_matrix.py
	UPDATE_GOLDENS=1 $(PYTEST) -n $(JOBS) -m matrix tests/e2e/test_controller_faults.py
	$(PYTEST) -n $(JOBS) -m matrix tests/e2e/test_turnover.py

.PHONY: lint
lint: .venv/.ready ## Check protos, generated code, links, style, types and layers
	@$(MAKE) --no-print-directory --jobs=$(JOBS) $(addprefix lint-,types buf generated breaking reference links ruff layers)

.PHONY: lint-types lint-buf lint-generated lint-breaking lint-reference lint-links lint-ruff lint-layers
lint-types:
	$(BIN)/mypy
lint-buf:
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
lint-generated:
	$(BIN)/python tools/generate.py --check python
lint-breaking:
	$(BIN)/python tools/buf_breaking.py
lint-reference:
	$(BIN)/python tools/reference.py --check
lint-links:
	$(BIN)/python tools/links.py
lint-ruff:
	$(BIN)/ruff check
	$(BIN)/ruff format --check --quiet
lint-layers:
	$(BIN)/lint-imports --no-logo

.PHONY: gen
gen: .venv/.ready ## Generate stubs and reference docs from the protos and the command line
	$(BIN)/python tools/generate.py
	$(BIN)/python tools/reference.py

.PHONY: bench
bench: setup ## Measure speed, as ratios
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script; done

.PHONY: wheel
wheel: .venv/.ready ## Build the wheel into dist/
	$(BIN)/python -m hatchling build -t wheel

.PHONY: release
release: .venv/.ready ## Build what a release publishes into dist/: wheel, sdist, pins, SBOM, checksums
	@$(BIN)/python tools/release.py

.PHONY: lock
lock: ## Pin all dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	  --all-extras --group dev --output-file requirements.lock pyproject.toml

.PHONY: clean
clean: ## Remove what was made here; the user's caches stay
	rm -rf .venv .cache dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
