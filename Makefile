# Everything a developer or a user types. `make` alone explains the verbs.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# uv, where it is installed, reads the same lock files and is faster.
UV := $(shell command -v uv 2>/dev/null)

# Tests wait more than they work, so there are more workers than cores; what measures time runs nearly alone all the same.
WORKERS ?= 5

.DEFAULT_GOAL := help
.PHONY: help run test check fmt bench faults lock clean

help: ## explain the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.run ## install what is missing and start StatusPulse with ./data
	@STATUSPULSE_DATA_DIR="$${STATUSPULSE_DATA_DIR:-./data}" exec $(BIN)/statuspulse serve

# Hundreds of processes are started: what one has compiled the next need not, whatever the shell says of that.
test: $(VENV)/.dev ## run every test; servers that are needed are fetched
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(VENV)/.dev ## format, lint, types, layers, dependencies, spelling: under a minute
	@$(BIN)/ruff format --check --quiet . || { echo "run: make fmt"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }
	@$(BIN)/deptry . --no-ansi 2> $(VENV)/deptry.log || { cat $(VENV)/deptry.log; exit 1; }
	@$(BIN)/codespell
	@echo "check: ok"

fmt: $(VENV)/.dev ## format and fix what can be fixed by itself
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

bench: $(VENV)/.dev ## measure on this machine; docs/benchmarks.md says how to read the figures
	@$(BIN)/python -m benchmarks $(ARGS)

faults: $(VENV)/.dev ## the fault tests at full length
	@$(BIN)/python -m pytest -m "faults" $(ARGS)

lock: ## compile the hashed requirements again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --upgrade --extra postgres --group build pyproject.toml -o requirements/run.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --upgrade --extra apprise --extra postgres --group build --group dev pyproject.toml -o requirements/dev.lock

clean: ## remove the virtual environment and caches, never ./data
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "StatusPulse needs Python 3.11 or newer; name one with: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

ifdef UV
INSTALL := $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
endif

$(VENV)/.run: requirements/run.lock pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) ..."
	@$(INSTALL) --require-hashes -r requirements/run.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.run
	@echo "installing the test tools into $(VENV) ..."
	@$(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@
