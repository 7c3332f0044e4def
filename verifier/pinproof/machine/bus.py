"""Loads and stores: which memory or device an address means, what a load can return and what a store changes.

An address that is not bounded to one RAM, one flash or listed device registers is refused, never guessed.
"""

from __future__ import annotations

from ..image import Image
from ..silicon import MemoryKind, Peripheral, Register, RegisterAccess, Silicon
from . import mpu, ranges
from .costs import FLASH_ACR_LATENCY
from .effort import LOOKED_UP, REMEMBERED, SCANNED
from .ranges import MASK, Range
from .result import AccessKind, Origin
from .state import MPU_CONTROL, MPU_NUMBER, State, region_slots
from .trace import Blocked, Trace, access_token, ram_token
from .values import Linear, Value

MOST_TABLE_ENTRIES = 8192
_MPU_RBAR, _MPU_RASR = 0xE000ED9C, 0xE000EDA0
_MPU_ALIASES = range(0xE000EDA4, 0xE000EDBC)
_NVIC_SET = range(0xE000E100, 0xE000E120)
_NVIC_CLEAR = range(0xE000E180, 0xE000E1A0)
_PRIVATE = range(0xE0000000, 0xE0100000)
_SPEEDS = ("RCC.CFGR", "FLASH.ACR")
_PLL = 2
"""RCC_CFGR.SW (RM0368 6.3.3)."""


MPU_BARRIERS = frozenset(("mpu-data-synchronised", "mpu-synchronised"))
STORES_COMPLETE = "stores-complete"
"""A DSB since the last store."""


