"""Silicon files: the compiled ones load, lookups agree with a plain search, contradictions are refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pinproof.errors import SiliconError
from pinproof.silicon import (
    Capability,
    MemoryKind,
    PinRole,
    RegisterAccess,
    RegisterBit,
    Silicon,
    Status,
    load_silicon,
    part_names,
    read_silicon,
)

SPEC = Path(__file__).resolve().parents[3] / "spec" / "silicon"
TEXT = (SPEC / "stm32f401xe.toml").read_text(encoding="utf-8")
PART = load_silicon("stm32f401xe")


def refused(old: str, new: str) -> str:
    assert old in TEXT
    with pytest.raises(SiliconError) as caught:
        read_silicon(TEXT.replace(old, new, 1).encode(), "part.toml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("part.toml: ")
    return message.removeprefix("part.toml: ")


def test_every_part_of_the_standard_loads() -> None:
    assert part_names() == tuple(sorted(path.stem for path in SPEC.glob("*.toml")))
    assert all(isinstance(load_silicon(part), Silicon) for part in part_names())


@pytest.mark.parametrize("part", ["", "stm32", "../silicon/stm32f401xe", "STM32F401XE", "stm32f401xe\n"])
def test_an_unknown_part_is_refused(part: str) -> None:
    shown = part.replace("\n", "?")
    with pytest.raises(SiliconError) as caught:
        load_silicon(part)
    assert str(caught.value) == f"module.part: there is no silicon file for '{shown}'; known: {', '.join(part_names())}"


def test_facts_that_the_machine_needs() -> None:
    assert PART.status is Status.CERTIFIABLE
    assert [(memory.start, memory.size) for memory in PART.memories_of(MemoryKind.FLASH)] == [(0x08000000, 0x80000)]
    assert [(memory.start, memory.size) for memory in PART.memories_of(MemoryKind.RAM)] == [(0x20000000, 0x18000)]
    assert sum(PART.memories_of(MemoryKind.FLASH)[0].sectors) == 0x80000
    assert (PART.mpu.regions, PART.exceptions.count, PART.exceptions.names[44]) == (8, 101, "TIM2")
    control = PART.register_at(0x40000000)
    assert control is not None
    assert (control.full_name, control.reset, control.access) == ("TIM2.CR1", 0, RegisterAccess.READ_WRITE)
    assert control.widths == (4,)
    assert PART.peripheral("TIM2").clock == RegisterBit(register=0x40023840, bit=0)
    assert PART.peripheral("TIM2").register("CCR1").address == 0x40000034
    assert Capability.FLASH_CONTROL in PART.peripheral("FLASH").capabilities
    assert {pin.name for pin in PART.pins if pin.role is PinRole.DEBUG} == {"PA13", "PA14", "PA15", "PB3", "PB4"}
    timer = PART.timer("TIM2")
    assert timer is not None
    assert any((output.pin, output.channel) == ("PA5", 1) for output in timer.outputs)
    assert PART.timer("TIM99") is None


def test_an_unknown_reset_value_leaves_every_bit_open() -> None:
    region = PART.peripheral("MPU").register("RBAR")
    assert (region.reset, region.reset_unknown) == (None, 0xFFFFFFFF)
    mode = PART.peripheral("GPIOA").register("MODER")
    assert mode.reset is not None
    assert mode.reset_unknown == 0xFC000000


def test_register_lookup_has_every_register_and_nothing_else() -> None:
    document = tomllib.loads(TEXT)
    expected = {
        block["base"] + register["offset"]: f"{block['name']}.{register['name']}"
        for block in document["peripheral"]
        for register in block.get("register", [])
    }
    assert {address: register.full_name for address, register in PART.registers.items()} == expected
    assert PART.register_at(0x40000001) is None
    with pytest.raises(TypeError):
        PART.registers[0] = PART.registers[0x40000000]  # type: ignore[index]


def test_block_lookup_agrees_with_a_search() -> None:
    edges = {edge for block in PART.peripherals for edge in (block.base - 1, block.base, block.end - 1, block.end)}
    for address in (*edges, 0, 0x20000000, 0xFFFFFFFF):
        found = [block for block in PART.peripherals if block.base <= address < block.end]
        assert PART.peripheral_at(address) == (found[0] if found else None)


def test_memory_lookup() -> None:
    assert [
        memory and memory.name
        for memory in map(PART.memory_at, (0x08000000, 0x0807FFFF, 0x08080000, 0x20017FFF, 0x20018000, 0x1FFF7A10, 0))
    ] == ["flash", "flash", None, "sram", None, "unique-id", "boot-alias"]
    band = PART.bit_band_at(0x42000000)
    assert band is not None
    assert band.target == 0x40000000
    assert PART.bit_band_at(0x44000000) is None


def test_names_that_are_not_there() -> None:
    assert not PART.has_peripheral("RADIO")
    with pytest.raises(KeyError):
        PART.peripheral("RADIO")
    with pytest.raises(KeyError):
        PART.peripheral("TIM2").register("XYZ")


def test_every_fact_without_a_source_is_listed() -> None:
    assert len(PART.unconfirmed) == sum(
        "unconfirmed:" in line.partition("=")[2] for line in TEXT.splitlines() if not line.startswith("#")
    )
    assert "cycles" in {item.fact for item in PART.unconfirmed}
    assert all(item.why for item in PART.unconfirmed)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('part = "stm32f401xe"', 'part = "STM32"', "part: 'STM32' is not the name of a part (lower-case words)"),
        (
            'status = "certifiable"',
            'status = "fine"',
            "status: 'fine' is not one of: audit, certifiable, emulator-only",
        ),
        ("radio = false", "radio = 0", "radio: must be a boolean, is an integer"),
        ("size = 0x18000", "size = 0xF0000000", "memory[1].size: runs past the end of the address space"),
        ("size = 0x80000\n", "size = 0x80001\n", "memory[0].sectors: 524288 bytes in all, the memory has 524289"),
        ("start = 0x20000000", "start = 0x0807FFFF", "memory: flash and sram overlap"),
        ('name = "sram"', 'name = "flash"', "memory: a name is used twice"),
        ('alias_of = "flash"', 'alias_of = "tape"', "memory: boot-alias is an alias of 'tape', which is no memory"),
        ('peripheral = "SDIO"', 'peripheral = "TAPE"', "buffer: 'TAPE' is no peripheral of this file"),
        ('name = "DMA1"\ncite', 'name = "DMA9"\ncite', "master: 'DMA9' is no peripheral of this file"),
        ("base = 0x40023800", "base = 0x40020000", "peripheral: RCC and GPIOA overlap"),
        ('name = "RCC"', 'name = "GPIOA"', "peripheral: a name is used twice"),
        (
            '{ name = "CR", offset = 0x00,',
            '{ name = "CR", offset = 0x04,',
            "peripheral[0].register: CR and PLLCFGR have one offset",
        ),
        ("size = 0x400\n", "size = 0xF0000000\n", "peripheral[0].size: runs past the end of the address space"),
        (
            "offset = 0x00, reset = 0x00000083",
            'offset = 0x00, reset = "maybe"',
            'peripheral[0].register[0].reset: must be an integer or "unknown"',
        ),
        (
            "offset = 0x00, reset = 0x00000083",
            "offset = 0x400, reset = 0",
            "peripheral[0].register[0].offset: 1024 is not from 0 to 1020",
        ),
        ("widths = [4]", "widths = [3]", "peripheral[0].register[0].widths: must be one or more of 1, 2 and 4"),
        ("widths = [4]", "widths = []", "peripheral[0].register[0].widths: must be one or more of 1, 2 and 4"),
        ("widths = [4]", "widths = [true]", "peripheral[0].register[0].widths[0]: must be an integer, is a boolean"),
        ("widths = [4]", "widths = [8]", "peripheral[0].register[0].widths[0]: 8 is not from 1 to 4"),
        (
            'capabilities = ["gpio"]',
            'capabilities = ["magic"]',
            f"peripheral[1].capabilities[0]: 'magic' is not one of: {', '.join(Capability)}",
        ),
        ('1 = "Reset"', '101 = "Reset"', "exceptions.names.101: is not an exception number from 1 to 100"),
        ('1 = "Reset"', '01 = "Reset"', "exceptions.names.01: is not an exception number from 1 to 100"),
        ('1 = "Reset"', '"\u0661" = "Reset"', "exceptions.names.\u0661: is not an exception number from 1 to 100"),
        ('hsi_cite = "RM0368 6.2.2"', "", "clocks.hsi_hz: has no cite"),
        (
            "[[30000000, 0], [60000000, 1]",
            "[[60000000, 1], [30000000, 0]",
            "clocks.flash_wait_states: must be pairs of frequency and wait states in rising order, with a cite",
        ),
        ("[[30000000, 0]", "[[30000000]", "clocks.flash_wait_states[0]: must be two integers"),
        ("divide = 12", "divide = 0", "cycles.divide: 0 is not from 1 to 65535"),
        ("divide = 12", "divide = 12\nsquare = 1", "cycles.square: unknown key"),
    ],
)
def test_contradictions_and_impossible_values(old: str, new: str, message: str) -> None:
    assert refused(old, new) == message


def test_a_file_larger_than_the_limit() -> None:
    with pytest.raises(SiliconError, match=r"^part\.toml: the file has 1048577 bytes, more than 1048576$"):
        read_silicon(b"#" * 1048577, "part.toml")
