"""The sensor's control bus: I2C 1 as a master, as RM0368 18 describes it, with a sensor that answers or does not."""

from __future__ import annotations

from dataclasses import dataclass, field

CR1, DR, SR1, SR2 = 0x40005400, 0x40005410, 0x40005414, 0x40005418
_PE, _START, _STOP = 1 << 0, 1 << 8, 1 << 9
_SB, _ADDR, _BTF, _TXE = 1 << 0, 1 << 1, 1 << 2, 1 << 7
_BIT = 840
"""Cycles of a bit: 100 kHz at 84 MHz."""
_BYTE = 9 * _BIT


@dataclass(slots=True, kw_only=True)
class Bus:
    """What is sent, and when each flag comes. Times are in cycles of the processor."""

    wakes: int = 0
    """Nothing is acknowledged before that time."""
    refuses: int | None = None
    """The number of the first acknowledged byte (from 0, over all messages) that is not; None: all are."""
    stuck: bool = False
    """No start comes about: a line is held low."""
    no_stop: bool = False
    messages: list[bytes] = field(default_factory=list)
    """What was acknowledged between a start and a stop."""
    bytes_sent: int = 0
    _flags: list[tuple[int, int]] = field(default_factory=list)
    """Time and flag."""
    _control: int = 0
    _stop_at: int = 0
    _message: bytearray = field(default_factory=bytearray)
    _free: int = 0
    """When the byte that is being sent will be out."""

    def read(self, address: int, time: int) -> int:
        if address == SR1:
            return sum({flag for at, flag in self._flags if at <= time})
        if address == SR2:
            self._drop(_ADDR)
        if address == CR1:
            if self._control & _STOP and time >= self._stop_at and not self.no_stop:
                self._control &= ~_STOP
            return self._control
        return 0

    def write(self, address: int, value: int, time: int) -> None:
        if address == CR1:
            self._set_control(value, time)
        elif address == DR:
            self._send(value, time)

    def _set_control(self, value: int, time: int) -> None:
        assert not self._control & (_START | _STOP) or not value & _PE, "CR1 written while a start or stop is pending"
        self._control = value
        if not value & _PE:
            self._flags.clear()
            self._message.clear()
        elif value & _START and not self.stuck:
            self._flags = [(time + _BIT, _SB)]
            self._control &= ~_START
        elif value & _STOP:
            self._flags.clear()
            self._stop_at = time + _BIT
            self.messages.append(bytes(self._message))
            self._message.clear()

    def _send(self, value: int, time: int) -> None:
        addressing = any(flag == _SB for _, flag in self._flags)
        begins = max(time, self._free)
        self._free = begins + _BYTE
        if time < self.wakes or self.bytes_sent == self.refuses:
            self._flags = []
            return
        self.bytes_sent += 1
        self._message.append(value)
        if addressing:
            self._flags = [(self._free, _ADDR)]
        else:
            self._flags = [(begins + 2, _TXE), (self._free, _BTF)]

    def _drop(self, flag: int) -> None:
        self._flags = [each for each in self._flags if each[1] != flag]
