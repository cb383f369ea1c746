# Two commands do everything: `make repro` runs the whole pipeline, `make test` passes the tests.
# Each makes its own environment first; nothing but Python 3.11 or later, git, make and a package index is needed.

PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH :=
export DO_NOT_TRACK := 1
export UV_SYSTEM_CERTS := 1

.PHONY: repro test test-slow lint ui clean setup lock help
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

repro: setup  ## run the pipeline (only what changed) and print the results table
	@vigil sync
	@vigil repro
	@vigil results

test: setup  ## the fast tests, about 10 minutes on two cores
	@pytest -q -n 3 --dist loadfile --no-loadscope-reorder

test-slow: setup  ## the long checks: kill loops, leaks, long videos
	@pytest -q -m slow

lint: setup  ## format, lint, types, layers
	@ruff format --check src tests benchmarks
	@ruff check src tests benchmarks
	@mypy
	@lint-imports

ui: setup  ## MLflow in the browser: every training run of this project
	@mlflow ui --backend-store-uri sqlite:///$(CURDIR)/mlflow.db

setup: $(VENV)/.ready  ## make the environment and, where there is none, the git repository
	@git rev-parse --is-inside-work-tree >/dev/null 2>&1 || { git init -q && git add -A && \
	  git -c user.name=vigil -c user.email=vigil@localhost commit -qm "Start"; }

# uv installs in seconds what pip installs in minutes; without it pip does the same.
$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "vigil needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "could not make $(VENV); on Debian and Ubuntu: apt install python3-venv"; rm -rf $(VENV); exit 1; }
	@command -v uv >/dev/null || $(VENV)/bin/python -m pip install -q --disable-pip-version-check uv || true
	@echo "installing the pinned requirements into $(VENV) ..."
	@install() { uv pip install -q --python $(VENV)/bin/python "$$@" || \
	  { $(VENV)/bin/python -m ensurepip >/dev/null && $(VENV)/bin/python -m pip install -q --disable-pip-version-check "$$@"; }; }; \
	  install -r requirements.lock && install --no-deps --no-build-isolation -e .
	@touch $@

lock: setup  ## resolve requirements.txt anew into requirements.lock
	uv pip compile -q --universal --python-version 3.11 --no-annotate requirements.txt -o requirements.lock \
	  --custom-compile-command "make lock"

clean:  ## remove the environment and every cache; data, models and metrics stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
