# The main targets are run and test. Every target first creates or updates .venv from constraints.txt if needed.

PYTHON ?= python3
VENV := .venv
BIN ?= $(VENV)/bin
CONFIG ?= configs/self_play/nano.yaml
EXTRAS ?= dev
PORT ?= 8237
TRACKERS := .venv-trackers
PURELIB := import sysconfig; print(sysconfig.get_path("purelib"))
# One more than cores: tests that start processes wait for them.
WORKERS ?= 3
OUT ?= gpu.json

# No telemetry and no downloads: the default policy is in the repository. OMP_WAIT_POLICY=PASSIVE: on two cores, idle
# threads that spin make training several times slower.
export ZENML_ANALYTICS_OPT_IN := false
export ZENML_AUTO_OPEN_DASHBOARD := false
export ZENML_ENABLE_RICH_TRACEBACK := false
export HF_HUB_OFFLINE ?= 1
export HF_HUB_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := false
export TRL_EXPERIMENTAL_SILENCE := 1
export OMP_WAIT_POLICY := PASSIVE
# Tests start some hundred processes: with compiled modules kept, each need not compile this project again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run check quick-tests docs test all-tests test-kubeflow test-s3 test-browser test-vllm test-trackers test-gpu bench-gpu lint dashboard stop-dashboard clean install

help: ## Show this list.
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(VENV)/installed ## Create .venv with the pinned dependencies.

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

.zen: | $(VENV)/installed
	$(BIN)/zenml init > /dev/null

run: $(VENV)/installed .zen ## One self-play run on the active ZenML stack; run again to continue. CONFIG=FILE: another recipe.
	$(BIN)/vision-zero check-config $(CONFIG)
	$(BIN)/zenml pipeline run pipelines.self_play.self_play -c $(CONFIG)

check: $(VENV)/installed ## Lint, types and the quick tests, side by side; before each commit.
	@$(MAKE) --no-print-directory --jobs 2 lint quick-tests
	@echo "left out: tests marked slow, zenml or cli; make test runs them, too"

quick-tests: $(VENV)/installed
	$(BIN)/python -m pytest -m 'not slow and not zenml and not cli and not kubeflow and not bucket and not browser and not vllm and not gpu'

docs: $(VENV)/installed ## Build the documentation as a site, with the API, in site/. Warnings are errors.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

test: $(VENV)/installed ## Lint, types and all tests that need no cluster, bucket, browser or vLLM. WORKERS=3: parallel processes.
	@$(MAKE) --no-print-directory --jobs 2 lint all-tests

all-tests: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

test-kubeflow: $(VENV)/installed ## Tests of the Kubernetes and Kubeflow stacks against local stand-ins for their APIs; about ten minutes.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,kubeflow]'
	REQUIRE_KUBEFLOW=1 $(BIN)/python -m pytest -m kubeflow

test-s3: $(VENV)/installed ## Complete runs on a local S3 server, with and without faults; about five minutes.
	$(BIN)/python -m pytest -m bucket

test-browser: $(VENV)/installed ## Tests of the dashboard in Chromium (Debian's package chromium); about a minute.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,browser]'
	REQUIRE_BROWSER=1 $(BIN)/python -m pytest -m browser

test-vllm: $(VENV)/installed ## Contract tests with a real vLLM server, in .venv-vllm (3.5 GB); ten minutes the first time, then three.
	tests/vllm/environment.sh .venv-vllm
	VLLM_PROGRAM=.venv-vllm/bin/vllm $(BIN)/python -m pytest -m vllm

# trackio needs an older Pillow than the rest: what differs lies in an environment over .venv.
test-trackers: $(VENV)/installed ## All four experiment trackers, offline: a separate CI job, three minutes.
	test -x $(TRACKERS)/bin/python || $(BIN)/python -m venv $(TRACKERS)
	$(BIN)/python -c '$(PURELIB)' > "$$($(TRACKERS)/bin/python -c '$(PURELIB)')/below.pth"
	grep -v '^pillow==' constraints.txt > $(TRACKERS)/constraints.txt
	$(TRACKERS)/bin/python -m pip install --quiet --constraint $(TRACKERS)/constraints.txt 'wandb>=0.31,<1' 'trackio>=0.43'
	REQUIRE_TRACKERS=1 $(TRACKERS)/bin/python -m pytest tests/tracking

test-gpu: $(VENV)/installed ## Tests on a GPU: replies and updates as on the CPU. Skipped without one; REQUIRE_GPU=1 fails instead.
	$(BIN)/python -m pytest -m gpu -rs

bench-gpu: test-gpu ## test-gpu, then benchmarks of Qwen2.5-VL-3B and 7B with random weights on one GPU; about ten minutes. OUT=gpu.json
	$(BIN)/vision-zero bench gpu --out $(OUT)

lint: $(VENV)/installed ## Run ruff and mypy (strict: library, steps, materializers, pipelines).
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

dashboard: $(VENV)/installed .zen ## Start ZenML's dashboard and print its address. PORT=8237
	$(BIN)/zenml login --local --port $(PORT)
	@echo "dashboard: http://127.0.0.1:$(PORT) (user: default, no password); stop it with make stop-dashboard"

stop-dashboard: ## Stop the dashboard.
	$(BIN)/zenml logout --local

clean: ## Remove run outputs and caches; .venv and ZenML's store stay.
	rm -rf runs build dist site *.egg-info .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
