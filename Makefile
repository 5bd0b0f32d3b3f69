# Every target sets up what it needs in .venv, pinned by constraints.txt, and starts in seconds the next time.
# `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
# Tests and checks start many processes; with their bytecode kept, each of them starts in a third of the time.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
WORKERS ?= 2
ROWS ?= 2
ARGS ?=

VENV := .venv
LEAST := .venv-minimum
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --quiet --constraint constraints.txt --no-build-isolation
MANIFESTS := pyproject.toml core/pyproject.toml testing/pyproject.toml $(wildcard plugins/*/pyproject.toml)

.PHONY: help installed-minimum serve demo test coverage check format docs services services-stop bench soak dist dist-check clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

# --- what is installed -----------------------------------------------------------------------------------------------
# A stamp a purpose. Each is older than the manifests after an edit, and its target then installs again.

$(VENV)/.stamp-base: constraints.txt
	@$(PYTHON) tools/python_version.py
	@echo "Creating $(VENV) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --quiet --constraint constraints.txt pip hatchling editables
	@touch $@

$(VENV)/.stamp-serve: $(VENV)/.stamp-base $(MANIFESTS)
	@echo "Installing what running needs …"
	@$(INSTALL) $$($(BIN)/python tools/dists.py editable --server)
	@touch $@

$(VENV)/.stamp-test: $(VENV)/.stamp-base $(MANIFESTS)
	@echo "Installing what the tests need …"
	@$(INSTALL) --group test $$($(BIN)/python tools/dists.py editable)
	@touch $(VENV)/.stamp-serve $@

$(LEAST)/.stamp-test: constraints.txt tools/minimum_versions.py $(MANIFESTS)
	@echo "Installing the least versions that the manifests declare, in $(LEAST) …"
	@$(PYTHON) -m venv --clear $(LEAST)
	@$(LEAST)/bin/python tools/minimum_versions.py > $(LEAST)/constraints.txt
	@$(LEAST)/bin/python -m pip --disable-pip-version-check --no-input install --quiet --constraint $(LEAST)/constraints.txt \
		pip hatchling editables
	@$(LEAST)/bin/python -m pip --disable-pip-version-check --no-input install --quiet --constraint $(LEAST)/constraints.txt \
		--no-build-isolation --group test $$($(LEAST)/bin/python tools/dists.py editable)
	@touch $@

$(VENV)/.stamp-check: $(VENV)/.stamp-test
	@echo "Installing what the checks need …"
	@$(INSTALL) --group check
	@touch $@

$(VENV)/.stamp-docs: $(VENV)/.stamp-test
	@echo "Installing what the docs need …"
	@$(INSTALL) --group docs
	@touch $@

$(VENV)/.stamp-browser: $(VENV)/.stamp-test
	@echo "Installing what the browser tests need …"
	@$(INSTALL) --group browser
	@touch $@

$(VENV)/.stamp-release: $(VENV)/.stamp-base
	@$(INSTALL) --group release
	@touch $@

# What the other targets begin with: two of them at one moment, in an empty clone too, install one after the other.
installed-minimum:
	@$(PYTHON) tools/locked.py $(MAKE) --silent --no-print-directory $(LEAST)/.stamp-test

installed-%:
	@$(PYTHON) tools/locked.py $(MAKE) --silent --no-print-directory $(VENV)/.stamp-$*

# --- running ---------------------------------------------------------------------------------------------------------

serve: installed-serve ## Run a provider with a demo user and client (ARGS="--port 8001 --data-dir portula-data/second")
	@exec $(BIN)/portula serve --demo $(ARGS)

demo: serve ## The same

# --- testing ---------------------------------------------------------------------------------------------------------

ifdef ALL
test: installed-browser
	@tools/test_all.sh --numprocesses $(WORKERS) --dist loadgroup $(ARGS)
else ifdef MINIMUM
test: installed-minimum
	@$(LEAST)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadgroup --rows $(ROWS) $(ARGS)
else ifdef ROOM
test: installed-test
	@test -d plugins/$(ROOM) || { echo "There is no room $(ROOM); there are: $(notdir $(wildcard plugins/*))" >&2; exit 2; }
	@$(BIN)/python -m pytest plugins/$(ROOM) $(ARGS)
else
test: installed-test ## The tests on SQLite and memory, two rows of each table; ALL=1 adds all rows, engines, browser and what takes long; ROOM=logout is of one room, MINIMUM=1 has the least versions (ARGS="-k word")
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup --rows $(ROWS) $(ARGS)
endif

coverage: installed-test ## The same tests, with a report of the lines they reach
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m coverage run -m pytest $(ARGS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

check: installed-check ## Format, lint, types, import contracts, rules of the house, docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pyright
	@$(BIN)/python tools/lint_imports.py
	@$(BIN)/python -m pytest --quiet -m house tests/test_house.py
	@$(BIN)/python -m sphinx -W --keep-going --quiet -b html docs docs/_build/html

format: installed-check ## Format, and mend what ruff can mend
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

services: installed-browser ## Install (apt, npm) what the tests need; start the databases on loopback ports
	@PYTHON="$(PYTHON)" tools/services.sh start

services-stop: ## Stop them
	@tools/services.sh stop

bench: installed-test ## CPU time of whole servers, beside bare Flask (ARGS="--peers": beside other projects too; bench/README.md)
	@$(BIN)/python bench/run.py $(ARGS)

soak: installed-test ## Providers under load while processes and databases are killed (ARGS="--minutes 10 --seed 1 --engines galera")
	@PYTHONPATH=tests $(BIN)/python -m soak $(ARGS)

# --- making ----------------------------------------------------------------------------------------------------------

docs: installed-docs ## The manual, in docs/_build/html
	@$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

dist: installed-release ## Sdist and wheel of every distribution, in dist/
	@$(BIN)/python tools/build_dists.py

dist-check: installed-release ## Whether the files in dist/ can be published (RELEASE=1: the addresses too)
	@$(BIN)/python tools/check_dists.py $(if $(RELEASE),--release)

clean: ## Remove what the targets made (not the services: make services-stop first)
	@rm -rf $(VENV) $(LEAST) bench/.cache dist docs/_build htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
