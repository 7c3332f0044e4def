"""The README's table of numbers, from the lines that were printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reference_module.bench.errors import BenchError
from reference_module.bench.numbers import Number, named
from reference_module.products import PERSON, Product

BEGIN = "<!-- numbers: written by python -m reference_module.bench --write-readme -->"
END = "<!-- end of the numbers -->"


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    words: str
    aim: str = ""
    others: str = ""


_ROWS = (
    _Row("writable_memory", "memory that can be written after the drop", "at most 40 KB", "136 KB for activations (a)"),
    _Row("flash", "flash in use", "under 256 KB", "300,568 bytes for the network (a)"),
    _Row("gate_code", "of it the gate, without its vectors"),
    _Row("instructions_per_inference", "an inference (c)", "under 20 million", "28 to 72 million cycles (b)"),
    _Row("wipe_share_of_period", "wipe and restart, of a period (c)", "under 1 %"),
    _Row("period", "a period, at the least", "1 s"),
    _Row("capacity", "through the pin, at the most", "1 bit/s"),
    _Row("changes_per_day", "changes of the pin a day, at the most"),
    _Row("auc_person_held_out", "area under the curve, persons (d)"),
    _Row("auc_person_portrait", "the same with portraits"),
    _Row("verify_time", "to verify it (e)"),
)
_NOTES = """\
(a) The person detection example of TensorFlow Lite Micro: `person_detect.tflite`, and the arena in its
`main_functions.cc`. (b) MLPerf Tiny, visual wake words, a colour network of the same kind on a Cortex-M4 at 120 MHz
(Nucleo-L4R5ZI): 230 ms by X-CUBE-AI in round 1.0, 600 ms by TensorFlow Lite Micro in round 0.5. (c) Instructions,
counted one by one in QEMU by a plugin; on silicon each takes one cycle or more, which nobody has measured here. (d) On
labelled photographs, each scored by a network trained in the same way without it: the network in the image was trained
on all of them, and none is labelled a portrait; in brackets the middle 95 % of 2,000 resamples. (e) Processor time of
one `pinproof verify`, in imports of the libraries that it uses: a ratio, since machines differ. The rest is read
from the image or proved by the verifier. `make bench-module` prints these and more.
"""


def table(numbers: Sequence[Number], products: Sequence[Product]) -> str:
    """The table with its notes, between the marks. Rows of which there is no number are left out."""
    by_name = {number.name: number for number in numbers}
    first, *more = [product.title for product in products]
    lines = [_line(["what", first, "its aim", "known of others like it", *more]), _line(["---"] * (len(more) + 4))]
    for row in _ROWS:
        cells = [_cell(row, product, by_name) for product in products]
        if any(cells):
            lines.append(_line([row.words, cells[0], row.aim, row.others, *cells[1:]]))
    return "\n".join([BEGIN, *lines, "", _NOTES.rstrip(), END])


def _line(cells: Sequence[str]) -> str:
    return "|" + "|".join(f" {cell} " if cell and cell != "---" else cell or " " for cell in cells) + "|"


def _cell(row: _Row, product: Product, numbers: Mapping[str, Number]) -> str:
    name = named(product, row.name, 0, "").name
    number = numbers.get(name)
    if number is None:
        return ""
    if not number.measured:
        return "not measured here"
    low, high = numbers.get(f"{name}_low"), numbers.get(f"{name}_high")
    if low is not None and high is not None:
        return f"{number.value} [{low.value}, {high.value}]"
    value = f"{int(number.value):,}" if number.value.isdigit() else number.value
    if number.unit == "%":
        value = f"{float(value):.2g}"
    return f"{value} {number.unit.partition(' of ')[0]}"


def placed(readme: str, made: str) -> str:
    """The README with the table in its place. Raises BenchError where the marks are not there once, in order."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise BenchError("README.md: the marks of the table of numbers are not there once, in order")
    return before + made + after


def lines(text: str) -> Iterator[str]:
    """The lines that hold numbers."""
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def products_of(numbers: Sequence[Number], products: Sequence[Product]) -> list[Product]:
    """Those of which there is a number."""
    names = {number.name for number in numbers}
    return [product for product in products if named(product, "flash", 0, "").name in names or product is PERSON]
