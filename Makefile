# `make help` lists what there is. Variables such as PORT are documented in .env.example.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The first Python that is new enough; `make PYTHON=/path/to/python3 run` names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
UV_VERSION := 0.13.9
BIN := .venv/bin

VAR_DIR ?= var
export VAR_DIR
# Keep compiled code, since Python starts many times below.
export PYTHONDONTWRITEBYTECODE :=
# For checks only. Nothing that is served or stored depends on it.
THROWAWAY_KEY := make-lint-$(shell head -c 48 /dev/urandom | base64 | tr -d '\n')

SERVER := $(BIN)/python -m config.serve

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: install
install: .venv/.synced ## Install what uv.lock names into .venv

.venv/.synced: uv.lock
	@[ -n '$(PYTHON)' ] || { echo 'gumshoe: no Python 3.11 or newer found: install one, or name it with PYTHON=.'; exit 1; }
	@echo 'gumshoe: installing what uv.lock names into .venv'
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo 'gumshoe: $(PYTHON) cannot make .venv: on Debian and Ubuntu, apt install python3-venv.'; exit 1; }
	@[ -x $(BIN)/uv ] || $(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv sync --quiet --frozen --inexact
	@touch $@

$(VAR_DIR)/secret-key:
	@mkdir -p $(@D)
	@umask 077; $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))' > $@

# What must be done before a new version starts.
.PHONY: update
update: export DEBUG := false
update: install $(VAR_DIR)/secret-key ## Migrate the database and collect static files
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0

.PHONY: demo
demo:
	@$(BIN)/python manage.py demo || echo 'gumshoe: serving without the demo.'

.PHONY: run
run: export DEBUG := false
run: install $(VAR_DIR)/secret-key ## Serve Gumshoe with demo data (PORT=8000 HOST=127.0.0.1)
	@$(SERVER) check
	@$(MAKE) update
	@$(MAKE) demo
	@exec $(BIN)/python -m config.run demo

.PHONY: serve
serve: export DEBUG := false
serve: install $(VAR_DIR)/secret-key ## Serve Gumshoe without demo data
	@$(SERVER) check
	@$(MAKE) update
	@exec $(BIN)/python -m config.run

.PHONY: dev
dev: export DEBUG := true
dev: install ## Serve Gumshoe with a server that reloads changed code
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(MAKE) demo
	@exec $(BIN)/python -m config.run dev

.PHONY: test
test: install ## Run the tests (DATABASE_URL=postgres://… for PostgreSQL, ARGS=… for pytest)
	@$(BIN)/python -m pytest -n auto $(ARGS)

.PHONY: lint
lint: export SECRET_KEY := $(THROWAWAY_KEY)
lint: export DATABASE_URL := sqlite://:memory:
lint: export DEBUG := false
lint: install ## Check style, types, layers, migrations, settings and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python manage.py makemigrations --check --dry-run
	SITE_URL=https://gumshoe.example.com TRUSTED_PROXY_COUNT=1 \
		DATABASE_URL=postgres://gumshoe@localhost/gumshoe CACHE_URL=redis://localhost EMAIL_URL=smtp://localhost \
		$(BIN)/python manage.py check --deploy --fail-level WARNING
	git ls-files -coz --exclude-standard 'templates/*.html' | xargs -0 -r $(BIN)/djade --check --target-version 5.2
	git ls-files -coz --exclude-standard '*.py' | xargs -0 $(BIN)/django-upgrade --check --target-version 5.2 --skip request_headers
	$(BIN)/uv lock --check --offline --quiet

.PHONY: format
format: install ## Rewrite code and templates in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files -coz --exclude-standard 'templates/*.html' | xargs -0 -r $(BIN)/djade --target-version 5.2

.PHONY: bench
bench: install ## Measure registration, and pages at a million deploys (needs PostgreSQL and wrk)
	@$(BIN)/python -m tests.bench

.PHONY: screenshots
screenshots: install ## Take README's screenshots of the demo (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots

.PHONY: soak
soak: export SOAK := 1
soak: install ## Let 500 clients stall in every way at once (DATABASE_URL=… as for the tests)
	@$(BIN)/python -m pytest -n 0 tests/soak $(ARGS)

.PHONY: audit
# Strictly: packages that could not be looked up are a failure, too.
audit: install ## Look up known vulnerabilities of the locked packages (needs the network)
	@$(BIN)/uv export --quiet --frozen --no-emit-project | $(BIN)/pip-audit --requirement /dev/stdin --disable-pip --require-hashes --strict
