"""One QEMU process that runs an image as it is, stopped before its first instruction, controlled by its debugger stub.

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

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware.emulate.errors import EmulationError
from firmware.emulate.gdb import Gdb, GdbError

PROGRAM = "qemu-system-arm"
BEAT_NANOSECONDS = 1_000_000
"""Virtual time between two beats of timer 4."""
_TIM4_CR1, _TIM4_DIER, _TIM4_ARR = 0x40000800, 0x4000080C, 0x4000082C


class Qemu:
    """A context manager: the process is killed at the end, whatever happens."""

    def __init__(self, image: Path, *, shift: int, options: Sequence[str] = ()) -> None:
        """`shift`: an instruction takes 2^shift ns. `options`: more words for the command line.

        `{folder}` in an option is a scratch folder of this run.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="pinproof-qemu-"))
        self._error = self.folder / "error"
        socket = self.folder / "gdb"
        command = [PROGRAM, "-M", "netduinoplus2", "-kernel", str(image), "-nographic", "-nodefaults"]
        command += ["-S", "-no-reboot", "-icount", f"shift={shift},sleep=off"]
        command += [option.replace("{folder}", str(self.folder)) for option in options]
        command += ["-chardev", f"socket,path={socket},server=on,wait=off,id=gdb", "-gdb", "chardev:gdb"]
        try:
            with self._error.open("wb") as error:
                # A session of its own: an interrupt from the keyboard reaches this process alone, which then ends QEMU.
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=error,
                    start_new_session=True,
                )
        except OSError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            why = f"{PROGRAM} cannot be started: {error.strerror}; `make toolchain` installs it"
            raise EmulationError(why) from error
        try:
            self.gdb = Gdb(socket, ended=self.has_ended)
            self._start_beats()
        except BaseException as error:
            message = self.error_text()
            self.close()
            if isinstance(error, GdbError):
                raise EmulationError(f"QEMU did not start: {error}; it said: {message}") from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def error_text(self) -> str:
        return " ".join(self._error.read_text(errors="replace").split()) if self._error.exists() else ""

    def _start_beats(self) -> None:
        """Also starts timer 4's alarm: writing the reload value is what sets it in QEMU."""
        self.gdb.write_word(_TIM4_CR1, 1)
        self.gdb.write_word(_TIM4_DIER, 1)
        self.gdb.write_word(_TIM4_ARR, BEAT_NANOSECONDS - 1)
