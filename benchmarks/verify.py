"""What a verification costs, as ratios within one run: this machine's speed is nobody else's.

Whole processes are measured, start to end, several times in turn; the smallest time of each counts. Memory is the
largest resident set.

    python benchmarks/verify.py [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGE = ROOT / "reference_module" / "person_detector.elf"
MODULE = ROOT / "reference_module" / "module.toml"
VERIFY = [sys.executable, "-m", "pinproof", "verify"]
IMPORTS = """
import elftools.elf.elffile, rich.console
import cryptography.hazmat.primitives.asymmetric.ed25519, securesystemslib.dsse, securesystemslib.signer
"""
IMPORTS_COMMAND = [sys.executable, "-c", IMPORTS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    commands = {
        "import the dependencies": IMPORTS_COMMAND,
        "pinproof verify": [*VERIFY, str(IMAGE), "--module", str(MODULE)],
        "objdump -d": ["arm-none-eabi-objdump", "-d", str(IMAGE)],
    }
    with tempfile.TemporaryDirectory() as folder:
        larger = _larger(Path(folder))
        if larger is not None:
            commands["pinproof verify, ten times the confined code"] = [
                *VERIFY,
                str(larger / "larger.elf"),
                "--module",
                str(larger / "module.toml"),
            ]
        best = {name: (float("inf"), 0) for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                seconds, memory = measure_process(command)
                best[name] = (min(best[name][0], seconds), max(best[name][1], memory))
    _print(best)
    return 0


def measure_process(command: list[str]) -> tuple[float, int]:
    """CPU seconds and peak resident kilobytes of one process; infinity when the program is not there."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            with open(os.devnull, "w") as nowhere:
                subprocess.run(command, stdout=nowhere, stderr=nowhere, check=False, cwd=ROOT)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            os.write(writer, f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}".encode())
        except FileNotFoundError:
            os.write(writer, b"inf 0")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as results:
        seconds, memory = results.read().split()
    os.waitpid(child, 0)
    return float(seconds), int(memory)


def _larger(folder: Path) -> Path | None:
    """The reference module with ten times the confined code, which the proof should not look at."""
    sys.path.insert(0, str(ROOT))
    try:
        from benchmarks.larger import build_larger

        return build_larger(folder)
    except (ImportError, FileNotFoundError) as problem:
        print(f"not measured: the larger image ({problem})", file=sys.stderr)
        return None


def _print(best: dict[str, tuple[float, int]]) -> None:
    imports = best["import the dependencies"][0]
    verify = best["pinproof verify"][0]
    print(f"{'what':48} {'CPU s':>7} {'peak MB':>8} {'of imports':>11} {'of verify':>10}")
    for name, (seconds, memory) in best.items():
        print(f"{name:48} {seconds:7.2f} {memory / 1024:8.1f} {seconds / imports:11.2f} {seconds / verify:10.2f}")


if __name__ == "__main__":
    raise SystemExit(main())
