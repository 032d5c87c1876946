# Everything a contributor needs. Each target first makes .venv from the pinned lock, when missing or stale.
#
#   make run      the workbench on the DeepSeek-V3 plan (make run PLAN=FILE for another)
#   make test     the tests (make test ARGS="tests/test_wheel.py -k installs" for some)
#   make check    what CI runs: lint, format, types, import contracts, tests
#   make bench    the speed figures
#   make lock     pin the newest allowed versions in requirements.lock
#   make clean    remove what these targets made

PYTHON ?= python3
PLAN ?= deepseek-v3
ARGS ?=

BIN := .venv/bin
STAMP := .venv/.stamp

.DEFAULT_GOAL := run
.PHONY: run test check lint bench lock clean .venv

run: $(STAMP)
	@$(BIN)/planner $(PLAN)

test: $(STAMP)
	$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

bench: $(STAMP)
	@$(BIN)/python -m scripts.bench $(ARGS)

.venv: $(STAMP)

# The dependencies come from the lock alone, each with its hash; the project itself is then an editable install,
# built with the hatchling of the lock, so nothing outside the lock is ever fetched.
$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "cluster-planner needs Python 3.11 or newer, but there is no '$(PYTHON)'. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cluster-planner needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Install a newer one, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making .venv from requirements.lock (once; a minute or so)" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# uv, in a folder of its own outside the checkout, writes one lock for every platform and every Python from 3.11 on.
# PIP_COMPILE_ARGS="--upgrade-package textual" moves one package only.
PIP_COMPILE_ARGS ?= --upgrade
lock:
	@set -e; tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	$(PYTHON) -m venv "$$tools"; \
	"$$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv; \
	UV_CUSTOM_COMPILE_COMMAND="make lock" "$$tools/bin/uv" pip compile pyproject.toml --quiet --extra dev \
	  --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url \
	  $(PIP_COMPILE_ARGS) --output-file requirements.lock
	@! grep -n -E '://|index-url|find-links' requirements.lock || { echo "requirements.lock names a host" >&2; exit 1; }

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks snapshot_report.html
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
