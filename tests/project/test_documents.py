"""What the project's documents say is what it does: transcripts are run, links and paths exist, lists match."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRANSCRIPT = re.compile(r"<!-- transcript: (?P<command>.+?) -->\n```text\n(?P<output>.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)#:\s]+)(#[^)]*)?\)")
TOP_LEVEL = {
    *(".ci", ".gitignore", "Makefile", "pyproject.toml", "tools"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "NOTICE", "README.md"),
    *("benchmarks", "examples", "reference_module", "spec", "tests", "verifier"),
}
NAMES_OF_MACHINES = ("/wo" + "rk/", "/ro" + "ot/", "pypi" + ".org", "registry.np" + "mjs", "deb.deb" + "ian")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md" and path.exists()]


def transcripts() -> list[tuple[str, str, str]]:
    found = []
    for path in documents():
        for match in TRANSCRIPT.finditer(path.read_text(encoding="utf-8")):
            found.append((str(path.relative_to(ROOT)), match["command"], match["output"]))
    return found


def run(command: str) -> str:
    """Runs `pinproof ...` or `python ...`, with `| tail -N` or `| sed -n '/START/,/^$/p'` done here."""
    command, _, tail = command.partition(" | tail -")
    command, _, paragraph = command.partition(" | sed -n '/")
    words = shlex.split(command)
    program = {"pinproof": [sys.executable, "-m", "pinproof"], "python": [sys.executable]}[words[0]]
    environment = {"PYTHONPATH": str(ROOT / "verifier"), "NO_COLOR": "1", "COLUMNS": "100", "PATH": "/usr/bin:/bin"}
    words = [*program, *words[1:]]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    lines = done.stdout.splitlines(keepends=True)
    if paragraph:
        begin = next(number for number, line in enumerate(lines) if re.match(paragraph.removesuffix("/,/^$/p'"), line))
        lines = lines[begin : lines.index("\n", begin) + 1]
    return "".join(lines[-int(tail) :] if tail else lines)


@pytest.mark.parametrize(("document", "command", "output"), transcripts())
def test_a_transcript_is_what_the_command_prints(document: str, command: str, output: str) -> None:
    assert run(command) == output, f"{document}: {command}"


def test_there_are_transcripts() -> None:
    assert any(document == "README.md" for document, _, _ in transcripts())


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for match in LINK.finditer(document.read_text(encoding="utf-8")):
        assert (document.parent / match["target"]).exists(), f"{document}: {match['target']}"


def test_the_readme_gives_the_exit_codes_of_the_command_line() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    usage = " ".join(run("pinproof --help").split())
    codes = re.search(r"exit codes: (.*?)\. Only 0 is a yes", usage)
    assert codes is not None
    assert codes[1] in readme.replace("Exit codes:", "exit codes:")


def test_every_make_target_in_the_documents_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        assert set(re.findall(r"`?make ([a-z-]*[a-z])`?", document.read_text(encoding="utf-8"))) <= targets


def test_the_top_level_is_as_drawn() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP_LEVEL


@pytest.mark.parametrize("word", NAMES_OF_MACHINES)
def test_no_machine_path_and_no_registry_host(word: str) -> None:
    for path in tracked():
        if path.is_file():
            assert word.encode() not in path.read_bytes(), f"{path.relative_to(ROOT)} names {word}"
