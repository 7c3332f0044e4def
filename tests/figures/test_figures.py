"""The figures that are checked in are what image and run give, and are drawn so that anybody can read them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from reference_module.emulate.periods import Period
from reference_module.figures import timing
from reference_module.figures.__main__ import FOLDER, from_image, from_run, main
from reference_module.figures.errors import FigureError
from reference_module.figures.svg import Drawing
from reference_module.products import PERSON, PRODUCTS, Product
from tests.emulation.tools import require

HERE = [product for product in PRODUCTS if product.exists]
_KINDS = ("memory", "boot", "timing")


@pytest.mark.parametrize("product", HERE, ids=lambda product: product.name)
def test_figures_of_the_image_are_fresh(product: Product) -> None:
    for name, text in from_image(product):
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name} is stale: run make figures"


@pytest.mark.emulation
@pytest.mark.parametrize("product", HERE, ids=lambda product: product.name)
def test_figures_of_a_run_are_fresh(product: Product) -> None:
    require("qemu-system-arm", "gcc")
    for name, text in from_run(product):
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name} is stale: run make figures"


def test_there_is_a_figure_of_each_kind_for_each_module_and_none_besides() -> None:
    wanted = {f"{product.name}-{kind}.svg" for product in HERE for kind in _KINDS}
    assert {path.name for path in FOLDER.glob("*.svg")} == wanted


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.name)
def test_a_figure_stands_alone(path: Path) -> None:
    """Text is text, nothing comes from elsewhere, both colour schemes are there, and words say what it shows."""
    text = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert len(words) > 20
    assert "prefers-color-scheme: dark" in text
    assert "href" not in text and "@import" not in text and "url(" not in text
    assert root.findtext("{http://www.w3.org/2000/svg}desc")
    assert len(text) < 40_000


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.name)
def test_nothing_leaves_the_panel(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for element in root.iter():
        left, top = float(element.get("x", 0)), float(element.get("y", 0))
        assert 0 <= left <= width and 0 <= top <= height
        assert left + float(element.get("width", 0)) <= width
        if element.tag.endswith("}text") and element.get("text-anchor") is None:
            letters = len(element.text or "") * (6.9 if element.get("class") in ("mono", "fine") else 6.2)
            assert left + letters <= width + 24, f"{path.name}: {element.text}"


def test_the_memory_map_shows_what_the_confined_part_may_not_touch() -> None:
    text = (FOLDER / "person-memory.svg").read_text(encoding="utf-8")
    assert ">nothing<" in text
    assert ">read, run<" in text


def test_a_drawing_is_the_same_each_time_and_escapes_what_it_is_given() -> None:
    def drawn() -> str:
        drawing = Drawing(width=100, title="a < b & c", description="")
        drawing.rectangle(1, 2, 3.25, 4, "gate", tip="<tip>")
        return drawing.finished(50)

    assert drawn() == drawn()
    assert "a &lt; b &amp; c" in drawn()
    assert ElementTree.fromstring(drawn()) is not None


@pytest.mark.parametrize("data", [b"", b"not an image", PERSON.image.read_bytes()[:200]], ids=["empty", "text", "cut"])
def test_an_image_that_cannot_be_read_is_named(data: bytes, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.elf"
    wrong.write_bytes(data)
    with pytest.raises(FigureError, match=r"wrong\.elf") as caught:
        list(from_image(replace(PERSON, image=wrong)))
    assert "\n" not in str(caught.value)


def test_a_declaration_without_what_is_needed_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "module.toml"
    for text in ("", "[module]\npart = 'none-such'\n", "not toml ="):
        wrong.write_text(text)
        with pytest.raises(FigureError, match=r"module\.toml"):
            list(from_image(replace(PERSON, declaration=wrong)))


def test_the_command_says_in_one_line_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.elf"
    wrong.write_bytes(b"\x7fELF")
    monkeypatch.setattr("reference_module.figures.__main__.PRODUCTS", (replace(PERSON, image=wrong),))
    assert main(["--check", "--image-only"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_finds_a_stale_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("reference_module.figures.__main__.FOLDER", tmp_path)
    monkeypatch.setattr("reference_module.figures.__main__.from_image", lambda product: iter([("a.svg", "<svg/>")]))
    assert main(["--check", "--image-only"]) == 1
    assert main(["--image-only"]) == 0
    assert main(["--check", "--image-only"]) == 0


def test_two_pins_have_a_lane_each_and_an_edge_within_a_period_is_named() -> None:
    from reference_module.emulate.measure import Measured, Start, Tick

    reload = 999
    given = (((0, 0), (False, False)), ((reload + 1, 0), (False, False)), ((0, 500), (True, False)))
    periods = [
        Period(number=number, mailbox=number, scores=(), compares=compares, levels=levels, reload=reload)
        for number, (compares, levels) in enumerate(given, start=1)
    ]
    tick = Tick(mailbox_read=20, preloaded=30, wipe=40, capture=50, restart=60, entry=70, finished=400)
    start = Start(writes=(), entered={}, instructions=10, reload=reload, prescaler=0)
    text = timing.draw(PERSON, periods, Measured(start=start, tick=tick), None, ["PA5", "PA1"])
    for words in (">PA5<", ">PA1<", ">for PA1, by the tick<", ">always<", ">at 500<", "inference 33.0 %"):
        assert words in text
