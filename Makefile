# make demo    cleans an article of ours and shows what was removed and why
# make test    format check, lint, types, and all tests, doctests and README examples
# make test-engines  the cleaner inside Spark, Ray, Dask and others, each of them real; needs Java 17 for Spark
# make gate    the model that ships against its pinned floors; on the corpora too when they are beside the checkout
# make reliability  jobs that are killed, poisoned, watched and timed, in a few minutes; docs/reliability.md says what they show
# make fuzz    two minutes of pages that nobody would write (SECONDS=120); what breaks the cleaner is left in .fuzz/
#
# Each makes an isolated environment first; stamps in it remember what is installed, so a second run starts at once.
# Needs Python 3.11 or newer with pip, make and git. Another interpreter, and another place for its environment:
#
#     make test PYTHON=python3.13 VENV=.venv-3.13

VENV ?= .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-test
FUZZ_STAMP := $(VENV)/.installed-fuzz
CODE := cleaner tests benchmarks examples fuzz
SECONDS ?= 120
CORPORA ?= ../shared/corpora

# The first interpreter that is new enough; looked for only when an environment has to be made.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $$python && break; done)

# Nothing from outside may change what is installed or tested.
unexport PYTHONPATH PYTHONHOME PIP_REQUIRE_VIRTUALENV PIP_USER
PIP := $(BIN)/python -m pip --disable-pip-version-check

# pip compiles what it installs, but not an editable install; where Python may not write bytecode, every start would.
COMPILE := $(BIN)/python -m compileall -q cleaner

.DEFAULT_GOAL := help
.PHONY: help demo test test-engines engines-spark engines-others gate reliability fuzz format wheel clean

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

demo: $(RUN_STAMP)
	@echo "demo/article.txt as clean leaves it:"
	@echo
	@$(BIN)/clean --no-config demo/article.txt
	@echo
	@echo "What was removed, and why:"
	@echo
	@$(BIN)/clean --no-config --explain --color never demo/article.txt 2>&1 >/dev/null

test: $(TEST_STAMP)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/python -m pytest -q

# Spark wants older libraries than the others, so there are two environments.
test-engines:
	@$(MAKE) --no-print-directory VENV=$(VENV)-spark engines-spark
	@$(MAKE) --no-print-directory VENV=$(VENV)-engines engines-others

engines-spark: $(VENV)/.installed-engines-spark
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q tests/engines/test_spark.py tests/engines/test_pandas.py

engines-others: $(VENV)/.installed-engines-others
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q tests/engines --ignore=tests/engines/test_spark.py

gate: $(TEST_STAMP)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/quality_gate.py --corpora $(CORPORA)

reliability: $(TEST_STAMP)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/job_speed.py --short
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/job_memory.py --short
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/job_kill.py --short
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/job_poison.py --short

# New inputs go to the first folder, the second is only read.
fuzz: $(FUZZ_STAMP)
	@mkdir -p .fuzz/corpus
	OPENBLAS_NUM_THREADS=1 $(BIN)/python fuzz/fuzz_pages.py -max_total_time=$(SECONDS) -max_len=8192 -timeout=30 \
		-rss_limit_mb=4096 -dict=fuzz/pages.dict -artifact_prefix=.fuzz/ .fuzz/corpus tests/pages

format: $(TEST_STAMP)
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

# setuptools reuses build/, and with it modules that are gone.
wheel: $(RUN_STAMP)
	rm -rf build
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) $(VENV)-spark $(VENV)-engines build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .fuzz

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "$(PYTHON) is not Python 3.11 or newer; name another: make PYTHON=…" >&2; exit 1; }
	@# Half an environment would pass for a whole one next time.
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_STAMP): pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable .
	@$(COMPILE)
	@touch $@

# Everything that the command needs comes with it, so one installation serves both.
$(TEST_STAMP): pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[test]'
	@$(COMPILE)
	@touch $(RUN_STAMP) $@

$(VENV)/.installed-engines-%: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[engines-$*]'
	@$(COMPILE)
	@touch $(RUN_STAMP) $@

$(FUZZ_STAMP): pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[fuzz]'
	@$(COMPILE)
	@touch $(RUN_STAMP) $@
