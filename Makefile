# Bare `make` prints what can be done. Each target sets up by itself whatever it needs.
PYTHON ?= python3
ARGS ?=
RUN := .venv/bin/

.DEFAULT_GOAL := help
.PHONY: help demo test lint types bench lock clean

help: ## print what can be done
	@echo 'Cuadra: an alarm network for city blocks.'
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## watch a district of seven zones live; make demo ARGS="--for 20s --presses 5" runs unattended
	@$(PYTHON) tools/setup.py demo
	@$(RUN)cuadra demo $(ARGS)

test: ## lint, types, and every test on each Python from 3.11 to 3.13 that is here
	@$(PYTHON) tools/setup.py test
	@$(RUN)python tools/check.py all

lint: ## the linter alone
	@$(PYTHON) tools/setup.py dev
	@$(RUN)python tools/check.py lint

types: ## the types alone, for Python 3.11, 3.12 and 3.13
	@$(PYTHON) tools/setup.py dev
	@$(RUN)python tools/check.py types

bench: ## measure from press to receipt, modem, police and webhook against two floors; ARGS="..." passes on
	@$(PYTHON) tools/setup.py test
	@$(RUN)python -m tests.bench $(ARGS)

lock: ## remake requirements/*.txt from pyproject.toml
	@$(PYTHON) tools/setup.py lock

clean: ## remove everything that was set up or built here
	@rm -rf .venv .venvs build dist .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
