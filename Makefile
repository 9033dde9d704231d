# PEPS: `make run` sets up and serves, `make test` runs the whole suite. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
VAR ?= var
HOST ?= 127.0.0.1
PORT ?= 5000
# Of the suite. Half of its tests wait for processes and pauses: more than there are cores.
PROCESSES ?= $(shell expr 2 \* $$(nproc))
# Rasters and jobs use the library versions of the pins, whatever the shell has set for others.
unexport PROJ_DATA PROJ_LIB GDAL_DATA
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: setup.cfg constraints.txt pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.developer: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,lint]'
	@touch $@

# Kernels are compiled once for each version of the sources, not while the first user waits.
$(VENV)/.kernels: $(VENV)/.installed $(wildcard $(foreach folder,algorithms simulator,$(folder)/*.py $(folder)/*/*.py))
	@echo "Compiling the kernels..."
	@$(BIN)/python -m peps_wps.jobs.warm
	@touch $@

.PHONY: run
run: $(VENV)/.kernels  ## set up, prepare the demonstration data, serve on http://127.0.0.1:5000
	@$(BIN)/peps demo --prepare --var $(VAR)
	@PEPS_AUTH_MODE=open $(BIN)/peps serve --host $(HOST) --port $(PORT) --var $(VAR)

.PHONY: demo
demo: $(VENV)/.installed  ## run the main job once through WPS and say where to look
	@$(BIN)/peps demo --host $(HOST) --port $(PORT) --var $(VAR)

.PHONY: test
test: $(VENV)/.developer $(VENV)/.kernels  ## the whole suite; STRICT=1 fails on a skipped test
	PEPS_STRICT=$(STRICT) $(BIN)/python -m pytest --numprocesses $(PROCESSES) \
		--dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: check
check: $(VENV)/.developer  ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/.developer  ## the benchmarks of docs/benchmarks.md on a full-size simulated product
	$(BIN)/python -m benchmarks.kernels
	$(BIN)/python -m benchmarks.cog
	$(BIN)/python -m benchmarks.s1_ortho var/benchmark --part tile product curve

.PHONY: drills
drills: $(VENV)/.developer  ## the same drills as the suite, at full size
	PEPS_DRILLS=1 $(BIN)/python -m pytest --timeout 3600 -m "drill or one_database" $(ARGS)
	PEPS_DRILLS=1 PEPS_PRODUCTS=17705737 $(BIN)/python -m pytest --timeout 7200 \
		tests/catalog_db/test_search_at_scale.py -k sqlite

.PHONY: pins
pins:  ## compile constraints.txt from setup.cfg (needs uv)
	uv pip compile setup.cfg --extra test --extra lint --python-version 3.11 -o constraints.txt

.PHONY: clean
clean:  ## remove the environment and the caches; ./var (archive, jobs, results) stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
