"""What a sentence of the report is about: the device registers, pins and memory regions that it names, looked up again.

Messages name registers as the silicon file does (`TIM2.CCMR1`), pins by port and number and memory by its span, so that
an explanation can start from the sentence. For explanations only.
"""

from __future__ import annotations

import re

from pinproof import facts
from pinproof.facts import Facts, Known, Touch
from pinproof.machine.mpu import Region, Rights

_MOST_REGISTERS = 4
_REGISTER = re.compile(r"\b([A-Z][A-Z0-9_]*)\.([A-Z][A-Z0-9_]*)\b")
_ADDRESS = re.compile(r"\b0x([0-9A-Fa-f]{8})\b(?!-)")
_SPAN = re.compile(r"\b0x([0-9A-F]{8})-0x([0-9A-F]{8})\b")
_PIN = re.compile(r"\bP([A-K])(\d{1,2})\b")
_CHANNEL = re.compile(r"\b(TIM\d+) channel (\d)\b")
_OPENED = re.compile(r"^the confined part can |\bcan be run by the confined part\b|^decoded: ")
_PROTECTION = re.compile(r"^decoded: |\bMPU|^the confined part can |\bcan be run\b")
_PLAIN_NAMES = {"CPACR": ("SCB", "CPACR"), "MPU_CTRL": ("MPU", "CTRL")}


def spans(text: str) -> list[tuple[int, int]]:
    """The ranges of memory that the sentence names: start, and one past the end."""
    return [(int(low, 16), int(high, 16) + 1) for low, high in _SPAN.findall(text)]


def registers(known: Facts, text: str) -> list[int]:
    """Addresses of the device registers that the sentence is about, in its order."""
    silicon, found = known.silicon, list[int]()
    for timer, channel in _CHANNEL.findall(text):
        wanted = ("PSC", "ARR", "CCMR1" if channel in "12" else "CCMR2", "CCER", f"CCR{channel}", "EGR", "CR1")
        if silicon.has_peripheral(timer):
            return [silicon.peripheral(timer).register(name).address for name in wanted]
    for block, name in (*_REGISTER.findall(text), *(pair for key, pair in _PLAIN_NAMES.items() if key in text)):
        if silicon.has_peripheral(block):
            found += [each.address for each in silicon.peripheral(block).registers if each.name == name]
    for port, _ in _PIN.findall(text):
        if silicon.has_peripheral(f"GPIO{port}"):
            found.append(silicon.peripheral(f"GPIO{port}").register("MODER").address)
    found += [int(each, 16) for each in _ADDRESS.findall(text) if silicon.register_at(int(each, 16))]
    return list(dict.fromkeys(found))[:_MOST_REGISTERS]


def last_stores(known: Facts, address: int) -> list[Touch]:
    """Boot's stores that can have left what the register holds at the drop, the last one first."""
    found: list[Touch] = []
    for touch in reversed(facts.stores(known, facts.boot(known), address)):
        found.append(touch)
        if touch.access.must and touch.exact is not None and not touch.access.in_loop:
            break
    return found


def region_stores(known: Facts, text: str) -> list[tuple[Touch, str]]:
    """Boot's stores that set up the regions that the sentence is about, and what each region then allows."""
    if not _PROTECTION.search(text):
        return []
    decoded = facts.protections(known)
    regions = decoded.value[0].regions if isinstance(decoded, Known) else ()
    found: list[tuple[Touch, str]] = []
    for region in regions:
        if _concerns(region, text):
            found += [(touch, _allows(region)) for touch in _written_for(known, region.number)]
    return found


def _concerns(region: Region, text: str) -> bool:
    rights = region.unprivileged if _OPENED.search(text) else region.privileged
    named = spans(text)
    if not named or text.startswith("decoded"):
        return True
    return bool(rights) and any(low < region.start + region.size and region.start < high for low, high in named)


def _written_for(known: Facts, number: int) -> list[Touch]:
    """The last stores of the two words that the region holds at the drop."""
    block = known.silicon.peripheral("MPU")
    words = facts.drops(known)[0].state.mpu_regions[number]
    found = []
    for name, word in zip(("RBAR", "RASR"), words, strict=True):
        stores = facts.stores(known, facts.boot(known), block.register(name).address)
        same = [touch for touch in stores if _same(touch.access.value.only, word.only, name)]
        found += same[-1:]
    return found


def _same(stored: int | None, held: int | None, name: str) -> bool:
    """RBAR's low bits select a region and are not part of what it holds (DDI 0403, B3.5.8)."""
    mask = ~0x1F if name == "RBAR" else ~0
    return stored is not None and held is not None and stored & mask == held & mask


def _allows(region: Region) -> str:
    span = facts.span(region.start, region.start + region.size)
    without, with_privilege = _rights(region.unprivileged), _rights(region.privileged)
    return f"region {region.number} at {span}: without privilege {without}, with privilege {with_privilege}"


def _rights(rights: Rights) -> str:
    pairs = (("read", Rights.READ), ("write", Rights.WRITE), ("run", Rights.EXECUTE))
    return " and ".join(word for word, right in pairs if rights & right) or "nothing"


def touched_at(known: Facts, addresses: frozenset[int]) -> frozenset[int]:
    """The device registers that instructions at these addresses load or store."""
    return frozenset(
        access.address.low & ~3
        for run in facts.all_runs(known)
        for access in run.accesses
        if access.site.address in addresses and access.address.only is not None
    )
