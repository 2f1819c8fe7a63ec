# make run, make test: the two commands of README.md. PORT=… make run uses another port.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: run test bench setup lint format clean

run: $(VENV)/run.stamp
	@$(PY) app.py

test: $(VENV)/test.stamp
	@$(PY) -m tests.prepare
	@$(PY) -m pytest -q -n auto --maxprocesses 4

# BENCH="--quick", BENCH="--people 1000000 people" …: docs/performance.md
bench: $(VENV)/run.stamp
	@$(PY) -m bench $(BENCH)

setup: $(VENV)/run.stamp

lint: $(VENV)/test.stamp
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy

format: $(VENV)/test.stamp
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

clean:
	rm -rf $(VENV)

# Always through "python -m": the scripts of a virtual environment fail in a path with a space.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Quickstep needs Python 3.11 or later; choose one with PYTHON=… make " + "run")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: $(PY) requirements.txt
	@echo "Installing what the server needs into $(VENV) …"
	@$(PY) -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp requirements-dev.txt
	@echo "Installing what the tests need into $(VENV) …"
	@$(PY) -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@
