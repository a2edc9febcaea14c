# `make run` and `make test` install what they need.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV ?= .venv
override VENV := $(strip $(VENV))
ifneq ($(words $(VENV)),1)
$(error VENV must be a folder without blanks in its name, such as .venv-2)
endif
BIN := $(VENV)/bin
# The packages are installed by uv where it starts, and otherwise by pip, which takes ten times as long.
UV ?= $(shell uv --version >/dev/null 2>&1 && echo uv)
INSTALL = $(if $(UV),$(UV) pip install --python $(BIN)/python,$(BIN)/python -m pip install --disable-pip-version-check) \
	-q --require-hashes
OR_PIP = $(if $(UV),|| { echo "uv failed. To try pip instead: make $(MAKECMDGOALS) UV=" >&2; exit 1; })
TIME = $(if $(UV),with uv: a few seconds,with pip: about a minute)
USER_ID ?= demo
# For targets that load the settings without a .env
TOOLS_ENV := DEBUG=true BETTER_AUTH_SECRET=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(32))')
# What `make wheels` checks. On Windows only the packages of the service, for an editor: gunicorn and
# make need Unix, such as WSL.
PYTHONS ?= 3.11 3.12 3.13 3.14
DEV_PLATFORMS := x86_64-manylinux_2_28 aarch64-manylinux_2_28 x86_64-apple-darwin aarch64-apple-darwin
PLATFORMS := $(DEV_PLATFORMS) x86_64-pc-windows-msvc
# Each file serves all platforms and every Python from 3.11 on.
# Extras are kept: with hashes, pip does not accept coverage for coverage[toml].
COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --annotation-style line \
	--no-strip-extras --custom-compile-command "make lock" $(RENEW) $(ARGS)

# Test processes: may exceed the cores, because many tests wait for a server. Tests that start
# processes run first, and all tests of a module run in one process, so that they share its servers.
JOBS ?= 4
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
COVERAGE ?= --cov --cov-append --cov-report= --cov-fail-under=0
# Django supports only the newer versions of Python.
NEXT = $(MAKE) --no-print-directory VENV=$(VENV)-next PYTHON=$$(.ci/newest-python)
# Markers that select the tests for each database (see pytest.ini)
ON_POSTGRESQL ?= not no_database
ON_SQLITE ?= each_database or not (live or node or browser)

.PHONY: help
help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: $(VENV)/run .env ## Set up what is missing, and serve on this machine
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py quick_start
	@exec $(BIN)/gunicorn todo_project.wsgi

.PHONY: demo
demo: $(VENV)/run ## Run Better Auth and the API behind one origin (FRONT_END=http://localhost:3000)
	@exec $(BIN)/python examples/demo.py $(ARGS)

.PHONY: test
test: $(VENV)/dev ## Run the test suite, on PostgreSQL and on SQLite
	@rm -f .coverage .coverage.*
	$(PYTEST) $(COVERAGE) --database=postgresql -m "$(ON_POSTGRESQL)" $(ARGS)
	$(PYTEST) $(COVERAGE) --database=sqlite -m "$(ON_SQLITE)" $(ARGS)

.PHONY: test-quick
test-quick: $(VENV)/dev ## Run the tests that start no server, browser or Node, on SQLite
	$(PYTEST) --database=sqlite -m "not (live or node or browser)" $(ARGS)

.PHONY: test-next
test-next: ## Run the quick tests on the newest Django, in an environment of its own
	@$(NEXT) $(VENV)-next/dev
	$(VENV)-next/bin/uv pip install -q --python $(VENV)-next/bin/python --upgrade Django
	@echo "The quick tests on Django $$($(VENV)-next/bin/python -m django --version):"
	@$(NEXT) test-quick

.PHONY: test-faults
test-faults: $(VENV)/dev ## Kill, freeze, replace and flood real servers (about eight minutes)
	$(BIN)/python -m pytest --database=sqlite faults $(ARGS)

.PHONY: test-hostile
test-hostile: $(VENV)/dev ## Attack real servers as hostile clients (about five minutes)
	$(BIN)/python -m pytest --database=sqlite hostile $(ARGS)

.PHONY: coverage
coverage: $(VENV)/dev ## Report the coverage of the last `make test`; fail below 100 %
	$(BIN)/coverage report

.PHONY: lint
lint: $(VENV)/dev ## Check code style, Dockerfile and compose.yaml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema -q --builtin-schema vendor.compose-spec compose.yaml

.PHONY: format
format: $(VENV)/dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: $(VENV)/dev ## Check types
	$(TOOLS_ENV) $(BIN)/mypy .

