# `make` alone lists what can be done.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PORT ?= 8000
# Files are shared out whole, since the tests of one file share a database.
PYTEST_ARGS ?= -n logical --dist loadfile
PYTHON := .venv/bin/python
UV_VERSION := 0.13.9
SAY = @printf '\n== %s\n'
# Modules, not the scripts in .venv/bin: those break in a folder with a long name or one that was moved.
SETUP = python=$(PYTHON); \
	$$python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	|| python=$$(scripts/find_python) || exit 1; \
	$$python scripts/setup.py

.PHONY: help
help: ## List what `make` can do
	@echo 'Wheelhouse: make <what>'
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | awk -F '\t' '{ printf "  %-12s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## Prepare this clone: virtual environment, locked packages, front end, translations
	@echo '== Preparing what make run needs (nothing, where it is there)'
	@$(SETUP)

.PHONY: setup-dev
setup-dev: ## The same, with the tools to check and test it
	@echo '== Preparing what make check needs (nothing, where it is there)'
	@$(SETUP) --dev

.PHONY: run
run: setup ## Serve on http://127.0.0.1:8000 (or PORT=8001), with database, demo world and scheduler
	$(SAY) 'Serving on port $(PORT)'
	@exec $(PYTHON) -m app.cli serve --port $(PORT)

.PHONY: test
test: setup-dev ## Run every test (PYTEST_ARGS="tests/routing -x" for some)
	$(SAY) 'Testing'
	@$(PYTHON) -m pytest $(PYTEST_ARGS)

.PHONY: check
check: setup-dev format lint types contracts docs test ## Everything that must be right before a change is taken
	$(SAY) 'All checks passed'

.PHONY: format
format: setup-dev ## Check the layout of the code (make fmt mends it)
	$(SAY) 'Checking the layout of the code'
	@$(PYTHON) -m ruff format --check .

.PHONY: lint
lint: setup-dev ## Look for mistakes and bad habits in the code
	$(SAY) 'Linting'
	@$(PYTHON) -m ruff check .

.PHONY: types
types: setup-dev ## Check every type
	$(SAY) 'Checking types'
	@$(PYTHON) -m mypy

.PHONY: contracts
contracts: setup-dev ## Check who may import whom (.importlinter)
	$(SAY) 'Checking the import contracts'
	@$(PYTHON) -c 'from importlinter.cli import lint_imports_command as lint; lint()' --no-logo

.PHONY: docs
docs: setup-dev ## Build the documentation into site/; a dead link is an error
	$(SAY) 'Building the documentation'
	@$(PYTHON) -m mkdocs build --strict

.PHONY: bench
bench: setup-dev ## Measure: each file in benchmarks/ prints its figures beside their limits
	$(SAY) 'Measuring'
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps \
		-r requirements-bench.txt || echo 'VROOM has no package for this machine: it is left out'
	@for file in benchmarks/[a-z]*.py; do echo "-- $$file"; $(PYTHON) "$$file" || exit 1; done

.PHONY: fmt
fmt: setup-dev ## Mend the layout of the code, and what the linter can mend
	$(SAY) 'Mending the layout of the code'
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

.PHONY: lock
lock: setup ## Compile the requirements*.txt for pip anew from pyproject.toml
	$(SAY) 'Locking the packages, newer ones where pyproject.toml lets them'
	@$(PYTHON) -m venv .venv/uv
	@.venv/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@for file in requirements requirements-cluster requirements-bench requirements-dev; do \
		extra=$$(test $$file = requirements || echo "--extra $${file#*-} --constraint requirements.txt"); \
		.venv/uv/bin/python -m uv pip compile --quiet --upgrade --universal --python-version 3.11 \
			--generate-hashes --no-header --no-annotate --no-emit-index-url $$extra \
			--output-file $$file.txt pyproject.toml || exit 1; \
	done

.PHONY: clean
clean: ## Remove what was built or installed; the data in var/ stays
	@echo '== Removing what was built or installed'
	rm -rf .venv node_modules site app/static/build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache .schemathesis app/translations/*/LC_MESSAGES
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