class Bus:
    def __init__(self, image: Image, silicon: Silicon, sensor_registers: frozenset[int], trace: Trace) -> None:
        self._image = image
        self._silicon = silicon
        self._sensor = sensor_registers
        self._trace = trace
        self._rams = [(memory.start, memory.end) for memory in silicon.memories if memory.kind is MemoryKind.RAM]
        self._flash = [(memory.start, memory.end) for memory in silicon.memories if memory.kind is MemoryKind.FLASH]
        self.confined: tuple[tuple[int, int], ...] = ()
        """What the confined part can write, once a handler runs: its loads are recorded."""
        regions = range(silicon.mpu.regions)
        self._mpu_slots = (*(slot for region in regions for slot in region_slots(region)), MPU_CONTROL)
        self._protections: dict[tuple[Value | None, ...], mpu.Protection | mpu.MpuProblem] = {}

    def reset_value(self, key: int) -> Range:
        """What a device register, by address, holds after a system reset; core registers hold anything."""
        register = self._silicon.register_at(key)
        if register is None:
            return ranges.anything(frozenset((Origin.RESET,)))
        return _reset_range(register)

    # --- loads ------------------------------------------------------------------------------------------------------

    def load(self, state: State, address: Value, width: int, signed: bool, multiple: bool) -> Value:
        known = state.symbols.range(address)
        self._check_alignment(known, width, multiple)
        self._check_permission(state, known, width, mpu.Use.READ)
        if self._inside(known, width, self._flash):
            value = self._load_flash(state, address, known, width)
        elif self._inside(known, width, self._rams):
            value = self._load_ram(state, known, width, multiple)
        else:
            value = self._load_device(state, known, width, multiple)
        return _extended(state, value, width) if signed else value

    def _load_flash(self, state: State, address: Value, known: Range, width: int) -> Value:
        only = known.only
        if only is not None:
            return self._flash_unit(only, width)
        addresses = _addresses(state, address, known, width)
        state.symbols.source.effort.spend(len(addresses), LOOKED_UP)
        # Which entry it is tells of the index: the value comes from where the index comes from.
        units = [self._flash_unit(each, width) for each in addresses]
        return state.symbols.fresh(ranges.of_values(units, known.origins))

    def _flash_unit(self, address: int, width: int) -> int:
        data = self._image.read(address, width)
        if data is None:
            raise Blocked(
                "code-not-in-image",
                f"gate code reads flash at 0x{address:08x}, which the image does not fill",
                "let the gate read only constants that the image holds",
            )
        self._trace.constant(address, address + width)
        return int.from_bytes(data, "little")

    def _load_ram(self, state: State, known: Range, width: int, multiple: bool) -> Value:
        only = known.only
        if only is None:
            value = state.symbols.fresh(self._ram_hull(state, known, width).with_origins(known.origins))
        elif width == 4:
            value = state.get(only)
        else:
            word = state.get(only & ~3)
            value = state.symbols.bit_and(state.symbols.shift_right(word, 8 * (only & 3)), (1 << 8 * width) - 1)
        if any(start <= known.high + width - 1 and known.low < end for start, end in self.confined):
            self._record(AccessKind.LOAD, state, known, width, state.symbols.range(value), multiple)
        return value

    def _ram_hull(self, state: State, known: Range, width: int) -> Range:
        low, high = known.low & ~3, known.high | 3
        state.symbols.source.effort.spend(len(state.segments), SCANNED)
        found = None
        for start, end, content in state.segments:
            if start <= high and low < end:
                found = content if found is None else ranges.hull(found, content)
        for key in state.ram_slots(low, high + 1):
            content = state.known(key)
            found = content if found is None else ranges.hull(found, content)
        assert found is not None
        if width == 4 or found.only == 0:
            return found
        return ranges.bit_and(ranges.anything(found.origins), ranges.exactly((1 << 8 * width) - 1))

    def _load_device(self, state: State, known: Range, width: int, multiple: bool) -> Value:
        address = self._device_address(known, width, multiple)
        value = self._device_value(state, address)
        if width < 4:
            value = state.symbols.bit_and(state.symbols.shift_right(value, 8 * (address & 3)), (1 << 8 * width) - 1)
        self._record(AccessKind.LOAD, state, ranges.exactly(address), width, state.symbols.range(value), multiple)
        return value

    def _device_value(self, state: State, address: int) -> Value:
        base = address & ~3
        # What was stored may come back, even where the model does not say when.
        origin = state.known(base).origins if base in state.slots else ranges.NO_ORIGINS
        origin |= frozenset((Origin.SENSOR if base in self._sensor else Origin.DEVICE,))
        register = self._silicon.register_at(base)
        if register is None or not self._clocked(state, self._silicon.peripheral_at(base)):
            return state.symbols.fresh(ranges.anything(origin))
        if base in _NVIC_CLEAR:
            base -= _NVIC_CLEAR.start - _NVIC_SET.start
        if base in (_MPU_RBAR, _MPU_RASR):
            return state.symbols.fresh(ranges.anything(origin | self._region_origins(state)))
        volatile = register.volatile | _doubtful(state, register)
        if volatile == MASK or register.access is RegisterAccess.WRITE_ONLY:
            return state.symbols.fresh(ranges.anything(origin))
        stable = state.get(base)
        if volatile == 0:
            return stable
        noise = ranges.bit_and(ranges.anything(origin), ranges.exactly(volatile))
        return state.symbols.bit_or(state.symbols.bit_and(stable, ~volatile & MASK), state.symbols.fresh(noise))

    def _region_origins(self, state: State) -> frozenset[Origin]:
        """Where what was stored to the MPU's regions came from, and which of them is selected."""
        slots = [MPU_NUMBER, *(slot for number in range(self._silicon.mpu.regions) for slot in region_slots(number))]
        return frozenset().union(*(state.known(slot).origins for slot in slots if slot in state.slots))

    # --- stores -----------------------------------------------------------------------------------------------------

    def store(self, state: State, address: Value, value: Value, width: int, multiple: bool) -> None:
        known = state.symbols.range(address)
        self._check_alignment(known, width, multiple)
        self._check_permission(state, known, width, mpu.Use.WRITE)
        state.barriers = state.barriers - {STORES_COMPLETE}
        if self._inside(known, width, self._rams):
            kept = not self._inside(known, width, self.confined)
            if self._trace.ram_store(address, known, width, value, kept):
                state.symbols.source.effort.spend(len(state.passed), REMEMBERED)
                state.passed = state.passed | {ram_token(self._trace.site)}
            self._store_ram(state, known, value, width)
        else:
            self._store_device(state, known, value, width, multiple)

    def _store_ram(self, state: State, known: Range, value: Value, width: int) -> None:
        only = known.only
        if only is None:
            # Which word changed tells of the address.
            written = state.symbols.range(value).with_origins(known.origins)
            state.smear(known.low, known.high + width, written, width)
        else:
            state.slots[only & ~3] = value if width == 4 else _merged(state, only, value, width)

    def _store_device(self, state: State, known: Range, value: Value, width: int, multiple: bool) -> None:
        if known.only is None:
            self._record(AccessKind.STORE, state, known, width, state.symbols.range(value), multiple)
        address = self._device_address(known, width, multiple)
        self._record(AccessKind.STORE, state, known, width, state.symbols.range(value), multiple)
        register = self._silicon.register_at(address & ~3)
        if address in _MPU_ALIASES:
            raise Blocked(
                "mpu-alias",
                f"the gate writes the MPU through its alias register 0x{address:08x}",
                "select each region with MPU_RNR and write MPU_RBAR and MPU_RASR",
            )
        if register is None or width not in register.widths:
            raise Blocked(
                "narrow-device-store" if register is not None else "unlisted-address",
                f"a {width}-byte store to the device register at 0x{address:08x} has no modelled effect",
                "write whole words to device registers that the silicon file lists",
            )
        if register.block == "RCC" and register.name.endswith("RSTR") and state.symbols.range(value).only != 0:
            raise Blocked(
                "peripheral-reset",
                f"the gate resets devices through RCC.{register.name}, which undoes what it set up before",
                "leave the reset registers alone: a system reset has reset every device",
            )
        if MPU_CONTROL <= address < _MPU_ALIASES.start:
            state.barriers = state.barriers - MPU_BARRIERS
        if width < 4:
            address, value = register.address, _merged(state, address, value, width)
        self._change_device(state, address, register, value)
        if register.full_name in _SPEEDS:
            self._check_wait_states(state)

    def _check_wait_states(self, state: State) -> None:
        """Too few for the clock, and flash delivers other instructions than it holds (RM0368 3.4.1): nothing is proved.

        A switch to the PLL asks for as many as the fastest rated clock, whatever the PLL is set to.
        """
        switch, latency = (
            state.known(self._silicon.peripheral(block).register(name).address)
            for block, name in (each.split(".") for each in _SPEEDS)
        )
        values = switch.values if switch.values is not None else frozenset((_PLL,))
        needed = self._silicon.clocks.flash_wait_states[-1][1]
        if any(value & 0b11 >= _PLL for value in values) and _least(latency, FLASH_ACR_LATENCY) < needed:
            raise Blocked(
                "too-few-wait-states",
                f"the part may run from its PLL with fewer than {needed} wait states of flash",
                "set FLASH_ACR.LATENCY before the switch, on every path",
            )

    def _change_device(self, state: State, address: int, register: Register, value: Value) -> None:
        symbols = state.symbols
        if address in _NVIC_SET:
            state.slots[address] = symbols.bit_or(state.get(address), value)
        elif address in _NVIC_CLEAR:
            twin = address - _NVIC_CLEAR.start + _NVIC_SET.start
            state.slots[twin] = symbols.bit_and(state.get(twin), symbols.invert(value))
        elif address in (_MPU_RBAR, _MPU_RASR):
            self._change_region(state, address, value)
        elif register.access not in (RegisterAccess.WRITE_ONLY, RegisterAccess.READ_ONLY):
            block = self._silicon.peripheral_at(address)
            frozen = _frozen(state, register) or (register.name != "LCKR" and _locked(state, block))
            if self._clocked(state, block) and not frozen:
                state.slots[address] = value
            else:
                # Without its clock, locked or frozen, the block may swallow the write (RM0368 6.3.2, 6.3.9, 8.3.6):
                # either value may be there.
                either = ranges.hull(state.known(address), symbols.range(value))
                state.slots[address] = symbols.fresh(either.with_origins(frozenset((Origin.DEVICE,))))

    def _change_region(self, state: State, address: int, value: Value) -> None:
        """RBAR and RASR act on the region that RNR selects; RBAR.VALID selects one first (DDI 0403, B3.5.8)."""
        bits = state.symbols.range(value)
        if address == _MPU_RBAR:
            if bits.zeros & 0x10 == 0:
                if bits.ones & 0x10 == 0 or (bits.zeros | bits.ones) & 0xF != 0xF:
                    raise _unknown_region()
                state.slots[MPU_NUMBER] = bits.ones & 0xF
            value = state.symbols.bit_and(value, ~0x1F & MASK)
        number = state.get(MPU_NUMBER)
        if not isinstance(number, int) or number >= self._silicon.mpu.regions:
            raise _unknown_region()
        base, attributes = region_slots(number)
        state.slots[base if address == _MPU_RBAR else attributes] = value

    # --- shared -----------------------------------------------------------------------------------------------------

    def _record(self, kind: AccessKind, state: State, address: Range, width: int, value: Range, multiple: bool) -> None:
        state.symbols.source.effort.spend(len(state.passed), REMEMBERED)
        state.passed = state.passed | {access_token(kind, self._trace.site, address.only)}
        self._trace.access(kind, address, width, value, multiple, state.control)

    def _device_address(self, known: Range, width: int, multiple: bool) -> int:
        only = known.only
        if only is None:
            raise Blocked(
                "unbounded-store" if known.high - known.low > 4096 else "unlisted-address",
                f"an access can reach any address from 0x{known.low:08x} to 0x{known.high:08x}",
                "bound the address with a constant before it is used",
            )
        if self._silicon.peripheral_at(only) is None:
            raise Blocked(
                "unlisted-address",
                f"address 0x{only:08x} is in no memory or device that the silicon file lists for gate code",
                "use the addresses of the reference manual; aliases are not modelled",
            )
        if multiple:
            raise Blocked(
                "multiple-device-access",
                f"one instruction makes several accesses to devices at 0x{only:08x}; an interrupt can restart it",
                "access device registers one word an instruction",
            )
        return only

    def _clocked(self, state: State, block: Peripheral | None) -> bool:
        if block is None:
            return False
        if block.clock is None:
            return True
        return bool(state.known(block.clock.register).ones >> block.clock.bit & 1)

    def _check_alignment(self, known: Range, width: int, multiple: bool) -> None:
        needed = (4 if multiple else width) - 1
        if known.zeros & needed != needed:
            raise Blocked(
                "unpredictable",
                f"a {width}-byte access may be unaligned (0x{known.low:08x} to 0x{known.high:08x})",
                "align the address to the access's width",
            )

    def _check_permission(self, state: State, known: Range, width: int, use: mpu.Use) -> None:
        if known.low >= _PRIVATE.start and known.high < _PRIVATE.stop:
            return
        control = state.slots.get(MPU_CONTROL, 0)
        if control == 0:
            return
        allowed = self.protection(state)
        if isinstance(allowed, mpu.Protection) and self._inside(known, width, allowed.privileged(use)):
            return
        raise Blocked(
            "fault-possible",
            f"the MPU as set up denies the gate to {use} 0x{known.low:08x} to 0x{known.high + width - 1:08x}",
            "keep the gate's accesses inside what its own MPU regions allow",
        )

    def protection(self, state: State) -> mpu.Protection | mpu.MpuProblem | None:
        """The decoded MPU, or None while some of its registers are not known numbers."""
        as_written = tuple(map(state.slots.get, self._mpu_slots))
        known = self._protections.get(as_written)
        if known is not None:
            return known
        values = [state.known(slot).only if slot in state.slots else None for slot in self._mpu_slots]
        numbers = [value for value in values if value is not None]
        if len(numbers) < len(values):
            return None
        *words, control = numbers
        decoded = mpu.decode(tuple(zip(words[::2], words[1::2], strict=True)), control)
        if all(isinstance(value, int) for value in as_written):
            self._protections[as_written] = decoded
        return decoded

    @staticmethod
    def _inside(known: Range, width: int, places: list[tuple[int, int]] | tuple[tuple[int, int], ...]) -> bool:
        return any(start <= known.low and known.high + width <= end for start, end in places)


