# Every task sets up what it needs in .venv first; nothing but Python 3.11+ and make is expected on the machine.
PYTHON ?= python3
UV_VERSION = 0.13.9
DEMO = data/demo
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run serve test campaigns check format samples docs screenshots clean

help: ## List the tasks
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.done ## Install Python packages into .venv, as locked in uv.lock

.venv/.done: uv.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/python -m uv sync --quiet --frozen --extra dev --active --python $(BIN)/python
	@touch $@

run: setup ## Build the demo database from data/samples
	@rm -rf $(DEMO)
	@$(BIN)/tta --data $(DEMO) import data/samples
	@$(BIN)/tta --data $(DEMO) load
	@echo "Built $(DEMO)/tta.db: one real capture and made-up records, marked as such. Look at it: make serve"

serve: setup ## Show the demo database in Datasette at http://127.0.0.1:8001
	@test -f $(DEMO)/tta.db || $(MAKE) --no-print-directory run
	@$(BIN)/tta --data $(DEMO) serve

test: setup ## Run every test
	@$(BIN)/python -m pytest -n 2 --dist worksteal

campaigns: setup ## Run the long checks: fetches killed at random moments, a listing of a million rows
	@$(BIN)/python -m tests.campaigns.kill_fetch 20
	@$(BIN)/python -m tests.campaigns.million_rows

check: setup ## Format check, lint and strict type check
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: setup ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

samples: setup ## Make the made-up sample archive again
	@$(BIN)/python -m tests.pagegen.samples data/samples

docs: setup ## Write metadata.yml, docs/commands.md and docs/dictionary.md again
	@$(BIN)/python -m scraper.docs

screenshots: setup ## Take the README's pictures again (needs Chromium)
	@TTA_SCREENSHOTS=1 TTA_REQUIRE_BROWSER=1 $(BIN)/python -m pytest -q tests/test_browser.py

clean: ## Remove what was built; the archive in data/ stays
	@rm -rf .venv build dist $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis
