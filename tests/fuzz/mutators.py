"""Changes that keep a file nearly right, so that the fuzzer gets past the first check of each reader.

Each mutator takes a file and a source of chance and gives another file, which may be as broken as it likes; `noise`
stands for the fuzzer's own changes to bytes.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from random import Random

from tests.fuzz import vouched
from tests.unit.image import files
from tests.unit.image.files import HEADER, SECTION, SEGMENT, Elf, Load, hex_record

Noise = Callable[[bytes, int], bytes]
"""Bytes and the most that may come back, to other bytes."""
EDGES = (
    0, 1, 2, 3, 4, 7, 8, 31, 32, 40, 52, 63, 64, 0x7F, 0x80, 0xFF, 0x100, 0xFFF, 0x1000, 0xFFFF, 0x10000,
    0x08000000, 0x08001000, 0x20000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFC, 0xFFFFFFFE, 0xFFFFFFFF,
)  # fmt: skip


def _number(chance: Random, bits: int = 32) -> int:
    if chance.random() < 0.7:
        return chance.choice(EDGES) & ((1 << bits) - 1)
    return chance.getrandbits(chance.randint(1, bits))


# --- ELF ------------------------------------------------------------------------------------------------------------


def elf(data: bytes, most: int, chance: Random, noise: Noise) -> bytes:
    """Headers with odd fields, tables that point elsewhere, sections with other contents, or another file."""
    if chance.random() < 0.05:
        return _new_elf(chance)[:most]
    if len(data) < HEADER or chance.random() < 0.2:
        return noise(data, most)
    buffer = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        chance.choice((_elf_header, _table_field, _table_field, _copy_header, _section_bytes, _section_bytes))(
            buffer, chance, noise
        )
    return bytes(buffer[:most])


def _new_elf(chance: Random) -> bytes:
    loads = []
    for _ in range(chance.randint(1, 6)):
        address = 0x08000000 + chance.choice((0, 4, 64, 256, _number(chance, 20)))
        size = chance.choice((0, 1, 4, 64, chance.randint(0, 200)))
        loads.append(
            Load(
                address=address & 0xFFFFFFFF,
                data=chance.randbytes(size),
                physical=address if chance.random() < 0.7 else _number(chance),
                memory_size=size + chance.choice((0, 0, 4, _number(chance, 16))),
                flags=chance.choice((4, 5, 6, 7)),
                type=chance.choice((1, 1, 1, 1, 0, 2, 4, 6, 0x70000001, 0x6474E551)),
            )
        )
    return Elf(loads=loads, sections=() if chance.random() < 0.5 else None).build()


def _elf_header(buffer: bytearray, chance: Random, noise: Noise) -> None:
    at, layout = chance.choice(
        [(16, "H"), (18, "H"), (20, "I"), (24, "I"), (28, "I"), (32, "I"), (36, "I")]
        + [(at, "H") for at in range(40, HEADER, 2)]
    )
    struct.pack_into("<" + layout, buffer, at, _number(chance, 16 if layout == "H" else 32))


def _tables(buffer: bytearray) -> list[tuple[int, int, int]]:
    """(offset, count, entry size) of the two tables of headers, as far as they lie inside the file."""
    (segments_at, sections_at), counts = struct.unpack_from("<II", buffer, 28), struct.unpack_from("<HHHHH", buffer, 42)
    found = [(segments_at, min(counts[1], 64), SEGMENT), (sections_at, min(counts[3], 64), SECTION)]
    return [table for table in found if table[1] and table[0] + table[1] * table[2] <= len(buffer)]


def _table_field(buffer: bytearray, chance: Random, noise: Noise) -> None:
    """One field of one header: an edge, a near value, or a field of another header."""
    tables = _tables(buffer)
    if not tables:
        return
    start, count, size = chance.choice(tables)
    at = start + chance.randrange(count) * size + 4 * chance.randrange(size // 4)
    old = struct.unpack_from("<I", buffer, at)[0]
    other = struct.unpack_from("<I", buffer, start + chance.randrange(count) * size + (at - start) % size)[0]
    value = chance.choice((_number(chance), old + chance.choice((-4, -1, 1, 4)), other, len(buffer), len(buffer) - old))
    struct.pack_into("<I", buffer, at, value & 0xFFFFFFFF)


def _copy_header(buffer: bytearray, chance: Random, noise: Noise) -> None:
    """One header over another of its table."""
    tables = _tables(buffer)
    if not tables:
        return
    start, count, size = chance.choice(tables)
    source, target = (start + chance.randrange(count) * size for _ in range(2))
    buffer[target : target + size] = buffer[source : source + size]


def _section_bytes(buffer: bytearray, chance: Random, noise: Noise) -> None:
    """Other contents for one section, at the end of the file where they have grown."""
    sections = [table for table in _tables(buffer) if table[2] == SECTION]
    if not sections:
        return
    start, count, _ = sections[0]
    at = start + chance.randrange(count) * SECTION
    offset, size = struct.unpack_from("<II", buffer, at + 16)
    if offset + size > len(buffer):
        return
    fresh = noise(bytes(buffer[offset : offset + size]), size + chance.choice((0, 0, 16, 200)))
    if len(fresh) <= size:
        buffer[offset : offset + len(fresh)] = fresh
    else:
        offset = len(buffer)
        buffer += fresh
    struct.pack_into("<II", buffer, at + 16, offset, len(fresh))


# --- Intel HEX ------------------------------------------------------------------------------------------------------


def hex_file(data: bytes, most: int, chance: Random, noise: Noise) -> bytes:
    """Records with right checksums and odd contents, in another order, twice or not at all."""
    if chance.random() < 0.2:
        return noise(data, most)
    lines = data.split(b"\n")
    for _ in range(chance.randint(1, 4)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(8):
            case 0:
                lines.insert(at, lines[other])
            case 1:
                lines[at], lines[other] = lines[other], lines[at]
            case 2:
                lines.pop(at)
                lines = lines or [b""]
            case 3:
                lines[at] = chance.choice((lines[at].lower(), lines[at] + b"\r", b" " + lines[at], b""))
            case 4:
                lines.insert(at, _record(chance))
            case _:
                lines[at] = _changed_record(lines[at], chance, noise)
    return b"\n".join(lines)[:most]


def _record(chance: Random) -> bytes:
    kind = chance.choice((0, 0, 0, 1, 2, 3, 4, 5, 6))
    size = chance.randint(0, 20) if kind == 0 or chance.random() < 0.2 else {1: 0, 2: 2, 3: 4, 4: 2, 5: 4}.get(kind, 1)
    return hex_record(kind, _number(chance, 16) if kind == 0 else 0, chance.randbytes(size)).encode()


def _changed_record(line: bytes, chance: Random, noise: Noise) -> bytes:
    """The record with one of its fields changed, its length and checksum right again."""
    try:
        record = bytes.fromhex(line[1:].decode("ascii", "replace"))
    except ValueError:
        return _record(chance)
    if len(record) < 5:
        return _record(chance)
    kind, offset, payload = record[3], int.from_bytes(record[1:3], "big"), record[4:-1]
    match chance.randrange(4):
        case 0:
            kind = chance.choice((0, 1, 2, 3, 4, 5, 6, 255))
        case 1:
            offset = _number(chance, 16)
        case 2:
            offset = (offset + chance.choice((-1, 1, len(payload), -len(payload)))) & 0xFFFF
        case _:
            payload = noise(payload, 255)
    return hex_record(kind, offset, payload[:255]).encode()


# --- TOML -----------------------------------------------------------------------------------------------------------

_TOML_VALUES = (
    b'""', b'"x"', b"0", b"-1", b"1", b"4", b"0xFFFFFFFF", b"0x100000000", b"1e400", b"nan", b"inf", b"true", b"[]",
    b"{}", b"[1, 2]", b'["PA5"]', b'["PA5", "PA5"]', b"{ start = 0, size = 4 }", b"1979-05-27", b'"\\u202e"', b'"0.0"',
    b'"1.000000001"', b'"\\u0000"', b'"../x"', b'"a/b"', b"9" * 40, b"0x20000000", b'"\xef\xbc\x91.0"',
    b"{ a.b.c = 1 }",
)  # fmt: skip


def toml(data: bytes, most: int, chance: Random, noise: Noise) -> bytes:
    """Lines in another order, twice or not at all; other values; keys of other tables."""
    if chance.random() < 0.2:
        return noise(data, most)
    lines = data.split(b"\n")
    for _ in range(chance.randint(1, 3)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        key, equals, value = lines[at].partition(b" = ")
        match chance.randrange(8):
            case 0:
                lines.insert(at, lines[other])
            case 1:
                lines[at], lines[other] = lines[other], lines[at]
            case 2:
                lines.pop(at)
                lines = lines or [b""]
            case 3 if equals:
                lines[at] = key + equals + (lines[other].partition(b" = ")[2] or b"0")
            case 4 if equals:
                lines[at] = noise(key, 60).replace(b"\n", b"") + equals + value
            case 5 if equals:
                lines[at] = key + equals + noise(value, len(value) + 20).replace(b"\n", b"")
            case _:
                lines[at] = (key + equals if equals else b"") + chance.choice(_TOML_VALUES)
    return b"\n".join(lines)[:most]


# --- certificates ---------------------------------------------------------------------------------------------------

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
_JSON_VALUES: tuple[Json, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 4, 1.5, float("nan"), 10**30, 2**32, "", "x", "\u202e", "\ud800", "\x00", [], {},
    [[]], "pass", "not-applicable", "fail", "conforms", "proved", "hardware", "tested", "assumed", "declared", "lab",
    "vendor", "certifiable", "0" * 64, "2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2027-01-01T00:00:00Z",
    "out-clocked", "image", "flash-image", "model", "ed25519", "ecdsa-sha2-nistp256", vouched.IMAGE_SHA256,
)  # fmt: skip


def certificate(data: bytes, most: int, chance: Random, noise: Noise) -> bytes:
    """Valid JSON of nearly the right shape: values swapped, keys dropped, doubled or moved, other spellings."""
    part, rest = (data[:1] or b"b"), data[1:]
    if chance.random() < 0.03:
        part = chance.choice((b"b", b"s", b"t"))
    if chance.random() < 0.15:
        return part + noise(rest, most - 1)
    try:
        value: Json = json.loads(rest)
    except (ValueError, RecursionError):
        return part + noise(rest, most - 1)
    for _ in range(chance.randint(1, 3)):
        value = _changed_json(value, chance, noise)
    return (part + _spelled(value, chance, noise))[:most]


def _spelled(value: Json, chance: Random, noise: Noise) -> bytes:
    text = json.dumps(
        value,
        ensure_ascii=chance.random() < 0.8,
        indent=chance.choice((None, None, 2)),
        separators=chance.choice((None, (",", ":"))),
        sort_keys=chance.random() < 0.5,
    )
    if chance.random() < 0.05:
        text = text.replace("{", '{"level":1,', chance.randint(1, 4))
    return text.encode("utf-8", "surrogatepass")


def _changed_json(value: Json, chance: Random, noise: Noise) -> Json:
    """`value` with one node somewhere inside changed."""
    if isinstance(value, dict) and value and chance.random() < 0.92:
        key = chance.choice(sorted(value))
        changed = dict(value)
        match chance.randrange(20):
            case 0:
                del changed[key]
            case 1:
                changed[noise(key.encode("utf-8", "replace"), 20).decode("utf-8", "replace")] = changed.pop(key)
            case 2:
                changed[key] = value[chance.choice(sorted(value))]
            case _:
                changed[key] = _changed_json(value[key], chance, noise)
        return changed
    if isinstance(value, list) and value and chance.random() < 0.92:
        at = chance.randrange(len(value))
        match chance.randrange(8):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return [*value, value[at]]
            case 2:
                return value[::-1]
            case _:
                return [*value[:at], _changed_json(value[at], chance, noise), *value[at + 1 :]]
    return _changed_leaf(value, chance, noise)


def _changed_leaf(value: Json, chance: Random, noise: Noise) -> Json:
    if isinstance(value, str) and chance.random() < 0.5:
        if len(value) > 200 and chance.random() < 0.7:
            return _changed_payload(value, chance, noise)
        return noise(value.encode("utf-8", "replace"), len(value) + 8).decode("utf-8", "replace")
    if isinstance(value, int) and chance.random() < 0.5:
        return value + chance.choice((-1, 1, 2**31, 2**64))
    return chance.choice(_JSON_VALUES)


def _changed_payload(text: str, chance: Random, noise: Noise) -> Json:
    """Base64 of something else, or of the same in another spelling."""
    try:
        data = base64.b64decode(text)
    except ValueError:
        return text + "="
    match chance.randrange(4):
        case 0:
            return base64.urlsafe_b64encode(data).decode()
        case 1:
            return text + chance.choice(("\n", "=", " ", "A"))
        case 2:
            return base64.b64encode(noise(data, len(data) + 8)).decode()
        case _:
            return base64.b64encode(data.replace(b"pass", b"fail", 1)).decode()


MUTATORS: dict[str, Callable[[bytes, int, Random, Noise], bytes]] = {
    "elf": elf,
    "hex": hex_file,
    "declaration": toml,
    "certificate": certificate,
}
__all__ = ["MUTATORS", "files"]
