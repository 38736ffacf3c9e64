# Every target sets up first; with nothing to do that takes a moment only. Needs Python 3.11 or newer, and nothing else.
.PHONY: help setup warehouses sign-in demo test test-all test-peers torture lint types collect generate screenshots requirements sbom audit-packages bench down
.DEFAULT_GOAL := help
PYTHONPATH := plugins:.
export PYTHONPATH

help:  ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.requirements  ## Make .venv with the pinned packages

.venv/.requirements: requirements.txt
	@PYTHON='$(PYTHON)' sh bin/setup

# They are large and few need them; what they need in the same versions as here comes with requirements.txt.
warehouses: .venv/.warehouses  ## Install the clients of Snowflake and BigQuery, for who delivers there

.venv/.warehouses: requirements/warehouses.txt .venv/.requirements
	@.venv/uv/bin/uv pip install --quiet --require-hashes --system-certs --python .venv/bin/python -r $<
	@touch $@

# Few need them, and Airflow makes tables for them.
sign-in: .venv/.sign-in  ## Install what signs people in at an identity provider (docs/people.md)

.venv/.sign-in: requirements/sign-in.txt .venv/.requirements
	@.venv/uv/bin/uv pip install --quiet --require-hashes --system-certs --python .venv/bin/python -r $<
	@touch $@

demo: setup  ## Run everything once, end to end, and report
	@bin/onefold demo

test: setup  ## Run the tests: every guarantee, once per way in which it can break
	@.venv/bin/python -m pytest --numprocesses auto --dist loadscope

test-all: setup  ## Run every test for every stream
	@.venv/bin/python -m pytest --numprocesses auto --dist loadscope --matrix full

test-peers: setup warehouses  ## Load from foreign servers, fetched from the package registries and started for it
	@.venv/bin/python -m pytest -v --peers tests/peers

torture: setup  ## Kill loads, conforms, migrations, erasures, PostgreSQL at every moment; load from hostile sources
	@ONEFOLD_TORTURE=full .venv/bin/python -m pytest -v --numprocesses auto --dist loadscope --matrix full --peers --timeout 7200 \
		tests/torture tests/operations tests/rollback/test_twin.py \
		tests/replay/test_any_order.py tests/conform/test_one_record.py tests/conform/test_kill.py tests/conform/test_increments.py \
		tests/conform/test_publish.py tests/conform/test_held_back.py tests/conform/test_held_back_undisturbed.py tests/conform/test_erased.py \
		tests/migration/test_kill.py tests/mapping/test_transforms.py tests/mapping_proposal tests/survey tests/erasure tests/warehouse/test_upgrade.py tests/retention tests/serve \
		tests/connectors/test_paging.py tests/connectors/cdc tests/connectors/kafka tests/connectors/redis_stream tests/connectors/soap/test_paging.py tests/connectors/files/test_hostile_files.py tests/http/test_bounds.py tests/load/test_bounds.py \
		tests/platform/test_ui_tls.py tests/dags/test_deadlines.py tests/receive tests/peers/test_rabbitmq.py tests/peers/test_openbao.py tests/change tests/scheduler/test_watchdog.py tests/scheduler/test_erase.py

lint: setup  ## Check style, formatting and the order of the packages
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports --no-cache --no-logo

types: setup  ## Check the types
	@.venv/bin/mypy

# Also compiles them, which each of the processes that run them would otherwise do.
collect: setup  ## Import every test
	@said=$$(.venv/bin/python -m pytest --collect-only --quiet 2>&1) || { echo "$$said"; exit 1; }

generate: setup  ## Write everything that is generated from the catalogue
	@bin/onefold generate

screenshots: setup  ## Take the docs' pictures (docs/images) from a demo that is run for it
	@.venv/bin/python -m tests.screenshots

PIN := .venv/uv/bin/uv pip compile --quiet --generate-hashes --python-version 3.11

requirements: setup  ## Pin requirements.in anew, with hashes
	@$(PIN) requirements.in -o requirements.txt
	@sed '/^# --- tests and lint/,$$d' requirements.in | $(PIN) --constraint requirements.txt - -o requirements/image.txt
	@for each in setup audit; do $(PIN) requirements/$$each.in -o requirements/$$each.txt; done
	@for each in warehouses sign-in; do $(PIN) --constraint requirements.txt requirements/$$each.in -o requirements/$$each.txt; done
	@$(PIN) benchmarks/requirements.in -o benchmarks/requirements.txt

sbom: setup .venv/.audit  ## Write sbom.cdx.json (CycloneDX) and licences.json of what is installed
	@.venv/bin/python -m requirements.inventory

audit-packages: setup .venv/.audit  ## Ask for known vulnerabilities of the packages; says when it cannot
	@.venv/bin/python -m requirements.audit

# What looks at the packages lives apart from them.
.venv/.audit: requirements/audit.txt .venv/.requirements
	@.venv/uv/bin/uv venv --quiet --allow-existing --python .venv/bin/python .venv/audit
	@.venv/uv/bin/uv pip sync --quiet --require-hashes --system-certs --python .venv/audit/bin/python $<
	@touch $@

bench: setup .venv/.bench  ## Measure, and print the ratios
	@.venv/bin/python -m benchmarks

# dlt, which the benchmarks compare with, lives apart from the packages of Onefold.
.venv/.bench: benchmarks/requirements.txt .venv/.requirements
	@.venv/uv/bin/uv venv --quiet --allow-existing --python .venv/bin/python .venv/bench
	@.venv/uv/bin/uv pip sync --quiet --require-hashes --system-certs --compile-bytecode --python .venv/bench/bin/python $<
	@touch $@

down: setup  ## End every process of this installation
	@bin/onefold down
