"""A client of QEMU's debugger stub: memory, core registers, breakpoints, run and stop."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

CORE_REGISTERS = (*(f"r{number}" for number in range(13)), "sp", "lr", "pc")
_XPSR = 25
_PACKET = re.compile(rb"\$([^#]*)#[0-9a-fA-F]{2}", re.DOTALL)
_CHUNK = 1024
"""Bytes a packet; the stub takes 4096 characters."""


class GdbError(Exception):
    """The stub is gone or said something unexpected."""


class Gdb:
    """Memory is read and written physically, whatever the protection unit says, unless stated otherwise."""

    def __init__(self, path: Path, *, timeout: float = 20.0, ended: Callable[[], bool] = lambda: False) -> None:
        """Connects to the stub's socket, which QEMU may still be about to create unless it has `ended`."""
        self._timeout = timeout
        self._received = b""
        self._socket = _connect(path, time.monotonic() + timeout, ended)
        self._socket.sendall(b"+")  # the stub takes the start of each further packet as an acknowledgement
        self.request("qXfer:features:read:target.xml:0,ffb")  # without it the stub keeps single registers to itself
        self._expect("Qqemu.PhyMemMode:1", "OK")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def request(self, text: str) -> str:
        self._send(text)
        return self._receive(self._timeout)

    def read(self, address: int, length: int) -> bytes:
        parts = []
        for start in range(address, address + length, _CHUNK):
            size = min(_CHUNK, address + length - start)
            parts.append(_bytes(self.request(f"m{start:x},{size:x}"), size))
        return b"".join(parts)

    def write(self, address: int, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK):
            part = data[start : start + _CHUNK]
            self._expect(f"M{address + start:x},{len(part):x}:{part.hex()}", "OK")

    def write_word(self, address: int, value: int) -> None:
        self.write(address, value.to_bytes(4, "little"))

    def register(self, name: str) -> int:
        number = _XPSR if name == "xpsr" else CORE_REGISTERS.index(name)
        return int.from_bytes(_bytes(self.request(f"p{number:x}"), 4), "little")

    def set_register(self, name: str, value: int) -> None:
        self._expect(f"P{CORE_REGISTERS.index(name):x}={value.to_bytes(4, 'little').hex()}", "OK")

    def readable_as_guest(self, address: int) -> bool:
        """Whether the stopped code could read the word there: the stub obeys its privilege and the protection unit."""
        self._expect("Qqemu.PhyMemMode:0", "OK")
        answer = self.request(f"m{address:x},4")
        self._expect("Qqemu.PhyMemMode:1", "OK")
        return not answer.startswith("E")

    def set_breakpoint(self, address: int) -> None:
        self._expect(f"Z0,{address:x},2", "OK")

    def clear_breakpoint(self, address: int) -> None:
        self._expect(f"z0,{address:x},2", "OK")

    def step(self) -> None:
        if not self.request("s").startswith("T05"):
            raise GdbError("a single step did not end as one")

    def resume(self) -> None:
        self._send("c")

    def stopped(self, timeout: float) -> bool:
        """Waits that long for the stop that a `resume` leads to. Raises GdbError where QEMU has ended."""
        try:
            answer = self._receive(timeout)
        except TimeoutError:
            return False
        if not answer.startswith("T"):
            raise GdbError(f"unexpected stop: {answer}")
        return True

    def interrupt(self) -> None:
        self._socket.sendall(b"\x03")
        if not self.stopped(self._timeout):
            raise GdbError("the machine could not be interrupted")

    def _send(self, text: str) -> None:
        body = text.encode("ascii")
        try:
            self._socket.sendall(b"$%s#%02x" % (body, sum(body) & 0xFF))
        except OSError as error:
            raise GdbError("the debugger stub is gone") from error

    def _receive(self, timeout: float) -> str:
        deadline = time.monotonic() + timeout
        while (match := _PACKET.search(self._received)) is None:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise
            except OSError as error:
                raise GdbError("the debugger stub is gone") from error
            if not data:
                raise GdbError("the debugger stub is gone")
            self._received += data
        self._received = self._received[match.end() :]
        return match[1].decode("latin-1")

    def _expect(self, text: str, wanted: str) -> None:
        answer = self.request(text)
        if answer != wanted:
            raise GdbError(f"{text[:40]} was answered with {answer[:40]!r}")


def _bytes(answer: str, length: int) -> bytes:
    if len(answer) != 2 * length:
        raise GdbError(f"expected {length} bytes, got {answer[:40]!r}")
    return bytes.fromhex(answer)


def _connect(path: Path, deadline: float, ended: Callable[[], bool]) -> socket.socket:
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            if ended() or time.monotonic() > deadline:
                raise GdbError("QEMU did not open its debugger socket") from error
            time.sleep(0.01)
        else:
            return connection
