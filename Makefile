# gridpatrol: two commands matter, `make demo` and `make test`.
PYTHON ?= $(shell for p in python3.12 python3.13 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 14)))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST_WORKERS ?= 2

.PHONY: help setup demo serve test explore lint browser lock assets benchmark clean

help:            ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

$(VENV)/ready: requirements.lock
	@test -n "$(PYTHON)" || { echo "gridpatrol needs Python 3.11, 3.12 or 3.13 with the venv module / 需要 Python 3.11–3.13"; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet --no-deps --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready-dev: requirements-dev.lock $(VENV)/ready
	$(PIP) install --quiet --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/ready   ## make the environment only

demo: $(VENV)/ready    ## build the fictional demo district once and serve it on http://127.0.0.1:8501
	$(BIN)/gridpatrol demo

serve: $(VENV)/ready   ## serve the register of GRIDPATROL_DATABASE (var/gridpatrol.db by default)
	$(BIN)/gridpatrol serve

# Files in the order of the folders, the slow ones first: none is left for one worker alone at the end.
test: $(VENV)/ready-dev browser lint   ## everything that CI checks
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder

explore: $(VENV)/ready-dev   ## the property tests with new random examples
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -q tests/property

lint: $(VENV)/ready-dev   ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

browser:               ## Chromium and Chinese fonts for the browser tests, where they may be installed
	@sh tests/browser/packages.sh

lock: $(VENV)/ready-dev   ## remake the pinned requirement files from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra build --universal --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra build --extra dev -c requirements.lock --universal --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements-dev.lock

assets:                ## vendor the front-end files again from the npm lock (needs Node.js)
	cd dashboard/assets && npm ci && node vendor.mjs

benchmark: $(VENV)/ready-dev   ## print seconds and peak memory of the demo plan and the import
	$(BIN)/python -m tests.benchmarks.bench_spine

clean:                 ## remove the environment and run-time files
	rm -rf $(VENV) var
