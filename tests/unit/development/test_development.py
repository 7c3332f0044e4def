"""What a module in development awaits is found by deciding again, and a change that is needed hides behind no paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pinproof import _cli, facts
from pinproof import verify as verification
from pinproof.catalogue import load_catalogue
from pinproof.development import awaiting
from pinproof.facts import Facts
from pinproof.machine.mpu import Use
from pinproof.outcome import Fail, Inconclusive, Pass
from pinproof.provisioning import OptionBytes, Step
from pinproof.report import Awaits, Decision
from pinproof.runner import decide

ROOT = Path(__file__).parents[3]
MODULE = ROOT / "reference_module"
WRONG = "0" * 64

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def known() -> Facts:
    """The reference module, explored once."""
    files = {name: (MODULE / name).read_bytes() for name in ("provisioning.toml", "datasheet.md")}
    image, declaration = (MODULE / "person_detector.elf").read_bytes(), (MODULE / "module.toml").read_bytes()
    return verification._gather(image, "x.elf", declaration, "module.toml", files, 1, None, None)


def open_spots(known: Facts, level: int = 1) -> dict[str, Awaits | None]:
    return {each.id: each.awaits for each in decisions(known, level) if not isinstance(each.outcome, Pass)}


def decisions(known: Facts, level: int = 1) -> Iterator[Decision]:
    """All requirements that say something about papers or the seal, and one about the machine."""
    names = ("imm-", "doc-", "bld-", "lif-", "run-accounted", "mem-writable-budget", "out-clocked", "out-supply")
    obligations = [each for each in load_catalogue().requirements if str(each.id).startswith(names)]
    ledger = [item.id for item in facts.assumptions(known)]
    decided = decide(obligations, known, level=level, ledger=ledger)
    yield from awaiting(decided, obligations, known, level=level, ledger=ledger)


def sealed_as(known: Facts, **fields: int) -> Facts:
    assert known.provisioning is not None
    options: OptionBytes = replace(known.provisioning.option_bytes, **fields)
    return replace(known, provisioning=replace(known.provisioning, option_bytes=options))


def declared_as(known: Facts, **tables: dict[str, object]) -> Facts:
    changed = {name: replace(getattr(known.declaration, name), **keys) for name, keys in tables.items()}
    return replace(known, declaration=replace(known.declaration, **changed))


def test_a_finished_module_awaits_nothing(known: Facts) -> None:
    assert open_spots(known) == {}
    assert all(each.awaits is None for each in decisions(known))


def test_stale_digests_await_papers(known: Facts) -> None:
    stale = declared_as(
        known,
        model={"sha256": WRONG, "range": replace(known.declaration.model.range, size=64)},
        provisioning={"sha256": WRONG},
        datasheet={"sha256": WRONG},
        build={"flash_sha256": WRONG},
        lifecycle={"take_back": "todo"},
    )
    found = open_spots(stale)
    assert set(found) == {
        *("imm-option-bytes", "imm-debug-closed", "imm-no-loader", "imm-model-read-only"),
        *("doc-declaration", "doc-datasheet", "bld-reproducible", "lif-end-of-life", "run-accounted"),
    }
    assert set(found.values()) == {Awaits.PAPERS}


def test_an_unfinished_datasheet_awaits_papers(known: Facts) -> None:
    assert open_spots(replace(known, datasheet=b"# Description\nsoon\n")) == {"doc-datasheet": Awaits.PAPERS}
    assert open_spots(replace(known, datasheet=None)) == {"doc-datasheet": Awaits.PAPERS}


@pytest.mark.parametrize("field", [{"rdp": 0xAA}, {"nwrp": 0xFE}, {"sprmod": 1}, {"bor_lev": 3}])
def test_open_option_bytes_await_the_seal(known: Facts, field: dict[str, int]) -> None:
    assert open_spots(sealed_as(known, **field))["imm-option-bytes"] is Awaits.SEAL
    assert set(open_spots(sealed_as(known, **field)).values()) == {Awaits.SEAL}


def test_sealing_in_the_wrong_order_awaits_the_seal(known: Facts) -> None:
    assert known.provisioning is not None
    early = replace(known.provisioning, steps=(Step.SEAL, Step.MASS_ERASE, Step.PROGRAM, Step.READ_BACK))
    assert open_spots(replace(known, provisioning=early)) == {"imm-option-bytes": Awaits.SEAL}


def test_a_file_for_the_seal_that_is_not_there_awaits_it(known: Facts) -> None:
    found = open_spots(replace(known, provisioning=None))
    assert found["doc-declaration"] is Awaits.SEAL and found["imm-option-bytes"] is Awaits.SEAL


def test_papers_and_seal_together(known: Facts) -> None:
    both = declared_as(replace(known, provisioning=None), model={"sha256": WRONG})
    assert open_spots(both)["doc-declaration"] is Awaits.PAPERS_AND_SEAL


def test_a_change_hides_behind_no_paper(known: Facts) -> None:
    """The check names the model's digest first; that the confined part can write the model comes to light anyway."""
    writable = facts.unprivileged(known, Use.WRITE)
    assert isinstance(writable, facts.Known)
    place = replace(known.declaration.model.range, start=writable.value[0][0], size=256)
    hidden = declared_as(known, model={"sha256": WRONG, "range": place})
    (decision,) = [each for each in decisions(hidden) if each.id == "imm-model-read-only"]
    assert isinstance(decision.outcome, Fail) and decision.awaits is Awaits.CHANGE


