"""What the proof costs: modelled instructions a second, growth with the size of the gate, and where the time goes.

Gates of 0.5 to 8 KB are assembled from one function repeated: a bounded poll, a cleared block, bits changed in place,
a table written to a device; half of the copies are called at boot, half by the tick. Each is explored in a process of
its own, in turn, several times; the smallest time counts. Ratios are of the smallest gate. Needs the Arm binutils.

    python benchmarks/engine.py [--rounds N]
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "verifier")]

from pinproof import verify as verification  # noqa: E402
from pinproof.image import Image  # noqa: E402
from pinproof.machine.explore import explore  # noqa: E402

from tests.unit.machine.images import text_of  # noqa: E402
from tests.unit.machine.support import FLASH, assemble, image_of, silicon  # noqa: E402

SIZES = (512, 1024, 2048, 4096, 8192)
REFERENCE = ROOT / "reference_module"
_FUNCTION = """
f{n}:
    push {{r4, r5, r6, lr}}
    ldr r4, =0x40023800
    movw r5, #{polls}
1:  ldr r0, [r4]
    lsls r0, r0, #14
    bmi 2f
    subs r5, #1
    bne 1b
2:  ldr r4, ={block:#x}
    add r5, r4, #256
    movs r0, #0
3:  str r0, [r4], #4
    cmp r4, r5
    bne 3b
    ldr r4, =0x40020000
    ldr r0, [r4, #12]
    bic r0, r0, #3
    orr r0, r0, #1
    str r0, [r4, #12]
    adr r6, 5f
    movs r5, #4
4:  ldr r0, [r6], #4
    str r0, [r4, #32]
    subs r5, #1
    bne 4b
    pop {{r4, r5, r6, pc}}
    .balign 4
5:  .word {n}, {n} + 1, {n} + 2, {n} + 3
    .pool
"""


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: float
    kilobytes: int
    steps: int
    instructions: int
    obstacles: int


def gate_of(size: int) -> tuple[Image, int]:
    """The image of the gate nearest to `size` bytes of code and tables, beside its vectors; and its exact size."""
    empty = _assembled(0)
    each = len(_assembled(8)) / 8 - len(empty) / 8
    vectors = 4 * silicon().exceptions.count
    code = _assembled(max(0, round((size - (len(empty) - vectors)) / each)))
    return image_of((FLASH, code)), len(code) - vectors


def _assembled(count: int) -> bytes:
    calls = [f"bl f{n}" for n in range(count)]
    functions = [_FUNCTION.format(n=n, polls=1000 + n, block=0x20012000 + 256 * (n % 32)) for n in range(count)]
    boot, tick = calls[: count // 2], calls[count // 2 :]
    returning = "movw lr, #0xfffd\nmovt lr, #0xffff\nbx lr\n"
    text = text_of(boot="\n".join(boot), tick="\n".join((*tick, returning)), more="\n".join(functions))
    return assemble(text, FLASH)[0]


def _explored(image: Image) -> Cost:
    """In a child process, so that the peak of memory is this exploration's."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        part = silicon()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        found = explore(image, part, frozenset())
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        executed = found.boot.instructions + sum(run.instructions for run in found.handlers)
        os.write(writer, f"{seconds} {peak} {found.steps} {executed} {len(found.obstacles)}".encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        used, *numbers = answer.read().split()
    os.waitpid(child, 0)
    return Cost(float(used), *map(int, numbers))


def sizes(rounds: int) -> None:
    gates = [gate_of(size) for size in SIZES]
    best: dict[int, Cost] = {}
    for _ in range(rounds):
        for image, size in gates:
            cost = _explored(image)
            if size not in best or cost.seconds < best[size].seconds:
                best[size] = cost
    first_size, first = next(iter(best.items()))
    heads = ("gate bytes", "of first", "CPU s", "of first", "peak +MB", "steps", "steps/s", "obstacles")
    print(" ".join(f"{head:>10}" for head in heads))
    for size, cost in best.items():
        print(
            f"{size:10} {size / first_size:10.1f} {cost.seconds:10.2f} {cost.seconds / first.seconds:10.1f} "
            f"{cost.kilobytes / 1024:10.1f} {cost.steps:10} {cost.steps / cost.seconds:10.0f} {cost.obstacles:10}"
        )


def stages() -> None:
    """Shares of one verification of the reference module, by the part whose own code runs (profiled)."""
    image, module = REFERENCE / "person_detector.elf", REFERENCE / "module.toml"
    files = {name: (REFERENCE / name).read_bytes() for name in ("provisioning.toml", "datasheet.md")}
    profile = cProfile.Profile()
    profile.runcall(
        verification.verify,
        image=image.read_bytes(),
        image_name=image.name,
        declaration=module.read_bytes(),
        declaration_name=module.name,
        files=files,
        level=1,
        rebuilt=None,
        development=False,
    )
    own: Counter[str] = Counter()
    for (name, _, _), (_, _, seconds, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        own[_stage(name)] += seconds
    total = sum(own.values())
    print()
    for stage, seconds in own.most_common():
        if seconds / total >= 0.01:
            print(f"{stage:40} {100 * seconds / total:5.1f} %")


def _stage(path: str) -> str:
    parts = Path(path).parts
    if "pinproof" not in parts:
        return "Python and libraries"
    inside = parts[len(parts) - 1 - parts[::-1].index("pinproof") + 1 :]
    return "/".join(inside) if inside[0] == "machine" else inside[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    sizes(parser.parse_args().rounds)
    stages()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
