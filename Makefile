# Everything a developer or a lab runs. The two that do all the set-up: `make demo` and `make test`.

VENV := .venv
PYTHON := $(VENV)/bin/python
PINPROOF := $(VENV)/bin/pinproof
INSTALLED := $(VENV)/.installed
TESTED := $(VENV)/.installed-tests
DEMO := build/demo
IMAGE := reference_module/person_detector.elf
MODULE := reference_module/module.toml
VOICE_IMAGE := reference_module/voice_command.elf
VOICE_MODULE := reference_module/voice/module.toml
WORKERS ?= 2
READER ?= elf
SECONDS ?= 60
# What `make demo-run` plays.
FRAMES ?= 40
WINDOW ?= 2
# How much `make soundness` tries, and what it depends on.
CASES ?= 200000
SEED ?= 1
MUTANTS ?= 200
# What the inner loop leaves to `make test`.
HEAVY := toolchain or emulation or node or slow

.PHONY: help demo test check lint types unit fresh toolchain firmware vectors fuzz gates benchmark figures demo-run bench-module bench-table clean

help:
	@echo "make demo       verify the reference module, certify it with a fresh key, check the certificate, print the report"
	@echo "make test       everything: checks, firmware rebuilt and compared, attacks, emulation (installs the toolchain)"
	@echo "make check      the inner loop: lint, types, tests without toolchain and emulator, generated files fresh"
	@echo "make firmware   build the reference images and their declarations' digests"
	@echo "make vectors    write the standard's vectors from the attacks"
	@echo "make fuzz       fuzz one reader of bytes: READER=elf, hex, declaration or certificate, for SECONDS"
	@echo "make soundness  the verifier against other machines: CASES=200000 SEED=1 MUTANTS=200"
	@echo "make gates      every build of every gate in other hands, verified, run and sabotaged"
	@echo "make benchmark  time and memory, as ratios"
	@echo "make demo-run   play a video to the module in the emulator: FRAMES=40 WINDOW=2, of 1 to 4"
	@echo "make bench-module  what the modules take and how well they do; LABELS=FILE PHOTOS=DIR measure on other photographs"
	@echo "make bench-table   the same, and write the README's table"
	@echo "make figures    draw memory map, start and timing of each module, from its image and a run"

$(INSTALLED): pyproject.toml tools/environment.sh
	@sh tools/environment.sh $(VENV)
	@touch $@

$(TESTED): pyproject.toml tools/environment.sh
	@sh tools/environment.sh $(VENV) tests
	@touch $@ $(INSTALLED)

# The report comes last, for a person to read; what was made on the way stays in build/demo.
demo: $(INSTALLED)
	@mkdir -p $(DEMO) && rm -f $(DEMO)/key.pem $(DEMO)/key.pem.pub $(DEMO)/trust.json $(DEMO)/certificate.json
	$(PINPROOF) keygen -o $(DEMO)/key.pem --trust $(DEMO)/trust.json --owner "demo key, made on the spot"
	$(PINPROOF) certify $(IMAGE) --module $(MODULE) --key $(DEMO)/key.pem -o $(DEMO)/certificate.json
	$(PINPROOF) check $(DEMO)/certificate.json $(IMAGE) --trust $(DEMO)/trust.json
	$(PINPROOF) verify $(VOICE_IMAGE) --module $(VOICE_MODULE) > $(DEMO)/voice.txt && tail -1 $(DEMO)/voice.txt
	$(PINPROOF) verify $(IMAGE) --module $(MODULE)

test: check toolchain
	PINPROOF_SIGSTORE_JS=$(CURDIR)/build/node/node_modules $(PYTHON) -m pytest -q -n $(WORKERS) --dist loadfile -m "$(HEAVY)"

check: lint types unit fresh

lint: $(TESTED)
	$(VENV)/bin/ruff check .

types: $(TESTED)
	$(VENV)/bin/mypy

unit: $(TESTED)
	$(PYTHON) -m pytest -q -n $(WORKERS) --dist loadfile -m "not ($(HEAVY))"

fresh: $(TESTED)
	$(PYTHON) tools/compile_spec.py --check
	$(PYTHON) tools/compile_kit.py --check

toolchain:
	@sh tools/toolchain.sh

firmware: toolchain $(TESTED)
	$(PYTHON) reference_module/build.py detector $(IMAGE)
	$(PYTHON) reference_module/build.py voice $(VOICE_IMAGE)
	$(PYTHON) reference_module/declare.py

vectors: toolchain $(TESTED)
	$(PYTHON) -m tests.vectorgen.generate

fuzz: $(TESTED)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	PYTHONPATH=verifier $(PYTHON) -m tests.fuzz.campaign $(READER) --seconds $(SECONDS)

soundness: toolchain $(TESTED)
	$(PYTHON) -m tests.soundness --cases $(CASES) --seed $(SEED) --mutants $(MUTANTS) --workers $(WORKERS)

gates: toolchain $(TESTED)
	PINPROOF_GATES=all $(PYTHON) -m pytest -q -n $(WORKERS) tests/gates

benchmark: $(TESTED)
	$(PYTHON) benchmarks/verify.py
	$(PYTHON) benchmarks/engine.py

figures: toolchain $(TESTED)
	PYTHONPATH=verifier $(PYTHON) -m reference_module.figures

demo-run: toolchain $(TESTED)
	@$(PYTHON) -m reference_module.demo --frames $(FRAMES) --window $(WINDOW)

# Other photographs than those of the calibration: LABELS and PHOTOS.
BENCH = $(PYTHON) -m reference_module.bench $(if $(LABELS),--labels $(LABELS)) $(if $(PHOTOS),--photos $(PHOTOS))

bench-module: toolchain $(TESTED)
	@$(BENCH)

bench-table: toolchain $(TESTED)
	@$(BENCH) --write-readme

clean:
	rm -rf build
