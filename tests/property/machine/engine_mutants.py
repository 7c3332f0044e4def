"""Mutants of the engine: one line wrong, each in a copy of the package, and the crafted loop that must notice.

    python -m tests.property.machine.engine_mutants            every mutant; exit 0 when all are noticed
    python -m tests.property.machine.engine_mutants NAME ...   these

Each mutant stands for a way in which the engine could be unsound. Left out are those that only make it refuse more (a
description that is never weakened, a step that is never forgotten), and some that are not known to show: `guess`, `weaken` and `_grow_segments` add the origins of the path's conditions to what differs
between iterations, `_tell_what_ended_it` adds the same ones to all of it when the loop is left, and within the loop
each access carries them as its own condition. No program is known yet that notices when `_changed_slots` forgets slots
that only the description has: a slot goes away only where an inner loop fills its word in every iteration.
"""

# ruff: noqa: E501 (a table: one line, one case)

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "verifier" / "pinproof"
NOTICED = 17
"""Exit code of a program that was found to be unsound; any other but 0 means that it could not be run."""
TRIES = 5
"""Draws of the inputs of a crafted program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`old`, which occurs once in `machine/<module>.py`, becomes `new`."""

    name: str
    module: str
    old: str
    new: str
    by: str
    """The crafted program that notices."""


def _m(name: str, by: str, module: str, old: str, new: str) -> Mutant:
    return Mutant(name=name, module=module, old=old, new=new, by=by)


MUTANTS = (
    # The guess, and what makes it hold.
    _m("no-check", "register", "induction", "return within and _includes(head, back)", "return within"),
    _m("no-bound", "count", "induction", "within = bound is None or back.symbols.ranges[head.counter].high < bound", "within = True"),
    _m("bound-off", "count", "induction", "back.symbols.ranges[head.counter].high < bound", "back.symbols.ranges[head.counter].high <= bound"),
    _m("slots", "steady-until-then", "induction", "if _changed_slots(head, back, first_only=True):", "if False:"),
    _m("new-slots", "word-written-first", "induction", "if (slots.get(key) != value or key in steps) and not", "if key in slots and (slots.get(key) != value or key in steps) and not"),
    _m("barriers", "barrier", "induction", "if not state.barriers <= back.barriers or (", "if (" ),
    _m("stack", "stack", "induction", "back.stack_low < state.stack_low:\n        return False", "back.stack_low < state.stack_low:\n        pass"),
    _m("control", "way-out", "induction", "if not back.control <= state.control or not", "if not"),
    _m("passed", "fill-inside", "induction", "    state.passed = frozenset()\n", ""),
    _m("segments", "fill-bytes", "induction", "return all(of_state.includes(of_back) for _, _, of_state, of_back in pieces(state, back))", "return True"),
    _m("passed-before", "certain-from-then-on", "loops", "after.passed = after.passed | head.before.passed", "after.passed = after.passed | head.before.passed | (body.back.passed if body.back else frozenset())"),
    _m("related", "equal-until-then", "induction", "    if mine is not None and not _free(head, mine):\n        return False\n", ""),
    _m("free", "equal-until-then", "induction", "return isinstance(value, int) or (len(value.terms) == 1 and value.terms[0][0] in head.free)", "return isinstance(value, int) or len(value.terms) == 1"),
    _m("end-taint", "told-register", "loops", "            _tell_what_ended_it(after, head.before)\n", "            pass\n"),
    _m("end-taint-symbols", "told-register", "loops", "known[symbol] = known[symbol].with_origins(control)", "pass"),
    _m("cycles-rounds", "register", "loops", "after.cycles += head.before.cycles + (rounds * each if rounds else 0.0)", "after.cycles += head.before.cycles + each"),
    _m("cycles-before", "register", "loops", "after.cycles += head.before.cycles + (", "after.cycles += ("),
    _m("cycles-unbounded", "endless-late", "loops", "math.inf if bound is None else bound", "0.0 if bound is None else bound"),
    _m("endless", "endless", "loops", "if body.back is not None and not body.leaving:", "if False:"),
    _m("first-ways-out", "fill-left-by-device", "loops", "        leaving += body.leaving\n        compared", "        compared"),
    # Fills.
    _m("fill-skipped", "fill-skips", "fills", "    if ram_token(place[0]) not in back.passed:\n        return None\n", ""),
    _m("fill-two-values", "rewritten-until-then", "fills", "if len(entries) != 1:", "if len(entries) < 1:"),
    _m("fill-other-symbol", "fill-elsewhere", "fills", "if symbol != counter:", "if False:"),
    _m("fill-gap", "fill-gap", "fills", "if unit.offset > high:", "if False:"),
    _m("fill-stride", "fill-stride", "fills", "if high - low < abs(ordered[0].step):", "if False:"),
    _m("fill-count", "fill", "fills", "complete = count + all(ram_token(site) in state.passed for site, _ in fill.places)", "complete = count + 1"),
    _m("fill-end", "fill-bytes", "fills", "low, high = low + 3 & ~3, high & ~3", "low, high = low + 3 & ~3, high + 3 & ~3"),
    _m("fill-disturbed", "fill-disturbed", "fills", "and not _disturbed(log, fill, low, high)", ""),
    _m("fill-disturbed-width", "fill-disturbed-first", "fills", "entry.reach.high + entry.width > low", "entry.reach.high > low + 3"),
    _m("fill-reach", "fill", "fills", "reach = fill.step * (complete - 1)", "reach = fill.step * complete"),
    # States and their joins.
    _m("barrier2", "met-barrier", "state", "joined.barriers = a.barriers & b.barriers", "joined.barriers = a.barriers | b.barriers"),
    _m("join-passed", "fill-skips", "state", "joined.passed = a.passed & b.passed", "joined.passed = a.passed | b.passed"),
    _m("join-cycles", "met-memory", "state", "joined.cycles = max(a.cycles, b.cycles)", "joined.cycles = a.cycles"),
    _m("join-stack", "met-stack", "state", "None if a is None or b is None else min(a, b)", "None if a is None or b is None else max(a, b)"),
    _m("join-taint", "count", "state", "known = ranges.hull(a.known(key), b.known(key)).with_origins(taint)", "known = ranges.hull(a.known(key), b.known(key))"),
    _m("join-segment", "met-memory", "state", "one if one == other else ranges.hull(one, other)", "one if one == other else one"),
    _m("join-flags", "met-flags", "state", "return Flags(a.flags.possible | b.flags.possible, origins", "return Flags(a.flags.possible, origins"),
    _m("join-adopt", "met-flags", "state", "known_a if known_a == known_b else ranges.hull(known_a, known_b)", "known_a"),
    _m("join-unnamed", "met-unnamed", "state", "if of_a is None or of_b is None:", "if of_a is None and of_b is None:"),
    _m("seg-include", "fill", "state", "inside_low, inside_high = max(low, start), min(high, end)", "inside_low, inside_high = max(low, start), min(high, end - 4)"),
    _m("smear-slots", "write-anywhere", "state", "        for key in self.ram_slots(start, end):\n            self.slots[key] = self.symbols.fresh(blurred", "        for key in self.ram_slots(start, end - 4):\n            self.slots[key] = self.symbols.fresh(blurred"),
    _m("smear-width", "write-half", "state", "if width == 4:", "if width >= 2:"),
    _m("smear-narrow", "write-byte", "state", "return ranges.anything(old.origins | known.origins)", "return ranges.hull(old, known)"),
    # Ranges and values.
    _m("includes-values", "register", "ranges", "return all(self.contains(value) for value in other.values)", "return any(self.contains(value) for value in other.values)"),
    _m("meet-origins", "told-register", "ranges", 'are kept."""\n    origins = a.origins | b.origins', 'are kept."""\n    origins = a.origins & b.origins'),
    # Flags.
    _m("flags-equal", "register", "flags", "if ranges.meet(range_a, range_b) is None:", "if range_a != range_b:"),
    _m("flags-carry", "told-flags", "flags", "if range_a.low >= range_b.high:", "if range_a.high >= range_b.high:"),
    # The bus.
    _m("load-index-origin", "read-anywhere", "bus", "value = state.symbols.fresh(self._ram_hull(state, known, width).with_origins(known.origins))", "value = state.symbols.fresh(self._ram_hull(state, known, width))"),
    _m("store-index-origin", "write-anywhere", "bus", "written = state.symbols.range(value).with_origins(known.origins)", "written = state.symbols.range(value)"),
    _m("store-reach", "write-anywhere", "bus", "state.smear(known.low, known.high + width, written, width)", "state.smear(known.low, known.high, written, width)"),
    _m("store-weak", "write-anywhere", "bus", "            state.smear(known.low, known.high + width, written, width)\n", "            state.fill(known.low & ~3, known.high + width + 3 & ~3, written)\n"),
    _m("hull-slots", "read-anywhere", "bus", "for key in state.ram_slots(low, high + 1):", "for key in state.ram_slots(low, high - 3):"),
    _m("mpu-barrier", "barrier", "bus", "            state.barriers = state.barriers - MPU_BARRIERS\n", "            pass\n"),
    _m("store-barrier", "store-barrier", "bus", "        state.barriers = state.barriers - {STORES_COMPLETE}\n", ""),
    # Execution and the words for it.
    _m("branch-control", "way-out", "execute", "            state.control = state.control | hidden\n", "            pass\n"),
    _m("branch-told", "way-out", "execute", "        self.trace.branch_on(origins)\n", ""),
    _m("it-origins", "count", "execute", "                origins |= path.flags.origins\n", ""),
    _m("it-slow", "flags-told", "execute", "if skipped is not None and slow:", "if False:"),
    _m("compare-flags", "flags", "execute", "            after.flags = kept\n", "            pass\n"),
)  # fmt: skip


