# The commands of this repository. `make demo` and `make test` set up all they need.

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3

# The tests start hundreds of processes, each of which would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve unit house test test-slow test-all check conformance certify lint types imports bench rolling clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.demo ## the seven migrations up, down and up again, and the chat service on them
	@$(BIN)/python -m demo
	@$(BIN)/python -m demo.service

serve: $(VENV)/.demo ## the chat service on an embedded PostgreSQL, until Ctrl-C
	@$(BIN)/python -m demo.service --stay

test: $(VENV)/.dev ## the tests, in minutes; what cannot run here is skipped with its reason
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -q -m "not slow"

unit: $(VENV)/.dev ## the quick tests without a database: the loop while writing
	$(BIN)/pytest -n 2 --dist worksteal -q -m "not slow and not long" tests/unit tests/golden tests/promises

test-slow: $(VENV)/.dev ## what certifies: golang-migrate beside us, faults, random stories, deployments
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -q -m slow

test-all: test-slow test ## every test

check: lint types imports $(VENV)/.dev ## linters, types, import direction, tests with coverage
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -q --cov --cov-report=term

conformance: $(VENV)/.dev ## the migrate command held against golang-migrate, scenario by scenario
	$(BIN)/python -m tests.conformance report

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

certify: $(VENV)/.dev ## every fault that can be made, in runs of Rung and of golang-migrate
	$(BIN)/python -m tests.faults

house: $(VENV)/.dev ## what the code is made of, what a command enters; and the change since before
	@$(BIN)/python -m bench.house

bench: $(VENV)/.dev ## 1,000 migrations against psql and golang-migrate; a snapshot against pg_dump
	$(BIN)/python -m bench
	$(BIN)/python -m bench.snapshots

rolling: $(VENV)/.dev ## deployments of the chat service under load, each rolled back
	$(BIN)/python -m bench.rolling

clean: ## removes the virtual environment and all caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* dist

$(VENV)/.demo: pyproject.toml backend/pyproject.toml scripts/setup
	@scripts/setup $(VENV) run && touch $@

$(VENV)/.dev: pyproject.toml backend/pyproject.toml scripts/setup
	@scripts/setup $(VENV) dev && touch $@ $(VENV)/.demo
