"""The published JSON Schemas: they accept what Pinproof writes and refuse, key by key, what its readers refuse."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Callable

import jsonschema
import pytest
from pinproof._commands.schema import NAMES, read
from pinproof.certificate import Trust, read_trust, statement, write_trust
from pinproof.declaration import read_declaration
from pinproof.errors import InputError
from pinproof.report_json import from_json, to_json

from tests.unit.certificate import vouchers
from tests.unit.declaration import files
from tests.unit.report import samples

Reader = Callable[[bytes], object]

_REPORT = json.loads(to_json(samples.report(*samples.EVERY_OUTCOME)))
_STATEMENT = json.loads(base64.b64decode(json.loads(vouchers.issue())["dsseEnvelope"]["payload"]))
DOCUMENTS: dict[str, tuple[str, object, Reader]] = {
    "report": (
        "report",
        json.loads(to_json(samples.report(*samples.EVERY_OUTCOME))),
        lambda data: from_json(data, "x"),
    ),
    "certificate": ("certificate", _STATEMENT, lambda data: statement.read_statement(data, "x")),
    "trust": (
        "trust",
        json.loads(write_trust(Trust(keys=tuple(vouchers.trusted(key) for key in vouchers.KEYS.values())))),
        lambda data: read_trust(data, "x"),
    ),
}


def schema(name: str) -> dict:
    value: dict = json.loads(read(name))
    return value


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize(("name", "value", "reader"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_it_accepts_what_is_written(name: str, value: object, reader: Reader) -> None:
    jsonschema.validate(value, schema(name))
    reader(json.dumps(value).encode())


@pytest.mark.parametrize(("name", "value", "reader"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_schema_and_reader_refuse_the_same_keys(name: str, value: object, reader: Reader) -> None:
    """Every key of every object, taken away; and one key too many in every object."""
    validator = jsonschema.Draft202012Validator(schema(name))
    cases = list(_changed(value))
    assert len(cases) > 15
    for path, changed in cases:
        assert not validator.is_valid(changed), f"the schema allows {path}"
        with pytest.raises(InputError):
            reader(json.dumps(changed).encode())


def _changed(value: object) -> list[tuple[str, object]]:
    found = []
    for path in _objects(value):
        for key in [*_at(value, path), None]:
            copy = json.loads(json.dumps(value))
            target = _at(copy, path)
            if key is None:
                target["one key too many"] = 1
            else:
                del target[key]
            found.append((f"{path} {key}", copy))
    return found


def _objects(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [path, *(inner for key, child in value.items() for inner in _objects(child, (*path, key)))]
    if isinstance(value, list):
        return [inner for index, child in enumerate(value) for inner in _objects(child, (*path, index))]
    return []


def _at(value: object, path: tuple[str | int, ...]) -> dict:
    for key in path:
        value = value[key]  # type: ignore[index]
    assert isinstance(value, dict)
    return value


def test_a_pass_without_evidence_is_no_pass() -> None:
    value = json.loads(to_json(samples.report()))
    value["requirements"][0]["evidence"] = []
    assert not jsonschema.Draft202012Validator(schema("report")).is_valid(value)


OPTIONAL = {("clock", "crystal_hz"), ("build", "flash_sha256")}
"""The schema alone cannot tell when the first is needed: that hangs on `clock.source`."""


def test_the_declaration_s_keys() -> None:
    value = tomllib.loads(files.GOOD)
    read_declaration(files.GOOD.encode(), "module.toml")
    jsonschema.validate(value, schema("declaration"))
    validator = jsonschema.Draft202012Validator(schema("declaration"))
    for path in _objects(value):
        for key in _at(value, path):
            copy = json.loads(json.dumps(value))
            del _at(copy, path)[key]
            assert validator.is_valid(copy) == ((*path, key) in OPTIONAL), (path, key)
        copy = json.loads(json.dumps(value))
        _at(copy, path)["one key too many"] = 1
        assert not validator.is_valid(copy), path
