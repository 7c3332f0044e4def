"""Random programs whose loops are as awkward as machine code can make them.

Loops count up, down, around zero or not at all, in registers, in memory and on the stack; they share counters, change
them on the side, store over them, are entered in the middle, left in several places and continued from several.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

from pinproof.machine import ranges
from pinproof.machine.ranges import Range
from pinproof.machine.result import Origin

from tests.soundness.loops.statements import ARENA, ARENA_END, BYTES, CELLS, COUNTS, INPUT, PORTS, TIMER, Statements

BARRIERS = ("mpu-data-synchronised", "mpu-synchronised", "control-synchronised", "stores-complete")
ORIGINS = (Origin.CONFINED, Origin.RESET, Origin.GATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program and what its inputs may be."""

    lines: tuple[str, ...]
    registers: tuple[Range | int, ...]
    """r0 to r12 at entry."""
    barriers: frozenset[str]
    """Facts about ordering that hold at entry, as `MachineState.barriers` names them."""
    memory: tuple[tuple[int, int, Range], ...]
    """What the words of each part of the arena may be at entry."""
    loops: int


def program(seed: int) -> Program:
    source = random.Random(seed)
    writer = Writer(source)
    writer.function()
    lines = writer.lines
    cuts = (ARENA, CELLS, CELLS + 0x10, CELLS + 0x20, CELLS + 0x40, ARENA_END)
    memory = tuple((start, end, _content(source)) for start, end in pairwise(cuts))
    registers = tuple(_input(source) for _ in range(13))
    barriers = frozenset(name for name in BARRIERS if source.randrange(3))
    return Program(lines=tuple(lines), registers=registers, barriers=barriers, memory=memory, loops=writer.loops)


def _origin(source: random.Random) -> frozenset[Origin]:
    return frozenset((source.choice(ORIGINS),))


def _input(source: random.Random) -> Range | int:
    origins = _origin(source)
    kind = source.randrange(6)
    if kind == 0:
        return source.choice((*COUNTS, *BYTES))
    if kind == 1:
        return ranges.anything(origins)
    if kind == 2:
        return ranges.of_values([source.getrandbits(32) for _ in range(3)], origins)
    if kind == 3:
        return ranges.of_values([source.choice(BYTES) for _ in range(3)] + [6], origins)
    low = source.choice((0, 0, 0, 1, 2, 20, 30, 0xFFFFFF00))
    known = ranges.between(low, low + source.choice((1, 3, 15, 60, 100)), 0, 0, origins)
    assert known is not None
    return known


def _content(source: random.Random) -> Range:
    kind = source.randrange(4)
    if kind == 0:
        return ranges.anything(_origin(source))
    if kind == 1:
        known = ranges.between(0, source.choice((3, 40)), 0, 0, _origin(source))
        assert known is not None
        return known
    return ranges.exactly(source.choice((0, 0, 0, 1, 5, 0xFFFFFFFF)))


