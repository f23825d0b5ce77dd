# Two commands: `make run` shows the main job on sample photographs, `make test` proves everything.
# Both create .venv and install what they need from the pinned constraints.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Spinning OpenMP threads are ruinous on a shared machine; every target waits passively.
export OMP_WAIT_POLICY := PASSIVE
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: run test check bench fix samples stubs clean

run: .venv/ready
	$(BIN)/gesso warm-up
	$(BIN)/gesso run publish samples/photos -o out/publish --force --sheet out/publish/index.html

test: .venv/ready-dev
	$(BIN)/gesso warm-up
	$(BIN)/python -m pytest $(ARGS)

check: .venv/ready-dev
	$(BIN)/ruff format --check src tests bench scripts
	$(BIN)/ruff check src tests bench scripts
	$(BIN)/mypy
	$(BIN)/mypy src/gesso/studio.py  # beside its derived stub, which the line above checks
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m fast $(ARGS)

bench: .venv/ready-bench
	$(BIN)/gesso warm-up
	$(BIN)/python -m bench $(ARGS)

fix: .venv/ready-dev
	$(BIN)/ruff format src tests bench scripts
	$(BIN)/ruff check --fix src tests bench scripts

samples: .venv/ready-dev  # burn text into freely licensed photographs again
	$(BIN)/python -m scripts.samples

stubs: .venv/ready-dev  # typed signatures of the library door, derived from the operations
	$(BIN)/python -m scripts.stub > src/gesso/studio.pyi
	$(BIN)/ruff format src/gesso/studio.pyi

clean:
	rm -rf .venv out build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Gesso needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv; } \
	  || { echo "Python's venv module is missing: install Debian's package python3-venv"; exit 1; }
	@echo "Creating .venv (once, about two minutes)"
	@$(PYTHON) -m venv .venv
	@touch $@

# The two OpenCV wheels write the same folder; the second line makes sure that the one with the contributed modules won.
define install
	$(PIP) --editable '.$(1)'
	@$(BIN)/python -c 'import cv2; cv2.ximgproc.guidedFilter, cv2.xphoto.inpaint' 2>/dev/null \
	  || $(PIP) --force-reinstall --no-deps opencv-contrib-python-headless
	@touch $@
endef

.venv/ready: .venv/python pyproject.toml constraints.txt
	$(call install,)

.venv/ready-dev: .venv/python pyproject.toml constraints.txt
	$(call install,[dev])
	@touch .venv/ready

.venv/ready-bench: .venv/ready-dev
	$(call install,[bench])
