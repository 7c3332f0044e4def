"""Random structured programs in assembly: what gates are made of, in every order."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

BUFFERS = (0x20000000, 0x20000400, 0x20001000, 0x20012000)
INPUT = 0x40020810
"""GPIOC.IDR."""
OUTPUTS = (0x40000034, 0x40020014, 0x40020018)
"""TIM2.CCR1, GPIOA.ODR, GPIOA.BSRR."""
CONDITIONS = ("eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
SIMPLE = (
    "movs {a}, #{byte}",
    "movw {a}, #{half}",
    "movt {a}, #{half}",
    "mov {a}, {b}",
    "adds {a}, {b}, {c}",
    "add {a}, {b}, #{twelve}",
    "subs {a}, {b}, {c}",
    "sub {a}, {b}, #{twelve}",
    "rsb {a}, {b}, #{byte}",
    "ands {a}, {b}",
    "and {a}, {b}, #{byte}",
    "bic {a}, {b}, #{byte}",
    "orr {a}, {b}, {c}",
    "orr {a}, {b}, #{byte}",
    "eors {a}, {b}",
    "mvns {a}, {b}",
    "lsls {a}, {b}, #{shift}",
    "lsrs {a}, {b}, #{shift}",
    "asrs {a}, {b}, #{shift}",
    "ror {a}, {b}, #{shift}",
    "lsls {a}, {b}",
    "adcs {a}, {b}",
    "sbcs {a}, {b}",
    "muls {a}, {b}, {a}",
    "mla {a}, {b}, {c}, {a}",
    "mls {a}, {b}, {c}, {a}",
    "umull {a}, {d}, {b}, {c}",
    "udiv {a}, {b}, {c}",
    "uxtb {a}, {b}",
    "sxtb {a}, {b}",
    "uxth {a}, {b}",
    "ubfx {a}, {b}, #{lsb}, #{width}",
    "sbfx {a}, {b}, #{lsb}, #{width}",
    "bfi {a}, {b}, #{lsb}, #{width}",
    "clz {a}, {b}",
    "rev {a}, {b}",
    "cmp {a}, {b}",
    "cmp {a}, #{byte}",
    "cmn {a}, {b}",
    "tst {a}, #{byte}",
)
IN_IT = (
    "mov{x} {a}, #{byte}",
    "mov{x} {a}, {b}",
    "add{x} {a}, {b}, #{byte}",
    "orr{x} {a}, {a}, {b}",
    "cmp{x} {a}, #{byte}",
)
"""What may stand in an IT block here; {x} is the condition."""
FREE = ("r0", "r1", "r2", "r3", "r4", "r5")
"""Registers that any statement may change; r6, r7, r8 count loops, r9 and r10 walk, r11 and r12 hold addresses."""


@dataclass
class Writer:
    source: random.Random
    name: str
    functions: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)
    labels: int = 0
    size: int = 0

    def say(self, template: str, **words: object) -> None:
        source = self.source
        low = sorted(source.sample(range(32), 2))
        known = {
            "a": source.choice(FREE), "b": source.choice(FREE), "c": source.choice(FREE), "d": "r4",
            "byte": source.choice((0, 1, 2, 3, 4, 7, 8, 15, 31, 64, 127, 128, 255)),
            "half": source.choice((0, 1, 0xFF, 0x7FFF, 0x8000, 0xFFFF, source.randrange(1 << 16))),
            "twelve": source.randrange(16), "shift": source.randrange(1, 32),
            "lsb": low[0], "width": low[1] - low[0],
        }  # fmt: skip
        if template.startswith("umull") and known["a"] == "r4":
            known["a"] = "r5"
        self.lines.append("    " + template.format(**{**known, **words}))
        self.size += 1

    def label(self) -> str:
        self.labels += 1
        return f".L{self.name}_{self.labels}"

    def mark(self, label: str) -> None:
        self.lines.append(f"{label}:")

    def address(self, register: str, value: int) -> None:
        self.say(f"movw {register}, #{value & 0xFFFF}")
        self.say(f"movt {register}, #{value >> 16}")

    # --- statements -------------------------------------------------------------------------------------------------

    def statements(self, depth: int, count: int) -> None:
        kinds = [self.simple, self.simple, self.simple, self.choice, self.predicated, self.memory, self.device]
        if depth < 2:
            kinds += [self.choice, self.counted, self.counted, self.fill, self.poll, self.walk, self.walk, self.as_told]
        if self.functions:
            kinds += [self.call, self.saved]
        for _ in range(count):
            if self.size > 120:
                return
            self.source.choice(kinds)(depth)

    def simple(self, depth: int) -> None:
        for _ in range(self.source.randrange(1, 4)):
            self.say(self.source.choice(SIMPLE))

    def compare(self) -> None:
        self.say(self.source.choice(("cmp {a}, #{byte}", "cmp {a}, {b}", "tst {a}, #{byte}", "lsls {a}, {b}, #{shift}",
                                     "subs {a}, {b}, #1", "adds {a}, {b}, {c}", "ands {a}, {b}")))  # fmt: skip

    def choice(self, depth: int) -> None:
        other, end = self.label(), self.label()
        if self.source.randrange(3) or depth < 2:
            self.compare()
            self.say(f"b{self.source.choice(CONDITIONS)} {other}")
        else:
            self.say(f"{self.source.choice(('cbz', 'cbnz'))} {{a}}, {other}")
            self.size += 3
        self.branch_body(depth)
        if self.source.randrange(2):
            self.lines.append(f"    b {end}")
            self.mark(other)
            self.branch_body(depth)
            self.mark(end)
        else:
            self.mark(other)

    def branch_body(self, depth: int) -> None:
        if depth < 2 and self.source.randrange(4) == 0:
            self.source.choice((self.fill, self.walk, self.memory))(depth)
        else:
            self.simple(depth)

    def predicated(self, depth: int) -> None:
        self.compare()
        condition = self.source.choice(CONDITIONS)
        opposite = CONDITIONS[CONDITIONS.index(condition) ^ 1]
        pattern = "".join(self.source.choice("te") for _ in range(self.source.randrange(4)))
        self.say(f"it{pattern} {condition}")
        for letter in "t" + pattern:
            self.say(self.source.choice(IN_IT), x=condition if letter == "t" else opposite)

    def memory(self, depth: int) -> None:
        self.address("r11", self.source.choice(BUFFERS) + 4 * self.source.randrange(8))
        kind = self.source.randrange(6)
        if kind == 0:
            self.say("str {a}, [r11]")
            self.say("ldr {b}, [r11]")
        elif kind == 1:
            offset = self.source.randrange(4)
            self.say(f"strb {{a}}, [r11, #{offset}]")
            self.say("ldr {b}, [r11]")
        elif kind == 2:
            self.say("strh {a}, [r11, #2]")
            self.say("ldrsh {b}, [r11, #2]")
        elif kind == 3:
            self.say("and r12, {a}, #0x1c")
            self.say("str {b}, [r11, r12]")
        elif kind == 4:
            self.say("and r12, {a}, #0x1f")
            self.say(f"{self.source.choice(('strb', 'ldrb', 'ldrsb'))} {{b}}, [r11, r12]")
        else:
            self.say("and r12, {a}, #7")
            self.say("adr r11, table")
            self.say(self.source.choice(("ldrb {b}, [r11, r12]", "ldr {b}, [r11, r12, lsl #2]")))

    def device(self, depth: int) -> None:
        if self.source.randrange(3):
            self.address("r11", self.source.choice(OUTPUTS))
            if self.source.randrange(3):
                self.say("str {a}, [r11]")
            else:
                self.compare()
                condition = self.source.choice(CONDITIONS)
                self.say(f"it {condition}")
                self.say(f"str{condition} {{a}}, [r11]")
        else:
            self.address("r11", INPUT)
            self.say("ldr {a}, [r11]")

    def counted(self, depth: int) -> None:
        counter = f"r{6 + depth}"
        count = self.source.choice((1, 2, 3, 5, 8, 12, 21, 25, 40, 100))
        head, end = self.label(), self.label()
        way = self.source.choice(("ne", "lo", "lt", "ls", "down-ne", "down-pl", "down-hi", "top", "cbz"))
        if depth > 1:
            way = "ne"
        self.say(f"mov {counter}, #{count if 'down' in way or way == 'cbz' else 0}")
        self.mark(head)
        if way == "top":
            self.say(f"cmp {counter}, #{count}")
            self.say(f"{self.source.choice(('bhs', 'bge', 'beq'))} {end}")
        elif way == "cbz" and depth < 2:
            self.say(f"cbz {counter}, {end}")
        self.body(depth, counter, end)
        if way in ("top", "cbz"):
            self.say(f"add {counter}, {counter}, #1" if way == "top" else f"sub {counter}, {counter}, #1")
            self.say(f"b {head}")
        elif way.startswith("down"):
            self.say(f"subs {counter}, {counter}, #1")
            if way == "down-hi":
                self.say(f"cmp {counter}, #0")
            self.say(f"b{way[5:]} {head}")
        else:
            self.say(f"add {counter}, {counter}, #1")
            self.say(f"cmp {counter}, #{count}")
            self.say(f"b{way} {head}")
        self.mark(end)

    def as_told(self, depth: int) -> None:
        """As often as a register says, within reason."""
        counter, head = f"r{6 + depth}", self.label()
        self.say(f"mov {counter}, #0")
        self.say("uxtb r12, {a}")
        if self.source.randrange(2):
            self.say("orr r12, r12, #64")
        self.mark(head)
        self.simple(depth)
        self.say(f"add {counter}, {counter}, #1")
        self.say(f"cmp {counter}, r12")
        self.say(f"b{self.source.choice(('lo', 'lt', 'ls'))} {head}")

    def body(self, depth: int, counter: str, end: str) -> None:
        before = self.size
        self.statements(depth + 1, self.source.randrange(1, 3))
        if self.source.randrange(3) == 0 and self.size - before < 20:
            self.say("cmp {a}, #{byte}")
            self.say(f"b{self.source.choice(('eq', 'ne', 'hi', 'mi'))} {end}")
        if self.source.randrange(3) == 0:
            self.say(f"adds {{a}}, {{b}}, {counter}")

    def fill(self, depth: int) -> None:
        start = self.source.choice(BUFFERS)
        width, store = self.source.choice(((4, "str"), (4, "str"), (1, "strb"), (2, "strh")))
        count = self.source.choice((1, 2, 4, 22, 30, 64))
        head = self.label()
        self.address("r9", start)
        self.say(self.source.choice(("movs r5, #0", "mov r5, #255", "adds r5, r1, #0", "movs r5, #1")))
        if self.source.randrange(2):
            self.address("r10", start + width * count)
            self.mark(head)
            self.say(f"{store} r5, [r9], #{width}")
            self.say("cmp r9, r10")
            self.say(f"b{self.source.choice(('ne', 'lo', 'cc'))} {head}")
        else:
            self.address("r10", start + width * count)
            self.mark(head)
            self.say(f"{store} r5, [r10, #-{width}]!")
            self.say("cmp r10, r9")
            self.say(f"b{self.source.choice(('ne', 'hi'))} {head}")

    def walk(self, depth: int) -> None:
        """A pointer walk that stores here and there: a fill, or what looks like one."""
        source = self.source
        counter = f"r{6 + depth}"
        step = source.choice((4, 4, 4, 8, -4, -8, 1, 12))
        count = source.choice((3, 23, 33))
        head, end = self.label(), self.label()
        pattern = [source.randrange(8) == 0 for _ in range(3)]
        self.address("r9", source.choice(BUFFERS) + (0x200 if step < 0 else 0))
        self.say(f"mov {counter}, #{count}")
        self.say(source.choice(("movs r5, #0", "mov r5, #255", "movs r5, #1", "adds r5, r1, #0")))
        self.mark(head)
        way_out = source.randrange(5)
        if way_out == 0:
            self.leave_early(end)
        for index in range(source.choice((1, 1, 2, 3))):
            self.one_store(step, skipped=pattern[index])
            if way_out == index + 1:
                self.leave_early(end)
        self.say(f"add r9, r9, #{step}" if step > 0 else f"sub r9, r9, #{-step}")
        if source.randrange(6) == 0:
            self.simple(depth)
        self.say(f"subs {counter}, {counter}, #1")
        self.say(f"bne {head}")
        self.mark(end)

    def leave_early(self, end: str) -> None:
        if self.source.randrange(2):
            if self.source.randrange(4) == 0:
                self.address("r11", INPUT)
                self.say("ldr r3, [r11]")
            self.say(self.source.choice(("cmp r0, #{byte}", "cmp r3, #{byte}")))
            self.say(f"b{self.source.choice(('eq', 'hi', 'mi'))} {end}")
        else:
            self.say(f"cmp r{self.source.choice((6, 7, 8))}, #{self.source.choice((1, 2, 3, 5, 9, 20))}")
            self.say(f"beq {end}")

    def one_store(self, step: int, *, skipped: bool) -> None:
        source = self.source
        after = self.label()
        if skipped:
            self.say(source.choice(("cmp r0, #{byte}", "cmp r6, #{byte}", "tst r1, #1")))
            self.say(f"b{source.choice(('eq', 'ne'))} {after}")
        if abs(step) % 4:
            self.say(f"strb r5, [r9, #{source.choice((0, 0, 1))}]")
        else:
            value = source.choice(("r5", "r5", "r5", "r5", "r4", "r9"))
            kind, offset = source.choice((("str", 0), ("str", 0), ("str", 4), ("str", 8), ("strh", 0), ("strb", 3)))
            self.say(f"{kind} {value}, [r9, #{offset}]")
        self.mark(after)

    def poll(self, depth: int) -> None:
        counter = f"r{6 + depth}"
        head, end = self.label(), self.label()
        self.address("r11", INPUT)
        self.say(f"mov {counter}, #{self.source.choice((2, 5, 50, 200))}")
        self.mark(head)
        self.say("ldr r3, [r11]")
        self.say("tst r3, #{byte}")
        self.say(f"b{self.source.choice(('eq', 'ne'))} {end}")
        self.say(f"subs {counter}, {counter}, #1")
        self.say(f"bne {head}")
        self.mark(end)

    def call(self, depth: int) -> None:
        self.say(f"bl {self.source.choice(self.functions)}")

    def saved(self, depth: int) -> None:
        self.say("push {{r0, r1, r2, r3}}")
        self.simple(depth)
        if self.source.randrange(2):
            self.say("ldr {a}, [sp, #4]")
        self.say("pop {{r0, r1, r2, r3}}")


def program(source: random.Random, name: str) -> str:
    """One program as assembly: a table, two leaf functions and the function `name`, which ends by `bx lr`."""
    functions = []
    text = []
    for index in range(2):
        leaf = Writer(source, f"{name}_f{index}")
        leaf.statements(1, source.randrange(1, 4))
        if source.randrange(2):
            leaf.compare()
            condition = source.choice(CONDITIONS)
            leaf.say(f"it {condition}")
            leaf.say(f"bx{condition} lr")
            leaf.statements(1, 1)
        functions.append(leaf.name)
        text += [f"{leaf.name}:", *leaf.lines, "    bx lr"]
    main = Writer(source, name, tuple(functions))
    main.say("push {{r4, lr}}")
    main.statements(0, source.choice((1, 2, 3, 4, 6, 8)))
    body = [f"{name}:", *main.lines, "    pop {r4, pc}"]
    table = ["    .balign 4", "table:", "    .word " + ", ".join(str(source.getrandbits(32)) for _ in range(8))]
    return "\n".join([*body, *text, *table]) + "\n"
