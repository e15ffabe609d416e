# Everything lives in .venv, made from this checkout alone. Needed: Python 3.11 or newer, and make.
#
#   make run     the conformance suite on the two embedded backends
#   make test    all tests, torch's among them (TORCH=0 leaves torch out, WORKERS=0 uses one process)
#   make fuzz    10,000 random programs on python and numpy, each against torch (FUZZ="--seed 2" goes to gradspec fuzz)
#   make bench   speed beside micrograd, HIPS autograd, torch and pytest (BENCH="chain mlp" selects)
#   make lint    ruff, mypy, import floors
#   make docs    the reference pages, from the registry, the schema and --help
#   make clean   remove .venv and caches
#
# PYTHON=python3.12 picks the interpreter, PYTEST_ARGS="-k tape" goes to pytest.

PYTHON ?= python3
TORCH ?= 1
PYTEST_ARGS ?=
WORKERS ?= 2
BENCH ?=
FUZZ ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet
PINNED := $(PIP) --constraint constraints/dev.txt
AUTOGRAD := plugins/gradspec-autograd

with-torch := $(if $(filter 0 no false,$(TORCH)),,.venv/.torch)

.DEFAULT_GOAL := run
.PHONY: run test fuzz bench lint format docs clean

run: .venv/.core
	@$(BIN)/gradspec run

# Two processes: many tests start others and wait for them, and a second process costs a tenth more of the processor's
# time. Each has one half, so that what tests share is made once, and takes from the other's when it is done.
test: .venv/.test $(with-torch)
	$(if $(with-torch),,GRADSPEC_TEST_TORCH=0) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

fuzz: .venv/.core .venv/.torch
	$(BIN)/gradspec fuzz -b numpy -b python -b torch --count 10000 $(FUZZ)

bench: .venv/.bench $(with-torch)
	$(BIN)/python -m tests.benchmarks $(BENCH)

lint: .venv/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.core
	$(BIN)/python tools/docs.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist

# Stamps: each is newer than what it was made from, so a second make does nothing.

.venv/.made:
	@"$(PYTHON)" -c 'import sys; v = sys.version.split()[0]; sys.exit(sys.version_info < (3, 11) and f"gradspec needs Python 3.11 or newer, this is {v}; try: make PYTHON=python3.12")'
	@echo "making .venv"
	@"$(PYTHON)" -m venv --clear .venv
	@touch $@

.venv/.core: .venv/.made pyproject.toml
	@echo "installing gradspec into .venv"
	@$(PIP) --editable .
	@touch $@

.venv/.test: .venv/.core constraints/dev.txt $(AUTOGRAD)/pyproject.toml
	@echo "installing what the tests need"
	@$(PINNED) --editable '.[test]'
	@$(PINNED) --editable $(AUTOGRAD)
	@touch $@

.venv/.torch: .venv/.core constraints/dev.txt
	@echo "installing torch, pinned in constraints/dev.txt (large)"
	@$(PINNED) torch
	@touch $@

.venv/.lint: .venv/.core constraints/dev.txt
	@echo "installing the linters"
	@$(PINNED) --editable '.[lint]'
	@touch $@

.venv/.bench: .venv/.core constraints/dev.txt
	@echo "installing the peers that speed is measured against"
	@$(PINNED) --editable '.[bench]'
	@touch $@
