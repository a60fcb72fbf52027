# Winnow's two commands are `make run` and `make test`; both install all that they need into .venv first.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
CATALOGUES := $(wildcard locale/*/LC_MESSAGES/*.po)

.PHONY: run test bench bench-agreement bench-pressure bench-drafts install check format lock clean

run: $(STAMP)
	@exec $(PY) manage.py serve $(if $(FILE),--file "$(FILE)")

test: $(STAMP)
	@$(PY) -m pytest -n $${TEST_PROCESSES:-2} --dist loadgroup $(TESTS)

# Takes most of an hour. BENCH="--traces 1000 --databases sqlite" is the short form; docs/performance.md explains.
BENCH ?= --traces 1000,10000,1000000 --databases sqlite,postgresql --peers --out docs/performance.md

bench: $(STAMP)
	@$(PY) -m tests.bench $(BENCH)

# The measures of agreement beside krippendorff, irrCAC, crowd-kit and statsmodels, which it installs for itself.
bench-agreement: $(STAMP)
	@$(PY) -m tests.bench.agreement_bench --out docs/agreement.md

# How often each figure of pressure holds the truth: about eight minutes of one core.
bench-pressure: $(STAMP)
	@$(PY) -m tests.bench.pressure_coverage --out docs/pressure.md

# How long a draft takes to be looked at, with 10,000 and with 100,000 traces.
bench-drafts: $(STAMP)
	@$(PY) -m tests.bench.drafts_bench --out docs/performance.md

install: $(STAMP)

$(STAMP): requirements/dev.txt requirements/templates.txt $(CATALOGUES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Winnow needs Python 3.11 or newer; this is %s. Name another with make PYTHON=…" % sys.version.split()[0] or 0)'
	@echo "Installing into $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV)
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt && \
	  uv pip install --quiet --python $(PY) --require-hashes --no-deps -r requirements/templates.txt; \
	else \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt && \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/templates.txt; \
	fi
	@for domain in django djangojs; do $(VENV)/bin/pybabel --quiet compile --directory locale --domain $$domain; done
	@touch $(STAMP)

check: $(STAMP)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(PY) manage.py makemigrations --check --dry-run

format: $(STAMP)
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/djade --target-version 5.2 $$(git ls-files 'templates/*.html') || true

lock:
	for pair in base:../requirements.txt team:team.txt dev:dev.txt; do \
	  (cd requirements && uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \
	    --python-version 3.11 --quiet $${pair%%:*}.in --output-file $${pair##*:}); \
	done
	cd requirements && uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-deps \
	  --python-version 3.11 --quiet templates.in --output-file templates.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
