# One verb per task. Each verb creates the environment that it needs.
#   make demo    set everything up and show a live graph of real calls
#   make test    every test that finishes within 12 minutes together
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SOURCES := agent/weft collector/weft_collector dashboard/weft_dashboard
DEMO   ?=
TEST   ?=
BENCH  ?=
LARGE  ?= large-run

.DEFAULT_GOAL := help
.PHONY: help demo test test-long check format bench bench-large build clean

help:  ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Weft needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "python3 -m venv failed. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

# Stamps: installed once for each state of pyproject.toml.
$(VENV)/.demo: $(BIN)/python pyproject.toml
	@test -e $(VENV)/.dev || echo "Installing the collector and its libraries (about a minute, about 350 MB) ..."
	@test -e $(VENV)/.dev || $(BIN)/python -m pip install --quiet --editable '.[collector]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	@echo "Installing everything, with the developers' tools (about a minute) ..."
	@$(BIN)/python -m pip install --quiet --editable '.[all]' --group dev
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo  ## set everything up and show a live graph of real calls (DEMO='--for 20s --no-browser')
	@$(BIN)/weft demo $(DEMO)

test: $(VENV)/.dev  ## every test that finishes within 12 minutes together (TEST='-k name')
	$(BIN)/python -m pytest $(TEST)

test-long: $(VENV)/.dev  ## the rest: crash and fuzz campaigns
	$(BIN)/python -m pytest -m long --timeout 3600 $(TEST)

check: $(VENV)/.dev  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(abspath $(BIN)):$$PATH" npx --yes --package typescript@5.9 tsc -p dashboard

format: $(VENV)/.dev  ## format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## print each figure beside its gate and goal (BENCH='--json ingest')
	$(BIN)/python -m benchmarks.run $(BENCH)

bench-large: $(VENV)/.dev  ## 100 million spans: load, ask, restart, retain; keeps LARGE=folder until done (20 min, 16 GB)
	$(BIN)/python -m benchmarks.large $(LARGE) $(BENCH)

build: $(VENV)/.dev  ## build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation

clean:  ## remove the environment and everything built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
