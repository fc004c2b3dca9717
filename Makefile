# Everything that is done to kyotsu, one word each: `make` alone lists the words.
# Needs Python 3.11 or newer, make and git. All else is pinned by the lock files and goes into .venv.

PYTHON  ?= python3
WORKERS ?= 2
VENV    := .venv
BIN     := $(VENV)/bin
CACHES  := .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# A slow network should cost time, not the set-up; the environment may say otherwise.
export PIP_DEFAULT_TIMEOUT ?= 120
export PIP_RETRIES ?= 10
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help study test lint check format lock clean

help: ## list what can be made
	@echo "make WORD, where WORD is one of:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "PYTHON=python3.12 chooses the interpreter of a new $(VENV); ARGS=... goes on to kyotsu study or pytest."

study: $(VENV)/.run ## set everything up, study the example alliance, write the report into kyotsu-study/
	$(BIN)/kyotsu study examples/alliance -o kyotsu-study $(ARGS)

test: $(VENV)/.dev ## set everything up and pass the tests
	$(BIN)/python -m pytest -n $(WORKERS) -rs $(ARGS)

lint: $(VENV)/.dev ## check format, lint, types and import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

check: test lint ## everything that a change must pass

format: $(VENV)/.dev ## lay the code out and mend what can be mended by machine
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lock: $(VENV)/.dev ## pin the dependencies of pyproject.toml anew; UPGRADE=1 takes the newest versions
	$(call pin,dev,requirements-dev.lock)
	$(call pin,all,requirements.lock) --constraints requirements-dev.lock --no-annotate

clean: ## remove .venv, the caches and kyotsu-study/
	rm -rf $(VENV) $(CACHES) build dist kyotsu-study
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One resolution for Linux, macOS and Windows and every Python from 3.11 up; hashes, and no address of any index.
define pin
$(BIN)/uv pip compile pyproject.toml --quiet --extra $(1) --group build --output-file $(2) \
	--universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
endef

# The stamps are written last, so an interrupted set-up starts again, and are older than a lock file that changed.
# Wheels only: no compiler is needed, and a platform without a wheel is told so at once.
$(VENV)/.run: requirements.lock pyproject.toml
	$(call set-up,requirements.lock)
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml
	$(call set-up,requirements-dev.lock)
	@touch $(VENV)/.run $@

define set-up
@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { $(new-venv); }
@echo "Installing $(1) into $(VENV) (the first time takes a minute or two) ..."
@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r $(1)
@$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
endef

define new-venv
found=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found="not there"; \
case "$$found" in 3.1[1-9]|3.[2-9][0-9]) ;; *) \
	echo "kyotsu needs Python 3.11 or newer, but '$(PYTHON)' is $$found." \
	     "Install one and name it: make $(or $(MAKECMDGOALS),test) PYTHON=python3.12" >&2; exit 1;; esac; \
$(PYTHON) -m venv --clear $(VENV)
endef
