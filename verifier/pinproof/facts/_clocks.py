"""The fastest clock that the timer can have, from the values that the gate writes to the clock tree.

Frequencies are exact (`Fraction`, hertz). Section numbers are of RM0368; the register names are those of the STM32F4
clock controller, and a part without them leaves the facts undecided.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from pinproof.declaration import ClockSource
from pinproof.facts._core import Facts, Known, Problem, Refusal, Unknown, proved
from pinproof.facts._view import boot, device_at_drops, drops, field, may_set, register, stores, values_of
from pinproof.machine.result import Word

CLOCK_REASONS: dict[str, str] = {
    "clock-unproved": "a clock register is not known well enough to bound the timer's clock",
    "clock-source-undeclared": "the system can run from a crystal that the declaration does not state",
    "pll-out-of-range": "the PLL is set outside the limits within which its output follows from its settings",
}
ASSUMPTION_CRYSTAL = "A-crystal"

_CSS = 1 << 19
_HSE_BYPASS = 1 << 18
_HSE_ON = 1 << 16
_PLL_ON = 1 << 24
_SWITCH = 0b11
_HSI, _HSE, _PLL = 0, 1, 2
_PPRE_OF_BUS = {"APB1": 10, "APB2": 13}
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerClock:
    """An upper bound of the timer's clock in hertz, tolerances included."""

    fastest: Fraction
    sources: frozenset[str]
    """Oscillators that the bound rests on."""

    @property
    def assumptions(self) -> tuple[str, ...]:
        return (ASSUMPTION_CRYSTAL,) if "HSE" in self.sources else ()


def timer_clock(facts: Facts) -> Known[TimerClock] | Problem:
    """The fastest clock that the declared timer can have from the drop on, over every path to it."""
    timer = facts.silicon.timer(facts.declaration.output.timer)
    shift = _PPRE_OF_BUS.get(timer.bus) if timer is not None else None
    if shift is None:
        return _unproved("the declared timer is on no bus whose clock is modelled")
    system = system_clock(facts)
    if not isinstance(system, Known):
        return system
    factor = _timer_factor(facts, shift)
    if not isinstance(factor, Fraction):
        return factor
    fastest = system.value.fastest * factor
    oscillators = " or ".join(sorted(system.value.sources))
    statement = f"the timer's clock is at most {float(fastest):.0f} Hz, from {oscillators} by RCC.PLLCFGR and RCC.CFGR"
    return Known(
        value=TimerClock(fastest=fastest, sources=system.value.sources),
        evidence=(proved(statement, *(facts.at(drop.site) for drop in drops(facts))),),
    )


def system_clock(facts: Facts) -> Known[TimerClock] | Problem:
    """The fastest system clock: over the reset source and every source that the gate may ever switch to."""
    switches = _values_of(facts, register(facts, "RCC", "CFGR"), _SWITCH)
    if switches is None:
        return _unproved("RCC.CFGR does not say which clock the system runs from")
    if 3 in switches:
        return _unproved("RCC.CFGR selects the reserved clock 3")
    # The part starts on HSI and stays there until the selected clock is ready (6.2.6), so HSI always counts.
    candidates: list[tuple[Fraction, frozenset[str]]] = []
    for selected in sorted(switches | {_HSI}):
        found = _source(facts, selected)
        if not isinstance(found, tuple):
            return found
        candidates.append(found)
    fastest = max(frequency for frequency, _ in candidates)
    sources = frozenset(name for _, names in candidates for name in names)
    return Known(value=TimerClock(fastest=fastest, sources=sources))


def security_system_possible(facts: Facts) -> bool:
    """Whether the clock security system may be on at the drop (6.2.7: it changes the clock source by itself)."""
    return any(may_set(word, _CSS) for word in device_at_drops(facts, register(facts, "RCC", "CR")))


def bypass_possible(facts: Facts) -> bool:
    """Whether an external clock signal may be the source instead of a crystal (6.2.1)."""
    return any(may_set(word, _HSE_BYPASS) for word in device_at_drops(facts, register(facts, "RCC", "CR")))


def crystal_possible(facts: Facts) -> bool:
    """Whether the crystal oscillator may be running at the drop."""
    return any(may_set(word, _HSE_ON) for word in device_at_drops(facts, register(facts, "RCC", "CR")))


def _source(facts: Facts, selected: int) -> tuple[Fraction, frozenset[str]] | Problem:
    if selected == _HSI:
        return _hsi(facts), frozenset({"HSI"})
    if selected == _HSE:
        crystal = _crystal(facts)
        return (crystal, frozenset({"HSE"})) if isinstance(crystal, Fraction) else crystal
    return _pll(facts)


def _pll(facts: Facts) -> tuple[Fraction, frozenset[str]] | Problem:
    """The fastest output of the main PLL over every setting with which it may run (6.3.2)."""
    settings = _all_values(_pll_settings(facts))
    if settings is None:
        return _unproved("RCC.PLLCFGR is not one of a few known numbers")
    best: tuple[Fraction, frozenset[str]] | None = None
    for word in sorted(settings):
        from_crystal = bool(word >> 22 & 1)
        source = _crystal(facts) if from_crystal else _hsi(facts)
        if not isinstance(source, Fraction):
            return source
        output = _pll_output(facts, word, source)
        if not isinstance(output, Fraction):
            return output
        if best is None or output > best[0]:
            best = output, (best[1] if best else frozenset())
        best = best[0], best[1] | {"HSE" if from_crystal else "HSI"}
    assert best is not None
    return best


def _pll_output(facts: Facts, word: int, source: Fraction) -> Fraction | Problem:
    divider, factor = word & 0x3F, word >> 6 & 0x1FF
    limits = facts.silicon.clocks
    # Outside its limits the loop does not lock, and an unlocked oscillator runs at whatever frequency it likes.
    slack = Fraction(1) + Fraction(max(limits.hsi_tolerance_ppm, facts.declaration.clock.tolerance_ppm), _MILLION)
    if divider < 2 or not limits.pll_input_min_hz <= source / divider <= limits.pll_input_max_hz * slack:
        return _out_of_range(f"divides {float(source):.0f} Hz by {divider}")
    oscillator = source / divider * factor
    if not limits.pll_vco_min_hz <= oscillator <= limits.pll_vco_max_hz * slack:
        return _out_of_range(f"makes its oscillator run at {float(oscillator):.0f} Hz")
    output = oscillator / (((word >> 16 & 3) + 1) * 2)
    if output > limits.pll_output_max_hz * slack:
        return _out_of_range(f"gives {float(output):.0f} Hz")
    return output


def _hsi(facts: Facts) -> Fraction:
    clocks = facts.silicon.clocks
    return Fraction(clocks.hsi_hz) * (1 + Fraction(clocks.hsi_tolerance_ppm, _MILLION))


def _crystal(facts: Facts) -> Fraction | Refusal:
    clock = facts.declaration.clock
    if clock.source is not ClockSource.HSE or clock.crystal_hz is None:
        return Refusal(
            reason="clock-source-undeclared",
            message="RCC.CFGR or RCC.PLLCFGR may select a crystal, but the declaration states none",
            places=tuple(facts.at(drop.site) for drop in drops(facts)),
        )
    return Fraction(clock.crystal_hz) * (1 + Fraction(clock.tolerance_ppm, _MILLION))


def _timer_factor(facts: Facts, shift: int) -> Fraction | Problem:
    """Timer clock over system clock, at most: prescalers of the bus, doubled as 6.2 says."""
    best = Fraction(0)
    fast_timers = _values_of(facts, register(facts, "RCC", "DCKCFGR"), 1 << 24)
    dividers = _values_of(facts, register(facts, "RCC", "CFGR"), 0xF << 4 | 7 << shift)
    if fast_timers is None or dividers is None:
        return _unproved("the prescalers of the timer's bus in RCC.CFGR are not known")
    for word in dividers:
        bus = _divider(word >> shift & 7, 4, (2, 4, 8, 16))
        core = _divider(word >> 4 & 0xF, 8, (2, 4, 8, 16, 64, 128, 256, 512))
        for fast in fast_timers:
            multiplier = min(bus, 4) if fast else min(bus, 2)
            best = max(best, Fraction(multiplier, bus * core))
    return best


def _divider(value: int, first: int, steps: tuple[int, ...]) -> int:
    return 1 if value < first else steps[value - first]


def _values_of(facts: Facts, address: int, mask: int) -> frozenset[int] | None:
    """Every value that the bits can have at the drop or after any store in boot."""
    found: set[int] = set()
    for word in _words(facts, address):
        values = field(word, mask)
        if values is None:
            return None
        found |= values
    return frozenset(found) or None


def _pll_settings(facts: Facts) -> Iterable[Word]:
    """What PLLCFGR holds at the drop, and what is stored there when the PLL may already be on.

    The PLL is off after reset (6.3.1), so a store that comes before the first one that may turn it on, and comes once,
    matters by what is there in the end alone.
    """
    address = register(facts, "RCC", "PLLCFGR")
    switched = stores(facts, boot(facts), register(facts, "RCC", "CR"))
    first = min((touch.access.order for touch in switched if may_set(touch.access.value, _PLL_ON)), default=None)
    yield from device_at_drops(facts, address)
    for touch in stores(facts, boot(facts), address):
        off = first is None or (touch.access.order < first and not touch.access.in_loop)
        if touch.exact != address:
            yield Word.anything()
        elif not off:
            yield touch.access.value


def _all_values(words: Iterable[Word]) -> frozenset[int] | None:
    found: set[int] = set()
    for word in words:
        values = values_of(word)
        if values is None:
            return None
        found |= values
    return frozenset(found) or None


def _words(facts: Facts, address: int) -> Iterable[Word]:
    yield from device_at_drops(facts, address)
    for touch in stores(facts, boot(facts), address):
        yield touch.access.value if touch.exact == address else Word.anything()


def _unproved(message: str) -> Unknown:
    return Unknown(
        reason="clock-unproved",
        message=message,
        would_help="write the clock registers with constants, or with known bits changed in known values",
    )


def _out_of_range(message: str) -> Unknown:
    return Unknown(
        reason="pll-out-of-range",
        message=f"with RCC.PLLCFGR as set the PLL {message}, outside its limits in the silicon file",
        would_help="settings inside the limits",
    )