def _merged(state: State, address: int, value: Value, width: int) -> Value:
    """The word around `address` with some of its bytes replaced."""
    symbols = state.symbols
    shift, mask = 8 * (address & 3), (1 << 8 * width) - 1
    kept = symbols.bit_and(state.get(address & ~3), ~(mask << shift) & MASK)
    return symbols.bit_or(kept, symbols.shift_left(symbols.bit_and(value, mask), shift))


def _locked(state: State, block: Peripheral | None) -> bool:
    """Whether a port's configuration may be locked (RM0368 8.4.8): it is not before anything is written to LCKR."""
    return block is not None and any(each.name == "LCKR" and each.address in state.slots for each in block.registers)


def _frozen(state: State, register: Register) -> bool:
    """Whether the bit that makes the register refuse stores may be set."""
    bit = register.frozen_by
    return bit is not None and not state.known(bit.register).zeros >> bit.bit & 1


def _doubtful(state: State, register: Register) -> int:
    """Bits that a load may find otherwise than as last stored: those that the hardware may lack, hold or change.

    Sure are those that the silicon file says the register holds, and those that were stored as they are after reset: a
    bit that does not exist reads as its reset value. Of a port that may be locked, or a block without its clock, the
    stored value itself is not sure.
    """
    written = state.slots.get(register.address)
    if written is None:
        return 0
    now, reset = state.symbols.range(written), _reset_range(register)
    return MASK & ~(register.holds | now.zeros & reset.zeros | now.ones & reset.ones)


