"""The commands, one module each, and the argument parser over them."""

from __future__ import annotations

import argparse

from pinproof import __version__
from pinproof._commands import certify, check, explain, keygen, new, parts, schema, verify

_EPILOGUE = """\
exit codes: 0 conforms or valid; 1 does not conform; 2 usage or unreadable input; 3 undecided; 4 internal error;
5 signature, digest or trust; 6 expired. Only 0 is a yes.
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="pinproof",
        description="Proves from a microcontroller's binary that a sensor can tell the world one bit a second only.",
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"pinproof {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for command in (new, verify, certify, check, explain, keygen, parts, schema):
        command.add(commands)
    return top
