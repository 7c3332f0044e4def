"""The command line as its users meet it: whole processes, exit codes, standard output and standard error."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pinproof
import pytest
from pinproof import _cli, certificate
from pinproof.catalogue import load_catalogue
from pinproof.certificate import Role, Trust, keys
from pinproof.outcome import Grade
from pinproof.report import Decision, Report
from pinproof.silicon import part_names

from tests.unit.report import samples

NOW = datetime.now(UTC).replace(microsecond=0)
KEY = keys.generate(keys.Scheme.ED25519)


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, with the package under test importable."""
    return {**os.environ, "PYTHONPATH": str(Path(pinproof.__file__).parents[1]), **changes}


def process(*arguments: object, **changes: str) -> subprocess.CompletedProcess[str]:
    """One command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pinproof", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        check=False,
    )


def run(*arguments: object, **changes: str) -> subprocess.CompletedProcess[str]:
    """One command in this process, five times as fast: the same exit code and the same bytes on both streams."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with (
        mock.patch.dict(os.environ, changes),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = _cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(arguments, code, *texts)


def refused(code: int, *arguments: object, says: str = "", real: bool = False, **changes: str) -> None:
    """It ends with `code`, one line on standard error, nothing on standard output, no traceback."""
    done = (process if real else run)(*arguments, **changes)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert done.stderr.startswith("pinproof: ") and done.stderr.count("\n") == 1
    assert says in done.stderr