def _least(known: Range, mask: int) -> int:
    """A lower bound of the masked bits."""
    return min(value & mask for value in known.values) if known.values is not None else known.ones & mask


def _reset_range(register: Register) -> Range:
    if register.reset is None:
        return ranges.anything(frozenset((Origin.RESET,)))
    unknown = register.reset_unknown
    zeros, ones = ~register.reset & ~unknown & MASK, register.reset & ~unknown
    # Bits on which the manuals differ: what they are is the part's, not left from before reset.
    known = ranges.between(0, MASK, zeros, ones, frozenset((Origin.DEVICE,)) if unknown else ranges.NO_ORIGINS)
    assert known is not None
    return known


def _extended(state: State, value: Value, width: int) -> Value:
    shift = 32 - 8 * width
    if isinstance(value, int):
        return ranges.signed(value << shift & MASK) >> shift & MASK
    known = ranges.shift_right_arithmetic(state.symbols.range(state.symbols.shift_left(value, shift)), shift)
    return state.symbols.fresh(known)


def _addresses(state: State, address: Value, known: Range, width: int) -> list[int]:
    """Every address that a table look-up can touch: the index's own values where it is one symbol, else each unit."""
    if known.values is not None:
        return sorted(known.values)
    if isinstance(address, Linear) and len(address.terms) == 1:
        symbol, factor = address.terms[0]
        index = state.symbols.ranges[symbol]
        if index.high - index.low <= MOST_TABLE_ENTRIES:
            inside = (value for value in range(index.low, index.high + 1) if index.contains(value))
            return sorted({address.constant + factor * value & MASK for value in inside})
    if (known.high - known.low) // width > MOST_TABLE_ENTRIES:
        raise Blocked(
            "unbounded-load",
            f"a load can reach flash from 0x{known.low:08x} to 0x{known.high:08x}",
            "bound the index of the table",
        )
    return list(range(-(-known.low // width) * width, known.high + 1, width))


def _unknown_region() -> Blocked:
    return Blocked(
        "mpu-region-unknown",
        "the gate writes an MPU region whose number is not known",
        "write MPU_RNR with a constant before MPU_RBAR and MPU_RASR",
    )
