# Needs Python 3.11 or newer and make. `make book` and `make test` build .venv on first use, from PYTHON=... where that names one.
PYTHON ?= python3
VENV ?= .venv
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
BIN := $(VENV)/bin
TOOLS := book/_tools
# The bench times itself; its tests are a stage of their own.
BENCH := tests/textbook/bench ntkal/textbook/bench
# What takes longer than it tells at each change: model answers over ten variants, broken in many ways, in other clothes.
GRADERS := $(addprefix tests/assignments/test_,mutants.py model_answers.py model_answers_late.py right_answers.py)
EXAMPLES ?= 300
export JUPYTER_PREFER_ENV_PATH := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1
# What XLA compiled is kept: tests, notebooks and pages share most of it, and a second run compiles nothing.
JAX_COMPILATION_CACHE_DIR ?= $(CURDIR)/_build/compiled
JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS ?= 0
export JAX_COMPILATION_CACHE_DIR JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS

.PHONY: help book check-book pdf links slides test test-fast test-faults test-random test-versions test-pythons mutants unit bench-test test-graders release-check nbval colab-pins notebooks assignments bench lab clean lock retarget env install

help:
	@echo "make book       run the chapters and render the book (HTML, works offline)   (SOLUTIONS=hidden: without solutions)"
	@echo "make check-book every page of the rendered book, in a browser (after make book)"
	@echo "make slides     a deck for each of the chapters 1 to 12, from the run of make book   (CHAPTER=4: that one)"
	@echo "make pdf        the whole book as one PDF (needs LaTeX)"
	@echo "make links      the addresses outside the book, asked one by one (needs the network)"
	@echo "make test       unit tests, docstring examples, then every notebook as on Colab   (COLAB_PYTHON=python3.13: a Python like Colab's)"
	@echo "make test-fast  unit tests that are not marked slow"
	@echo "make bench-test   the bench's own tests (minutes)"
	@echo "make test-graders  the problem sets' graders, tried on answers that are broken, and the model answers over ten variants (long)"
	@echo "make test-random  property tests with fresh seeds and many examples   (EXAMPLES=300)"
	@echo "make mutants    breaks the core in 150 small ways and counts those that its tests notice (hours)"
	@echo "make test-faults  runs that are killed, starved of disk, altered (minutes)"
	@echo "make test-versions  the fast unit tests on the oldest JAX that pyproject.toml admits (WHICH=newest: on the newest)"
	@echo "make test-pythons   make unit on the other Pythons of this machine, 3.11 to 3.13"
	@echo "make colab-pins what Colab has, from the list that Google publishes (needs the network)"
	@echo "make notebooks  notebooks/ from book/   (REFRESH=1: store the compared outputs anew)"
	@echo "make assignments  the problem sets as a nbgrader course   (SEED=7: another variant; COURSE=folder)"
	@echo "make release-check  sdist and wheel, checked, installed with each extra; the README's examples (uv, network; EXTRA=sweep: that one)"
	@echo "make bench      the fast paths beside their peers, as ratios"
	@echo "make lab        the notebooks in JupyterLab"
	@echo "make lock       requirements.lock and environment.yml from pyproject.toml   (UPGRADE=1: newest versions)"
	@echo "make retarget REPO=owner/name   point the book at a fork"
	@echo "make clean      remove what was built, and the environment"

book: env
	@$(BIN)/python $(TOOLS)/execute.py --jobs $(JOBS)
	@echo "Rendering the pages"
	@SOLUTIONS=$(SOLUTIONS) $(BIN)/jupyter-book build . -W -n --keep-going -q
	@echo "Open _build/html/index.html"

check-book: env
	@$(BIN)/python -m pytest tests/rendered -n $(JOBS)

pdf: env
	@$(BIN)/python $(TOOLS)/pdf.py --jobs $(JOBS)

links: env
	@$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links -q

slides: env
	@$(BIN)/python $(TOOLS)/slides.py $(CHAPTER)

test: unit nbval

unit: env
	@$(BIN)/python -m pytest tests ntkal --doctest-modules -n $(JOBS) --durations 5 $(addprefix --ignore=,$(BENCH) $(GRADERS))

