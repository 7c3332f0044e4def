"""Computes the constants of the audio front-end from its settings, and writes them as C.

    python -m reference_module.voice.tables [--check]

The settings are those that the network's file carries as metadata (`fe.*`). Where the published front-end computes in
single precision, so does this; the result is checked in, and a test compares the features made with it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
TARGET = HERE / "frontend_tables.c"

RATE = 16_000
WINDOW = 480
TRANSFORM = 512
CHANNELS = 40
LOWEST, HIGHEST = 125.0, 7500.0
GAIN_BITS, GAIN_OFFSET, GAIN_STRENGTH = 21, 80.0, 0.95
ESTIMATE_BITS = 10 - 3
"""Fraction bits of the noise estimate: those of its smoothing less those that the filterbank's root takes away."""
FRACTION = 1 << 12
"""One, in the window and in the filterbank."""
LOG_STEPS = 128

Numbers = NDArray[np.int64]


def window() -> Numbers:
    """Hann, sampled between its points."""
    step = np.float32(2 * np.pi) / np.float32(WINDOW)
    phase = step * (np.arange(WINDOW).astype(np.float32) + np.float32(0.5))
    values = np.float32(0.5) - np.float32(0.5) * np.cos(phase.astype(np.float64)).astype(np.float32)
    scaled: Numbers = np.floor(values * np.float32(FRACTION) + np.float32(0.5)).astype(np.int64)
    return scaled


def twiddles() -> Numbers:
    """exp(-2 pi i k / 256), real and imaginary part in turns, 32767 for one."""
    return _circle(-2 * np.pi * np.arange(TRANSFORM // 2) / (TRANSFORM // 2))


def split_twiddles() -> Numbers:
    """What takes the transform of 256 pairs apart into that of 512 real numbers: -i exp(-pi i k / 256), k from 1."""
    return _circle(-np.pi * (np.arange(1, TRANSFORM // 4 + 1) / (TRANSFORM // 2) + 0.5))


def _circle(phase: NDArray[np.float64]) -> Numbers:
    pairs = np.stack([np.cos(phase), np.sin(phase)], axis=1)
    return np.floor(pairs * 32767 + 0.5).astype(np.int64).ravel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filterbank:
    """Triangles that overlap by half, so that each bin has one weight: the rest of it belongs to the next triangle."""

    edges: Numbers
    """First bin of each of CHANNELS + 1 rising flanks, and one past the last."""
    weights: Numbers
    """Share of the falling flank, from the first edge to the last."""
    rest: Numbers
    """The share of the rising flank, rounded by itself."""


def filterbank() -> Filterbank:
    spacing = np.float32((_mel(HIGHEST) - _mel(LOWEST)) / np.float32(CHANNELS + 1))
    steps = np.arange(1, CHANNELS + 2).astype(np.float32)
    centres = (_mel(LOWEST) + spacing * steps).astype(np.float32)
    hertz = RATE / 2 / (TRANSFORM // 2)
    first = int(1.5 + LOWEST / hertz)
    edges, weights, rest = [first], [], []
    for index, centre in enumerate(centres):
        before = centres[index - 1] if index else _mel(LOWEST)
        place = edges[-1]
        while _mel(place * hertz) <= centre:
            weight = float(np.float32((centre - _mel(place * hertz)) / (centre - before)))
            weights.append(int(np.floor(weight * FRACTION + 0.5)))
            rest.append(int(np.floor((1.0 - weight) * FRACTION + 0.5)))
            place += 1
        edges.append(place)
    return Filterbank(edges=np.array(edges), weights=np.array(weights), rest=np.array(rest))


def _mel(hertz: float) -> np.float32:
    return np.float32(1127.0 * np.log1p(float(np.float32(hertz)) / 700.0))


def gains() -> Numbers:
    """A parabola for each power of two of the noise estimate: value, slope and bend. The first two are values alone."""
    table = [_gain(0), _gain(1)]
    for bits in range(2, 33):
        start = 1 << (bits - 1)
        end = 2 * start if bits < 32 else 2 * start - 1
        low = _gain(start)
        middle, high = _gain(start + start // 2) - low, _gain(end) - low
        slope = 4 * middle - high
        table += [low, slope, high - slope]
        if bits < 32:
            table.append(0)
    return np.array(table)


def _gain(estimate: int) -> int:
    base = np.float32(np.float32(estimate) / np.float32(1 << ESTIMATE_BITS)) + np.float32(GAIN_OFFSET)
    gain = np.float32(1 << GAIN_BITS) * np.power(base, np.float32(-GAIN_STRENGTH), dtype=np.float32)
    return 0x7FFF if gain > 0x7FFF else int(gain + np.float32(0.5))


def logarithms() -> Numbers:
    """What log2(1 + x) exceeds x by, for x in 128ths, in 65536ths; one more for the last step's end."""
    share = np.arange(LOG_STEPS + 1) / LOG_STEPS
    return np.floor((np.log2(1 + share) - share) * 65536 + 0.5).astype(np.int64)


def text() -> str:
    bank = filterbank()
    parts = [
        "/* Written by tables.py from the front-end's settings; a test compares. */",
        '#include "frontend_tables.h"\n',
        _array("int16_t", "kWindow[kFrontendWindow]", window()),
        _array("int16_t", "kTwiddles[2 * kTransformPairs]", twiddles()),
        _array("int16_t", "kSplitTwiddles[kTransformPairs]", split_twiddles()),
        _array("uint8_t", "kFilterEdges[kFrontendChannels + 2]", bank.edges),
        _array("uint16_t", "kFilterWeights[kFilterBins]", bank.weights),
        _array("uint16_t", "kFilterRest[kFilterBins]", bank.rest),
        _array("int16_t", "kGains[kGainEntries]", gains()),
        _array("uint16_t", "kLogarithms[kLogarithmSteps + 1]", logarithms()),
    ]
    return "\n".join(parts)


def _array(kind: str, declarator: str, values: Numbers) -> str:
    lines, line = [], "   "
    for value in values.tolist():
        item = f" {value},"
        if len(line) + len(item) > 118:
            lines.append(line)
            line = "   "
        line += item
    return "\n".join([f"const {kind} {declarator} = {{", *lines, line, "};\n"])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="write the front-end's constants")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not fresh")
    check = parser.parse_args(arguments).check
    if check and TARGET.read_text(encoding="utf-8") != text():
        print(f"{TARGET.name} is stale: run python -m reference_module.voice.tables", file=sys.stderr)
        return 1
    if not check:
        TARGET.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
