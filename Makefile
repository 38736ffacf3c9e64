# Every target sets up first; with nothing to do that takes a moment only. Needs Python 3.11 or newer, and nothing else.
.PHONY: help setup demo test lint generate requirements bench down
.DEFAULT_GOAL := help
PYTHONPATH := plugins:.
export PYTHONPATH

help:  ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.requirements  ## Make .venv with the pinned packages

.venv/.requirements: requirements.txt
	@PYTHON='$(PYTHON)' sh bin/setup

demo: setup  ## Run everything once, end to end, and report
	@bin/onefold demo

test: setup  ## Run every test
	@.venv/bin/python -m pytest

lint: setup  ## Check style and formatting
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

generate: setup  ## Write everything that is generated from the catalogue
	@bin/onefold generate

requirements: setup  ## Pin requirements.in anew
	@.venv/uv/bin/uv pip compile --quiet --python-version 3.11 requirements.in -o requirements.txt

bench: setup  ## Measure, and print the ratios
	@.venv/bin/python -m benchmarks

down: setup  ## End every process of this installation
	@bin/onefold down
