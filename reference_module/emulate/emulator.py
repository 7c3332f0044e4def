"""A QEMU process with everything that the image does in one log; see qemu.py for the machine and its time."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from reference_module.emulate.errors import EmulationError
from reference_module.emulate.gdb import GdbError
from reference_module.emulate.qemu import Qemu

__all__ = ["EmulationError", "Emulator", "Stop", "build_plugin"]

TICK_LINE = b"NVIC external irq 44 level set to 1"
"""Timer 2's update event: interrupt 28, exception 44."""
BEAT_LINE = b"NVIC external irq 46 level set to 1"

_LOG_LIMIT = 200 << 20
_PLUGIN_SOURCE = Path(__file__).parent / "plugin" / "trace.c"
_PLUGIN_CACHE = Path(__file__).parents[2] / "build" / "emulation"


class Stop(StrEnum):
    BREAKPOINT = "breakpoint"
    TICKS = "enough ticks"
    STALLED = "no stop and no tick for long enough"
    LOCKUP = "the processor locked up"
    RESET = "the image reset the part"


class Emulator:
    """A machine stopped before its first instruction. A context manager: it is killed at the end, whatever happens."""

    def __init__(
        self,
        image: Path,
        *,
        shift: int,
        reached: Sequence[int] = (),
        once: Sequence[int] = (),
        watch: Sequence[int] = (),
    ) -> None:
        """`shift`: an instruction takes 2^shift ns.

        `reached`, `once`: addresses whose execution is logged, always or the first time. `watch`: words in memory whose
        reading and writing is.
        """
        watched = [f"reach={address:#x}" for address in reached] + [f"once={address:#x}" for address in once]
        watched += [f"watch={address:#x}" for address in watch]
        options = ["-d", "int,guest_errors,plugin", "-D", "{folder}/log"]
        options += ["-trace", "memory_region_ops_write", "-trace", "nvic_set_irq_level"]
        options += ["-plugin", ",".join([str(build_plugin()), *watched])]
        self._qemu = Qemu(image, shift=shift, options=options)
        self.gdb = self._qemu.gdb
        self.log = self._qemu.folder / "log"
        self._read = 0
        self._rest = b""
        self.ticks = 0
        self._quiet = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._qemu.close()

    def run(self, *, ticks: int, quiet: int, seconds: float) -> Stop:
        """Resumes until a breakpoint, until `ticks` ticks have been, or `quiet` beats without tick or stop.

        `seconds` of real time bound it; that they run out is an EmulationError.
        """
        deadline = time.monotonic() + seconds
        self._quiet = 0
        self.gdb.resume()
        while True:
            try:
                if self.gdb.stopped(0.02):
                    return Stop.BREAKPOINT
            except GdbError as error:
                return self._ended(error)
            self.follow()
            if self.ticks >= ticks or self._quiet >= quiet:
                self.gdb.interrupt()
                return Stop.TICKS if self.ticks >= ticks else Stop.STALLED
            if time.monotonic() > deadline or self._read > _LOG_LIMIT:
                raise EmulationError(f"no end after {seconds} s of real time and {self._read} bytes of log")

    def follow(self) -> None:
        with self.log.open("rb") as stream:
            stream.seek(self._read)
            data = stream.read()
        self._read += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.endswith(TICK_LINE):
                self.ticks += 1
                self._quiet = 0
            elif line.endswith(BEAT_LINE):
                self._quiet += 1

    def _ended(self, error: GdbError) -> Stop:
        self._qemu.process.wait(10)
        if re.search("[Ll]ockup", self._qemu.error_text()):
            return Stop.LOCKUP
        if self._qemu.process.returncode == 0:  # -no-reboot
            return Stop.RESET
        raise EmulationError(f"QEMU ended: {self._qemu.error_text()}") from error


def build_plugin(path: Path = _PLUGIN_SOURCE) -> Path:
    """The compiled plugin, built where it is not there yet for this source."""
    source = path.read_bytes()
    target = _PLUGIN_CACHE / f"{path.stem}-{hashlib.sha256(source).hexdigest()[:16]}.so"
    if not target.exists():
        _PLUGIN_CACHE.mkdir(parents=True, exist_ok=True)
        made = target.with_suffix(f".{os.getpid()}")
        command = ["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"]
        command += ["-o", str(made), str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise EmulationError(f"gcc, which compiles QEMU's plugin, cannot be started: {error.strerror}") from error
        if done.returncode != 0:
            raise EmulationError(f"the plugin does not compile:\n{done.stderr}")
        made.replace(target)
    return target
