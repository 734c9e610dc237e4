# `make` explains itself. Everything that is installed goes into .venv; state goes into ./var.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet install
# A release is taken when it is some days old: by then, what is bad about it is known.
LOCK := $(BIN)/uv --no-config pip compile --quiet --upgrade --exclude-newer "3 days" --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

export PORT ?= 8080
export OPS_PORT ?= 9180
export STATE_DIR ?= var

##@ Use

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nSettings of `make run`: PORT (8080), OPS_PORT (9180), STATE_DIR (var). PYTHON picks the interpreter.\n'

run: .venv/.run ## Set up what is missing, then serve on http://localhost:8080 until Ctrl-C
	@deploy/packages run
	@exec $(BIN)/python deploy/run.py

##@ Work on it

# First the rules by their own tests alone, every branch of them (counting branches makes the others half as fast).
test: .venv/.dev reachable ## Set up what tests need, then run them all (they start their own servers, on free ports)
	@deploy/packages test
	$(BIN)/pytest --quiet --cov=service.login --cov=service.access --cov-fail-under=100 tests/login tests/access
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder $(PYTEST)

fuzz: .venv/.dev ## Try what reads input with more examples than `make test` does (FUZZ_EXAMPLES, 1000); takes minutes
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-1000} $(BIN)/pytest -m hypothesis -n 2 $(PYTEST)

check: formatted lint types imports configs test ## Everything that must hold: format, lint, types, import contracts, configurations, tests

bench: .venv/.dev ## Measure; a table of ratios, and JSON in var/bench.json
	@deploy/packages test
	$(BIN)/python -m tests.bench

faults: .venv/.dev ## Kill, fill, flood and move what the service stands on, under traffic; 6 minutes, results in var/faults.json
	@deploy/packages test
	$(BIN)/python -m tests.faults

format: .venv/.dev ## Rewrite the code in the one format
	$(BIN)/ruff check --quiet --fix --exit-zero .
	$(BIN)/ruff format .

venv: .venv/.dev ## Make or update the virtual environment, with the tools

image: ## Build both images, run them and try them (docker; BUILD and RUN name other tools); takes minutes
	deploy/images/try
	deploy/images/next
	deploy/kubernetes/try

lock: .venv/.dev ## Resolve the newest allowed releases into requirements*.txt, with hashes
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) pyproject.toml --group dev --constraints requirements.txt --output-file requirements-dev.txt
	$(LOCK) --group build --output-file requirements-build.txt

clean: ## Remove the virtual environment and the caches; ./var stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the commands stand on ---

.venv/.run: requirements.txt requirements-build.txt pyproject.toml
	@deploy/packages python
	@echo "Setting up .venv"
	@$(BIN)/python -c '' 2>/dev/null || "$$(deploy/python)" -m venv --clear .venv
	@$(INSTALL) --require-hashes --no-deps -r requirements.txt -r requirements-build.txt
	@$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	@echo "Adding the tools to .venv"
	@$(INSTALL) --require-hashes --no-deps -r requirements-dev.txt
	@touch $@

# One message where the user that servers run as cannot reach them, and not one for each test.
reachable: .venv/.run
	@deploy/unprivileged $(BIN)/python -c ''

formatted lint types imports configs: .venv/.dev

formatted:
	$(BIN)/ruff format --check --quiet .

lint:
	$(BIN)/ruff check --quiet .
	@! [ -x $(BIN)/shellcheck ] || $(BIN)/shellcheck $$(git grep -lE '^#!.*\b(ba)?sh$$')

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

configs:
	$(BIN)/vestibule proxy render --output var/check/nginx
	$(BIN)/gixy var/check/nginx/nginx.conf
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose/*.yaml
	$(BIN)/hadolint Dockerfile
	@deploy/packages test
	@! command -v promtool >/dev/null || promtool check config deploy/prometheus/prometheus.yml
	@! command -v amtool >/dev/null || amtool check-config deploy/prometheus/alertmanager.yml
	@blackbox=$$(command -v prometheus-blackbox-exporter || command -v blackbox_exporter) || exit 0; \
		"$$blackbox" --log.level=error --config.check --config.file=deploy/prometheus/blackbox.yml

.PHONY: help run test reachable fuzz check bench faults format venv lock clean image formatted lint types imports configs
