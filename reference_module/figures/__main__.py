"""Draws every figure of every module that is here; `--check` compares instead; `--image-only` leaves runs out.

python -m reference_module.figures [--check] [--image-only]
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from pinproof.errors import PinproofError
from pinproof.silicon import load_silicon

from reference_module.emulate.errors import EmulationError
from reference_module.emulate.image import read_image
from reference_module.emulate.measure import measure, ramp
from reference_module.emulate.periods import play
from reference_module.figures import boot, memory_map, timing
from reference_module.figures.errors import FigureError
from reference_module.products import PRODUCTS, Product, verified

FOLDER = Path(__file__).parent
_IDLE_SHIFT = 3
"""Nanoseconds an instruction, as a power of two, where no inference has to fit into a period."""


def from_image(product: Product) -> Iterator[tuple[str, str]]:
    """Names and texts of the figures that need no run."""
    yield f"{product.name}-memory.svg", memory_map.draw(product)


def from_run(product: Product) -> Iterator[tuple[str, str]]:
    """Names and texts of those that do."""
    declared = tomllib.loads(product.declaration.read_text(encoding="utf-8"))
    output, part = declared["output"], declared["module"]["part"]
    measured = measure(product.image, product.capture, ramp(declared["memory"]["frame"]["size"]))
    silicon, symbols = load_silicon(part), read_image(product.image).symbols
    yield f"{product.name}-boot.svg", boot.draw(product, measured.start, symbols, silicon)
    channels = output.get("channels", [output.get("channel", 1)])
    frames = [None] * (len(product.answers) - 2)
    run = play(
        product.image, frames, capture=product.capture, channels=channels, answers=product.answers, shift=_IDLE_SHIFT
    )
    periods = list(run)
    bound = verified(product).proof.tick_cycles
    yield f"{product.name}-timing.svg", timing.draw(product, periods, measured, bound, output["pins"])


def main(arguments: Sequence[str]) -> int:
    """Exit codes: 0 done or fresh, 1 stale, 2 something that cannot be drawn (one line says what)."""
    parser = argparse.ArgumentParser(prog="python -m reference_module.figures", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a figure is not fresh")
    parser.add_argument("--image-only", action="store_true", help="only what is drawn from the image, without a run")
    options = parser.parse_args(arguments)
    try:
        figures = [figure for product in PRODUCTS if product.exists for figure in _figures(product, options.image_only)]
    except (FigureError, EmulationError, PinproofError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    stale = [name for name, text in figures if _differs(FOLDER / name, text)]
    for name, text in figures:
        if name in stale and not options.check:
            (FOLDER / name).write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name}: {'stale: run make figures' if options.check else 'written'}", file=sys.stderr)
    return 1 if stale and options.check else 0


def _figures(product: Product, image_only: bool) -> Iterator[tuple[str, str]]:
    yield from from_image(product)
    if not image_only:
        yield from from_run(product)


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text(encoding="utf-8") != text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
