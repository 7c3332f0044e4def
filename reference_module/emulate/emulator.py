"""One QEMU process that runs an image as it is, under control of its debugger stub, with everything it does in one log.

The machine is netduinoplus2: an STM32F405, whose timer 2, memory, flash and core sit where the F401 has them. Its
ports and clock registers are not there (they read 0) and its timer has no compare output: QEMU knows of no pin. A
count of the timer is one nanosecond.

Time and stops. With `-icount sleep=off` virtual time is a function of the instructions executed, so that runs repeat
exactly. But whenever the debugger stops the machine the clock jumps to the next deadline of any QEMU timer. If that
were timer 2's, a stop inside the tick handler would raise the next tick at once, and the confined part would never
run. So the harness gives QEMU a nearer deadline: timer 4, which no image uses and whose interrupt no image enables,
is started from outside before the first instruction with a period of one virtual millisecond. Each stop then costs at
most that. Its beats are in the log too, and are the clock by which a run that does nothing any more is ended.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from reference_module.emulate.gdb import Gdb, GdbError

TICK_LINE = b"NVIC external irq 44 level set to 1"
"""Timer 2's update event: interrupt 28, exception 44."""
BEAT_LINE = b"NVIC external irq 46 level set to 1"
BEAT_NANOSECONDS = 1_000_000
"""Virtual time between two beats of timer 4."""

_TIM4_CR1, _TIM4_DIER, _TIM4_ARR = 0x40000800, 0x4000080C, 0x4000082C
_LOG_LIMIT = 200 << 20
_PLUGIN_SOURCE = Path(__file__).parent / "plugin" / "trace.c"
_PLUGIN_CACHE = Path(__file__).parents[2] / "build" / "emulation"


class EmulationError(Exception):
    """The harness failed. Never the image's doing: what an image does is observed, not raised."""


class Stop(StrEnum):
    BREAKPOINT = "breakpoint"
    TICKS = "enough ticks"
    STALLED = "no stop and no tick for long enough"
    LOCKUP = "the processor locked up"
    RESET = "the image reset the part"


class Emulator:
    """A machine stopped before its first instruction. A context manager: it is killed at the end, whatever happens."""

    def __init__(self, image: Path, *, shift: int, reached: Sequence[int] = (), once: Sequence[int] = ()) -> None:
        """`shift`: an instruction takes 2^shift ns.

        `reached`, `once`: addresses whose execution is logged, always or the first time.
        """
        plugin = build_plugin()
        self._directory = Path(tempfile.mkdtemp(prefix="pinproof-qemu-"))
        self.log = self._directory / "log"
        self._error = self._directory / "error"
        socket = self._directory / "gdb"
        watched = [f"reach={address:#x}" for address in reached] + [f"once={address:#x}" for address in once]
        command = ["qemu-system-arm", "-M", "netduinoplus2", "-kernel", str(image), "-nographic", "-nodefaults"]
        command += ["-S", "-no-reboot"]
        command += ["-icount", f"shift={shift},sleep=off", "-d", "int,guest_errors,plugin", "-D", str(self.log)]
        command += ["-trace", "memory_region_ops_write", "-trace", "nvic_set_irq_level"]
        command += ["-plugin", ",".join([str(plugin), *watched])]
        command += ["-chardev", f"socket,path={socket},server=on,wait=off,id=gdb", "-gdb", "chardev:gdb"]
        with self._error.open("wb") as error:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=error)
        try:
            self.gdb = Gdb(socket)
            self._start_beats()
        except BaseException as error:
            message = self._error_text()
            self.close()
            if isinstance(error, GdbError):
                raise EmulationError(f"QEMU did not start: {error}; it said: {message}") from error
            raise
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
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

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

    def _start_beats(self) -> None:
        """Also starts timer 4's alarm: writing the reload value is what sets it in QEMU."""
        self.gdb.write_word(_TIM4_CR1, 1)
        self.gdb.write_word(_TIM4_DIER, 1)
        self.gdb.write_word(_TIM4_ARR, BEAT_NANOSECONDS - 1)

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
        self._process.wait(10)
        if re.search("[Ll]ockup", self._error_text()):
            return Stop.LOCKUP
        if self._process.returncode == 0:  # -no-reboot
            return Stop.RESET
        raise EmulationError(f"QEMU ended: {self._error_text()}") from error

    def _error_text(self) -> str:
        return self._error.read_text(errors="replace").strip() if self._error.exists() else ""


def build_plugin(path: Path = _PLUGIN_SOURCE) -> Path:
    """The compiled plugin, built where it is not there yet for this source."""
    source = path.read_bytes()
    target = _PLUGIN_CACHE / f"{path.stem}-{hashlib.sha256(source).hexdigest()[:16]}.so"
    if not target.exists():
        _PLUGIN_CACHE.mkdir(parents=True, exist_ok=True)
        made = target.with_suffix(f".{os.getpid()}")
        command = ["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"]
        command += ["-o", str(made), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise EmulationError(f"the plugin does not compile:\n{done.stderr}")
        made.replace(target)
    return target