.PHONY: check
check: $(VENV)/dev ## Check for missing migrations, and run the deployment checks
	$(TOOLS_ENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(TOOLS_ENV) DEBUG=false DATABASE_URL=sqlite:///db.sqlite3 BETTER_AUTH_URL=https://app.example.com \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

.PHONY: lock
lock: $(VENV)/dev ## Pin the packages of requirements*.in, keeping existing pins
	$(COMPILE) -o requirements.txt requirements.in
	$(COMPILE) -o requirements-dev.txt requirements-dev.in -c requirements.txt
	@git diff -U0 requirements.txt requirements-dev.txt | sort -u -k1.2 | grep '^[-+][a-z]' || echo 'No pin has changed.'

.PHONY: upgrade
upgrade: RENEW := --upgrade
upgrade: lock ## Upgrade all pins, and list the changes

.PHONY: wheels
wheels: $(VENV)/dev ## Check that every supported Python can install all packages without a compiler
	@check() { for platform in $$2; do for python in $(PYTHONS); do \
			$(BIN)/uv pip install -q --dry-run --target $(VENV)/empty --require-hashes --only-binary :all: \
				--python-version $$python --python-platform $$platform -r $$1 || exit; \
		done; echo "$$1: all wheels for Python $(PYTHONS) on $$platform"; done; }; \
	check requirements.txt "$(PLATFORMS)"; check requirements-dev.txt "$(DEV_PLATFORMS)"

.PHONY: bench
bench: $(VENV)/dev ## Benchmark the API (50 users, 30 s), the commands, and the admin with a million tasks
	$(BIN)/python benchmarks/load.py $(ARGS)
	$(BIN)/python benchmarks/commands.py
	$(BIN)/python benchmarks/admin.py
	$(BIN)/python benchmarks/chart.py

.PHONY: migrate
migrate: $(VENV)/run .env ## Apply migrations
	$(BIN)/python manage.py migrate

.PHONY: staff
staff: $(VENV)/run .env ## Create an admin account; asks for name and password
	@$(BIN)/python manage.py migrate --verbosity 0
	@DJANGO_SUPERUSER_EMAIL=$${DJANGO_SUPERUSER_EMAIL:-staff@localhost} \
		$(BIN)/python manage.py createsuperuser $${DJANGO_SUPERUSER_PASSWORD:+--noinput}

.PHONY: token
token: $(VENV)/run .env ## Print a one-hour token for USER_ID (default demo)
	@$(BIN)/python manage.py issue_token $(USER_ID)

.PHONY: seed
seed: $(VENV)/run .env ## Create sample tasks for USER_ID (default demo)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py seed_tasks --user $(USER_ID) $(ARGS)

# The file `run` exists while the last installation is complete. Without it, or with a Python that was
# removed, replaced, or is not the PYTHON given, the folder is made anew if the file `made` says that
# make made it. Otherwise, it may hold other packages: make installs into it, or refuses it.
$(VENV)/run: requirements.txt $(VENV)/pyvenv.cfg
	@rm -f $@
	@echo "Installing the packages of the service into $(VENV), $(TIME) ..."
	@$(INSTALL) -r requirements.txt $(OR_PIP)
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt
	@rm -f $@ $(VENV)/run
	@echo "Installing the packages of the tests into $(VENV), $(TIME) ..."
	@$(INSTALL) -r requirements-dev.txt $(OR_PIP)
	@touch $(VENV)/run $@

VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'
NAMED = $(filter-out file,$(origin PYTHON))
$(VENV)/pyvenv.cfg: FORCE
	@if test -e $@ && $(BIN)/python -c 'import sys$(if $(UV),,, pip); sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		$(if $(NAMED),&& test "$$($(BIN)/python $(VERSION))" = "$$($(PYTHON) $(VERSION) 2>/dev/null)"); \
	then \
		if test -e $(VENV)/run && $(BIN)/python -c 'import django' 2>/dev/null; then exit; fi; \
		if test ! -e $(VENV)/made; then touch $@; exit; fi; \
	fi; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.14 ..." % sys.version_info[:2])' || exit; \
	if test ! -e $(VENV)/made && ls -A $(VENV) 2>/dev/null | grep -q .; \
	then echo "$(VENV) is not a virtual environment of $(if $(NAMED),$(PYTHON),Python 3.11 or newer)$(if $(UV),, with pip), and was not made by make. Delete it, or name another one: make VENV=.venv-2 ..." >&2; exit 1; fi; \
	$(PYTHON) -m venv --clear --without-pip $(VENV) && touch $(VENV)/made $(if $(UV),,&& $(PYTHON) -m venv $(VENV))
.PRECIOUS: $(VENV)/pyvenv.cfg
FORCE:

.env: | $(VENV)/run
	@umask 077 && $(BIN)/python -c 'import secrets; print("\n".join(["DEBUG=true", "HOST=127.0.0.1", \
		"BETTER_AUTH_URL=http://localhost:3000", \
		"BETTER_AUTH_SECRET=" + secrets.token_urlsafe(32), "DJANGO_SECRET_KEY=" + secrets.token_urlsafe(48)]))' > $@
	@echo "Wrote .env with fresh secrets. Give the front end the same BETTER_AUTH_SECRET."
