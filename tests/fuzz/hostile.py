"""Images made to cost the verifier as much as they can, as raw Thumb code: no toolchain is needed.

Each is a boot (from `CODE`), perhaps one that reaches the drop, and handlers. None of them conforms. What each is made
to exhaust is its docstring.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

from pinproof.image import Image

from tests.unit.image.files import hex_file

FLASH, FLASH_SIZE = 0x08000000, 0x80000
VECTORS = 101
CODE = FLASH + 4 * VECTORS + 4
RAM, STACK = 0x20000000, 0x20018000
GPIO = 0x40020000
MOST = 19_000
"""Instructions of one function, below what the verifier follows."""
NOP, RETURN, PUSH_LR, POP_PC = 0xBF00, 0x4770, 0xB500, 0xBD00
EQ, NE, CC = 0, 1, 3
Code = list[int]
"""Halfwords."""


def movs(register: int, value: int) -> Code:
    return [0x2000 | register << 8 | value]


def adds(register: int, value: int) -> Code:
    return [0x3000 | register << 8 | value]


def compare(register: int, value: int) -> Code:
    return [0x2800 | register << 8 | value]


def move_wide(register: int, value: int) -> Code:
    """MOVW and MOVT."""
    code = []
    for opcode, half in ((0xF240, value & 0xFFFF), (0xF2C0, value >> 16)):
        first = opcode | half >> 12 | (half >> 11 & 1) << 10
        code += [first, (half >> 8 & 7) << 12 | register << 8 | half & 0xFF]
    return code


def store(source: int, base: int, offset: int = 0) -> Code:
    return [0xF8C0 | base, source << 12 | offset]


def load(target: int, base: int, offset: int = 0) -> Code:
    return [0xF8D0 | base, target << 12 | offset]


def store_many(base: int, registers: Iterable[int]) -> Code:
    """STMIA base!, without bases among the registers."""
    return [0xC000 | base << 8 | sum(1 << register for register in registers)]


def and_number(target: int, source: int, value: int) -> Code:
    """AND with a number below 256."""
    return [0xF000 | source, target << 8 | value]


def branch_if(condition: int, halfwords: int) -> Code:
    """Over `halfwords` halfwords behind the branch."""
    return [0xD000 | condition << 8 | halfwords - 1 & 0xFF]


def far_if(condition: int, distance: int) -> Code:
    """B<c>.W by `distance` bytes from the branch."""
    value = distance - 4
    sign = value >> 20 & 1
    return [
        0xF000 | sign << 10 | condition << 6 | value >> 12 & 0x3F,
        0x8000 | (value >> 18 & 1) << 13 | (value >> 19 & 1) << 11 | value >> 1 & 0x7FF,
    ]


def call(distance: int) -> Code:
    """BL by `distance` bytes from the call."""
    value = distance - 4
    sign = value >> 24 & 1
    first, second = ((value >> bit & 1) ^ sign ^ 1 for bit in (23, 22))
    return [0xF000 | sign << 10 | value >> 12 & 0x3FF, 0xD000 | first << 13 | second << 11 | value >> 1 & 0x7FF]


def jump(distance: int) -> Code:
    """B.W by `distance` bytes from the branch."""
    first, second = call(distance)
    return [first, second & ~0x4000]


def before(image: Image, code: Code) -> bytes:
    """`image` with `code` run before its own boot, in flash that the image leaves free inside the declared gate."""
    first = image.segments[0]
    reset = int.from_bytes(first.data[4:8], "little")
    at = first.end + 3 & ~3
    code = [*code, *jump((reset & ~1) - at - 2 * len(code))]
    boot = struct.pack(f"<{len(code)}H", *code)
    table = first.data[:4] + struct.pack("<I", at | 1) + first.data[8:]
    rest = [(segment.address, segment.data) for segment in image.segments[1:]]
    return hex_file([(first.address, table), (at, boot), *rest], width=64)


def image(boot: Code, handlers: Iterable[Code] = ()) -> bytes:
    """Intel HEX of a vector table, the boot and the handlers, the last of which serves the rest of the vectors."""
    code = list(boot)
    starts = []
    for handler in handlers or ([RETURN],):
        starts.append(CODE + 2 * len(code))
        code += handler
    rest = VECTORS - 2 - len(starts)
    vectors = [STACK, CODE + 1, *(start + 1 for start in starts), *[starts[-1] + 1] * rest]
    data = struct.pack(f"<{VECTORS}I", *vectors) + bytes(4) + struct.pack(f"<{len(code)}H", *code)
    if len(data) > FLASH_SIZE:
        raise ValueError("larger than the flash")
    return hex_file([(FLASH, data)], width=64)


def in_functions(before: Code, pieces: list[Code], each: int, end: Code) -> Code:
    """`before`, then calls of functions that hold `each` pieces apiece, then `end`; the functions follow."""
    bodies = []
    for at in range(0, len(pieces), each):
        body = [half for piece in pieces[at : at + each] for half in piece]
        bodies.append([*body, RETURN])
    code = list(before)
    start = len(before) + 2 * len(bodies) + len(end)
    for body in bodies:
        code += call(2 * (start - len(code)))
        start += len(body)
    return [*code, *end, *(half for body in bodies for half in body)]


ENDLESS = [0xE7FE]
DROP = [*movs(0, 3), 0xF380, 0x8814, 0xF3BF, 0x8F6F, *ENDLESS]
"""CONTROL becomes 3, ISB, and the confined part loops."""


def fill_ram(words: int) -> Code:
    """A slot of its own for each of `words` words, from a loaded value that is not known."""
    code = move_wide(0, RAM) + move_wide(1, GPIO)
    code += [half for register in range(2, 8) for half in (*load(register, 1, 0x10), *adds(register, register))]
    return code + store_many(0, range(2, 8)) * (words // 6)


# --- the images -----------------------------------------------------------------------------------------------------


def eight_loops() -> Code:
    """Eight loops, one in the other, of 255 rounds each."""
    code: Code = []
    tops = []
    for register in range(8):
        code += movs(register, 0)
        tops.append(len(code))
    for register in reversed(range(8)):
        code += adds(register, 1) + compare(register, 255)
        code += far_if(NE, 2 * (tops[register] - len(code)))
    return code


def nested_loops() -> bytes:
    """Eight loops, one in the other, of 255 rounds each."""
    return image(eight_loops() + ENDLESS)


def nested_loops_that_store() -> bytes:
    """Seven loops, one in the other, around stores to a device and to memory, with all of memory known word by word."""
    code = fill_ram(6000) + move_wide(7, GPIO)
    tops = []
    for register in range(6):
        code += movs(register, 0)
        tops.append(len(code))
    code += store(0, 7, 0x14)
    for register in reversed(range(6)):
        code += adds(register, 1) + compare(register, 255)
        code += far_if(NE, 2 * (tops[register] - len(code)))
    return image(code + ENDLESS)


def loops_beside_each_other() -> bytes:
    """Thousands of loops, each after ten thousand recorded stores to devices."""
    before = move_wide(1, GPIO) + movs(0, 0) + store(0, 1, 0x14) * 9000
    loop = [*movs(0, 0), *adds(0, 1), *compare(0, 200), 0xD1FC]
    return image(in_functions(before, [loop] * 2000, 100, ENDLESS))


def branches_with_full_memory() -> bytes:
    """Thousands of branches that meet again, each with every word of memory known."""
    before = fill_ram(24000) + load(2, 1, 0x10)
    pieces = [[*compare(2, number & 0xFF), *branch_if(NE, 1), 0x3301] for number in range(10_000)]
    return image(in_functions(before, pieces, 200, ENDLESS))


def branches_to_one_place() -> bytes:
    """Thousands of states that wait for one block, each with every word of memory known."""
    before = fill_ram(24000) + load(2, 1, 0x10)
    pieces = []
    for number in range(4000):
        left = 4 * (300 - number % 300) - 2
        pieces.append([*compare(2, number & 0xFF), *far_if(EQ, 2 * (left - left % 2 - 1) + 2), NOP])
    return image(in_functions(before, pieces, 300, ENDLESS))


def many_returns() -> bytes:
    """Handlers with thousands of ends, each with every word of memory known."""
    start = fill_ram(12000) + load(2, 1, 0x10)
    returns = [half for number in range(250) for half in (*compare(2, number), *branch_if(NE, 1), RETURN)]
    handlers = [[*start, *returns, RETURN] for _ in range(8)]
    return image(DROP, handlers)


def flash_full_of_stores() -> bytes:
    """Stores to a device that fill the flash, in functions that are called one after the other."""
    code: Code = move_wide(1, GPIO) + movs(0, 0)
    functions = 13
    calls = len(code) + 2 * functions + 1
    body = store(0, 1, 0x14) * 9600 + [RETURN]
    for index in range(functions):
        code += call(2 * (calls + index * len(body) - len(code)))
    return image(code + ENDLESS + body * functions)


def full_flash_of_different_stores() -> bytes:
    """As before, with values that differ, and called twice each."""
    code: Code = move_wide(1, GPIO) + movs(0, 0)
    functions = 12
    calls = len(code) + 4 * functions + 1
    bodies: Code = []
    starts = []
    for _ in range(functions):
        starts.append(calls + len(bodies))
        bodies += [half for number in range(6400) for half in (*movs(0, number & 0xFF), *store(0, 1, 0x14))]
        bodies.append(RETURN)
    for start in [*starts, *starts]:
        code += call(2 * (start - len(code)))
    return image(code + ENDLESS + bodies)


def call_tree() -> bytes:
    """Twenty-two functions that each call the next one twice, and the last a device: 2^22 calls."""
    code: Code = move_wide(1, GPIO) + movs(0, 0)
    depth = 22
    size = 1 + 4 + 1
    start = len(code) + 2 + 1
    code += call(2 * (start - len(code))) + ENDLESS
    for level in range(depth):
        here = start + level * size
        following = here + size
        code += [PUSH_LR, *call(2 * (following - here - 1)), *call(2 * (following - here - 3)), POP_PC]
    return image([*code, *store(0, 1, 0x14), RETURN])


def obstacles() -> bytes:
    """An obstacle behind every branch, in every handler."""
    handlers = []
    for _ in range(90):
        handler = move_wide(1, GPIO) + load(2, 1, 0x10)
        for number in range(700):
            handler += compare(2, number & 0xFF) + branch_if(NE, 1) + [0xDE00]
        handlers.append([*handler, RETURN])
    return image(DROP, handlers)


def heavy_handlers() -> bytes:
    """A handler of its own for each vector, each with loops over memory that keep growing what it leaves."""
    handlers = []
    for index in range(98):
        base = RAM + 0x400 * (index % 80)
        handler: Code = move_wide(1, GPIO)
        for number in range(120):
            handler += move_wide(0, base + 4 * number) + load(2, 0) + adds(2, 1) + store(2, 0)
        handler += movs(3, 0)
        loop = adds(3, 1) + compare(3, 200)
        handler += [*loop, 0xD1FC]
        handlers.append([*handler, RETURN])
    return image(DROP, handlers)


def counters_that_never_settle() -> bytes:
    """Handlers that each shift another memory word, so that what they leave grows round by round."""
    handler: Code = []
    for number in range(2000):
        handler += move_wide(0, RAM + 4 * number) + load(2, 0) + load(3, 0, 4) + [0x18D2] + store(2, 0)
    return image(DROP, [[*handler, RETURN]])


def table_reads() -> bytes:
    """Loads from flash with an index of thousands of values, one after the other."""
    before = move_wide(1, GPIO) + move_wide(0, FLASH) + load(2, 1, 0x10) + [0xF3C2, 0x030C]
    pieces = [[0xF810, 0x4003]] * 36_000
    return image(in_functions(before, pieces, 9000, ENDLESS))


def stores_anywhere() -> bytes:
    """Stores through an index into memory of which every word is known."""
    before = fill_ram(24000) + load(2, 1, 0x10) + and_number(2, 2, 0xFC) + move_wide(0, RAM)
    before += [*move_wide(4, 0xFFFC), 0x4014, *load(5, 1, 0x10), 0x402C]
    return image(in_functions(before, [[0xF840, 0x3004]] * 36_000, 9000, ENDLESS))


def loads_anywhere() -> bytes:
    """Loads through an index from memory of which every word is known."""
    before = fill_ram(24000) + load(5, 1, 0x10) + move_wide(0, RAM) + move_wide(4, 0xFFFC) + [0x402C]
    return image(in_functions(before, [[0xF850, 0x3004]] * 36_000, 9000, ENDLESS))


def scattered_stores() -> bytes:
    """Memory cut into thousands of pieces of different contents, and branches that meet again."""
    before = move_wide(1, GPIO) + load(5, 1, 0x10) + and_number(4, 5, 4)
    for number in range(1500):
        before += move_wide(0, RAM + 16 * number) + and_number(3, 5, number % 255 + 1) + [0xF840, 0x3004]
    pieces = [[*compare(5, number & 0xFF), *branch_if(NE, 2), 0xF840, 0x3004] for number in range(2000)]
    return image(in_functions(before, pieces, 200, ENDLESS))


def interruptible_boot() -> bytes:
    """A boot with interrupts on, so that each of its instructions may be where a handler begins."""
    code = fill_ram(12000) + move_wide(1, 0xE000E100) + movs(2, 1) + store(2, 1)
    code += [0x3301] * 9000
    return image(code + ENDLESS, [[RETURN]])


def symbols() -> bytes:
    """A new unknown at every instruction, and branches that copy all of them."""
    before = move_wide(1, GPIO)
    pieces = [[*load(2, 1, 0x10), *compare(2, number & 0xFF), *branch_if(NE, 1), NOP] for number in range(40_000)]
    return image(in_functions(before, pieces, 200, ENDLESS))


def symbols_without_branches() -> bytes:
    """A hundred thousand unknowns, in functions without a branch, and then branches."""
    before = move_wide(1, GPIO)
    pieces = load(2, 1, 0x10)
    branches = [half for number in range(90) for half in (*compare(2, number), *branch_if(NE, 1), NOP)]
    loads = [half for _ in range(9000) for half in pieces]
    return image(in_functions(before, [loads + branches] * 12, 1, ENDLESS))


def conditional_blocks() -> bytes:
    """IT blocks of four, whose paths are followed one by one, with every word of memory known."""
    before = fill_ram(24000) + load(2, 1, 0x10)
    pieces = [[*compare(2, number & 0xFF), 0xBF01, 0x3301, 0x3401, 0x3501, 0x3601] for number in range(10_000)]
    return image(in_functions(before, pieces, 2000, ENDLESS))


def deep_graph() -> bytes:
    """Loops nested deeper than the verifier follows, by shape alone."""
    count = 220
    function: Code = []
    for _ in range(count):
        function += [*compare(0, 1), NOP]
    for number in reversed(range(count)):
        function += compare(0, 2)
        function += far_if(NE, 2 * (2 * number - len(function)))
    return image(in_functions([], [function] * 50, 1, ENDLESS))


def divisions() -> bytes:
    """Loops of unknown length around divisions, each of which takes another time."""
    loop = [0xFBB2, 0xF2F3, *load(2, 1, 0x10), *compare(2, 7)]
    piece = loop + far_if(NE, -2 * len(loop))
    return image(in_functions(move_wide(1, GPIO), [piece] * 10_000, 100, ENDLESS))


IMAGES: dict[str, Callable[[], bytes]] = {
    build.__name__.replace("_", "-"): build
    for build in (
        nested_loops,
        nested_loops_that_store,
        loops_beside_each_other,
        branches_with_full_memory,
        branches_to_one_place,
        many_returns,
        flash_full_of_stores,
        full_flash_of_different_stores,
        call_tree,
        obstacles,
        heavy_handlers,
        counters_that_never_settle,
        table_reads,
        stores_anywhere,
        loads_anywhere,
        scattered_stores,
        interruptible_boot,
        symbols,
        symbols_without_branches,
        conditional_blocks,
        deep_graph,
        divisions,
    )
}
