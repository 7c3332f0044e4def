"""One reading in a process of its own, under a limit of memory: what it answered, and what that took."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from pinproof import certificate
from pinproof.certificate.statement import read_statement
from pinproof.declaration import read_declaration
from pinproof.errors import PinproofError
from pinproof.image import read_image, read_source_map
from pinproof.provisioning import read_provisioning

MEMORY = 1 << 30
"""Bytes of address space that a reading may have."""
HANGS = 120
"""Seconds by the clock, on a busy machine."""
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.fuzz.bounded"])


def _image(data: bytes, name: str) -> None:
    read_source_map(data, read_image(data, name))


READERS: dict[str, Callable[[bytes, str], object]] = {
    "image": _image,
    "declaration": read_declaration,
    "provisioning": read_provisioning,
    "bundle": certificate.read_bundle,
    "statement": read_statement,
    "trust": certificate.read_trust,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    error: str | None
    """The message; None where the file was accepted."""
    seconds: float
    megabytes: float


def measured(reader: str, data: bytes) -> Measured:
    """Read `data` under the limit. Anything but an answer of the reader is an assertion."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_answer, args=(theirs, reader, data))
    process.start()
    theirs.close()
    try:
        assert ours.poll(HANGS), "no answer"
        return ours.recv()
    except EOFError:
        raise AssertionError("the process died without an answer") from None
    finally:
        process.kill()
        process.join()


def _answer(answer: Connection, reader: str, data: bytes) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    began = time.process_time()
    error = None
    try:
        READERS[reader](data, "input")
    except PinproofError as problem:
        error = str(problem)
    seconds = time.process_time() - began
    answer.send(
        Measured(error=error, seconds=seconds, megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    )