def full_report() -> Report:
    """A report that passes every requirement of the real catalogue."""
    catalogue = load_catalogue()
    decisions = tuple(
        Decision(
            id=requirement.id,
            area=requirement.area,
            sentence=requirement.sentence,
            minimum_grade=requirement.minimum_grade(1),
            outcome=samples.passed(Grade.SILICON),
        )
        for requirement in catalogue.requirements
    )
    return replace(
        samples.report(),
        decisions=decisions,
        specification_version=catalogue.version,
        catalogue_sha256=catalogue.digest,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A certificate that holds, the trust file for it, and the image it is about."""
    image = b":020000040800F2\n:0400000001020304F2\n:00000001FF\n"
    report = full_report()
    digest = hashlib.sha256(image).hexdigest()
    report = replace(report, subjects=replace(report.subjects, image_sha256=digest))
    issued = NOW - timedelta(days=1)
    trusted = certificate.trust_key(
        KEY.public_key(),
        owner="Example Works",
        role=Role.VENDOR,
        maximum_level=1,
        valid_from=issued - timedelta(days=1),
        valid_until=NOW + timedelta(days=3650),
    )
    signed = certificate.issue(report, KEY, issued=issued, expires=NOW + timedelta(days=100))
    (tmp_path / "image.hex").write_bytes(image)
    (tmp_path / "certificate.json").write_text(signed)
    (tmp_path / "trust.json").write_text(certificate.write_trust(Trust(keys=(trusted,))))
    return tmp_path


class TestUsage:
    def test_version(self) -> None:
        assert process("--version").stdout == "pinproof 0.1.0\n"

    @pytest.mark.parametrize("arguments", ["", "unknown", "verify", "verify x --module m --level 4", "schema x"])
    def test_wrong_usage_is_2(self, arguments: str) -> None:
        done = run(*arguments.split())
        assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr

    def test_help_names_the_commands_that_work_and_no_others(self) -> None:
        text = run("--help").stdout
        for command in ("new", "verify", "certify", "check", "explain", "keygen", "parts", "schema"):
            assert f"\n    {command} " in text
        for later in ("inspect", "diff", "label", "trace", "model", "log "):
            assert f"\n    {later}" not in text

    def test_parts(self) -> None:
        assert [line.split()[0] for line in run("parts").stdout.splitlines()] == list(part_names())

    @pytest.mark.parametrize("name", ["certificate", "declaration", "report", "trust"])
    def test_schema(self, name: str) -> None:
        assert json.loads(run("schema", name).stdout)["$schema"].startswith("https://json-schema.org/")


class TestExplain:
    def test_every_requirement_is_explained(self) -> None:
        listed = [line.split()[0] for line in run("explain").stdout.splitlines()]
        assert listed == [requirement.id for requirement in load_catalogue().requirements]

    def test_one(self) -> None:
        text = run("explain", "out-clocked").stdout
        for part in ("Why\n", "How it is decided\n", "Fails\n", "Conforms\n", "level 1:", "spec/out.md#out-clocked"):
            assert part in text

    @pytest.mark.parametrize("requirement", [requirement.id for requirement in load_catalogue().requirements])
    def test_every_reason_code_is_named(self, requirement: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        reasons = importlib.import_module(f"pinproof.requirements.{requirement.replace('-', '_')}").REASONS
        assert _cli.main(["explain", requirement]) == 0
        text = capfdbinary.readouterr().out.decode()
        assert reasons and all(f"\n  {code}: " in text for code in reasons)
        assert "](#" not in text and ".md)" not in text

    def test_did_you_mean(self) -> None:
        refused(2, "explain", "out-cloked", says="did you mean out-clocked")
        refused(2, "explain", "zzz", says="lists all")


class TestCheck:
    def test_it_holds(self, folder: Path) -> None:
        done = process("check", folder / "certificate.json", folder / "image.hex", "--trust", folder / "trust.json")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("VALID\n") and "1 bit/s through the pin" in done.stdout
        assert "byte for byte" in done.stdout

    def test_without_an_image_it_says_so(self, folder: Path) -> None:
        done = run("check", folder / "certificate.json", "--trust", folder / "trust.json")
        assert done.returncode == 0 and done.stdout.startswith("VALID, BUT NO IMAGE WAS COMPARED\n")

    def test_without_trust_it_is_not_a_yes(self, folder: Path) -> None:
        refused(5, "check", folder / "certificate.json", says="--trust", real=True)

    def test_another_image_is_5(self, folder: Path) -> None:
        other = folder / "other.hex"
        other.write_bytes(b":020000040800F2\n:0400000001020305F1\n:00000001FF\n")
        refused(
            5, "check", folder / "certificate.json", other, "--trust", folder / "trust.json", says="not the certified"
        )

    @pytest.mark.parametrize("text", ["", "{}", "no json", '{"mediaType": 1}'])
    def test_an_unparsable_certificate_is_2(self, folder: Path, text: str) -> None:
        (folder / "certificate.json").write_text(text)
        refused(2, "check", folder / "certificate.json", folder / "image.hex", "--trust", folder / "trust.json")

    def test_a_changed_signature_is_5(self, folder: Path) -> None:
        value = json.loads((folder / "certificate.json").read_text())
        signature = value["dsseEnvelope"]["signatures"][0]
        signature["sig"] = ("B" if signature["sig"][0] != "B" else "C") + signature["sig"][1:]
        (folder / "certificate.json").write_text(json.dumps(value))
        refused(5, "check", folder / "certificate.json", folder / "image.hex", "--trust", folder / "trust.json")

    def test_expired_is_6(self, folder: Path) -> None:
        late = (NOW + timedelta(days=101)).strftime("%Y-%m-%dT%H:%M:%SZ")
        refused(
            6, "check", folder / "certificate.json", "--trust", folder / "trust.json", "--at", late, says="expired at"
        )

    @pytest.mark.parametrize("at", ["tomorrow", "2026-01-01", "2026-13-01T00:00:00Z"])
    def test_a_time_that_is_none_is_2(self, folder: Path, at: str) -> None:
        refused(2, "check", folder / "certificate.json", "--trust", folder / "trust.json", "--at", at)

    @pytest.mark.parametrize("name", ["missing.json", ".", "certificate.json/x", "/dev/zero"])
    def test_a_file_that_cannot_be_read_is_2(self, folder: Path, name: str) -> None:
        refused(2, "check", folder / name, "--trust", folder / "trust.json")


class TestKeygen:
    @pytest.mark.parametrize("scheme", ["ed25519", "ecdsa-p256"])
    def test_it_makes_a_key_that_signs(self, tmp_path: Path, scheme: str) -> None:
        key, trust = tmp_path / "key.pem", tmp_path / "trust.json"
        done = run("keygen", "-o", key, "--scheme", scheme, "--trust", trust, "--owner", "Demo")
        assert (done.returncode, done.stderr) == (0, "")
        assert key.stat().st_mode & 0o777 == 0o600
        (trusted,) = certificate.read_trust(trust.read_bytes(), "t").keys
        assert (trusted.id, trusted.owner) == (done.stdout.strip(), "Demo")
        read = keys.read_private(key.read_bytes(), "k", lambda: None)
        assert keys.public_pem(read.public_key()) == (tmp_path / "key.pem.pub").read_bytes()

    def test_it_encrypts_where_there_is_a_passphrase(self, tmp_path: Path) -> None:
        run("keygen", "-o", tmp_path / "key.pem", PINPROOF_KEY_PASSPHRASE="correct horse")
        assert b"ENCRYPTED" in (tmp_path / "key.pem").read_bytes()

    @pytest.mark.parametrize("existing", ["key.pem", "key.pem.pub", "trust.json"])
    def test_it_overwrites_nothing(self, tmp_path: Path, existing: str) -> None:
        (tmp_path / existing).write_text("precious")
        refused(2, "keygen", "-o", tmp_path / "key.pem", "--trust", tmp_path / "trust.json", says="not overwritten")
        assert [entry.name for entry in tmp_path.iterdir()] == [existing]

    def test_a_vendor_is_not_trusted_like_a_lab(self, tmp_path: Path) -> None:
        refused(2, "keygen", "-o", tmp_path / "key.pem", "--level", "2", says="vendor")


class TestTrouble:
    def test_a_reader_that_goes_away_is_no_traceback(self) -> None:
        command = f"{sys.executable} -m pinproof explain out-clocked | true; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment(), check=False)
        assert done.returncode in (0, 4) and "Traceback" not in done.stderr

    def test_a_full_disk_is_no_yes(self, folder: Path) -> None:
        with open("/dev/full", "w") as full:
            command = [sys.executable, "-m", "pinproof", "explain"]
            done = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), check=False
            )
        assert done.returncode == 4 and "Traceback" not in done.stderr

    def test_ctrl_c(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        process = subprocess.Popen(
            [sys.executable, "-m", "pinproof", "check", pipe],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            # Whoever runs the tests in the background may have had it ignored, and that is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        writing = os.open(pipe, os.O_WRONLY)  # returns when the command has opened the other end
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        os.close(writing)
        assert (process.returncode, out, err) == (130, "", "pinproof: interrupted\n")

    def test_a_plain_locale_is_enough(self) -> None:
        done = process("explain", "out-clocked", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
        assert done.returncode == 0
