"""A missing tool must never be silence."""

from __future__ import annotations

import pytest
from _pytest.outcomes import Failed, Skipped

from tests.emulation.tools import require

_MISSING = ("no-such-program", "python:no_such_package", "/no/such/file")


@pytest.mark.parametrize("name", _MISSING)
def test_a_missing_tool_fails_in_ci(name: str) -> None:
    with pytest.raises(Failed, match=name):
        require("sh", name, environment={"CI": "true"})


@pytest.mark.parametrize("name", _MISSING)
def test_a_missing_tool_is_skipped_by_name_elsewhere(name: str) -> None:
    with pytest.raises(Skipped, match=name):
        require("sh", name, environment={})


def test_tools_that_are_there_are_no_matter() -> None:
    require("sh", "python:pytest", __file__, environment={"CI": "true"})
