# make run, make test: the two commands of README.md. PORT=… make run uses another port.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: run test bench setup lint format docs pictures lock audit upstream-tests clean

run: $(VENV)/run.stamp
	@$(PY) app.py

test: $(VENV)/test.stamp
	@$(PY) -m tests.prepare
	@PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -q -n auto --maxprocesses 4

# BENCH="--quick", BENCH="--people 1000000 people" …: docs/understand/performance.md
bench: $(VENV)/run.stamp
	@$(PY) -m bench $(BENCH)

setup: $(VENV)/run.stamp

lint: $(VENV)/test.stamp
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) -m codespell_lib

format: $(VENV)/test.stamp
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

# Everything in the docs that is generated from the code: docs/reference/, the table of providers.
docs: $(VENV)/run.stamp
	@$(PY) -m config.reference
	@$(PY) -m providers.reference
	@$(PY) -m web.text.reference
	@$(PY) -m telemetry.reference

# The pictures of README.md and of docs/operate/administration.md, from a running demo; needs Chromium.
pictures: $(VENV)/test.stamp
	@$(PY) -m tests.system.browser.pictures

# What requirements.in and requirements-dev.in allow, written down exactly, with the hashes of all
# files of a version. Versions stay as they are where they may; UPGRADE=1 takes the newest.
LOCK = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--annotation-style line --custom-compile-command "make lock" \
	--no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

lock: $(PY)
	@$(PY) -m pip install -qq --disable-pip-version-check "$$(grep '^uv==' requirements-dev.in)"
	@$(LOCK) requirements.in --output-file requirements.txt
	@$(LOCK) requirements-dev.in --output-file requirements-dev.txt

# Which known vulnerabilities the locked versions have. Asks the package index, and fails where
# that does not know.
audit: $(PY)
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install -qq --disable-pip-version-check "pip-audit==2.10.1"
	@$(VENV)/audit/bin/python -m pip_audit --strict --require-hashes --disable-pip -r requirements.txt

# The dormant libraries' own tests against our versions; tests/upstream.py says more.
upstream-tests: $(PY)
	@$(PY) -m tests.upstream

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
