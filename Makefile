# Two commands matter: `make run` and `make test`. Each sets up its own virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
OUT := out/sample_city

.DEFAULT_GOAL := run
.PHONY: run test test-fast lint bench docs sample-city clean

$(VENV)/run.stamp: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) -e .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml $(VENV)/run.stamp
	@$(PIP) -e '.[dev]'
	@touch $@

run: $(VENV)/run.stamp
	@$(BIN)/deploy-opt run scenarios/sample_city.yaml --out $(OUT)

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term

test-fast: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not browser and not real"

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	@for suite in benchmarks/bench_*.py; do $(BIN)/python $$suite || exit 1; done

docs: $(VENV)/dev.stamp
	$(BIN)/python docs/make_docs.py

sample-city: $(VENV)/run.stamp
	$(BIN)/python -c "from deploy_opt.inputs.sample_city import write_sample_city as w; w('data/sample_city')"

clean:
	rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage .coverage.*
	rm -rf $(VENV)
