"""A small assembler: the Thumb-2 that random programs are written in, so that the campaign needs no toolchain.

One line is one instruction or one label (`name:`). Every data instruction takes its 32-bit encoding (DDI 0403, A5.3),
which is what GNU as makes of the same line with `.w` behind the mnemonic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

CONDITIONS = ("eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
_DATA = {"and": 0, "bic": 1, "orr": 2, "eor": 4, "add": 8, "adc": 10, "sbc": 11, "sub": 13, "rsb": 14}
_TESTS = {"tst": 0, "teq": 4, "cmn": 8, "cmp": 13}
_SHIFTS = ("lsl", "lsr", "asr", "ror")
_SIZES = {"b": 0, "h": 1, "": 2}
_PLAIN = {
    "nop": 0xBF00,
    "dsb": 0xF3BF8F4F,
    "isb": 0xF3BF8F6F,
}
_THREE = {"mul": 0xFB00F000, "udiv": 0xFBB0F0F0}
_EXTEND = {"uxtb": 0xFA5FF080, "sxtb": 0xFA4FF080, "uxth": 0xFA1FF080, "sxth": 0xFA0FF080}
Labels = dict[str, int]


class AssemblyError(ValueError):
    """The line is not in the little language, or a target is out of reach."""


def assemble(lines: Iterable[str], base: int) -> tuple[bytes, Labels]:
    """Machine code of the lines, laid out from `base`, and the address of each label."""
    kept = [line.strip() for line in lines if line.strip()]
    labels: Labels = {}
    address = base
    for line in kept:
        if line.endswith(":"):
            labels[line[:-1]] = address
        else:
            address += _size(line)
    code = bytearray()
    for line in kept:
        if not line.endswith(":"):
            code += _bytes(_encode(line, base + len(code), labels))
    return bytes(code), labels


def _size(line: str) -> int:
    name = line.split()[0]
    if name == ".word":
        return 4
    return 2 if name in ("nop", "cbz", "cbnz", "bx") or name.startswith(("it", "bx")) else 4


def _bytes(word: int | bytes) -> bytes:
    if isinstance(word, bytes):
        return word
    if word < 1 << 16:
        return word.to_bytes(2, "little")
    return (word >> 16).to_bytes(2, "little") + (word & 0xFFFF).to_bytes(2, "little")


def _encode(line: str, address: int, labels: Labels) -> int | bytes:
    for pattern, encode in _FORMS:
        found = pattern.fullmatch(line)
        if found is not None:
            return encode(found, address, labels)
    raise AssemblyError(line)


def _register(name: str) -> int:
    number = {"sp": 13, "lr": 14, "pc": 15}.get(name)
    return int(name[1:]) if number is None else number


def _list(text: str) -> int:
    mask = 0
    for name in text.split(","):
        mask |= 1 << _register(name.strip())
    return mask


def _split(text: str, known: Iterable[str]) -> tuple[str, bool]:
    """The mnemonic without condition, and whether it sets flags."""
    stem = text
    if len(text) > 3 and text not in known and text[-2:] in CONDITIONS and text[:-2] in known:
        stem = text[:-2]
    if stem not in known and stem.endswith("s") and stem[:-1] in known:
        return stem[:-1], True
    if stem not in known:
        raise AssemblyError(text)
    return stem, False


def _offset(labels: Labels, target: str, address: int) -> int:
    return labels[target] - (address + 4)


# --- one function for each form ---------------------------------------------------------------------------------------


def _data_immediate(m: re.Match[str], address: int, labels: Labels) -> int:
    name, sets = _split(m[1], _DATA)
    value = int(m[4], 0)
    if value > 255:
        raise AssemblyError(m[0])
    return 0xF0000000 | _DATA[name] << 21 | sets << 20 | _register(m[2]) << 8 | _register(m[3]) << 16 | value


def _data_register(m: re.Match[str], address: int, labels: Labels) -> int:
    name, sets = _split(m[1], (*_DATA, *_SHIFTS, *_THREE))
    rd, rn, rm = (_register(m[index]) for index in (2, 3, 4))
    if name in _SHIFTS:
        return 0xFA00F000 | _SHIFTS.index(name) << 21 | sets << 20 | rn << 16 | rd << 8 | rm
    if name in _THREE:
        return _THREE[name] | rn << 16 | rd << 8 | rm
    return 0xEA000000 | _DATA[name] << 21 | sets << 20 | rd << 8 | rn << 16 | rm


def _shift_immediate(m: re.Match[str], address: int, labels: Labels) -> int:
    name, sets = _split(m[1], _SHIFTS)
    count = int(m[4], 0)
    amount = (count >> 2 & 7) << 12 | (count & 3) << 6
    return 0xEA4F0000 | sets << 20 | amount | _SHIFTS.index(name) << 4 | _register(m[2]) << 8 | _register(m[3])


def _compare(m: re.Match[str], address: int, labels: Labels) -> int:
    name, _ = _split(m[1], _TESTS)
    rn, other = _register(m[2]), m[3]
    if other.startswith("#"):
        value = int(other[1:], 0)
        if value > 255:
            raise AssemblyError(m[0])
        return 0xF0100F00 | _TESTS[name] << 21 | rn << 16 | value
    return 0xEA100F00 | _TESTS[name] << 21 | rn << 16 | _register(other)


def _move_immediate(m: re.Match[str], address: int, labels: Labels) -> int:
    name, _ = _split(m[1], ("movw", "movt"))
    value = int(m[3], 0)
    fields = (value >> 12) << 16 | (value >> 11 & 1) << 26 | (value >> 8 & 7) << 12 | value & 0xFF
    return (0xF2400000 if name == "movw" else 0xF2C00000) | fields | _register(m[2]) << 8


def _move_register(m: re.Match[str], address: int, labels: Labels) -> int:
    name, sets = _split(m[1], ("mov", "mvn", *_EXTEND, "clz", "rev"))
    rd, rm = _register(m[2]), _register(m[3])
    if name in _EXTEND:
        return _EXTEND[name] | rd << 8 | rm
    if name == "clz":
        return 0xFAB0F080 | rm << 16 | rd << 8 | rm
    if name == "rev":
        return 0xFA90F080 | rm << 16 | rd << 8 | rm
    return (0xEA4F0000 if name == "mov" else 0xEA6F0000) | sets << 20 | rd << 8 | rm


def _move_small(m: re.Match[str], address: int, labels: Labels) -> int:
    _, sets = _split(m[1], ("mov",))
    value = int(m[3], 0)
    if value > 255:
        raise AssemblyError(m[0])
    return 0xF04F0000 | sets << 20 | _register(m[2]) << 8 | value


def _field(m: re.Match[str], address: int, labels: Labels) -> int:
    name, _ = _split(m[1], ("ubfx", "sbfx", "bfi"))
    lsb, width = int(m[4]), int(m[5])
    last = lsb + width - 1 if name == "bfi" else width - 1
    base = {"ubfx": 0xF3C00000, "sbfx": 0xF3400000, "bfi": 0xF3600000}[name]
    return base | _register(m[3]) << 16 | (lsb >> 2) << 12 | _register(m[2]) << 8 | (lsb & 3) << 6 | last


def _four(m: re.Match[str], address: int, labels: Labels) -> int:
    a, b, c, d = (_register(m[index]) for index in (2, 3, 4, 5))
    if m[1] == "umull":
        return 0xFBA00000 | c << 16 | a << 12 | b << 8 | d
    return 0xFB000000 | (m[1] == "mls") << 4 | b << 16 | d << 12 | a << 8 | c


def _transfer(m: re.Match[str], address: int, labels: Labels) -> int:
    """Base of LDR and STR of all widths: op, rt, rn."""
    kind, sign, width = re.fullmatch(r"(ldr|str)(s?)([bh]?)", _split(m[1], _TRANSFERS)[0]).groups()  # type: ignore[union-attr]
    return (
        0xF8000000 | bool(sign) << 24 | _SIZES[width] << 21 | (kind == "ldr") << 20
        | _register(m[2]) << 12 | _register(m[3]) << 16
    )  # fmt: skip


_TRANSFERS = (*(f"{kind}{width}" for kind in ("ldr", "str") for width in ("", "b", "h")), "ldrsb", "ldrsh")


def _transfer_offset(m: re.Match[str], address: int, labels: Labels) -> int:
    offset = int(m[4] or "0", 0)
    if offset >= 0:
        return _transfer(m, address, labels) | 1 << 23 | offset
    return _transfer(m, address, labels) | 0xC00 | -offset


def _transfer_index(m: re.Match[str], address: int, labels: Labels) -> int:
    return _transfer(m, address, labels) | int(m[5] or "0") << 4 | _register(m[4])


def _transfer_before(m: re.Match[str], address: int, labels: Labels) -> int:
    offset = int(m[4], 0)
    return _transfer(m, address, labels) | 0xD00 | (offset >= 0) << 9 | abs(offset)


def _transfer_after(m: re.Match[str], address: int, labels: Labels) -> int:
    offset = int(m[4], 0)
    return _transfer(m, address, labels) | 0x900 | (offset >= 0) << 9 | abs(offset)


def _dual(m: re.Match[str], address: int, labels: Labels) -> int:
    offset = int(m[5] or m[6] or "0", 0)
    before = 1 << 24 if m[6] is None else 0
    back = 1 << 21 if m[6] is not None else 0
    base = 0xE8500000 if m[1] == "ldrd" else 0xE8400000
    registers = _register(m[4]) << 16 | _register(m[2]) << 12 | _register(m[3]) << 8
    return base | before | back | (offset >= 0) << 23 | registers | abs(offset) >> 2


def _multiple(m: re.Match[str], address: int, labels: Labels) -> int:
    base = 0xE8800000 if m[2] == "ia" else 0xE9000000
    return base | (m[1] == "ldm") << 20 | bool(m[4]) << 21 | _register(m[3]) << 16 | _list(m[5])


def _push(m: re.Match[str], address: int, labels: Labels) -> int:
    return (0xE92D0000 if m[1] == "push" else 0xE8BD0000) | _list(m[2])


def _branch(m: re.Match[str], address: int, labels: Labels) -> int:
    name = m[1]
    offset = _offset(labels, m[2], address)
    if name in ("b", "bl"):
        s, high = offset >> 24 & 1, offset >> 12 & 0x3FF
        j1, j2 = ~(offset >> 23 ^ s) & 1, ~(offset >> 22 ^ s) & 1
        base = 0xF0009000 if name == "b" else 0xF000D000
        return base | s << 26 | high << 16 | j1 << 13 | j2 << 11 | offset >> 1 & 0x7FF
    condition = CONDITIONS.index(name[1:])
    s, j2, j1 = offset >> 20 & 1, offset >> 19 & 1, offset >> 18 & 1
    return (
        0xF0008000 | s << 26 | condition << 22 | (offset >> 12 & 0x3F) << 16
        | j1 << 13 | j2 << 11 | offset >> 1 & 0x7FF
    )  # fmt: skip


def _compare_branch(m: re.Match[str], address: int, labels: Labels) -> int:
    offset = _offset(labels, m[3], address)
    if not 0 <= offset <= 126:
        raise AssemblyError(f"{m[0]} by {offset}")
    return 0xB100 | (m[1] == "cbnz") << 11 | (offset >> 6) << 9 | (offset >> 1 & 31) << 3 | _register(m[2])


def _if_then(m: re.Match[str], address: int, labels: Labels) -> int:
    condition = {**{name: number for number, name in enumerate(CONDITIONS)}, "hs": 2, "lo": 3}[m[2]]
    mask = 0
    for index, letter in enumerate(m[1]):
        mask |= (condition & 1 if letter == "t" else ~condition & 1) << 3 - index
    return 0xBF00 | condition << 4 | mask | 1 << 3 - len(m[1])


_R = r"(r\d+|sp|lr|pc)"
_N = r"#(-?\w+)"
_Encoder = Callable[[re.Match[str], int, Labels], int | bytes]
_FORMS: list[tuple[re.Pattern[str], _Encoder]] = [
    (re.compile(pattern), encode)
    for pattern, encode in (
        (rf"(it[te]*)? ?({'|'.join(_PLAIN)})", lambda m, a, labels: _PLAIN[m[2]]),
        (r"\.word (\w+)", lambda m, a, labels: int(m[1], 0).to_bytes(4, "little")),
        (r"it([te]*) (\w\w)", _if_then),
        (r"bx(?:\w\w)? (r\d+|lr)", lambda m, a, labels: 0x4700 | _register(m[1]) << 3),
        (r"(cbn?z) (r[0-7]), (\S+)", _compare_branch),
        (rf"(bl?|b(?:{'|'.join(CONDITIONS)})) (\S+)", _branch),
        (rf"(mov[wt]\w*) {_R}, {_N}", _move_immediate),
        (rf"(mov\w*) {_R}, {_N}", _move_small),
        (rf"((?:cmp|cmn|tst|teq)\w*) {_R}, (#\w+|r\d+)", _compare),
        (rf"(ldr\w*|str\w*) {_R}, \[{_R}(?:, {_N})?\]", _transfer_offset),
        (rf"(ldr\w*|str\w*) {_R}, \[{_R}, {_R}(?:, lsl #(\d))?\]", _transfer_index),
        (rf"(ldr\w*|str\w*) {_R}, \[{_R}, {_N}\]!", _transfer_before),
        (rf"(ldr\w*|str\w*) {_R}, \[{_R}\], {_N}", _transfer_after),
        (rf"(ldrd|strd) {_R}, {_R}, \[{_R}(?:, {_N})?\](?:, {_N})?", _dual),
        (rf"(ldm|stm)(ia|db) {_R}(!?), {{(.*)}}", _multiple),
        (r"(push|pop) {(.*)}", _push),
        (rf"(ubfx|sbfx|bfi) {_R}, {_R}, #(\d+), #(\d+)", _field),
        (rf"(umull|mla|mls) {_R}, {_R}, {_R}, {_R}", _four),
        (rf"(\w+) {_R}, {_R}, {_R}", _data_register),
        (rf"((?:lsl|lsr|asr|ror)\w*) {_R}, {_R}, {_N}", _shift_immediate),
        (rf"(\w+) {_R}, {_R}, {_N}", _data_immediate),
        (rf"(\w+) {_R}, {_R}", _move_register),
    )
]