test-graders: env
	@$(BIN)/python -m pytest $(GRADERS) -n $(JOBS) --durations 5

bench-test: env
	@$(BIN)/python -m pytest $(BENCH) --doctest-modules -n $(JOBS) --durations 5

# In an environment that has what Colab has, where the notebooks' own setup cell has installed the package; the problem sets solved.
nbval: env
	@$(BIN)/python $(TOOLS)/colab.py
	@JUPYTER_PATH=$(CURDIR)/_build/colab/share/jupyter PYTHONPATH=$(TOOLS) $(BIN)/python -m pytest \
		-c $(TOOLS)/nbval.ini --rootdir . --nbval-kernel-name colab -n $(JOBS) notebooks _build/solved

colab-pins: env
	@$(BIN)/python $(TOOLS)/colab_pins.py

test-fast: env
	@$(BIN)/python -m pytest tests -m "not slow" -n $(JOBS)

# Not part of `make test`. A find prints how to have it again.
test-random: env
	@HYPOTHESIS_PROFILE=random EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests -m hypothesis -n $(JOBS)

# Not part of `make test`. cosmic-ray has an environment of its own.
mutants: env
	@test -x _build/mutants/bin/python || $(BIN)/python -m venv _build/mutants
	@_build/mutants/bin/python -m pip install --quiet --disable-pip-version-check cosmic-ray==8.7.0 tqdm
	@_build/mutants/bin/python tests/mutants.py --jobs $(JOBS) $(if $(COUNT),--count $(COUNT))

# Not part of `make test`. As root it mounts small disks, to fill them.
test-faults: env
	@$(BIN)/python -m pytest tests/faults -n $(JOBS) --durations 5

test-versions: env
	@$(BIN)/python tests/versions.py $(or $(WHICH),oldest)

test-pythons: env
	@$(BIN)/python tests/pythons.py

notebooks: env
	@$(BIN)/python $(TOOLS)/notebooks.py $(if $(REFRESH),--refresh)

assignments: env
	@$(BIN)/python $(TOOLS)/assignments.py $(if $(SEED),--seed "$(SEED)") $(if $(COURSE),--course "$(COURSE)")

release-check: env
	@$(BIN)/python $(TOOLS)/release.py $(EXTRA)

bench: env
	@$(BIN)/python -m ntkal bench

lab: env
	@$(BIN)/jupyter lab --notebook-dir=notebooks

lock: env
	@$(BIN)/python $(TOOLS)/lock.py $(if $(UPGRADE),--upgrade)

retarget: env
	@$(BIN)/python $(TOOLS)/retarget.py "$(REPO)"

clean:
	rm -rf _build $(VENV) .pytest_cache .ruff_cache .hypothesis

# A Python that was named, on the command line or in the environment, is the one to be used.
ifneq ($(filter command environment,$(origin PYTHON)),)
NAMED := $(PYTHON)
endif
SAME = test -z "$(NAMED)" || test "$$("$(NAMED)" -VV 2>&1)" = "$$($(BIN)/python -VV 2>&1)"

# The copies in the environment say what it was made from: a changed lock is installed, an unchanged one costs nothing.
env:
	@{ cmp -s requirements.lock $(VENV)/made-from.lock && cmp -s pyproject.toml $(VENV)/made-from.toml && { $(SAME); }; } \
		|| $(MAKE) --no-print-directory install

install:
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "Python is missing: install Python 3.11 or newer, or name one with make PYTHON=/path/to/python."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$$("$(PYTHON)" --version) is too old: install Python 3.11 or newer, or name one with make PYTHON=/path/to/python."; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make environments: install its venv module (Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@test ! -x $(BIN)/python || { $(SAME); } || { echo "$(VENV) has $$($(BIN)/python --version): making it anew"; rm -rf "$(VENV)"; }
	@test -x $(BIN)/python || { echo "Making the environment $(VENV) of $$("$(PYTHON)" --version)"; "$(PYTHON)" -m venv "$(VENV)"; }
	@echo "Installing the packages of requirements.lock (about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@cp requirements.lock $(VENV)/made-from.lock
	@cp pyproject.toml $(VENV)/made-from.toml