def notice(mutant: Mutant) -> str | None:
    """What the program that should notice the mutant says of it; None when it says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "pinproof"
        _copy_with(mutant, package)
        command = [sys.executable, "-m", "tests.property.machine.engine_mutants", "--try", mutant.by]
        environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == NOTICED:
        return done.stdout.strip()
    if done.returncode == 0:
        return None
    raise SystemExit(f"{mutant.name}: the program cannot be run: {done.stderr.strip()[-300:]}")


def _copy_with(mutant: Mutant, package: Path) -> None:
    """The package, by links, but for the one module."""
    module = PACKAGE / "machine" / f"{mutant.module}.py"
    text = module.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.name}: the line occurs {text.count(mutant.old)} times in {mutant.module}.py")
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "machine"), copy_function=os.symlink)
    shutil.copytree(PACKAGE / "machine", package / "machine", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "machine" / module.name).write_text(text.replace(mutant.old, mutant.new))


def _try(names: Iterable[str]) -> int:
    from tests.soundness.loops import examine
    from tests.soundness.loops.crafted import CRAFTED

    for name in names:
        for seed in range(TRIES):
            found = examine(CRAFTED[name], seed)
            if found is not None and found.startswith("seed"):
                print(f"{name}, {found}")
                return NOTICED
    return 0


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--try"]:
        return _try(arguments[1:])
    chosen = [each for each in MUTANTS if not arguments or each.name in arguments]
    missed = 0
    for mutant in chosen:
        found = notice(mutant)
        missed += found is None
        print(f"{mutant.name}: {found or 'NOT NOTICED'}", flush=True)
    print(f"{len(chosen)} mutants, {missed} not noticed")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
