"""Builds a gate in other hands: an image with the shared stub, and the declaration that goes with it.

    python -m tests.gates.building NAME [BUILD]      writes image, module.toml and the files that it names
    pinproof verify build/gates/NAME-BUILD/image.elf --module build/gates/NAME-BUILD/module.toml

The compilers get no option that makes the verifier's life easier: jump tables, merged loops and calls to memset are
theirs to make. Sources are all `*.c`, `*.cc`, `*.s` and `*.S` of the gate's folder. They may use the symbols of
layout.ld and `confined_entry`, and must provide a vector table in section `.vectors` or `.isr_vector`, and
`confined_idle` in section `.confined_idle`; a folder may bring its own layout.ld.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinproof.image import read_image

from reference_module.build import LINK, MACHINE, PREFIX, BuildError, patched
from reference_module.declare import HERE as REFERENCE
from reference_module.declare import refreshed, rewritten
from reference_module.emulate.image import Image
from reference_module.emulate.image import read_image as read_symbols
from tests.attacks.building import DATASHEET, DECLARATION, PROVISIONING, Case
from tests.gates.gate import FIRST_PART, FLASH_START, HERE, MEMORY_START, Build, Change, Gate, Sabotage, read_gate

_COMMON = (
    "-ffreestanding", "-fno-common", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-ffunction-sections",
    "-fdata-sections", "-g",
)  # fmt: skip
_CXX = ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-nostdinc++")
_CLANG = (
    "-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4", "-fno-sanitize=all", "-fno-stack-protector",
    "-fshort-enums",
)  # fmt: skip
_SOURCES = frozenset({".c", ".cc", ".s", ".S"})
_TEXT = _SOURCES | {".h", ".hh", ".inc"}
_GATE_MAY_USE = ("confined_entry", "frame", "mailbox", "layout_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image and everything that a verification of it needs."""

    case: Case
    gate_bytes: int
    """Vectors, code and constants."""


