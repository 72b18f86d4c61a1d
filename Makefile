# Every target installs what it needs into .venv/ first. Another interpreter: make test PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# At most four workers: each starts its own Dovecot, Postfix and PostgreSQL.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ "$$n" -gt 4 ] && echo 4 || echo "$$n")
PYTEST_ARGS ?= -n $(WORKERS) --dist loadfile
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install servers demo test test-quick coverage mutation lint format bench bench-scan requirements clean

help:
	@echo 'make demo          a whole quarter on embedded mail, in about a minute'
	@echo 'make test          all tests; run as root it installs the servers that they need'
	@echo 'make test-quick    the tests that need nothing beyond Python'
	@echo 'make soak          20,000 messages with faults in them; prints memory, open files and speed'
	@echo 'make lint          ruff and mypy'
	@echo 'make coverage      the branches of the domain that no test takes'
	@echo 'make mutation      changes the domain line by line: how many changes no test notices (seven minutes)'
	@echo 'make bench         measures against peers, writes bench/results.json'
	@echo 'make bench-scan    measures the reading of scans, writes bench/scan.json; PAGES=20 at each resolution'
	@echo 'make requirements  pins what pyproject.toml asks for; UPGRADE=--upgrade takes the newest'
	@echo 'make clean         removes caches, builds and the demo; make clean-all also .venv/'

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo 'No $(PYTHON) here: install Python 3.11 or later, or name it with PYTHON=' >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Huizhi needs Python 3.11 or later; name one with PYTHON=' >&2; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo 'Could not make .venv: on Debian install python3-venv' >&2; exit 2; }
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Root can give the tests their servers; anybody else sees the tests that lack one skipped.
servers:
	@if [ "$$(id -u)" = 0 ]; then PYTHON=$(PYTHON) tools/install-servers.sh; fi

demo: install
	$(BIN)/huizhi demo

test: install servers
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-quick: install
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m 'not servers'

soak: install servers
	SOAK=20000 $(BIN)/python -m pytest -q -p no:xdist tests/journeys/test_soak.py

coverage: install
	$(BIN)/python -m coverage run -m pytest -q -p no:xdist tests/domain tests/process tests/adapters -m 'not servers'
	$(BIN)/python -m coverage report

mutation: install
	rm -rf mutants
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/mutmut run
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/report_mutants.py

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install servers
	$(BIN)/python -m bench

bench-scan: install servers
	$(BIN)/python -m bench.scan --pages $(or $(PAGES),20)

# Keeps the pins that still fit; `make requirements UPGRADE=--upgrade` takes the newest releases.
# No address of an index and no path of this machine may enter the file.
requirements: install
	$(BIN)/pip-compile --quiet --extra dev --extra scan --strip-extras --resolver=backtracking \
		--no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
		$(UPGRADE) --output-file requirements.txt pyproject.toml
	@! grep -nE '(://|^-|/opt/|/home/|/root/)' requirements.txt

clean:
	rm -rf build dist demo mutants .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

.PHONY: clean-all
clean-all: clean
	rm -rf $(VENV)