def test_an_image_with_option_bytes_needs_a_change(known: Facts) -> None:
    option = next(memory for memory in known.silicon.memories if memory.kind == "option")
    segment = replace(known.image.segments[0], address=option.start, data=bytes(16))
    image = replace(known.image, segments=(*known.image.segments, segment))
    assert open_spots(sealed_as(replace(known, image=image), rdp=0xAA))["imm-option-bytes"] is Awaits.CHANGE


def test_a_gate_that_was_not_proved_needs_a_change(known: Facts) -> None:
    nothing = replace(known, exploration=replace(known.exploration, handlers=()))
    (decision,) = [each for each in decisions(nothing) if each.id == "out-clocked"]
    assert isinstance(decision.outcome, Fail | Inconclusive) and decision.awaits is Awaits.CHANGE


def test_levels(known: Facts) -> None:
    """A rebuild by somebody else is paper; a measurement is not."""
    assert open_spots(replace(known, level=2), level=2)["bld-reproducible"] is Awaits.PAPERS
    assert open_spots(replace(known, level=3), level=3)["out-supply"] is Awaits.CHANGE


class TestCommand:
    IMAGE = ("verify", str(MODULE / "person_detector.elf"))

    def test_a_finished_module_is_undecided(self, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        assert _cli.main([*self.IMAGE, "--module", str(MODULE / "module.toml"), "--development"]) == 3
        text = capfdbinary.readouterr().out.decode()
        assert text.startswith("UNDECIDED\nA run for development decides nothing.") and "nothing is open" in text

    def test_an_unsealed_one_does_not_conform(self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        for name in ("module.toml", "datasheet.md"):
            (tmp_path / name).write_bytes((MODULE / name).read_bytes())
        open_text = (MODULE / "provisioning.toml").read_text().replace("rdp = 0xCC", "rdp = 0xAA")
        (tmp_path / "provisioning.toml").write_text(open_text)
        assert _cli.main([*self.IMAGE, "--module", str(tmp_path / "module.toml"), "--development"]) == 1
        lines = capfdbinary.readouterr().out.decode().splitlines()
        checklist = lines[lines.index("Before sealing") :]
        assert any(line.startswith("    [ ] imm-option-bytes:") for line in checklist)
        assert not any("Needs a change" in line for line in checklist)

    def test_certify_knows_no_such_option(self, tmp_path: Path) -> None:
        arguments = ["certify", *self.IMAGE[1:], "--module", str(MODULE / "module.toml"), "--key", "k", "-o", "c"]
        with pytest.raises(SystemExit) as stopped:
            _cli.main([*arguments, "--development"])
        assert stopped.value.code == 2
