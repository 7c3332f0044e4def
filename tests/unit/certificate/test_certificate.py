"""Certificates: a good one holds, and every change of one makes it fail in the right way."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pinproof import certificate
from pinproof.certificate import Role, Trust, keys
from pinproof.errors import CertificateError, ExpiredError, NotConforming, PinproofError, TrustError
from pinproof.report import Report
from pinproof.silicon import Status

from tests.unit.certificate import vouchers
from tests.unit.report import samples

Change = Callable[[dict], object]


def altered(change: Change) -> bytes:
    value = json.loads(vouchers.issue())
    change(value)
    return json.dumps(value).encode()


def _flip(value: dict, key: str, position: int) -> None:
    data = bytearray(base64.b64decode(value[key]))
    data[position] ^= 1
    value[key] = base64.b64encode(data).decode()


@pytest.mark.parametrize("scheme", list(keys.Scheme))
def test_a_certificate_holds(scheme: keys.Scheme) -> None:
    key = vouchers.KEYS[scheme]
    checked = vouchers.check(vouchers.issue(key=key), trust=Trust(keys=(vouchers.trusted(key),)))
    assert (checked.statement.level, checked.statement.product, checked.subject) == (1, "Person Detector", None)
    assert [ruling.id for ruling in checked.statement.rulings] == ["out-declared-pins", "out-clocked"]
    assert any("no image was given" in step for step in checked.steps)


def test_the_same_report_gives_the_same_certificate() -> None:
    assert vouchers.issue() == vouchers.issue()


ENVELOPE: dict[str, tuple[Change, type[PinproofError]]] = {
    "payload byte": (lambda v: _flip(v["dsseEnvelope"], "payload", 0), TrustError),
    "last payload byte": (lambda v: _flip(v["dsseEnvelope"], "payload", -1), TrustError),
    "signature byte": (lambda v: _flip(_signature(v), "sig", 5), TrustError),
    "signature cut": (lambda v: _signature(v).update(sig="AAAA"), TrustError),
    "hint": (lambda v: v["verificationMaterial"]["publicKey"].update(hint="0" * 64), TrustError),
    "key id": (lambda v: _signature(v).update(keyid="0" * 64), TrustError),
    "hint and key id": (lambda v: (_signature(v).update(keyid="x"), _hint(v, "x")), TrustError),
    "media type": (lambda v: v.update(mediaType="application/vnd.dev.sigstore.bundle.v0.2+json"), CertificateError),
    "payload type": (lambda v: v["dsseEnvelope"].update(payloadType="text/plain"), CertificateError),
    "no signature": (lambda v: v["dsseEnvelope"].update(signatures=[]), CertificateError),
    "two signatures": (lambda v: v["dsseEnvelope"]["signatures"].append(_signature(v)), CertificateError),
    "no hint": (lambda v: v["verificationMaterial"].pop("publicKey"), CertificateError),
    "unknown key": (lambda v: v.update(extra=1), CertificateError),
    "log entry": (lambda v: v["verificationMaterial"].update(tlogEntries=[{}]), CertificateError),
    "empty payload": (lambda v: v["dsseEnvelope"].update(payload=""), CertificateError),
    "no base64": (lambda v: v["dsseEnvelope"].update(payload="@@@@"), CertificateError),
    "base64 with a line break": (lambda v: _signature(v).update(sig=_signature(v)["sig"] + "\n"), CertificateError),
    "base64 in another alphabet": (lambda v: v["dsseEnvelope"].update(payload="__-_"), CertificateError),
    "base64 with loose bits": (lambda v: _signature(v).update(sig="AB=="), CertificateError),
    "payload as number": (lambda v: v["dsseEnvelope"].update(payload=1), CertificateError),
}


def _signature(value: dict) -> dict:
    return value["dsseEnvelope"]["signatures"][0]


def _hint(value: dict, hint: str) -> None:
    value["verificationMaterial"]["publicKey"]["hint"] = hint


@pytest.mark.parametrize(("change", "kind"), ENVELOPE.values(), ids=ENVELOPE)
def test_a_changed_envelope_is_refused(change: Change, kind: type[PinproofError]) -> None:
    with pytest.raises(kind) as refused:
        vouchers.check(altered(change))
    assert "\n" not in str(refused.value)


def _requirement(value: dict, number: int = 0) -> dict:
    return value["predicate"]["requirements"][number]


def _not_applicable(value: dict) -> None:
    for entry in value["predicate"]["requirements"]:
        entry.update(outcome="not-applicable", grade=None, why="because", assumptions=[])


SIGNED: dict[str, tuple[Change, type[PinproofError]]] = {
    "statement type": (lambda v: v.update(_type="https://in-toto.io/Statement/v2"), CertificateError),
    "predicate type": (lambda v: v.update(predicateType="urn:other"), CertificateError),
    "schema": (lambda v: v["predicate"].update(schema="pinproof certificate 9"), CertificateError),
    "verdict absent": (lambda v: v["predicate"].pop("verdict"), CertificateError),
    "verdict no": (lambda v: v["predicate"].update(verdict="does-not-conform"), CertificateError),
    "requirement failed": (lambda v: _requirement(v).update(outcome="fail"), CertificateError),
    "requirement inconclusive": (lambda v: _requirement(v).update(outcome="inconclusive"), CertificateError),
    "pass without grade": (lambda v: _requirement(v).update(grade=None), CertificateError),
    "pass too weak": (lambda v: _requirement(v).update(grade="declared"), CertificateError),
    "minimum lowered": (lambda v: _requirement(v).update(grade="declared", minimum_grade="declared"), TrustError),
    "requirement left out": (lambda v: v["predicate"]["requirements"].pop(), TrustError),
    "requirement doubled": (lambda v: v["predicate"]["requirements"].append(_requirement(v)), TrustError),
    "requirement renamed": (lambda v: _requirement(v).update(id="out-other"), TrustError),
    "proof of nothing": (lambda v: v["predicate"]["proof"].update(handlers=0), CertificateError),
    "proof with an obstacle": (lambda v: v["predicate"]["proof"].update(obstacles=1), CertificateError),
    "no requirements": (lambda v: v["predicate"].update(requirements=[]), TrustError),
    "nothing applies": (_not_applicable, TrustError),
    "not applicable without reason": (
        lambda v: _requirement(v).update(outcome="not-applicable", grade=None, why=None, assumptions=[]),
        CertificateError,
    ),
    "another catalogue": (lambda v: v["predicate"]["specification"].update(catalogue_sha256="0" * 64), TrustError),
    "another version": (lambda v: v["predicate"]["specification"].update(version="9"), TrustError),
    "level above the key's": (lambda v: v["predicate"].update(level=2), TrustError),
    "part not certifiable": (lambda v: v["predicate"]["module"].update(part_status="audit"), CertificateError),
    "level 0": (lambda v: v["predicate"].update(level=0), CertificateError),
    "assumption left out": (lambda v: v["predicate"].update(assumptions=[]), CertificateError),
    "capacity left out": (lambda v: v["predicate"].pop("capacity"), CertificateError),
    "capacity null": (lambda v: v["predicate"].update(capacity=None), CertificateError),
    "capacity understated": (lambda v: v["predicate"]["capacity"].update(bits_per_second="0.1"), CertificateError),
    "capacity of nothing": (lambda v: v["predicate"]["capacity"].update(alphabet=0), CertificateError),
    "no expiry": (lambda v: v["predicate"].pop("expires"), CertificateError),
    "expiry null": (lambda v: v["predicate"].update(expires=None), CertificateError),
    "expiry in another spelling": (lambda v: v["predicate"].update(expires="2027-1-1T0:0:0Z"), CertificateError),
    "expires before issued": (lambda v: v["predicate"].update(expires="2020-01-01T00:00:00Z"), CertificateError),
    "issued before the key": (lambda v: v["predicate"].update(issued="2020-01-01T00:00:00Z"), TrustError),
    "issued later": (lambda v: v["predicate"].update(issued="2026-06-01T00:00:00Z"), ExpiredError),
    "subject left out": (lambda v: v["subject"].pop(), CertificateError),
    "subjects exchanged": (lambda v: v["subject"].reverse(), CertificateError),
    "subject without digest": (lambda v: v["subject"][0].update(digest={}), CertificateError),
    "subject with a weaker digest": (lambda v: v["subject"][0].update(digest={"sha1": "0"}), CertificateError),
    "flash of no size": (lambda v: v["subject"][1]["annotations"].update(size=0), CertificateError),
    "unknown key": (lambda v: v["predicate"].update(extra=1), CertificateError),
}


@pytest.mark.parametrize(("change", "kind"), SIGNED.values(), ids=SIGNED)
def test_a_signed_statement_that_says_less_is_refused(change: Change, kind: type[PinproofError]) -> None:
    with pytest.raises(kind) as refused:
        vouchers.check(vouchers.resigned(change))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"\xff", b"not json", b'{"_type": 1, "_type": 1}', b'{"a": NaN}'])
def test_a_signed_payload_that_is_no_statement_is_refused(payload: bytes) -> None:
    signed = certificate.bundle.write_bundle(certificate.bundle.sign(payload, vouchers.KEY))
    with pytest.raises(CertificateError):
        vouchers.check(signed.encode())


def test_every_key_of_a_bundle_is_needed() -> None:
    """Whatever is taken away, at any depth, the certificate no longer holds."""
    for path in list(_paths(json.loads(vouchers.issue()))):
        value = json.loads(vouchers.issue())
        _drop(value, path)
        with pytest.raises((CertificateError, TrustError)):
            vouchers.check(json.dumps(value).encode())


def test_every_key_of_a_statement_is_needed() -> None:
    payload = json.loads(vouchers.issue())["dsseEnvelope"]["payload"]
    paths = list(_paths(json.loads(base64.b64decode(payload))))
    assert len(paths) > 80
    for path in paths:
        if (path[-2:] == ("assumptions", 0) and "requirements" in path) or path[-2:-1] == ("parts",):
            continue  # a list that may be shorter; what it adds up to is tested elsewhere
        with pytest.raises((CertificateError, TrustError)):
            vouchers.check(vouchers.resigned(lambda value, path=path: _drop(value, path)))


def _paths(value: object, before: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        found += [(*before, key), *_paths(child, (*before, key))]
    return found


def _drop(value: object, path: tuple[object, ...]) -> None:
    for key in path[:-1]:
        value = value[key]  # type: ignore[index]
    del value[path[-1]]  # type: ignore[attr-defined]


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(CertificateError):
        vouchers.check(data)


GOOD = vouchers.issue()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_one_changed_byte_never_leads_to_a_yes(position: int, byte: int) -> None:
    data = bytearray(GOOD)
    data[position] = byte
    if bytes(data) == GOOD:
        return
    try:
        vouchers.check(bytes(data))
    except (CertificateError, TrustError):
        return
    assert json.loads(data) == json.loads(GOOD), "a change that is more than white space was accepted"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(GOOD) - 1))
def test_a_cut_certificate_is_refused(length: int) -> None:
    if not GOOD[length:].strip():
        return
    with pytest.raises(CertificateError):
        vouchers.check(GOOD[:length])


class TestTime:
    def test_expired(self) -> None:
        key = replace(vouchers.trusted(), valid_until=vouchers.EXPIRES + timedelta(days=1))
        trust = Trust(keys=(key,))
        vouchers.check(vouchers.issue(), trust=trust, at=vouchers.EXPIRES - timedelta(seconds=1))
        with pytest.raises(ExpiredError, match="expired at 2027-01-01"):
            vouchers.check(vouchers.issue(), trust=trust, at=vouchers.EXPIRES)

    def test_not_yet_issued(self) -> None:
        with pytest.raises(ExpiredError, match="after 2025-12-31"):
            vouchers.check(vouchers.issue(), at=vouchers.ISSUED - timedelta(seconds=1))

    def test_the_key_no_longer_counts(self) -> None:
        with pytest.raises(ExpiredError, match="key counted until"):
            vouchers.check(vouchers.issue(), at=vouchers.ISSUED + timedelta(days=300))


class TestTrust:
    def test_no_key(self) -> None:
        with pytest.raises(TrustError, match="no trusted key"):
            vouchers.check(vouchers.issue(), trust=Trust(keys=()))

    def test_another_key(self) -> None:
        other = vouchers.trusted(keys.generate(keys.Scheme.ED25519))
        with pytest.raises(TrustError, match="no trusted key"):
            vouchers.check(vouchers.issue(), trust=Trust(keys=(other,)))

    def test_the_level_must_be_in_the_key_s_scope(self) -> None:
        data = vouchers.issue(samples.report(level=2))
        with pytest.raises(TrustError, match="up to level 1"):
            vouchers.check(data)
        lab = vouchers.trusted(role=Role.LAB, level=3)
        assert vouchers.check(data, trust=Trust(keys=(lab,))).statement.level == 2


class TestIssue:
    @pytest.mark.parametrize(
        "report",
        [
            samples.report(samples.failed()),
            samples.report(samples.undecided()),
            samples.report(*samples.EVERY_OUTCOME),
            samples.report(level=0),
            samples.report(development=True),
            replace(samples.report(), capacity=None),
            replace(samples.report(), memory=None),
            replace(samples.report(), module=replace(samples.report().module, part_status=Status.EMULATOR_ONLY)),
            replace(samples.report(), subjects=replace(samples.report().subjects, model_sha256=None)),
            replace(samples.report(), decisions=()),
        ],
    )
    def test_nothing_but_a_report_that_conforms(self, report: Report) -> None:
        with pytest.raises(NotConforming):
            vouchers.issue(report)

    def test_an_expiry_before_the_issue(self) -> None:
        with pytest.raises(CertificateError):
            certificate.issue(samples.report(), vouchers.KEY, issued=vouchers.AT, expires=vouchers.AT)


def hex_record(address: int, kind: int, data: bytes) -> str:
    body = bytes((len(data), address >> 8, address & 255, kind)) + data
    return f":{body.hex().upper()}{-sum(body) & 255:02X}"


def hex_file(contents: bytes) -> bytes:
    records = [hex_record(0, 4, bytes.fromhex("0800")), hex_record(0, 0, contents), hex_record(0, 1, b"")]
    return ("\n".join(records) + "\n").encode()


class TestImage:
    """Which file counts as the certified image."""

    contents = bytes(range(16))
    size = 4096

    def issued(self) -> bytes:
        flash = self.contents.ljust(self.size, b"\xff")
        subjects = replace(
            samples.report().subjects,
            image_sha256=hashlib.sha256(b"the file").hexdigest(),
            flash_size=self.size,
            flash_sha256=hashlib.sha256(flash).hexdigest(),
        )
        return vouchers.issue(replace(samples.report(), subjects=subjects))

    def test_the_file_itself(self) -> None:
        assert vouchers.check(self.issued(), image=b"the file").subject == "image"

    def test_another_form_of_the_same_flash(self) -> None:
        assert vouchers.check(self.issued(), image=hex_file(self.contents)).subject == "flash-image"

    def test_the_same_flash_and_something_beside_it(self) -> None:
        """Bytes outside the flash, option bytes say, would be programmed too: the digest does not speak for them."""
        beside = hex_file(self.contents).replace(b":00000001FF", b"")
        more = [hex_record(0, 4, bytes.fromhex("1FFF")), hex_record(0xC000, 0, b"\xaa\xcc"), hex_record(0, 1, b"")]
        with pytest.raises(TrustError, match="outside the flash"):
            vouchers.check(self.issued(), image=beside.rstrip() + b"\n" + "\n".join(more).encode() + b"\n")

    def test_the_flash_as_a_lab_reads_it_out(self) -> None:
        assert vouchers.check(self.issued(), image=self.contents.ljust(self.size, b"\xff")).subject == "flash-image"

    @pytest.mark.parametrize("position", range(16))
    def test_one_loaded_byte_changed(self, position: int) -> None:
        changed = bytearray(self.contents)
        changed[position] ^= 0x10
        with pytest.raises(TrustError, match="not the certified one"):
            vouchers.check(self.issued(), image=hex_file(bytes(changed)))

    @pytest.mark.parametrize("other", [b"", b"the file ", b"\x7fELF", b"\xff" * 4096])
    def test_another_file(self, other: bytes) -> None:
        with pytest.raises(TrustError, match="not the certified one"):
            vouchers.check(self.issued(), image=other)
