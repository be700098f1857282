# Two commands do everything: make run, make test. All of them first make .venv from constraints.txt if it is not there or out of date.

PYTHON ?= python3
VENV := .venv
BIN ?= $(VENV)/bin
CONFIG ?= configs/self_play/nano.yaml
EXTRAS ?= dev
PORT ?= 8237
WORKERS ?= 2

# Nothing is sent anywhere and nothing is fetched: the default policy is in the repository. Idle threads must not spin:
# on two cores spinning makes training several times slower.
export ZENML_ANALYTICS_OPT_IN := false
export ZENML_AUTO_OPEN_DASHBOARD := false
export ZENML_ENABLE_RICH_TRACEBACK := false
export HF_HUB_OFFLINE ?= 1
export HF_HUB_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := false
export TRL_EXPERIMENTAL_SILENCE := 1
export OMP_WAIT_POLICY := PASSIVE

.PHONY: help run test test-kubeflow test-s3 test-browser lint dashboard stop-dashboard clean install

help: ## Show this list.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(VENV)/installed ## Make .venv with the pinned dependencies.

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

.zen: | $(VENV)/installed
	$(BIN)/zenml init > /dev/null

run: $(VENV)/installed .zen ## One self-play run on the default ZenML stack; run again, it goes on. CONFIG=FILE for another recipe.
	$(BIN)/vision-zero check-config $(CONFIG)
	$(BIN)/zenml pipeline run pipelines.self_play.self_play -c $(CONFIG)

test: lint ## Everything that CI checks, but for the next three targets, by two processes. WORKERS=2
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

test-kubeflow: $(VENV)/installed ## The Kubernetes and Kubeflow stacks against APIs on this machine: a CI part of its own, ten minutes.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,kubeflow]'
	REQUIRE_KUBEFLOW=1 $(BIN)/python -m pytest -m kubeflow

test-s3: $(VENV)/installed ## Whole runs on a bucket, with and without faults: a CI part of its own, five minutes.
	$(BIN)/python -m pytest -m bucket

test-browser: $(VENV)/installed ## The dashboard in a Chromium (Debian's package of that name): a CI part of its own, a minute.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,browser]'
	REQUIRE_BROWSER=1 $(BIN)/python -m pytest -m browser

lint: $(VENV)/installed ## ruff, and mypy strict on the library.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

dashboard: $(VENV)/installed .zen ## Serve ZenML's dashboard and print its address. PORT=8237
	$(BIN)/zenml login --local --port $(PORT)
	@echo "dashboard: http://127.0.0.1:$(PORT) (user: default, no password); stop it with make stop-dashboard"

stop-dashboard: ## Stop the dashboard.
	$(BIN)/zenml logout --local

clean: ## Remove run outputs and caches; the environment and ZenML's store stay.
	rm -rf runs build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
