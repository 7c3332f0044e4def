"""Short texts of assembly to bytes, by the GNU assembler."""

from __future__ import annotations

import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from reference_module.build import PREFIX


@lru_cache(maxsize=4096)
def assembled(text: str, address: int) -> bytes:
    """The bytes of `text` placed at `address`. Numbers of other addresses are written as absolute."""
    with tempfile.TemporaryDirectory() as folder:
        source, code, linked, raw = (Path(folder) / name for name in ("a.s", "a.o", "a.elf", "a.bin"))
        source.write_text(
            f".syntax unified\n.cpu cortex-m4\n.fpu fpv4-sp-d16\n.thumb\n.text\n{text}\n", encoding="utf-8"
        )
        _run("as", "-o", str(code), str(source))
        _run("ld", f"-Ttext={address:#x}", "-e", "0", "-o", str(linked), str(code))
        _run("objcopy", "-O", "binary", "-j", ".text", str(linked), str(raw))
        return raw.read_bytes()


def _run(tool: str, *arguments: str) -> None:
    done = subprocess.run([PREFIX + tool, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{tool}: {done.stderr.strip()}")
