# Every command of this project. `make help` is made from the ## comments.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
VIDEO  ?=

.DEFAULT_GOAL := help
.PHONY: help up down restart rebuild simulate test test-fast eval-summary lint format status logs models sign verify verifier bundle log-status once setup setup-dev setup-light clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

# What other targets need first is done without a word when there is nothing to do.
QUIET   = $(if $(filter setup setup-light setup-dev,$(MAKECMDGOALS)),,--quiet)

setup: ## Make the virtual environment, folders, .env, keys and fallback pictures
	@$(PYTHON) bootstrap.py $(QUIET) --rooms scanner,summarizer,writer

setup-light: ## The same for a box of containers: without what the stages need
	@$(PYTHON) bootstrap.py $(QUIET) --rooms writer,monitor

# Where the stages run in containers, only their images need what they are made of.
IN_CONTAINERS = $(shell grep -s '^ORCHESTRATOR_RUNNER=.\?compose' .env)

up: setup-light ## Build and start the containers that stay, and wait until they are healthy
	@$(PYTHON) scripts/compose.py $(if $(IN_CONTAINERS),--profile stages) build
	@$(PYTHON) scripts/compose.py up --detach --no-build --wait

down: ## End all containers of the box (data, keys and images stay)
	@$(PYTHON) scripts/compose.py --profile '*' down

restart: ## Restart the containers that stay
	@$(PYTHON) scripts/compose.py restart

rebuild: ## Build the images that changed, start them, go back where they do not get healthy (ARGS=--help)
	@bash scripts/rebuild_changed.sh $(ARGS)

setup-dev: ## The same, with all that the tests need
	@$(PYTHON) bootstrap.py $(QUIET) --rooms scanner,summarizer,writer,api,playlists,monitor,tracking,alerts,onnx,ultralytics,training,dev

simulate: setup ## Take a clip through the whole pipeline (VIDEO=path for your own)
	@$(BIN)/python scripts/simulate.py $(if $(VIDEO),"$(VIDEO)")

test: setup-dev ## Run the whole test suite
	@bash scripts/run_tests.sh

test-fast: setup-dev ## Run the tests that need seconds only
	@$(BIN)/python -m pytest -m "not integration and not docker and not torture" -q -n auto

eval-summary: setup-dev ## Score the writer on held-out scenes (ARGS=--rules: the rules alone)
	@$(BIN)/python -m summarize_scene.training.evaluate $(ARGS)

lint: setup-dev ## ruff, mypy --strict and the import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@mkdir -p .cache/typing && ln -sfn ../../vv-core .cache/typing/vv_core && ln -sfn ../../schemas .cache/typing/vv_schemas
	@MYPYPATH=.cache/typing $(BIN)/mypy -p vv_core -p vv_schemas -p scan_video -p summarize_scene -p logline_generator -p tv_scheduler -p tv_ui -p tv_mirror_ui -p agent_dvr -p vv_ingest
	@MYPYPATH=.cache/typing:scripts $(BIN)/mypy bootstrap.py requirements/print_room.py scripts/*.py
	@PYTHONPATH=.cache/typing $(BIN)/lint-imports --cache-dir .cache/import-linter

format: ## Format the code
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

once: $(if $(IN_CONTAINERS),setup-light,setup) ## Run one cycle of the orchestrator
	@$(BIN)/python scripts/orchestrator.py --once

status: ## Containers, queue, last cycle, disk, keys, log, alerts in one screen (ARGS=--json)
	@$(PYTHON) scripts/status.py $(ARGS)

models: setup ## List the models and which are in use
	@$(BIN)/python scripts/vv_models.py list

sign: ## Sign the shipped files in vv-signature.json (ARGS=--key FILE)
	@$(PYTHON) scripts/vv_sign.py sign $(ARGS)

verify: ## Check the installation against vv-signature.json
	@$(PYTHON) scripts/vv_sign.py verify $(ARGS)

bundle: setup ## Write one signed file to install from without a network (ARGS=--help)
	@$(BIN)/python scripts/make_bundle.py $(ARGS)

verifier: setup ## Build logline_verifier.pyz, the one file for auditors
	@$(BIN)/python scripts/build_verifier.py

log-status: ## Head, witnesses, keys and gaps of the provable log
	@$(PYTHON) scripts/vv_log.py status

logs: ## Follow logs/app.log, readable
	@$(PYTHON) scripts/show_logs.py --follow

clean: ## Remove what tests and simulation left (data, keys and .env stay)
	@rm -rf simulation .cache .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
