"""Mutants of the engine: one line wrong, each in a copy of the package, and the random loops that must notice.

    python -m tests.property.machine.engine_mutants            every mutant; exit 0 when all are noticed
    python -m tests.property.machine.engine_mutants NAME ...   these, each searched among more seeds than usual

Each mutant stands for a way in which the engine could be unsound. A mutant that nothing notices is a hole in the tests.
"""

# ruff: noqa: E501 (a table: one line, one case)

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "verifier" / "pinproof"
SEARCHED = 100
"""Random programs that are tried after the crafted ones and the one that noticed a mutant when it was written."""
TRIES = 3
"""Draws of the inputs of each crafted program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`old`, which occurs once in `machine/<module>.py`, becomes `new`."""

    name: str
    module: str
    old: str
    new: str
    seed: int = 0
    """Where the search for a random loop that notices begins."""


def _m(name: str, module: str, old: str, new: str, seed: int = 0) -> Mutant:
    return Mutant(name=name, module=module, old=old, new=new, seed=seed)


MUTANTS = (
    # The guess, and what makes it hold.
    _m("no-check", "induction", "return within and _includes(head, back)", "return within"),
    _m("no-bound", "induction", "within = bound is None or back.symbols.ranges[head.counter].high < bound", "within = True"),
    _m("bound-off", "induction", "back.symbols.ranges[head.counter].high < bound", "back.symbols.ranges[head.counter].high <= bound"),
    _m("slots", "induction", "if _changed_slots(head, back, first_only=True):", "if False:"),
    _m("lost-slots", "induction", "changed += [key for key in slots.keys() - back.slots.keys() if not _slot_included(head, back, key)]", "pass"),
    _m("new-slots", "induction", "if (slots.get(key) != value or key in steps) and not", "if key in slots and (slots.get(key) != value or key in steps) and not"),
    _m("barriers", "induction", "if not state.barriers <= back.barriers or (", "if (" ),
    _m("stack", "induction", "back.stack_low < state.stack_low:\n        return False", "back.stack_low < state.stack_low:\n        pass"),
    _m("control", "induction", "if not back.control <= state.control or not", "if not"),
    _m("flag-origins", "induction", "or not back.flags.origins <= state.flags.origins", ""),
    _m("segments", "induction", "return all(of_state.includes(of_back) for _, _, of_state, of_back in pieces(state, back))", "return True"),
    _m("flags-kept", "induction", "state.flags = Flags(origins=last.flags.origins)", "pass"),
    _m("passed", "induction", "    state.passed = frozenset()\n", ""),
    _m("passed-before", "loops", "after.passed = after.passed | head.before.passed", "after.passed = after.passed | head.before.passed | (body.back.passed if body.back else frozenset())"),
    _m("related", "induction", "if mine is not None and not _free(head, mine):\n        return False\n", ""),
    _m("free", "induction", "return isinstance(value, int) or (len(value.terms) == 1 and value.terms[0][0] in head.free)", "return isinstance(value, int) or len(value.terms) == 1"),
    _m("advance", "induction", "return head.state.symbols.add(head.state.slots[key], head.steps[key])", "return head.state.slots[key]"),
    _m("guess-taint", "induction", "ranges.hull(middle.known(key), last.known(key)).with_origins(last.control))", "ranges.hull(middle.known(key), last.known(key)))"),
    _m("release-taint", "induction", "head.release(key, known.with_origins(back.control))", "head.release(key, known)"),
    _m("grow-taint", "induction", "ranges.hull(mine, its).with_origins(taint))", "ranges.hull(mine, its))"),
    _m("end-taint", "loops", "            _tell_what_ended_it(after, head.before)\n", "            pass\n"),
    _m("end-taint-symbols", "loops", "known[symbol] = known[symbol].with_origins(control)", "pass"),
    _m("end-taint-memory", "loops", "now if now == then else now.with_origins(control)", "now"),
    _m("end-taint-flags", "loops", "made.b, made.origins | control)", "made.b, made.origins)"),
    _m("cycles-rounds", "loops", "after.cycles += head.before.cycles + (rounds * each if rounds else 0.0)", "after.cycles += head.before.cycles + each"),
    _m("cycles-before", "loops", "after.cycles += head.before.cycles + (", "after.cycles += ("),
    _m("cycles-unbounded", "loops", "math.inf if bound is None else bound", "0.0 if bound is None else bound"),
    _m("endless", "loops", "if body.back is not None and not body.leaving:", "if False:"),
    _m("once", "loops", "        executor.trace.loops += 1\n", ""),
    _m("first-ways-out", "loops", "        leaving += body.leaving\n        compared", "        compared"),
    # Fills.
    _m("fill-skipped", "fills", "    if ram_token(place[0]) not in back.passed:\n        return None\n", ""),
    _m("fill-two-values", "fills", "if len(entries) != 1:", "if len(entries) < 1:"),
    _m("fill-other-symbol", "fills", "if symbol != counter:", "if False:"),
    _m("fill-gap", "fills", "if unit.offset > high:", "if False:"),
    _m("fill-stride", "fills", "if high - low < abs(ordered[0].step):", "if False:"),
    _m("fill-count", "fills", "complete = count + all(ram_token(site) in state.passed for site, _ in fill.places)", "complete = count + 1"),
    _m("fill-none", "fills", "if complete < 1:", "if complete < 0:"),
    _m("fill-end", "fills", "low, high = low + 3 & ~3, high & ~3", "low, high = low + 3 & ~3, high + 3 & ~3"),
    _m("fill-start", "fills", "low, high = low + 3 & ~3, high & ~3", "low, high = low & ~3, high & ~3"),
    _m("fill-disturbed", "fills", "and not _disturbed(log, fill, low, high)", ""),
    _m("fill-disturbed-width", "fills", "entry.reach.high + entry.width > low", "entry.reach.high > low + 3"),
    _m("fill-reach", "fills", "reach = fill.step * (complete - 1)", "reach = fill.step * complete"),
    # States and their joins.
    _m("barrier2", "state", "joined.barriers = a.barriers & b.barriers", "joined.barriers = a.barriers | b.barriers"),
    _m("join-passed", "state", "joined.passed = a.passed & b.passed", "joined.passed = a.passed | b.passed"),
    _m("join-cycles", "state", "joined.cycles = max(a.cycles, b.cycles)", "joined.cycles = a.cycles"),
    _m("join-stack", "state", "None if a is None or b is None else min(a, b)", "None if a is None or b is None else max(a, b)"),
    _m("join-control", "state", "joined.control = a.control | b.control", "joined.control = a.control & b.control"),
    _m("join-taint", "state", "known = ranges.hull(a.known(key), b.known(key)).with_origins(taint)", "known = ranges.hull(a.known(key), b.known(key))"),
    _m("join-segment-taint", "state", "ranges.hull(one, other).with_origins(taint))", "ranges.hull(one, other))"),
    _m("join-segment", "state", "one if one == other else ranges.hull(one, other)", "one if one == other else one"),
    _m("join-flags", "state", "return Flags(a.flags.possible | b.flags.possible, origins", "return Flags(a.flags.possible, origins"),
    _m("join-flags-taint", "state", "origins=a.flags.origins | b.flags.origins | taint)", "origins=a.flags.origins | b.flags.origins)"),
    _m("join-adopt", "state", "known_a if known_a == known_b else ranges.hull(known_a, known_b)", "known_a"),
    _m("join-shared", "state", "if (of_a, of_b) not in shared:", "if not shared:"),
    _m("join-unnamed", "state", "if of_a is None or of_b is None:", "if of_a is None and of_b is None:"),
    _m("seg-include", "state", "inside_low, inside_high = max(low, start), min(high, end)", "inside_low, inside_high = max(low, start), min(high, end - 4)"),
    _m("seg-at", "state", "if segment[0] <= address < segment[1]:", "if segment[0] <= address <= segment[1]:"),
    _m("smear-slots", "state", "        for key in self.ram_slots(start, end):\n            self.slots[key] = self.symbols.fresh(blurred", "        for key in self.ram_slots(start, end - 4):\n            self.slots[key] = self.symbols.fresh(blurred"),
    _m("smear-taint", "state", "        known = known.with_origins(self.control)\n", ""),
    _m("smear-width", "state", "if width == 4:", "if width >= 2:"),
    _m("smear-end", "state", "start, end = start & ~3, (end + 3) & ~3", "start, end = start & ~3, end & ~3"),
    _m("smear-narrow", "state", "return ranges.anything(old.origins | known.origins)", "return ranges.hull(old, known)"),
    # Ranges and values.
    _m("hull-high", "ranges", "max(a.high, b.high), a.zeros & b.zeros, a.ones & b.ones, None, origins)", "a.high, a.zeros & b.zeros, a.ones & b.ones, None, origins)"),
    _m("includes-origins", "ranges", "        if not other.origins <= self.origins:\n            return False\n", ""),
    _m("includes-bits", "ranges", "return bits_follow and self.low", "return self.low"),
    _m("includes-values", "ranges", "return all(self.contains(value) for value in other.values)", "return any(self.contains(value) for value in other.values)"),
    _m("meet-origins", "ranges", 'are kept."""\n    origins = a.origins | b.origins', 'are kept."""\n    origins = a.origins & b.origins'),
    _m("solve-high", "values", "return max(old.low, first), min(old.high, last)", "return max(old.low, first), min(old.high, last - 1)"),
    _m("solve-low", "values", "return max(old.low, first), min(old.high, last)", "return max(old.low, first + 1), min(old.high, last)"),
    _m("solve-wrap", "values", "(max(at_low, at_high) >> 32) + 1)", "(min(at_low, at_high) >> 32) + 1)"),
    _m("exact-wrap", "values", "        if low >> 32 != high >> 32:\n            return total\n", ""),
    _m("exclude-many", "values", "while low <= high and (value.constant + factor * low) & MASK == excluded:", "if low <= high:"),
    _m("resolve", "values", "constant += factor * known.low", "constant += known.low"),
    _m("sum-origins", "values", "            found |= self.ranges[symbol].origins\n", "            found = self.ranges[symbol].origins\n"),
    _m("fresh-high", "values", "if known.low == known.high:\n            return known.low\n        symbol", "if known.high - known.low < 2:\n            return known.low\n        symbol"),
    # Flags.
    _m("flags-strict", "flags", "gap = 1 if strict else 0", "gap = 1"),
    _m("flags-signed", "flags", "elif symbols.range(a).high < _SIGN and symbols.range(b).high < _SIGN:", "else:"),
    _m("flags-equal", "flags", "if ranges.meet(range_a, range_b) is None:", "if range_a != range_b:"),
    _m("flags-carry", "flags", "if range_a.low >= range_b.high:", "if range_a.high >= range_b.high:"),
    _m("flags-overflow", "flags", "if range_a.high < _SIGN and range_b.high < _SIGN:", "if range_a.low < _SIGN and range_b.low < _SIGN:"),
    _m("flags-sum", "flags", "return Flags(_of_result(symbols.range(result)), Producer.RESULT, result, 0, origins)", "return of_subtraction(symbols, a, b)"),
    _m("flags-origin", "flags", "symbols.origins(a) | symbols.origins(b))\n\n\ndef of_addition", "symbols.origins(a))\n\n\ndef of_addition"),
    _m("flags-assume", "flags", "return Flags(possible, flags.producer", "return Flags(flags.possible & possible & ~1, flags.producer"),
    # The bus.
    _m("load-index-origin", "bus", "value = state.symbols.fresh(self._ram_hull(state, known, width).with_origins(known.origins))", "value = state.symbols.fresh(self._ram_hull(state, known, width))"),
    _m("store-index-origin", "bus", "written = state.symbols.range(value).with_origins(known.origins)", "written = state.symbols.range(value)"),
    _m("store-reach", "bus", "state.smear(known.low, known.high + width, written, width)", "state.smear(known.low, known.high, written, width)"),
    _m("store-weak", "bus", "            state.smear(known.low, known.high + width, written, width)\n", "            state.fill(known.low & ~3, known.high + width + 3 & ~3, written)\n"),
    _m("hull-slots", "bus", "for key in state.ram_slots(low, high + 1):", "for key in state.ram_slots(low, high - 3):"),
    _m("hull-segments", "bus", "if start <= high and low < end:", "if start <= low < end:"),
    _m("mpu-barrier", "bus", "            state.barriers = state.barriers - MPU_BARRIERS\n", "            pass\n"),
    _m("store-barrier", "bus", "        state.barriers = state.barriers - {STORES_COMPLETE}\n", ""),
    _m("device-volatile", "bus", "if volatile == MASK or register.access is RegisterAccess.WRITE_ONLY:", "if register.access is RegisterAccess.WRITE_ONLY:"),
    _m("device-doubt", "bus", "volatile = register.volatile | _doubtful(state, register)", "volatile = register.volatile"),
    _m("device-stored-origin", "bus", "origin = state.known(base).origins if base in state.slots else ranges.NO_ORIGINS", "origin = ranges.NO_ORIGINS"),
    # Execution and the words for it.
    _m("branch-control", "execute", "            state.control = state.control | hidden\n", "            pass\n"),
    _m("branch-told", "execute", "        self.trace.branch_on(origins)\n", ""),
    _m("it-origins", "execute", "                origins |= path.flags.origins\n", ""),
    _m("it-slow", "execute", "if skipped is not None and slow:", "if False:"),
    _m("irreducible", "execute", "        if pending:\n            raise _irreducible(min(pending))\n", ""),
    _m("compare-flags", "execute", "            after.flags = kept\n", "            pass\n"),
    _m("must", "explore", "reduce(lambda a, b: a & b, (state.passed for state in ends))", "reduce(lambda a, b: a | b, (state.passed for state in ends))"),
    _m("again", "explore", "in_loop=record.repeated or key in again,", "in_loop=record.repeated,"),
    _m("repeated", "trace", "            record.repeated = True\n", "            pass\n"),
    _m("rewound", "trace", "            del log.entries[length:]\n", "            del log.entries[:]\n"),
)  # fmt: skip


