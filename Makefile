# `make demo` and `make test` set up all that they need by themselves.
VENV ?= .venv
PYTHON_IN = $(VENV)/bin/python
export VENV
# What was compiled is kept, whatever the environment says: programs start in half of the time.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench setup screenshots wheel clean

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: ## the sample coalition, at http://localhost:8080 (ARGS=--once: the whole story, unattended)
	@tools/setup.sh run
	@$(PYTHON_IN) -m handbill demo $(ARGS)

test: ## every test (ARGS="-k preferences": some)
	@tools/setup.sh dev
	$(PYTHON_IN) -m pytest -n auto $(ARGS)

lint: ## style, types, page templates and the floors
	@tools/setup.sh dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/djlint --lint --quiet templates/pages
	$(VENV)/bin/lint-imports

bench: ## ratios against a yardstick measured in the same run
	@tools/setup.sh dev
	$(PYTHON_IN) -m bench $(ARGS)

screenshots: ## pictures of every page, made anew and laid out in docs/pictures
	@tools/setup.sh dev
	$(PYTHON_IN) -m tools.screenshots $(or $(ARGS),--keep)

wheel: ## the distribution, in dist/
	@tools/setup.sh dev
	$(PYTHON_IN) -m build --wheel --no-isolation

setup: ## everything for development
	@tools/setup.sh dev

clean: ## remove what can be made again
	rm -rf $(VENV) node_modules dist build var templates/static/vendor
