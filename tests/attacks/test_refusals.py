"""Every attack is built and refused: by the requirement, in the way and for the reason that its entry names.

Those that are vectors too are left to the tests of the vectors, which build them anew and judge them the same way.
"""

from __future__ import annotations

import pytest

from tests.attacks.building import Case, build_case, build_firmware, case_from
from tests.attacks.catalogue import ATTACKS
from tests.attacks.judging import judge
from tests.attacks.variant import Variant
from tests.emulation.tools import require
from tests.vectorgen.selection import CHOSEN

pytestmark = pytest.mark.toolchain
OTHERS = [variant for variant in ATTACKS if variant.name not in CHOSEN]


@pytest.fixture(scope="session")
def reference_image() -> bytes:
    require("arm-none-eabi-gcc")
    return build_firmware(())


def test_the_reference_with_its_stub_passes_every_requirement(reference_image: bytes) -> None:
    """So that whatever is refused below is refused for its one deviation."""
    judged = judge(case_from(reference_image, ()))
    assert len(judged) >= 38
    assert {requirement: outcome for requirement, outcome in judged.items() if outcome != "pass"} == {}


@pytest.mark.parametrize("variant", OTHERS, ids=lambda variant: variant.name)
def test_refused(variant: Variant, reference_image: bytes) -> None:
    judged = judge(_case(variant, reference_image), level=variant.level)
    assert judged[variant.requirement] == f"{variant.kind} {variant.reason}"


def _case(variant: Variant, reference_image: bytes) -> Case:
    if not variant.changes_firmware:
        return case_from(reference_image, variant.edits)
    case = build_case(variant.edits)
    assert case.image != reference_image
    return case
