"""The commands that need a verification, with the verification itself replaced by a report made by hand."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from pinproof import _cli, _files, certificate
from pinproof._commands import _shared
from pinproof.certificate import keys
from pinproof.errors import InputError
from pinproof.outcome import Fault
from pinproof.report import Report

from tests.unit.report import samples

VERDICTS = [
    (samples.report(), 0, "CONFORMS"),
    (samples.report(samples.passed(), samples.failed()), 1, "DOES NOT CONFORM"),
    (samples.report(samples.passed(), samples.undecided()), 3, "UNDECIDED"),
    (samples.report(samples.passed(), Fault(message="broke")), 3, "UNDECIDED"),
    (replace(samples.report(), decisions=()), 3, "UNDECIDED"),
    (samples.report(development=True), 3, "UNDECIDED"),
    (samples.report(*samples.EVERY_OUTCOME, development=True), 1, "DOES NOT CONFORM"),
]


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """A list whose last report is what every verification comes to."""
    reports: list[Report] = [samples.report()]
    monkeypatch.setattr(_shared, "run_verification", lambda *_, **__: reports[-1])
    return reports


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(keys.private_pem(keys.generate(keys.Scheme.ED25519), None))
    return path


@pytest.mark.parametrize(("report", "code", "word"), VERDICTS)
def test_verify_exits_by_verdict(
    decided: list[Report], capfdbinary: pytest.CaptureFixture[bytes], report: Report, code: int, word: str
) -> None:
    decided.append(report)
    assert _cli.main(["verify", "x.elf", "--module", "module.toml"]) == code
    captured = capfdbinary.readouterr()
    assert captured.out.decode().splitlines()[0] == word and captured.err == b""


@pytest.mark.parametrize(("report", "code", "word"), VERDICTS)
def test_certify_signs_only_what_conforms(
    decided: list[Report],
    key: Path,
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
    report: Report,
    code: int,
    word: str,
) -> None:
    decided.append(report)
    output = tmp_path / "certificate.json"
    assert _cli.main(["certify", "x.elf", "--module", "m.toml", "--key", str(key), "-o", str(output)]) == code
    assert output.exists() == (code == 0)
    captured = capfdbinary.readouterr()
    assert captured.out.decode().splitlines()[0] == word
    assert (captured.err == b"pinproof: not certified\n") == (code != 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--level", "0"], "never certified"), (["--days", "0"], "from 1 to 3650"), (["--issued", "now"], "not a time")],
)
def test_certify_refuses_what_makes_no_certificate(
    decided: list[Report],
    key: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    output = tmp_path / "c.json"
    assert _cli.main(["certify", "x", "--module", "m", "--key", str(key), "-o", str(output), *arguments]) == 2
    assert says in capsys.readouterr().err and not output.exists()


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), OSError(28, "No space left on device"), RuntimeError("x")])
@pytest.mark.parametrize("call", ["replace", "fsync"])
@pytest.mark.parametrize("before", [None, "what was there"])
def test_an_interrupted_certify_leaves_nothing_half_written(
    decided: list[Report],
    key: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    problem: BaseException,
    call: str,
    before: str | None,
) -> None:
    output = tmp_path / "certificate.json"
    if before is not None:
        output.write_text(before)

    def fail(*_: object) -> None:
        raise problem

    monkeypatch.setattr(os, call, fail)
    assert _cli.main(["certify", "x", "--module", "m", "--key", str(key), "-o", str(output)]) != 0
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(
        ["key.pem", *(["certificate.json"] if before is not None else [])]
    )
    assert before is None or output.read_text() == before


def test_an_encrypted_key_is_opened_by_its_passphrase(
    decided: list[Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = tmp_path / "key.pem", tmp_path / "c.json"
    path.write_bytes(keys.private_pem(keys.generate(keys.Scheme.ECDSA_P256), b"correct horse"))
    arguments = ["certify", "x", "--module", "m", "--key", str(path), "-o", str(output)]
    monkeypatch.setenv("PINPROOF_KEY_PASSPHRASE", "wrong")
    assert _cli.main(arguments) == 2 and "does not open" in capsys.readouterr().err
    monkeypatch.setenv("PINPROOF_KEY_PASSPHRASE", "correct horse")
    assert _cli.main(arguments) == 0 and output.exists()


def test_the_time_of_issue_can_be_given(decided: list[Report], key: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    for output in (first, second):
        arguments = ["certify", "x", "--module", "m", "--key", str(key), "-o", str(output)]
        assert _cli.main([*arguments, "--issued", "2026-01-01T00:00:00Z"]) == 0
    assert first.read_bytes() == second.read_bytes()
    bundle = certificate.read_bundle(first.read_bytes(), "c")
    assert json.loads(bundle.payload)["predicate"]["issued"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "md"])
def test_every_format_goes_to_a_file(decided: list[Report], tmp_path: Path, form: str) -> None:
    decided.append(samples.report(samples.failed()))
    output = tmp_path / "report"
    assert _cli.main(["verify", "x", "--module", "m", "--format", form, "-o", str(output)]) == 1
    assert output.read_text("utf-8").endswith("\n")


def test_an_internal_error_is_4_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> Report:
        raise RuntimeError("two\nlines \x1b[31m")

    monkeypatch.setattr(_shared, "run_verification", broken)
    assert _cli.main(["verify", "x", "--module", "m"]) == 4
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and "\x1b" not in shown and "RuntimeError" in shown
    monkeypatch.setenv("PINPROOF_TRACEBACK", "1")
    assert _cli.main(["verify", "x", "--module", "m"]) == 4
    assert "Traceback" in capsys.readouterr().err


class TestFiles:
    def test_a_private_file_is_the_owner_s_alone(self, tmp_path: Path) -> None:
        _files.write(tmp_path / "k", b"x", private=True)
        assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600

    def test_a_device_is_written_to_and_never_replaced(self) -> None:
        _files.write(Path("/dev/null"), b"x")
        assert Path("/dev/null").is_char_device()

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "target").write_bytes(b"old")
        (tmp_path / "link").symlink_to("target")
        _files.write(tmp_path / "link", b"new")
        assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_bytes() == b"new"

    @pytest.mark.parametrize("name", ["no/such/folder/file", "."])
    def test_what_cannot_be_written_is_one_line(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match="cannot be written"):
            _files.write(tmp_path / name, b"x")

    def test_an_endless_file_is_refused(self) -> None:
        with pytest.raises(InputError, match="larger than"):
            _files.read(Path("/dev/zero"), limit=1000)
