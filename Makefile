# Each target does all of its own set-up. `make demo` and `make test` are the two commands to know.

PYTHON ?= python3
BIN := .venv/bin

export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-fast programs lint format lock bench bench-publish bench-readers bench-send chaos golden words clean help

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

demo: .venv/.ready  ## publish the site, send two weekly issues into the outbox, say where to look
	@$(BIN)/python tools/demo.py

test: .venv/.ready  ## everything that must be true before a change lands
	@$(MAKE) --no-print-directory -j2 lint programs
	@CHROMIUM="$$(tools/browser)" && export CHROMIUM && PATH="$$PATH:$$(tools/servers)" && export PATH && \
		$(BIN)/python -m pytest -n 2 --dist worksteal tests

test-fast: .venv/.ready  ## the tests that need no browser and no subprocess
	@$(BIN)/python -m pytest -n 2 tests/unit tests/contract tests/edges tests/test_architecture.py

programs: .venv/.ready  # of others, for the tests; beside lint, which keeps one processor busy
	@tools/readers
	@tools/browser >/dev/null
	@tools/servers >/dev/null

lint: .venv/.ready  ## ruff and mypy, strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy newsletter tests bench tools

format: .venv/.ready  ## put the code into the one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: .venv/.ready  ## the measured figures of README and docs
	@$(BIN)/python -m bench.startup
	@$(BIN)/python -m bench.serve
	@$(BIN)/python -m bench.digest

bench-publish: .venv/.ready  ## cold, unchanged and one-edit builds beside Hugo, Pelican and Eleventy (half an hour)
	@$(BIN)/python -m bench.publish
	@$(BIN)/python -m bench.preview

bench-readers: .venv/.ready  ## a million readers move in, are counted, and owed an issue (some minutes)
	@$(BIN)/python -m bench.readers
	@$(BIN)/python -m bench.audience

bench-send: .venv/.ready  ## whole sends beside postfix's smtp-source, near, signed and far, and one to a million (half an hour)
	@$(BIN)/python -m bench.send
	@$(BIN)/python -m bench.million

chaos: .venv/.ready  ## 200 seeds of kill -9 and bad weather, 25 of seasons, full disks, 400 rows of edits (hours)
	@CHAOS_SEEDS="$${CHAOS_SEEDS:-$$(seq -s ' ' 1 200)}" EDITS="$${EDITS:-400}" \
		$(BIN)/python -m pytest -n 2 tests/chaos tests/edges/test_any_edit.py

lock: .venv/.ready  ## resolve the dependencies anew into requirements.lock
	@$(BIN)/uv pip compile --no-config -q --universal --python-version 3.11 --all-extras --group dev \
		--generate-hashes --no-annotate --no-header --upgrade pyproject.toml -o requirements.lock

golden: demo  ## take the demo's published folder as what is meant, after a look at the diff
	@rm -rf tests/golden/feeds && mkdir -p tests/golden
	@cp -r feeds tests/golden/feeds && rm -f tests/golden/feeds/.[a-z]*

words: .venv/.ready  ## take what the code says to readers into the catalogues of other languages; then write the words
	@$(BIN)/python tools/catalogues.py

clean:  ## remove what was built (never posts, never state of a real site)
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/.ready: requirements.lock tools/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or newer is needed: make PYTHON=python3.11' >&2; exit 1; }
	@echo 'Setting up .venv (pinned packages, once)' >&2
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo 'Python came without venv: apt-get install python3-venv' >&2; exit 1; }
	@$(BIN)/pip install -q --require-hashes -r tools/uv.txt
	@$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
