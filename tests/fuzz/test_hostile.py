"""Images made to exhaust the verifier: it gives up at a place that it names, soon, and says undecided.

Here with a twentieth of its budgets, as the images take minutes together; `record.toml` has the times with all of them.
"""

from __future__ import annotations

import re
import time
import tracemalloc
from pathlib import Path

import pytest
from pinproof import _cli
from pinproof.image import read_image
from pinproof.machine import explore as exploring
from pinproof.machine.explore import STEP_BUDGET, explore
from pinproof.machine.result import Exploration
from pinproof.silicon import load_silicon

from tests.fuzz.hostile import IMAGES, NOP, before, eight_loops

SHARE = 20
SECONDS, MEGABYTES = 8.0, 200.0
"""Processor time and memory with a twentieth of the budgets."""
SPENT = sorted(IMAGES.keys() - {"counters-that-never-settle", "deep-graph", "heavy-handlers"})
"""Those that use up even the whole budgets. The others end by themselves, undecided."""
REFERENCE = Path(__file__).resolve().parents[2] / "reference_module"


def explored(name: str) -> Exploration:
    return explore(read_image(IMAGES[name](), name), load_silicon("stm32f401xe"), frozenset(), STEP_BUDGET // SHARE)


@pytest.fixture
def small_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploring, "UNITS", exploring.UNITS // SHARE)


@pytest.mark.slow
@pytest.mark.usefixtures("small_budgets")
@pytest.mark.parametrize("name", IMAGES)
def test_the_verifier_gives_up_soon(name: str) -> None:
    began = time.process_time()
    exploration = explored(name)
    assert time.process_time() - began < SECONDS
    spent = [obstacle for obstacle in exploration.obstacles if obstacle.code == "step-budget"]
    if name in SPENT:
        assert spent and all(obstacle.message and obstacle.site.address for obstacle in spent)


@pytest.mark.slow
@pytest.mark.usefixtures("small_budgets")
@pytest.mark.parametrize("name", ["branches-to-one-place"])
def test_memory_stays_small(name: str) -> None:
    tracemalloc.start()
    try:
        explored(name)
        assert tracemalloc.get_traced_memory()[1] < MEGABYTES * 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("small_budgets")
def test_giving_up_says_the_same_each_time() -> None:
    first, second = explored("scattered-stores"), explored("scattered-stores")
    assert first.obstacles == second.obstacles and first.steps == second.steps


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """The reference's declaration without the digest of its flash, so that nothing but the budget is in the way."""
    for name in ("module.toml", "provisioning.toml", "datasheet.md"):
        lines = (REFERENCE / name).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith("flash_sha256")]
        (tmp_path / name).write_text("".join(kept), encoding="utf-8")
    return tmp_path / "module.toml"


def verified(image: bytes, module: Path) -> int:
    file = module.parent / "image.hex"
    file.write_bytes(image)
    return _cli.main(["verify", str(file), "--module", str(module)])


@pytest.mark.slow
def test_the_command_says_undecided_and_where(
    module: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The reference module, which conforms, behind loops that are too deep to follow: exit code 3."""
    reference = read_image((REFERENCE / "person_detector.elf").read_bytes(), "image")
    assert verified(before(reference, [NOP]), module) == 0
    assert capfd.readouterr().out.startswith("CONFORMS")
    monkeypatch.setattr(exploring, "UNITS", exploring.UNITS // SHARE)
    assert verified(before(reference, eight_loops()), module) == 3
    said = capfd.readouterr().out
    assert said.startswith("UNDECIDED")
    assert re.search(r"is spent in the loop or function at 0x08000[89a-f]", " ".join(said.split()))
