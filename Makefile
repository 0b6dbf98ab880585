# Every task sets up what it needs in .venv first; nothing but Python 3.11+ and make is expected on the machine.
PYTHON ?= python3
UV_VERSION = 0.13.9
DEMO = data/demo
BIN = .venv/bin
UV_SYNC = VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/python -m uv sync --quiet --frozen --inexact --active --python $(BIN)/python
# The machine's own certificates first, which a proxy that inspects TLS needs; then the ones that uv comes with.
sync = UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 $(UV_SYNC) $(1) || $(UV_SYNC) $(1)

# Modules are compiled once, and not again by each of the many processes that tests start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: bench growth datasette-alpha replayweb citation extractors install expectations fuzz judge mutants quality help setup run serve test campaigns check format samples docs screenshots clean

help: ## List the tasks
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.dev ## Install everything for working on the project into .venv, as locked in uv.lock

.venv/.uv: Makefile
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.run: .venv/.uv uv.lock pyproject.toml
	@$(call sync,)
	@touch $@

.venv/.dev: .venv/.run
	@$(call sync,--extra dev --extra cluster --extra bench)
	@touch $@

install: .venv/.run ## Install what the program needs into .venv, and nothing for working on it

run: .venv/.run ## Build the demo database from data/samples
	@rm -rf $(DEMO)
	@$(BIN)/tta --data $(DEMO) import data/samples
	@$(BIN)/tta --data $(DEMO) load
	@echo "Built $(DEMO)/tta.db: one real capture and invented records, marked as such. To see it: make serve"

serve: .venv/.run ## Show the demo database in Datasette at http://127.0.0.1:8001
	@test -f $(DEMO)/tta.db || $(MAKE) --no-print-directory run
	@$(BIN)/tta --data $(DEMO) serve

test: setup ## Run every test, in one more process than there are processors
	@$(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal

datasette-alpha: setup ## Run every test of pages on the newest alpha of Datasette 1.0, and compare all pages with 0.65
	@UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/python -m uv run --quiet --active --no-sync --frozen \
		--prerelease allow --with 'datasette>=1.0a41' python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal \
		$(or $(TESTS),$(filter-out tests/test_deploy.py,$(shell grep -l 'tests\.webkit' tests/test_*.py)))

replayweb: setup ## Show a WACZ in replayweb.page's own player, which npm fetches (needs Chromium)
	@mkdir -p build/replayweb
	@cd build/replayweb && test -f package/sw.js || { npm pack --silent replaywebpage >/dev/null && tar xzf replaywebpage-*.tgz; }
	@TTA_REPLAYWEB=$(CURDIR)/build/replayweb/package $(BIN)/python -m pytest -q tests/test_replayweb.py

citation: setup ## Validate the CITATION.cff of an export with cffconvert, whose requirements do not go with ours
	@test -f $(DEMO)/tta.db || $(MAKE) --no-print-directory run
	@$(BIN)/tta --data $(DEMO) export datapackage build/citation 2>/dev/null
	@UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 $(BIN)/python -m uv tool run --quiet --from 'cffconvert>=2,<3' --with 'setuptools<81' \
		cffconvert --validate -i build/citation/CITATION.cff

campaigns: setup ## Run the long checks: killed runs, damaged answers, full disks, a million rows, captures in many forms
	@$(BIN)/python -m tests.campaigns.pull_plug 200 30
	@$(BIN)/python -m tests.campaigns.fuzz_fetch 300
	@$(BIN)/python -m tests.campaigns.million_rows
	@$(BIN)/python -m tests.campaigns.merge_forms

bench: setup ## Measure time and memory, and write docs/performance.md: ARGS="loading --captures 100000" for one part, larger
	@nice $(BIN)/python -m benchmarks $(ARGS)

growth: setup ## Measure how every command and page scales with the number of captures; fails above n log n: ARGS="1000 10000 100000"
	@nice $(BIN)/python -m benchmarks.growth $(ARGS)

check: setup ## Check format, lint, types (strict) and the size of the program
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.size

format: setup ## Format the code and fix what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

expectations: setup ## Rewrite what is expected of tests/pages and show the difference
	@$(BIN)/python -m tests.goldens
	@git add --intent-to-add tests/pages
	@git --no-pager diff --stat -p -- tests/pages

judge: setup ## Compare pages of a real Drupal with what was entered into it: FOLDER=warc TRUTH=truth.json.gz
	@$(BIN)/python -m tests.campaigns.drupal_pages $(FOLDER) $(TRUTH)

fuzz: setup ## Parse mutated pages for ten minutes: MINUTES=60 SEED=7 for more
	@$(BIN)/python -m tests.campaigns.fuzz_parser --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

extractors: setup ## Parse what other programs' text extractors make of pages: ARGS="--drupal FOLDER --faults" for pages of a real Drupal
	@$(BIN)/python -m tests.campaigns.extractors $(ARGS)

mutants: setup ## Break lines of a folder at random and count how many its tests catch: FOLDER=scraper/database N=50 SEED=1
	@nice $(BIN)/python -m tests.campaigns.mutants $(or $(FOLDER),parsers) -n $(or $(N),50) --seed $(or $(SEED),1)

quality: setup ## Measure precision and recall of the parser on invented pages, and of derived columns
	@$(BIN)/python -m tests.quality

samples: setup ## Generate the invented sample archive again
	@$(BIN)/python -m tests.pagegen.samples data/samples

docs: setup ## Generate metadata.yml, datasette.yaml, docs/commands.md and docs/dictionary.md
	@$(BIN)/python -m tests.documents

screenshots: setup ## Take the pictures of README and guides again (needs Chromium, LibreOffice, pdftoppm)
	@TTA_SCREENSHOTS=1 TTA_REQUIRE_BROWSER=1 TTA_REQUIRE_OFFICE=1 $(BIN)/python -m pytest -q -k take tests/test_browser.py tests/test_export_guide.py

clean: ## Remove what was built; the archive in data/ stays
	@rm -rf .venv build dist $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis
