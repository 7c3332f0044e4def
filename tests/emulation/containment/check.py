"""Walks through a record of privileged code and holds each fact against what the verifier computed for that place.

An image with obstacles is covered as far as the first of them. There the walk ends: where an obstacle's own place is
executed, or code, or an access in a calling context, that the exploration says nothing about. In an image without
obstacles the same is a violation.
"""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from pinproof.machine.result import Access, AccessKind, Drop, Exploration, HandlerExit, Run
from pinproof.silicon import Silicon

from tests.emulation.containment.findings import Findings, Kind
from tests.emulation.containment.record import (
    MEMORY_SIZE,
    Calls,
    End,
    Enter,
    Event,
    Executed,
    Leave,
    Moved,
    Returning,
    Snapshot,
    Special,
    Start,
    User,
)
from tests.emulation.containment.states import MEMORY_START, Concrete, compare, compare_frame, holds, spelt
from tests.emulation.containment.views import Places, Views, kept_memory, named, note_stored

_THREAD_PROCESS_STACK = 0xFFFFFFFD
_FAULTS = frozenset(range(2, 7))
"""NMI, HardFault, MemManage, BusFault, UsageFault."""
_OF_ALL_HANDLERS = frozenset(("no-invariant", "protection-changes"))
"""Obstacles after which nothing is claimed of any handler."""
_UNALIGNED = 1 << 9
"""In a stacked xPSR: the frame was pushed 4 bytes lower (DDI 0403, B1.5.7)."""


class Boundary(Exception):
    """The exploration claims nothing from here on."""


@dataclass(slots=True)
class Result:
    findings: Findings = field(default_factory=Findings)
    boundary: str = ""
    """Why the comparison ended before the record; empty if it did not."""
    completed: Counter[int] = field(default_factory=Counter)
    """Runs that were compared to their ends, by exception number."""
    followed: int = 0
    """Handlers after whose return unprivileged code ran, not the next handler at once: their frames are compared."""


@dataclass(slots=True)
class _Active:
    """A run that is under way."""

    number: int
    run: Run
    counts: Counter[tuple[AccessKind, int, Calls]] = field(default_factory=Counter)


@dataclass(slots=True)
class _Left:
    """A run that has ended, until it is seen what comes next."""

    active: _Active
    leave: Leave
    returning: Returning | None
    user: User | None = None


class Checker:
    """`read` names the system registers that the record's snapshots hold, in their order."""

    def __init__(
        self, exploration: Exploration, silicon: Silicon, read: tuple[int, ...], memory: bytes, *, handlers_nest: bool
    ) -> None:
        """`handlers_nest`: whether handlers may preempt each other, as in images that fail for just that."""
        self._exploration = exploration
        self._silicon = silicon
        self._views = Views(read=read, memory=memory)
        self._nest = handlers_nest
        self.result = Result()
        self._runs = {number: run for run in exploration.handlers for number in run.exceptions} | {0: exploration.boot}
        self._obstacles = {obstacle.site.address & ~1: obstacle.code for obstacle in exploration.obstacles}
        self._accesses: dict[tuple[int, AccessKind, int, Calls], list[Access]] = defaultdict(list)
        for run in (exploration.boot, *exploration.handlers):
            for access in run.accesses:
                self._accesses[run.entry, access.kind, access.site.address, access.site.calls].append(access)
        self._active: list[_Active] = []
        self._left: _Left | None = None
        self._returning: Returning | None = None
        self._stored: dict[int, int] = {}
        self._primask = 0
        self._control = 0
        self._system: tuple[int, ...] | None = None
        self._held: Snapshot | None = None
        self._confined: Places = ()

    def follow(self, events: Iterable[Event]) -> Result:
        try:
            for event in events:
                self._follow(event)
        except Boundary as boundary:
            self.result.boundary = str(boundary)
        return self.result

    def _follow(self, event: Event) -> None:
        match event:
            case Executed():
                self._executed(event.pc)
            case Moved():
                self._moved(event)
            case Special():
                self._special(event)
            case Enter():
                self._settle(None)
                self._enter(event)
            case Returning():
                self._returning = event
            case Leave():
                self._leave(event)
            case User():
                self._user(event)
            case Start():
                self._settle(event)
            case End():
                self._settle(None)

    # --- code and accesses ------------------------------------------------------------------------------------------

    @property
    def _findings(self) -> Findings:
        return self.result.findings

    def _missing(self, kind: Kind, place: int, text: str) -> None:
        """Something of which the exploration says nothing: its end where it has obstacles, else wrong."""
        if self._obstacles:
            raise Boundary(f"{place:#010x}: {text}")
        self._findings.check(kind, False, place, text)

    def _executed(self, pc: int) -> None:
        code = self._obstacles.get(pc)
        if code is not None:
            raise Boundary(f"{pc:#010x}: {code}")
        if any(start <= pc < end for start, end in self._exploration.executed):
            self._findings.check(Kind.EXECUTED, True, pc, "")
        else:
            self._missing(Kind.EXECUTED, pc, "executed, but not explored")

    def _moved(self, moved: Moved) -> None:
        active = self._active[-1]
        kind = AccessKind.STORE if moved.store else AccessKind.LOAD
        active.counts[kind, moved.pc, moved.calls] += moved.count
        if moved.address >= 0x40000000:
            self._access(active, kind, moved)
            if moved.store:
                note_stored(self._stored, moved)
        elif moved.address < MEMORY_START and not moved.store:
            for address in moved.addresses():
                within = any(s <= address and address + moved.width <= e for s, e in self._exploration.constants)
                if not within:
                    self._missing(Kind.CONSTANT, moved.pc, f"loads {address:#x}, which is not in `constants`")
                self._findings.facts[Kind.CONSTANT] += within
        elif moved.store and moved.address >= MEMORY_START:
            self._stored_to_memory(active, moved)
        elif not moved.store and active.number and self._is_confined(moved.address):
            self._access(active, kind, moved)

    def _stored_to_memory(self, active: _Active, moved: Moved) -> None:
        """All of a loop's stores at once: what they reach is one range, and so must be what is claimed of it."""
        addresses = list(moved.addresses())
        low, high = min(addresses), max(addresses) + moved.width
        reach = active.run.ram_stores or ()
        if any(start <= low and high <= end for start, end in reach):
            self._findings.check(Kind.RAM_STORE, True, moved.pc, "", facts=len(addresses))
        else:
            self._missing(
                Kind.RAM_STORE, moved.pc, f"stores to {low:#x}-{high - 1:#x}, which no store is said to reach"
            )

    def _access(self, active: _Active, kind: AccessKind, moved: Moved) -> None:
        known = self._accesses.get((active.run.entry, kind, moved.pc, moved.calls), [])
        if not known:
            self._missing(Kind.ACCESS, moved.pc, f"{kind} of {moved.address:#x} in an unknown calling context")
            return
        for address in moved.addresses():
            inside = any(
                access.width == moved.width and holds(access.address, address) and holds(access.value, moved.value)
                for access in known
            )
            claimed = "; ".join(f"{spelt(each.value)} at {spelt(each.address)}" for each in known)
            text = f"{kind} of {moved.width} bytes, {moved.value:#x} at {address:#x}, is not among {claimed}"
            self._findings.check(Kind.ACCESS, inside, moved.pc, text, facts=1 if moved.stride else moved.count)

    def _special(self, special: Special) -> None:
        if special.system is not None:
            self._system = special.system
        name, value = named(special)
        run = self._active[-1].run
        sites = [each for each in run.system_writes if each[1].address == special.pc and each[1].calls == special.calls]
        if name and not sites:
            self._missing(Kind.SYSTEM_WRITE, special.pc, f"a write of {name} in an unknown calling context")
        elif name:
            inside = any(each[0] == name and holds(each[2], value) for each in sites)
            text = f"{name} is given {value:#x}, not in {'; '.join(f'{each[0]} {spelt(each[2])}' for each in sites)}"
            self._findings.check(Kind.SYSTEM_WRITE, inside, special.pc, text)
        if name == "PRIMASK":
            self._primask = value & 1
        elif name == "CONTROL":
            # SPSEL is not written in handlers (DDI 0403, B1.4.4).
            self._control = value & 3 if not self._active[-1].number else value & 1 | self._control & 2

    # --- runs -------------------------------------------------------------------------------------------------------

    def _enter(self, enter: Enter) -> None:
        registers = enter.at.registers
        run = self._runs.get(enter.number)
        if enter.number and ((self._active and self._active[-1].number) or registers[14] != _THREAD_PROCESS_STACK):
            self._preempted(enter)
        if enter.number and self._active and not self._active[-1].number and enter.number in _FAULTS:
            self._refuse(Kind.FAULT, registers[15], f"exception {enter.number} in boot")
        if enter.number and _OF_ALL_HANDLERS & set(self._obstacles.values()):
            raise Boundary(f"{registers[15]:#010x}: no invariant")
        if run is None:
            self._missing(Kind.ENTRY, registers[15], f"exception {enter.number} has no run")
            raise Boundary("an unknown handler")
        text = f"exception {enter.number} enters, but its run begins at {run.entry:#x}"
        self._findings.check(Kind.ENTRY, registers[15] == run.entry, registers[15], text)
        if enter.number:
            self._undisturbed(enter)
            self._invariant(enter, run)
        if run.stack_high is not None:
            text = f"entered with the main stack at {registers[13]:#x}, not {run.stack_high:#x}"
            self._findings.check(Kind.ENTRY, registers[13] == run.stack_high & ~3, registers[15], text)
        self._active.append(_Active(number=enter.number, run=run))

    def _preempted(self, enter: Enter) -> None:
        """The claims are of handlers that run whole, from thread mode; a requirement of its own sees to that."""
        pc = enter.at.registers[15]
        if self._active and enter.number in _FAULTS:
            self._refuse(Kind.FAULT, pc, f"exception {enter.number} in the handler of {self._active[-1].number}")
        if self._nest:
            raise Boundary(f"exception {enter.number} does not come from the confined part")
        self._refuse(Kind.ENTRY, pc, f"exception {enter.number} is entered with lr = {enter.at.registers[14]:#x}")

    def _refuse(self, kind: Kind, place: int, text: str) -> None:
        """An event after which nothing can be compared."""
        self._missing(kind, place, text)
        raise Boundary(text)

    def _undisturbed(self, enter: Enter) -> None:
        """What the confined part cannot write has not changed since the handler or boot before."""
        held, pc = self._held, enter.at.registers[15]
        if held is None:
            return
        before, now = self._views.dump(held.memory), self._views.dump(enter.at.memory)
        if before is not None and now is not None:
            same = all(before[low:high] == now[low:high] for low, high in kept_memory(self._confined))
            self._findings.check(Kind.UNDISTURBED, same, pc, "gate memory changed meanwhile")
        if held.system is not None and enter.at.system is not None:
            same = self._views.regions(held.system) == self._views.regions(enter.at.system)
            self._findings.check(Kind.UNDISTURBED, same, pc, "the MPU changed meanwhile")

    def _invariant(self, enter: Enter, run: Run) -> None:
        """The state in which a handler is entered lies inside the one from which the verifier ran it."""
        if run.entry_state is None:
            self._missing(Kind.ENTRY, run.entry, "a handler without an entry state")
            return
        concrete = self._concrete(enter.at, main_stack=enter.at.registers[13])
        compare(run.entry_state, concrete, self._silicon, self._findings, f"entering {enter.number}")

    def _leave(self, leave: Leave) -> None:
        active = self._active.pop()
        run = active.run
        if leave.lowest != 0xFFFFFFFF and run.stack_low is not None:
            text = f"the main stack goes down to {leave.lowest:#x}, below {run.stack_low:#x}"
            self._findings.check(Kind.STACK, leave.lowest >= run.stack_low, run.entry, text)
        self._once(active)
        if leave.cut:
            return
        self._left = _Left(active=active, leave=leave, returning=self._returning if active.number else None)
        self._returning = None

    def _once(self, active: _Active) -> None:
        for (kind, pc, calls), count in active.counts.items():
            known = self._accesses.get((active.run.entry, kind, pc, calls), [])
            if known and not any(access.in_loop for access in known):
                most = len({(access.address.low, access.address.high) for access in known})
                text = f"{kind} happens {count} times in a run of {active.number}, but is in no loop"
                self._findings.check(Kind.ONCE, count <= most, pc, text)

    def _completed(self, active: _Active, leave: Leave) -> None:
        run = active.run
        self.result.completed[active.number] += 1
        if run.cycles is not None:
            text = f"a run of {active.number} has {leave.instructions} instructions, but at most {run.cycles} cycles"
            self._findings.check(Kind.CYCLES, leave.instructions <= run.cycles, run.entry, text)
        for access in run.accesses:
            if access.must:
                done = active.counts[access.kind, access.site.address, access.site.calls]
                text = f"{access.kind} did not happen in a completed run of {active.number}"
                self._findings.check(Kind.MUST, done > 0, access.site.address, text)

    # --- boundaries -------------------------------------------------------------------------------------------------

    def _user(self, user: User) -> None:
        if self._left is not None:
            self._left.user = user

    def _settle(self, start: Start | None) -> None:
        """A run has ended and it is known what came then: compare the state in which it ended."""
        left, self._left = self._left, None
        if left is None:
            return
        if left.active.number:
            self._exit(left)
        elif left.user is not None:
            self._drop(left, start)

    def _drop(self, left: _Left, start: Start | None) -> None:
        assert left.user is not None
        at = (start or left.user).at
        drops = left.active.run.drops
        if not drops:
            self._refuse(Kind.DROP, at.registers[15], "privilege is dropped, which the exploration does not know")
        fitting = [drop for drop in drops if holds(drop.target, at.registers[15])]
        if start is None and not fitting:
            raise Boundary("the drop was not followed to its target")
        text = f"the drop goes to {at.registers[15]:#x}"
        if not self._findings.check(Kind.DROP, bool(fitting), at.registers[15], text):
            return
        self._completed(left.active, left.leave)
        seen = Snapshot(registers=at.registers, system=self._system, memory=left.user.at.memory)
        process_stack = at.registers[13] if self._control & 2 else None
        concrete = self._concrete(seen, main_stack=left.leave.main_stack, process_stack=process_stack)
        self._best(fitting, concrete, "at the drop")
        self._confined = self._views.unprivileged_memory(self._system)
        self._held = seen

    def _exit(self, left: _Left) -> None:
        number, run = left.active.number, left.active.run
        returning = left.returning
        if returning is None:
            self._missing(Kind.RETURN, run.entry, f"the handler of {number} ended by no exception return")
            return
        self._completed(left.active, left.leave)
        exits = [each for each in run.exits if each.site.address == returning.pc]
        fitting = [each for each in exits if holds(each.exception_return, returning.value)]
        text = f"returns with {returning.value:#x}, which no exit of {number} does"
        if not self._findings.check(Kind.RETURN, bool(fitting), returning.pc, text):
            return
        at = returning.at
        concrete = self._concrete(at, main_stack=at.registers[13], process_stack=self._frame_address(left))
        self._best(fitting, concrete, f"at the return of {number}")
        self._held = returning.at
        self._confined = self._views.unprivileged_memory(returning.at.system)

    def _frame_address(self, left: _Left) -> int | None:
        """Where the frame was that the return popped; None where another exception came instead."""
        if left.user is None:
            return None
        self.result.followed += 1
        registers = left.user.at.registers
        for size in (32, 36):
            frame = self._frame(left, registers[13] - size)
            popped = frame is not None and frame[:6] == (*registers[:4], registers[12], registers[14])
            if frame is not None and popped and bool(frame[7] & _UNALIGNED) == (size == 36):
                return registers[13] - size
        return None

    def _frame(self, left: _Left, address: int) -> tuple[int, ...] | None:
        assert left.returning is not None
        at = address - MEMORY_START
        memory = self._views.dump(left.returning.at.memory)
        if memory is None or not 0 <= at <= MEMORY_SIZE - 32:
            return None
        return struct.unpack("<8I", memory[at : at + 32])

    def _concrete(self, at: Snapshot, *, main_stack: int, process_stack: int | None = None) -> Concrete:
        return Concrete(
            general=at.registers[:13],
            main_stack=main_stack,
            process_stack=process_stack,
            control=self._control,
            primask=self._primask,
            regions=self._views.regions(at.system),
            read=self._views.readings(at.system),
            stored=self._stored,
            memory=self._views.dump(at.memory),
        )

    def _best(self, ends: list[Drop] | list[HandlerExit], concrete: Concrete, where: str) -> None:
        """Several ends may share a place: the state must lie inside one of them, whole."""
        tried = []
        for end in ends:
            findings = Findings()
            compare(end.state, concrete, self._silicon, findings, where)
            if isinstance(end, HandlerExit):
                compare_frame(end, concrete, findings, where)
            tried.append(findings)
        self._findings.add(min(tried, key=lambda each: len(each.violations)))

    def _is_confined(self, address: int) -> bool:
        return any(start <= address < end for start, end in self._confined)
