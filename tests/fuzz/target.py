"""The fuzzed process: `python -m tests.fuzz.target READER [libFuzzer options] CORPUS...`.

atheris instruments what is imported inside `instrument_imports`, so the readers are imported there and nowhere before.
"""

from __future__ import annotations

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["pinproof", "tomllib", "elftools"], enable_loader_override=False):
    from tests.fuzz.judges import JUDGES
    from tests.fuzz.mutators import MUTATORS


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer's options say stop. It ends the process itself."""
    reader = arguments[1]
    judge, mutator = JUDGES[reader], MUTATORS[reader]

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        return mutator(data, most, Random(seed), lambda part, size: atheris.Mutate(part, max(size, 1)))

    atheris.Setup([arguments[0], *arguments[2:]], judge, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