def notice(mutant: Mutant, searched: int = SEARCHED) -> str | None:
    """What the first random loop says that notices the mutant; None when none of them does."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "pinproof"
        _copy_with(mutant, package)
        command = [
            sys.executable,
            "-m",
            "tests.property.machine.engine_mutants",
            "--search",
            str(mutant.seed),
            str(searched),
        ]
        environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 1:
        return done.stdout.strip()
    return None if done.returncode == 0 else f"seed 0: the campaign cannot run: {done.stderr.strip()[-200:]}"


def _copy_with(mutant: Mutant, package: Path) -> None:
    """The package, by links, but for the one module."""
    module = PACKAGE / "machine" / f"{mutant.module}.py"
    text = module.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.name}: the line occurs {text.count(mutant.old)} times in {mutant.module}.py")
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "machine"), copy_function=os.symlink)
    shutil.copytree(PACKAGE / "machine", package / "machine", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "machine" / module.name).write_text(text.replace(mutant.old, mutant.new))


def _search(first: int, searched: int) -> int:
    from tests.soundness.loops import check, examine
    from tests.soundness.loops.crafted import CRAFTED

    for name, subject in CRAFTED.items():
        for seed in range(TRIES):
            found = examine(subject, seed)
            if found is not None:
                print(f"{name}, {found}")
                return 1
    for seed in (first, *range(searched)):
        found = check(seed)
        if found is not None:
            print(found)
            return 1
    return 0


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--search"]:
        return _search(int(arguments[1]), int(arguments[2]))
    chosen = [each for each in MUTANTS if not arguments or each.name in arguments]
    missed = 0
    for mutant in chosen:
        found = notice(mutant, 5 * SEARCHED if arguments else SEARCHED)
        missed += found is None
        print(f"{mutant.name}: {found or 'NOT NOTICED'}", flush=True)
    print(f"{len(chosen)} mutants, {missed} not noticed")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