def build(gate: Gate, how: Build, sabotage: Sabotage | None = None) -> Built:
    """Raises `BuildError` where a compiler is missing or refuses, or the gate uses what is not its own."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        changes = (*how.changes, *(() if sabotage is None else (sabotage.change,)))
        _write_sources(gate, changes, work / "gate")
        (work / "confined").mkdir()
        (work / "confined" / "stub.c").write_bytes((REFERENCE / "stub" / "stub.c").read_bytes())
        objects = [_compile(source, how, work) for source in _sorted_sources(work / "gate")]
        _check_symbols(objects, work)
        stub = _gcc(work / "confined" / "stub.c", ("-std=c11", "-O2"), work)
        _link(gate, how, [*objects, stub], work)
        return _declared(gate, how, work / "image.elf")


def write(gate: Gate, how: Build, directory: Path, sabotage: Sabotage | None = None) -> Path:
    """Builds into `directory` what `pinproof verify` reads; returns the image."""
    built = build(gate, how, sabotage)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / DECLARATION).write_bytes(built.case.declaration)
    for name, data in built.case.files.items():
        (directory / name).write_bytes(data)
    image = directory / "image.elf"
    image.write_bytes(built.case.image)
    return image


def _write_sources(gate: Gate, changes: Sequence[Change], directory: Path) -> None:
    directory.mkdir()
    files = {path.name: path.read_text(encoding="utf-8") for path in gate.sources.iterdir() if path.suffix in _TEXT}
    for change in changes:
        files[change.file] = patched(files[change.file], change.old, change.new)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")


def _sorted_sources(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.suffix in _SOURCES)


def _compile(source: Path, how: Build, work: Path) -> str:
    if source.suffix in {".s", ".S"}:
        return _gcc(source, (), work)
    standard = _CXX if source.suffix == ".cc" else ("-std=gnu11",)
    if how.compiler == "gcc":
        return _gcc(source, (*standard, *how.options), work)
    if how.compiler == "clang":
        return _object([sys.executable, "-m", "ziglang", "cc", *_CLANG], source, (*standard, *how.options), work)
    raise BuildError(f"unknown compiler {how.compiler}")


def _gcc(source: Path, options: Sequence[str], work: Path) -> str:
    command = [PREFIX + ("g++" if source.suffix == ".cc" else "gcc"), *MACHINE, "-gno-record-gcc-switches"]
    return _object(command, source, options, work)


def _object(command: Sequence[str], source: Path, options: Sequence[str], work: Path) -> str:
    """The object's path, relative to `work`, as the source's is: the place leaves no trace in the image."""
    target = f"{source.parent.name}/{source.stem}.o"
    common = (*_COMMON, f"-ffile-prefix-map={work}=.")
    _run([*command, *common, *options, "-c", f"{source.parent.name}/{source.name}", "-o", target], work)
    return target


def _check_symbols(objects: Sequence[str], work: Path) -> None:
    """Refuses what would make confined code, or a library, part of the gate."""
    fields = [line.split() for line in _run([PREFIX + "nm", *objects], work).splitlines()]
    defined = {item[-1] for item in fields if len(item) == 3}
    needed = {item[-1] for item in fields if len(item) == 2 and item[0] == "U"}
    strangers = [name for name in sorted(needed - defined) if not name.startswith(_GATE_MAY_USE)]
    if strangers:
        raise BuildError(f"the gate uses what is not its own: {', '.join(strangers)}")


def _link(gate: Gate, how: Build, objects: Sequence[str], work: Path) -> None:
    own = gate.directory / "layout.ld"
    script = own if own.exists() else HERE / "layout.ld"
    (work / "layout.ld").write_bytes(script.read_bytes())
    symbols = [
        f"--defsym=gate_flash_size={how.gate_flash:#x}",
        f"--defsym=confined_memory_size={gate.confined_memory:#x}",
    ]
    if gate.capture != "camera_capture":
        symbols.append(f"--defsym=camera_capture={gate.capture}")
    _run([PREFIX + "ld", *symbols, "-T", "layout.ld", *LINK, "--no-warn-execstack", "-o", "image.elf", *objects], work)


def _declared(gate: Gate, how: Build, image: Path) -> Built:
    data = image.read_bytes()
    symbols = read_symbols(image)
    files = {name: (REFERENCE / name).read_bytes() for name in (PROVISIONING, DATASHEET)}
    text = (REFERENCE / DECLARATION).read_text(encoding="utf-8")
    text = _without_absent(rewritten(text, _differences(gate, how, symbols)))
    text = refreshed(text, read_image(data, "image"), REFERENCE)
    segment = next(part for part in read_image(data, "image").segments if part.address == FLASH_START)
    return Built(case=Case(image=data, declaration=text.encode(), files=files), gate_bytes=len(segment.data))


def _differences(gate: Gate, how: Build, image: Image) -> dict[tuple[str, str], str]:
    """By table and key: what layout and symbols decide, then what the gate says."""
    size = how.gate_flash
    values: dict[tuple[str, str], object] = {
        ("flash", "gate"): {"start": FLASH_START, "size": size},
        ("flash", "confined"): {"start": FLASH_START + size, "size": FIRST_PART - size},
        ("memory", "confined"): {"start": MEMORY_START, "size": gate.confined_memory},
        ("entry", "detector"): image.address("confined_entry") & ~1,
        ("entry", "idle"): image.address("confined_idle") & ~1,
    }
    values |= {(table, key): value for table, keys in gate.declaration.items() for key, value in keys.items()}
    return {name: _spelt(value) for name, value in values.items()}


def _without_absent(text: str) -> str:
    """The declaration, in which no key takes a boolean, without the keys that the gate calls false."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.endswith(" = false\n"))


def _spelt(value: object) -> str:
    """A value as TOML."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return f"{value:#x}" if value >= FIRST_PART and value % 0x100 == 0 else str(value)
        case str():
            return f'"{value}"'
        case list():
            return f"[{', '.join(_spelt(item) for item in value)}]"
        case Mapping():
            return f"{{ {', '.join(f'{key} = {_spelt(item)}' for key, item in value.items())} }}"
    raise TypeError(f"no TOML for {value!r}")


def _run(command: Sequence[str], directory: Path) -> str:
    cache = str(directory / "cache")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, env=environment)
    except FileNotFoundError as missing:
        raise BuildError(f"{command[0]} is not installed") from missing
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    gate = read_gate(HERE / arguments[0])
    for how in gate.builds:
        if arguments[1:] in ([], [how.name]):
            print(write(gate, how, Path("build/gates") / f"{gate.name}-{how.name}"), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
