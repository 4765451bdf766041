# make compare: what do the rules do to the incident?  make test: does the model do what it says?
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN = .venv/bin
INSTALLED = .venv/.installed
# Also holds for what building the package itself needs.
export PIP_CONSTRAINT = $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: compare test fuzz lint clean

compare: $(INSTALLED)
	$(BIN)/reclaim compare $(ARGS)

test: $(INSTALLED)
	$(BIN)/python -m pytest $(ARGS)

fuzz: $(INSTALLED)  # ARGS="--minutes 60 --law model_is_lawful"
	$(BIN)/python -m tests.fuzz $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

$(INSTALLED): pyproject.toml constraints.txt
	@echo "[1/3] making .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv
	@echo "[2/3] installing what constraints.txt pins (minutes, once)"
	@$(BIN)/python -m pip install --quiet --editable '.[learn,dev]'
	@touch $@
	@echo "[3/3] installed"

clean:
	rm -rf .venv build dist .pytest_cache .hypothesis .ruff_cache .import_linter_cache
