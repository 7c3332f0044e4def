"""The numbers of the profiles agree with each other and with the text."""

from __future__ import annotations

import math
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

SPEC = Path(__file__).resolve().parents[2] / "spec"
FILES = sorted((SPEC / "profiles").glob("*.toml"))
Table = dict[str, object]


def test_the_three_profiles_are_there() -> None:
    assert [path.stem for path in FILES] == ["gesture", "person-detector", "voice-command"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestProfile:
    def test_is_named_for_its_file(self, path: Path) -> None:
        assert tomllib.loads(path.read_text(encoding="utf-8"))["name"] == path.stem

    def test_the_capacity_limit_is_the_alphabet_per_period(self, path: Path) -> None:
        profile = tomllib.loads(path.read_text(encoding="utf-8"))
        alphabet = profile["alphabet"]
        assert len(set(alphabet)) == len(alphabet) >= 2
        period = Decimal(profile["minimum_period_seconds"])
        limit = Decimal(profile["capacity_limit_bits_per_second"])
        assert float(limit) == pytest.approx(math.log2(len(alphabet)) / float(period))

    def test_the_budget_is_its_frame(self, path: Path) -> None:
        budget = cast("Table", tomllib.loads(path.read_text(encoding="utf-8"))["memory_budget"])
        samples, bits = cast("int", budget["samples"]), cast("int", budget["bits_per_sample"])
        assert budget["bytes"] == samples * bits // 8
        if "width" in budget:
            assert samples == cast("int", budget["width"]) * cast("int", budget["height"])
        else:
            assert samples == cast("int", budget["seconds"]) * cast("int", budget["samples_per_second"])

    def test_a_declared_frame_is_smaller_than_the_budget(self, path: Path) -> None:
        profile = tomllib.loads(path.read_text(encoding="utf-8"))
        frame, budget = profile["frame"], profile["memory_budget"]
        assert frame["maximum_samples"] < budget["samples"]
        assert frame["maximum_bits_per_sample"] <= budget["bits_per_sample"]

    def test_the_text_names_the_budget(self, path: Path) -> None:
        budget = cast("Table", tomllib.loads(path.read_text(encoding="utf-8"))["memory_budget"])
        assert f"{cast('int', budget['bytes']):,} bytes" in " ".join((SPEC / "mem.md").read_text("utf-8").split())


def test_numbers_of_the_rationale() -> None:
    """Dwell, daily limit, frame and identity times as the text of out-capacity and out-budget gives them."""
    text = " ".join((SPEC / "out.md").read_text(encoding="utf-8").split())
    seconds = 86_400
    log2_choose = (math.lgamma(seconds + 1) - math.lgamma(101) - math.lgamma(seconds - 99)) / math.log(2)
    assert f"{log2_choose:,.0f} bits" in text or "1,115 bits" in text
    assert abs(log2_choose - 1115) < 5
    assert f"{96 * 96 * 8 / 3600:.1f} hours" in text
