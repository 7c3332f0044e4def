"""An image like the reference module, but with ten times the confined code."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from reference_module.build import Recipe, build, patched
from reference_module.declare import refreshed

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "reference_module"
TIMES = 10


def build_larger(folder: Path) -> Path:
    """Writes larger.elf, and a declaration for it, into `folder`. Raises what the build raises."""
    from pinproof.image import read_image

    declaration = (REFERENCE / "module.toml").read_text(encoding="utf-8")
    confined = tomllib.loads(declaration)["flash"]["confined"]
    reference = read_image((REFERENCE / "person_detector.elf").read_bytes(), "reference")
    code = sum(
        min(segment.end, confined["start"] + confined["size"]) - max(segment.address, confined["start"])
        for segment in reference.segments
        if segment.address < confined["start"] + confined["size"] and segment.end > confined["start"]
    )
    halfwords = min((TIMES - 1) * code, confined["size"] - code - 512) // 2
    script = (REFERENCE / "ld" / "stm32f401re.ld").read_text(encoding="utf-8")
    recipe = Recipe(
        confined="detector",
        confined_files={"filler.c": _FILLER.format(halfwords=halfwords)},
        linker_script=patched(script, _KEPT, f"{_KEPT} KEEP(*(.text.filler))"),
        confined_options=["-Wno-pedantic"],
    )
    image = build(folder / "larger.elf", recipe)
    for name in ("provisioning.toml", "datasheet.md"):
        shutil.copy(REFERENCE / name, folder / name)
    fresh = refreshed(declaration, read_image(image.read_bytes(), image.name), folder)
    (folder / "module.toml").write_text(fresh, encoding="utf-8")
    print(f"larger image: {code} + {2 * halfwords} bytes of confined code")
    return folder


_FILLER = """
__asm__(".section .text.filler, \\"ax\\"\\n .thumb\\n .rept {halfwords}\\n adds r0, r0, #1\\n .endr\\n");
"""
_KEPT = "KEEP(*(.text.confined_entry))"
