"""Fuzzes one reader for a while: `python -m tests.fuzz.campaign READER --seconds N [--corpus DIRECTORY]`.

Ends with one line: executions, coverage and processor time. Exit code 1 where something was found; the file that shows
it stays in the corpus directory's `findings`.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.seeds import CORPUS, SEEDS

MEMORY_LIMIT_MB, TIME_LIMIT_S, LARGEST = 2048, 30, 16384
"""Of one execution, the time by the clock (the judges count processor time, and less of it); `LARGEST` bytes of a file,
as larger ones only make the fuzzer slow."""
_PROGRESS = re.compile(r"^#(\d+)\s.*?cov: (\d+) ft: (\d+) corp: (\d+)/", re.MULTILINE)
_FINAL = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one run of the fuzzer did."""

    executions: int
    edges: int
    features: int
    corpus: int
    wall_seconds: float
    cpu_seconds: float
    found: bool


def fuzz(reader: str, seconds: int, corpus: Path, log: Path, seed: int) -> Session:
    """Fuzz `reader` for `seconds`; `corpus` gains what reaches something new."""
    kept, findings = corpus / reader, corpus / "findings" / reader
    for folder in (kept, findings):
        folder.mkdir(parents=True, exist_ok=True)
    _plant(reader, kept)
    options = [
        f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_LIMIT_MB}", f"-timeout={TIME_LIMIT_S}",
        f"-max_len={LARGEST}", f"-seed={seed}", "-print_final_stats=1", f"-artifact_prefix={findings}/",
    ]  # fmt: skip
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with log.open("ab") as stream:
        command = [sys.executable, "-m", "tests.fuzz.target", reader, *options, str(kept)]
        code = subprocess.run(command, stdout=stream, stderr=stream, check=False).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = log.read_text(encoding="utf-8", errors="replace")
    steps = _PROGRESS.findall(said) or [("0", "0", "0", "0")]
    final = _FINAL.findall(said) or [steps[-1][0]]
    return Session(
        executions=int(final[-1]),
        edges=int(steps[-1][1]),
        features=int(steps[-1][2]),
        corpus=int(steps[-1][3]),
        wall_seconds=time.monotonic() - began,
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        found=code != 0,
    )


def _plant(reader: str, folder: Path) -> None:
    """The seeds and the checked-in corpus, each under the name that libFuzzer gives its contents."""
    for data in [*SEEDS[reader], *checked_in(reader)]:
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def checked_in(reader: str) -> list[bytes]:
    """The corpus in the repository."""
    folder = CORPUS / reader
    return [file.read_bytes() for file in sorted(folder.iterdir())] if folder.exists() else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader", choices=sorted(SEEDS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help="keeps what is found; a temporary folder when left out")
    parser.add_argument("--log", type=Path, help="libFuzzer's output")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        corpus = arguments.corpus or Path(scratch)
        log = arguments.log or Path(scratch) / "log"
        done = fuzz(arguments.reader, arguments.seconds, corpus, log, arguments.seed)
        if done.found:
            print(log.read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr)
    print(
        f"fuzz {arguments.reader}: {done.executions} executions, {done.edges} edges, {done.features} features, "
        f"{done.corpus} files, {done.wall_seconds:.0f} s, {done.cpu_seconds:.0f} CPU s, "
        f"{'FOUND SOMETHING' if done.found else 'nothing found'}"
    )
    return 1 if done.found else 0


if __name__ == "__main__":
    sys.exit(main())
