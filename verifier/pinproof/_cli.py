"""The command line: parse, call, print, exit. Exit codes are part of the contract."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from pinproof.errors import ExpiredError, PinproofError, TrustError

INTERNAL = 4
INTERRUPTED = 130
"""As a shell reports a process that Ctrl-C ended."""

_CODES: tuple[tuple[type[PinproofError], int], ...] = ((ExpiredError, 6), (TrustError, 5), (PinproofError, 2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. No exception leaves; PINPROOF_TRACEBACK=1 shows it."""
    try:
        # Loaded here, so that Ctrl-C and a broken installation are met below and not by the interpreter.
        from pinproof._commands import parser

        chosen = parser().parse_args(arguments)
        code: int = chosen.run(chosen)
        sys.stdout.flush()
        return code
    except PinproofError as problem:
        return _complain(problem, str(problem), next(code for kind, code in _CODES if isinstance(problem, kind)))
    except BrokenPipeError as problem:
        _close_standard_output()
        return _complain(problem, "the reader of the result went away", INTERNAL)
    except KeyboardInterrupt as problem:
        return _complain(problem, "interrupted", INTERRUPTED)
    except Exception as problem:
        text = f"internal error: {type(problem).__name__}: {problem} (PINPROOF_TRACEBACK=1 shows where)"
        return _complain(problem, text, INTERNAL)


def _complain(problem: BaseException, text: str, code: int) -> int:
    if os.environ.get("PINPROOF_TRACEBACK") == "1":
        traceback.print_exception(problem)
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    print(f"pinproof: {shown}".encode("ascii", "backslashreplace").decode(), file=sys.stderr)
    return code


def _close_standard_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not fail in turn."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def run() -> NoReturn:
    """Entry point of the installed command."""
    sys.exit(main())
