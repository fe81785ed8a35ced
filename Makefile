# The whole life of the project: `make run`, `make test`; the rest is for its makers.
# Everything lives in .venv and var; removing both starts from nothing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

$(VENV)/made: scripts/make_venv.sh
	@PYTHON=$(PYTHON) scripts/make_venv.sh $(VENV)
	@touch $@

$(VENV)/installer: $(VENV)/made requirements-installer.txt
	@scripts/install.sh $(VENV) requirements-installer.txt
	@touch $@

$(VENV)/installed: $(VENV)/installer requirements.txt
	@echo "Installing what the portal needs…"
	@scripts/install.sh $(VENV) requirements.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	@echo "Installing what its tests need…"
	@scripts/install.sh $(VENV) requirements-dev.txt
	@touch $@

var/compiled: $(wildcard billing_portal/locale/*/LC_MESSAGES/*.po) $(VENV)/installed
	@mkdir -p var
	@$(PY) scripts/compile_messages.py
	@touch $@

setup: $(VENV)/installed var/compiled ## environment, packages, .env, words, database of a real portal
	@$(PY) scripts/write_env.py
	@$(PY) manage.py migrate --verbosity 0

run: $(VENV)/installed var/compiled ## the portal with its demo: web, worker and a stand-in for Pipedrive
	@$(PY) scripts/write_env.py --demo
	@exec $(PY) -m billing_portal.launch

test: $(VENV)/installed-dev var/compiled ## every test, on SQLite unless DATABASE_URL says otherwise
	@scripts/find_chromium.sh $(PY)
	@# Three on two cores: a test of the browser or of an import waits for other processes.
	@$(PY) -m pytest -n $${TEST_WORKERS:-3} --dist worksteal $(ARGS)

golden: $(VENV)/installed-dev ## draw the pictures of pages anew, which tests hold pages against
	@GOLDEN=renew $(PY) -m pytest -q tests/invoices/documents/pdf/test_golden.py
	@echo "Look at tests/invoices/documents/pdf/golden before you keep what changed."

messages: $(VENV)/installed ## bring the French catalogue up to date with the source (needs gettext)
	@$(PY) scripts/collect_messages.py

check: $(VENV)/installed-dev var/compiled ## static checks: lint, format, types, templates, migrations, deployment
	@scripts/static_checks.sh

bench: $(VENV)/installed-dev var/compiled ## measure, on SQLite and on PostgreSQL where it answers
	@$(PY) -m bench.run $(ARGS)

lock: $(VENV)/installer ## the lock files from their .in files; ARGS=--upgrade takes newer versions
	@scripts/make_locks.sh . $(abspath $(VENV))/bin/uv $(ARGS)

.PHONY: help setup run test golden messages check bench lock
