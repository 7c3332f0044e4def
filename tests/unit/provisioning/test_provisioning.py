"""The provisioning file: every key is read, none else is taken."""

from __future__ import annotations

import hashlib

import pytest
from pinproof.errors import DeclarationError
from pinproof.provisioning import Provisioning, Step, read_provisioning

GOOD = """\
specification = "0.1"
part = "stm32f401xe"
steps = ["mass-erase", "program", "read-back", "seal", "show-closed"]

[option_bytes]
rdp = 0xCC
nwrp = 0x00
sprmod = 0
bor_lev = 3
wdg_sw = 1
nrst_stop = 1
nrst_stdby = 1
"""


def read(text: str) -> Provisioning:
    return read_provisioning(text.encode(), "provisioning.toml")


def refused(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    with pytest.raises(DeclarationError) as caught:
        read(GOOD.replace(old, new))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("provisioning.toml: ")
    return message.removeprefix("provisioning.toml: ")


def test_every_value_is_read() -> None:
    provisioning = read(GOOD)
    assert provisioning.part == "stm32f401xe"
    assert provisioning.steps == (Step.MASS_ERASE, Step.PROGRAM, Step.READ_BACK, Step.SEAL, Step.SHOW_CLOSED)
    fields = ("RDP", "nWRP", "SPRMOD", "BOR_LEV", "WDG_SW", "nRST_STOP", "nRST_STDBY", "XYZ")
    assert [provisioning.option_bytes.field(name) for name in fields] == [0xCC, 0, 0, 3, 1, 1, 1, None]
    assert provisioning.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


STEPS = "mass-erase, program, read-back, seal, show-closed"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"0.1"', '"9"', 'specification: must be "0.1", the version that this verifier knows'),
        ('"stm32f401xe"', '"STM32"', "part: 'STM32' is not the name of a part (lower-case words)"),
        ('"seal", ', "", "steps: must hold 'seal'"),
        ('"seal"', '"glue"', f"steps[3]: 'glue' is not one of: {STEPS}"),
        ('"program"', '"seal"', "steps[3]: 'seal' is named twice"),
        ("rdp = 0xCC", "rdp = 256", "option_bytes.rdp: 256 is not from 0 to 255"),
        ("rdp = 0xCC", "rdp = '0xCC'", "option_bytes.rdp: must be an integer, is a string"),
        ("rdp = 0xCC\n", "", "option_bytes.rdp: missing"),
        ("nwrp = 0x00", "nwrp = -1", "option_bytes.nwrp: -1 is not from 0 to 255"),
        ("sprmod = 0", "sprmod = 2", "option_bytes.sprmod: 2 is not from 0 to 1"),
        ("sprmod = 0", "sprmod = false", "option_bytes.sprmod: must be an integer, is a boolean"),
        ("bor_lev = 3", "bor_lev = 4", "option_bytes.bor_lev: 4 is not from 0 to 3"),
        ("wdg_sw = 1", "wdg_sw = 2", "option_bytes.wdg_sw: 2 is not from 0 to 1"),
        ("nrst_stop = 1", "nrst_stop = 2", "option_bytes.nrst_stop: 2 is not from 0 to 1"),
        ("nrst_stdby = 1", "nrst_stdby = 1\nx = 1", "option_bytes.x: unknown key"),
        ("[option_bytes]", "x = 1\n[option_bytes]", "x: unknown key"),
    ],
)
def test_refused(old: str, new: str, message: str) -> None:
    assert refused(old, new) == message


def test_a_file_that_is_not_toml() -> None:
    with pytest.raises(DeclarationError, match=r"^p\.toml: byte 0 is not UTF-8$"):
        read_provisioning(b"\xff", "p.toml")
