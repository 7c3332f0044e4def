"""Writes into a declaration what the image and the files beside it decide: digests, the model's size, the toolchain.

    python reference_module/declare.py [--check]

Everything else in a `module.toml` is a claim and stays as its author wrote it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parent), str(HERE.parent / "verifier")]

from pinproof.image import Image, read_image  # noqa: E402

from reference_module import digests  # noqa: E402
from reference_module.build import RECORDED_TOOLCHAIN  # noqa: E402
from reference_module.digests import rewritten  # noqa: E402

__all__ = ["HERE", "main", "refreshed", "rewritten"]


def refreshed(text: str, image: Image, beside: Path, toolchain: str = RECORDED_TOOLCHAIN) -> str:
    """The declaration `text` with digests for `image` and for the files that it names in the folder `beside`."""
    return digests.refreshed(text, image, beside, toolchain)


DECLARED = (
    (HERE / "module.toml", HERE / "person_detector.elf"),
    (HERE / "voice" / "module.toml", HERE / "voice_command.elf"),
)
"""Each declaration and the image it is of."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="write digests into the declarations")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a declaration is not fresh")
    check = parser.parse_args(arguments).check
    stale = False
    for declaration, firmware in DECLARED:
        text = declaration.read_text(encoding="utf-8")
        fresh = refreshed(text, read_image(firmware.read_bytes(), firmware.name), declaration.parent)
        if fresh == text:
            continue
        if check:
            name = declaration.relative_to(HERE.parent)
            print(f"{name} is stale: run python reference_module/declare.py", file=sys.stderr)
            stale = True
        else:
            declaration.write_text(fresh, encoding="utf-8")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
