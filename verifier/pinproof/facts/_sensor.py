"""The declared sensor: where the gate reads it, and the bus that leads to it.

A camera is read through the input registers of its pins' ports, and its control bus is off from the drop on. A
microphone is read through the data and status registers of a receiver, which clocks it all the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pinproof.declaration import Declaration
from pinproof.facts._core import Facts, Known, Problem, Refusal, Unknown
from pinproof.facts._masters import may_be_clocked
from pinproof.facts._pins import Mode, pin_state
from pinproof.facts._view import (
    Touch,
    block_stores,
    boot,
    device,
    device_at_drops,
    drops,
    field,
    handlers,
    is_tick,
    loads,
    may_clear,
    may_set,
    name_of_access,
    places,
    register,
)
from pinproof.machine.result import Origin
from pinproof.silicon import DataBus, Peripheral, RegisterBit, Silicon

DATA_BUS_REASONS: dict[str, str] = {
    "data-bus-unknown": "the declared data bus is no receiver that the silicon file lists",
    "data-bus-pins": "a declared line of the microphone is no pin of the data bus, or one is missing or twice",
    "data-bus-set-up": "the receiver is not set up as an I2S master that only receives, by constants",
    "data-bus-requests": "the receiver can request DMA or an interrupt, or drives another line",
    "data-bus-clock": "the receiver's clock can stop, or comes from outside",
    "data-bus-written-after-drop": "a handler stores to the receiver",
    "data-bus-read-elsewhere": "a handler other than the tick reads the receiver, or the tick reads more than its data",
}

_READ = ("DR", "SR")
"""Of a receiver, in which what is heard arrives (RM0402 26.7.3, 26.7.4)."""
_BUS_ANSWERS = frozenset({Origin.DEVICE})
_MASTER_RECEIVE = 0b1111 << 8
"""I2SMOD, I2SE and I2SCFG = 11 (RM0402 26.7.8)."""
_MASTER_CLOCK_OUTPUT = 1 << 9
"""I2SPR.MCKOE (RM0402 26.7.9)."""
_FROM_CRYSTAL = 1 << 22
"""PLLCFGR.PLLSRC (RM0368 6.3.2)."""
_LONG_SLOTS = 1
"""I2SCFGR.CHLEN: 32 bits a slot in place of 16 (RM0402 26.7.8)."""
_ALL = 0xFFFFFFFF


def sensor_registers(silicon: Silicon, declaration: Declaration) -> frozenset[int]:
    """Addresses of the registers through which the sensor is read (RM0368 8.4.5; RM0402 26.7)."""
    sensor = declaration.sensor
    if sensor.data_bus is None:
        names = {f"GPIO{pin[1]}" for pin in sensor.pins}
        ports = [silicon.peripheral(name) for name in sorted(names) if silicon.has_peripheral(name)]
        return frozenset(port.register("IDR").address for port in ports)
    if silicon.data_bus(sensor.data_bus) is None:
        return frozenset()
    block = silicon.peripheral(sensor.data_bus)
    return frozenset(block.register(name).address for name in _READ)


def data_bus_problems(facts: Facts) -> Iterator[Problem]:
    """Whatever could make the lines of a microphone tell something, or its receiver do more than receive."""
    bus = facts.silicon.data_bus(facts.declaration.sensor.bus)
    if bus is None:
        yield Refusal(
            reason="data-bus-unknown",
            message=f"the silicon file lists no receiver {facts.declaration.sensor.bus} that clocks a microphone",
        )
        return
    block = facts.silicon.peripheral(bus.name)
    yield from _lines(facts, bus)
    yield from _before(facts, block)
    yield from _set_up(facts, block)
    yield from _clock(facts, bus, block)
    yield from _after(facts, block)


def _lines(facts: Facts, bus: DataBus) -> Iterator[Problem]:
    """Each signal on one declared pin, and no declared pin that is none of them."""
    known = {item.pin: item for item in bus.pins}
    declared = [known[pin] for pin in facts.declaration.sensor.pins if pin in known]
    needed = sorted({item.signal for item in bus.pins})
    if len(declared) != len(facts.declaration.sensor.pins) or sorted(item.signal for item in declared) != needed:
        yield Refusal(
            reason="data-bus-pins", message=f"sensor.pins must name one pin of {bus.name} for each of {needed}"
        )
    for item in declared:
        state = pin_state(facts, item.pin)
        if state is None or state.modes != {Mode.ALTERNATE} or state.functions != {item.alternate_function}:
            yield Refusal(
                reason="data-bus-pins",
                message=f"{item.pin} may not have alternate function {item.alternate_function} at the drop",
            )


def _before(facts: Facts, block: Peripheral) -> Iterator[Problem]:
    for touch in block_stores(facts, boot(facts), block):
        value = touch.access.value
        if touch.exact is None or value.only is None or value.origins or touch.access.control - _BUS_ANSWERS:
            yield Refusal(
                reason="data-bus-set-up",
                message=f"a store to {block.name} is not one constant, or something outside the image decides about it",
                places=places(facts, [touch]),
            )


def _set_up(facts: Facts, block: Peripheral) -> Iterator[Problem]:
    rules = (
        ("I2SCFGR", 0b1111 << 8, _MASTER_RECEIVE, "data-bus-set-up", "an I2S master that receives"),
        ("CR1", _ALL, 0, "data-bus-set-up", "free of settings of the other mode"),
        ("CR2", _ALL, 0, "data-bus-requests", "without requests"),
        ("I2SPR", _MASTER_CLOCK_OUTPUT, 0, "data-bus-requests", "without a third clock line"),
    )
    where = tuple(facts.at(drop.site) for drop in drops(facts))
    for name, mask, wanted, reason, what in rules:
        words = device_at_drops(facts, block.register(name).address)
        if any(field(word, mask) != frozenset({wanted}) for word in words):
            message = f"{block.name}.{name} may not be {what} at the drop"
            yield Refusal(reason=reason, message=message, places=where)
    for name in ("I2SCFGR", "I2SPR"):
        if any(word.only is None for word in device_at_drops(facts, block.register(name).address)):
            message = f"{block.name}.{name} is not one known number at the drop"
            yield Refusal(reason="data-bus-set-up", message=message, places=where)


def _clock(facts: Facts, bus: DataBus, block: Peripheral) -> Iterator[Problem]:
    """The clock lines run whatever the confined part does, and so also while it sleeps (RM0368 6.3.15)."""

    def may_be_off(bit: RegisterBit | None) -> bool:
        return bit is None or any(may_clear(word, 1 << bit.bit) for word in device_at_drops(facts, bit.register))

    found = []
    if not may_be_clocked(facts, block) or may_be_off(block.clock):
        found.append("may be without its clock at the drop")
    if may_be_off(block.sleep_clock):
        found.append("may stop while the processor sleeps, which the confined part can make it do")
    outside = bus.external_clock
    if any(may_set(word, 1 << outside.bit) for word in device_at_drops(facts, outside.register)):
        found.append("may take its clock from a pin")
    for what in found:
        yield Refusal(reason="data-bus-clock", message=f"{block.name} {what}")


def _after(facts: Facts, block: Peripheral) -> Iterator[Problem]:
    later = block_stores(facts, handlers(facts), block)
    if later:
        yield Refusal(
            reason="data-bus-written-after-drop",
            message=f"a handler stores to {block.name}",
            places=places(facts, later),
        )
    allowed = sensor_registers(facts.silicon, facts.declaration)
    read = [
        touch for touch in loads(facts, handlers(facts), block.base, block.size) if not _by_tick(facts, touch, allowed)
    ]
    if read:
        # Reading takes the sample and the flags away: what another handler reads, and when, the next window shows.
        yield Refusal(
            reason="data-bus-read-elsewhere",
            message=f"a handler reads {name_of_access(facts, read[0].access)}",
            places=places(facts, read),
        )


def _by_tick(facts: Facts, touch: Touch, allowed: frozenset[int]) -> bool:
    return is_tick(facts, touch.run) and touch.exact is not None and touch.exact in allowed


def sample_rates(facts: Facts) -> Known[frozenset[Fraction]] | Unknown:
    """How many samples a second the receiver can take, in hertz, with the crystal at its nominal frequency.

    The second PLL shares source and divider with the first (RM0368 6.3.2, 6.3.20); a sample is one frame of two slots
    (RM0402 26.6.4).
    """
    block = facts.silicon.peripheral(facts.declaration.sensor.bus)
    first, second = register(facts, "RCC", "PLLCFGR"), register(facts, "RCC", "PLLI2SCFGR")
    divider, mode = block.register("I2SPR").address, block.register("I2SCFGR").address
    crystal, internal = facts.declaration.clock.crystal_hz, facts.silicon.clocks.hsi_hz
    found: set[Fraction] = set()
    for drop in drops(facts):
        words = [device(drop, address).only for address in (first, second, divider, mode)]
        pll, factor, prescaler, frame = (word or 0 for word in words)
        source = crystal if pll & _FROM_CRYSTAL else internal
        below = (pll & 0x3F) * (factor >> 28 & 7) * (2 * (prescaler & 0xFF) + (prescaler >> 8 & 1))
        if None in words or source is None or not below:
            return Unknown(
                reason="sample-rate-unknown",
                message=f"how fast {block.name} samples does not follow from constants at the drop",
                would_help="write RCC_PLLI2SCFGR, I2SPR and I2SCFGR with constants on every path",
                places=(facts.at(drop.site),),
            )
        slots = 64 if frame & _LONG_SLOTS else 32
        found.add(Fraction(source * (factor >> 6 & 0x1FF), below * slots))
    return Known(value=frozenset(found))