class Writer(Statements):
    """Writes whole programs."""

    # --- the whole --------------------------------------------------------------------------------------------------

    def function(self) -> None:
        source = self.source
        self.say("push {r4, r5, r6, lr}")
        if source.randrange(3) == 0:
            self.leaves = ["leaf0", "leaf1"][: source.choice((1, 2))]
        self.constant("r12", CELLS)
        self.constant("r11", TIMER)
        self.constant("r10", PORTS)
        self.constant("r9", source.choice((CELLS, CELLS - 0x20, CELLS + 0x40, CELLS + 0x80, ARENA)))
        for _ in range(source.choice((1, 1, 2, 3))):
            self.statements(0, source.randrange(0, 3))
            self.loop(0)
        self.probe(0)
        self.probe(0)
        self.mark("out")
        self.say("pop {r4, r5, r6, pc}")
        for leaf in self.leaves:
            self.leaf(leaf)

    def leaf(self, name: str) -> None:
        self.mark(name)
        leaves, self.leaves = self.leaves, []
        self.most += 12
        before = self.size
        self.statements(2, 1)
        if self.source.randrange(2):
            self.compare()
            condition = self.condition()
            self.say(f"it {condition}", f"bx{condition} lr")
        self.statements(1 if self.size - before < 10 else 2, self.source.randrange(1, 3))
        self.say("bx lr")
        self.leaves = leaves

    def statements(self, depth: int, count: int, *, way_out: tuple[str, str] | None = None) -> None:
        """`way_out` are the labels to break to and to continue at, inside a loop."""
        kinds = [
            self.simple,
            self.simple,
            self.predicated,
            self.choice,
            self.chain,
            self.toggle,
            self.probe,
            self.stale,
        ]
        if self.memory:
            kinds += [self.cells, self.cells, self.indexed, self.walk, self.walk, self.stack]
        if self.devices:
            kinds += [self.probe, self.device, self.poll_once, self.barrier]
        if depth < 3:
            kinds += [self.loop] * (2 if depth else 3)
            kinds += [self.fill]
        if self.leaves:
            kinds += [self.call, self.call]
        if self.counting:
            kinds += [self.late] * 4
        for _ in range(count):
            if self.size > self.most:
                return
            if way_out is not None and self.source.randrange(4) == 0:
                self.leave(depth, *way_out)
            else:
                self.source.choice(kinds)(depth)

    # --- ways out -----------------------------------------------------------------------------------------

    def leave(self, depth: int, end: str, latch: str) -> None:
        source = self.source
        if self.devices and source.randrange(3) == 0:
            register = self.reg()
            self.say(f"ldr {register}, [r10, #{INPUT:#x}]", f"tst {register}, #{self.byte()}")
        elif source.randrange(4):
            self.compare(f"r{5 + max(1, depth)}")
        where = source.choice((end, end, latch, latch, "out") if not self.in_leaf() else (end, latch))
        if source.randrange(30) == 0:
            stuck = self.label()
            self.say(f"b{self.condition()} {end}")
            self.mark(stuck)
            self.say(f"ldr r5, [r10, #{INPUT:#x}]", f"b {stuck}")
            return
        self.say(f"b{self.condition()} {where}")

    def in_leaf(self) -> bool:
        return "out:" in self.lines

    # --- loops ------------------------------------------------------------------------------------------------------

    def loop(self, depth: int) -> None:
        if self.size > self.most:
            return
        self.loops += 1
        kinds = [self.up, self.down, self.spilled, self.top_tested] * 4
        kinds += [self.up, self.around, self.of_pointer, self.poll, self.flag_ended] * 2 + [self.irreducible]
        self.source.choice(kinds)(min(depth, 2))

    def body(self, depth: int, end: str, latch: str, counter: str, last: int) -> None:
        """`last` is the counter's value in one of the last iterations, near enough."""
        self.counting.append((counter, max(0, min(last, 255))))
        self.statements(depth + 1, self.source.choice((1, 1, 2, 2, 3, 4)), way_out=(end, latch))
        self.counting.pop()

    def counter(self, depth: int) -> str:
        """The loop's own register; seldom the one of the loop around, or one that statements change."""
        if self.source.randrange(12) == 0:
            return self.source.choice((f"r{6 + max(0, depth - 1)}", self.reg()))
        return f"r{6 + depth}"

    def count(self, depth: int) -> int:
        return self.source.choice(COUNTS if depth == 0 else COUNTS[:-2] if self.source.randrange(3) else (1, 2, 3, 21))

    def bound(self, depth: int, value: int) -> str:
        """An operand that is the bound: a constant, a register, a cell."""
        kind = self.source.randrange(6)
        if kind < 4:
            return f"#{min(value, 255)}"
        if kind == 4:
            return self.reg()
        self.say(f"mov r5, #{min(value, 255)}")
        return "r5"

    def up(self, depth: int) -> None:
        source = self.source
        counter, count, step = self.counter(depth), self.count(depth), source.choice((1, 1, 1, 2, 3, 4, 7))
        way = source.choice(("ne", "cc", "cc", "ls", "lt", "lt", "le", "mi"))
        start = source.choice((0, 0, 0, 1, 2))
        total = start + step * count if way == "ne" and source.randrange(15) else step * count
        head, end, latch = self.label(), self.label(), self.label()
        if source.randrange(6) == 0:
            self.say(f"mvn {counter}, {counter}" if source.randrange(4) == 0 else f"mov {counter}, {self.reg()}")
        else:
            self.say(f"mov {counter}, #{start}")
        bound = self.bound(depth, total)
        self.mark(head)
        self.body(depth, end, latch, counter, start + step * count)
        self.mark(latch)
        if source.randrange(5) == 0:
            self.say(f"cmp {counter}, {bound}", f"add {counter}, {counter}, #{step}")
        else:
            self.say(f"add{source.choice(('', 's'))} {counter}, {counter}, #{step}", f"cmp {counter}, {bound}")
        self.say(f"b{way} {head}")
        self.mark(end)

    def down(self, depth: int) -> None:
        source = self.source
        counter, count, step = self.counter(depth), self.count(depth), source.choice((1, 1, 1, 2, 3, 5))
        way = source.choice(("ne", "ne", "pl", "hi", "gt", "ge", "cs"))
        head, end, latch = self.label(), self.label(), self.label()
        exact = way == "ne" and source.randrange(15)
        if source.randrange(5) == 0:
            self.say(f"uxtb {counter}, {self.reg()}")
        else:
            self.say(f"mov {counter}, #{min(255, step * max(1, count) if exact else step * count)}")
        self.mark(head)
        self.body(depth, end, latch, counter, 3)
        self.mark(latch)
        self.say(f"subs {counter}, {counter}, #{step}")
        if source.randrange(4) == 0:
            self.say(f"mov r4, {counter}", f"cmp {counter}, #{source.choice((0, 0, 1, 2))}")
        self.say(f"b{way} {head}")
        self.mark(end)

    def around(self, depth: int) -> None:
        """Through zero: from just below 2^32, or from negative to positive numbers."""
        source = self.source
        counter, head, end, latch = self.counter(depth), self.label(), self.label(), self.label()
        count = source.choice((1, 5, 20, 22, 30, 60))
        step = source.choice((1, 1, 2, 3))
        self.say(f"mov {counter}, #0", f"sub {counter}, {counter}, #{min(255, count * step + source.randrange(3))}")
        self.mark(head)
        self.body(depth, end, latch, counter, 4)
        self.mark(latch)
        self.say(f"adds {counter}, {counter}, #{step}")
        kind = source.randrange(4)
        if kind == 0:
            self.say(f"bcc {head}")
        elif kind == 1:
            self.say(f"bmi {head}")
        elif kind == 2:
            self.say(f"cmp {counter}, #{source.choice((0, 4, 12))}", f"b{source.choice(('lt', 'le', 'ne'))} {head}")
        else:
            self.say(f"cmp {counter}, #{source.choice((0, 4, 12))}", f"b{source.choice(('cs', 'hi'))} {head}")
        self.mark(end)

    def of_pointer(self, depth: int) -> None:
        """Until a pointer reaches its end; the body may move it as well."""
        source = self.source
        head, end, latch = self.label(), self.label(), self.label()
        count = source.choice((1, 3, 8, 21, 24, 32))
        self.constant("r9", source.choice((CELLS, CELLS, CELLS - 0x20, CELLS + 0x40)))
        if source.randrange(4):
            self.say(f"add r8, r9, #{4 * count}")
        else:
            self.say(f"add r8, r12, #{4 * count}")
        self.mark(head)
        self.say(
            source.choice(("str r9, [r9]", f"str {self.reg()}, [r9], #4", "stmia r9!, {r0, r1}",
                           f"ldr {self.reg()}, [r9], #4", f"strb {self.reg()}, [r9], #1", "strd r0, r1, [r9], #8"))
        )  # fmt: skip
        if source.randrange(2):
            self.body(depth, end, latch, "r9", 0)
        self.mark(latch)
        self.say("cmp r9, r8", f"b{source.choice(('ne', 'cc', 'cc', 'ls', 'lt'))} {head}")
        self.mark(end)

    def spilled(self, depth: int) -> None:
        """The counter lives in memory: a cell that other statements store to, or a word of the stack."""
        source = self.source
        place = self.cell() if source.randrange(3) else f"[sp, #{4 * source.randrange(3)}]"
        head, end, latch = self.label(), self.label(), self.label()
        temporary = source.choice((self.reg(), f"r{6 + depth}"))
        count = self.count(depth)
        upward = source.randrange(2)
        self.say(f"mov {temporary}, #{0 if upward else max(1, count)}", f"str {temporary}, {place}")
        self.mark(head)
        self.body(depth, end, latch, temporary, count if upward else 2)
        self.mark(latch)
        self.say(f"ldr {temporary}, {place}")
        if upward:
            self.say(f"add {temporary}, {temporary}, #1", f"str {temporary}, {place}", f"cmp {temporary}, #{count}")
            self.say(f"b{source.choice(('ne', 'cc', 'lt', 'ls', 'le'))} {head}")
        else:
            self.say(f"subs {temporary}, {temporary}, #1", f"str {temporary}, {place}")
            self.say(f"b{source.choice(('ne', 'gt', 'pl', 'hi'))} {head}")
        self.mark(end)

    def poll(self, depth: int) -> None:
        """Until a device says so, but no more than so often."""
        source = self.source
        counter, head, end, latch = f"r{6 + depth}", self.label(), self.label(), self.label()
        self.say(f"mov {counter}, #{source.choice((2, 5, 30, 100))}")
        self.mark(head)
        register = self.reg()
        self.say(f"ldr {register}, [r10, #{INPUT:#x}]", f"tst {register}, #{self.byte()}")
        self.say(f"b{source.choice(('eq', 'ne'))} {end}")
        if source.randrange(2):
            self.body(depth, end, latch, counter, 4)
        self.mark(latch)
        if source.randrange(8):
            self.say(f"subs {counter}, {counter}, #1", f"bne {head}")
        else:
            self.say(f"b {head}")
        self.mark(end)

    def top_tested(self, depth: int) -> None:
        """Possibly no iteration at all; the test is jumped to, or stands at the head."""
        source = self.source
        counter, head, end, latch = self.counter(depth), self.label(), self.label(), self.label()
        bound_value = min(255, self.count(depth))
        bound = self.source.choice((f"#{bound_value}", self.reg(), self.reg()))
        self.say(f"mov {counter}, #0")
        if source.randrange(2):
            self.mark(head)
            self.say(f"cmp {counter}, {bound}", f"b{source.choice(('cs', 'ge', 'eq', 'cs', 'hi', 'gt'))} {end}")
            self.body(depth, end, latch, counter, bound_value)
            self.mark(latch)
            self.say(f"add {counter}, {counter}, #1", f"b {head}")
        else:
            test = self.label()
            self.say(f"b {test}")
            self.mark(head)
            self.body(depth, end, latch, counter, bound_value)
            self.mark(latch)
            self.say(f"add {counter}, {counter}, #1")
            self.mark(test)
            self.say(f"cmp {counter}, {bound}", f"b{source.choice(('cc', 'lt', 'ne', 'cc', 'ls', 'le'))} {head}")
        self.mark(end)

    def irreducible(self, depth: int) -> None:
        """Two ways in."""
        source = self.source
        counter, head, middle, end = f"r{6 + depth}", self.label(), self.label(), self.label()
        latch = self.label()
        self.say(f"mov {counter}, #{source.choice((2, 3, 21, 24, 40))}")
        self.compare()
        self.say(f"b{self.condition()} {middle}")
        self.mark(head)
        self.statements(depth + 1, source.choice((1, 2)), way_out=(end, latch))
        self.mark(middle)
        self.body(depth, end, latch, counter, 3)
        self.mark(latch)
        self.say(f"subs {counter}, {counter}, #1", f"bne {head}")
        self.mark(end)

    def flag_ended(self, depth: int) -> None:
        """The condition that ends it was computed an iteration earlier, or in another part of the body."""
        source = self.source
        counter, head, end, latch = f"r{6 + depth}", self.label(), self.label(), self.label()
        self.say(f"mov {counter}, #{source.choice((1, 3, 21, 30, 50))}", "cmp r12, #0")
        self.mark(head)
        self.say(f"b{source.choice(('eq', 'eq', 'mi', 'cc'))} {end}")
        if source.randrange(2):
            self.body(depth, end, latch, counter, 3)
        self.mark(latch)
        self.say(f"subs {counter}, {counter}, #1")
        for _ in range(source.randrange(2)):
            self.say(f"mov {self.reg()}, {self.reg()}")
        self.say(f"b {head}")
        self.mark(end)
