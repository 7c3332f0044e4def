"""The declaration: every key is read, no other is taken, and what contradicts itself is refused with the key's path."""

from __future__ import annotations

import hashlib
import tomllib
from decimal import Decimal

import pytest
from pinproof.declaration import ClockSource, Declaration, Range, SensorKind, read_declaration
from pinproof.errors import DeclarationError

from tests.unit.declaration.files import GOOD, changed


def read(data: bytes) -> Declaration:
    return read_declaration(data, "module.toml")


def refused(data: bytes) -> str:
    with pytest.raises(DeclarationError) as caught:
        read(data)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("module.toml: ")
    return message.removeprefix("module.toml: ")


def test_every_value_is_read() -> None:
    declaration = read(GOOD.encode())
    module, output, sensor = declaration.module, declaration.output, declaration.sensor
    assert (module.vendor, module.product, module.version) == ("Example Works", "Person pin", "1.0")
    assert (module.part, module.revisions, module.profile) == ("stm32f401xe", ("A", "Z"), "person-detector")
    assert (output.pins, output.timer, output.channels) == (("PA5",), "TIM2", (1,))
    assert output.period_seconds == Decimal(1)
    assert (sensor.model, sensor.kind, sensor.width, sensor.height) == ("HM01B0", SensorKind.IMAGE, 96, 96)
    assert (sensor.bits_per_sample, sensor.control_bus, sensor.pins) == (8, "I2C1", ("PB8", "PB9", "PC0"))
    assert sensor.frame_size == 9216
    assert declaration.memory.confined == Range(start=0x20000000, size=0x10000)
    assert (declaration.memory.mailbox, declaration.memory.frame) == (0x20000000, Range(start=0x2000B500, size=9216))
    assert declaration.flash.gate == Range(start=0x08000000, size=0x1000)
    assert declaration.flash.confined == Range(start=0x08001000, size=0xF000)
    assert (declaration.entry.detector, declaration.entry.idle) == (0x08001000, 0x08001020)
    assert declaration.model.range == Range(start=0x08010000, size=300000)
    digests = (
        declaration.model.sha256,
        declaration.provisioning.sha256,
        declaration.build.flash_sha256,
        declaration.datasheet.sha256,
    )
    assert digests == tuple(f"{number:064}" for number in (1, 2, 3, 4))
    assert declaration.clock.source is ClockSource.HSE
    assert (declaration.clock.crystal_hz, declaration.clock.tolerance_ppm) == (8_000_000, 100)
    assert (declaration.provisioning.file, declaration.datasheet.file) == ("provisioning.toml", "docs/datasheet.md")
    assert (declaration.build.toolchain, declaration.build.recipe) == ("a compiler", "make\n")
    assert (declaration.materials.transducers, declaration.materials.memories) == (("HM01B0",), ())
    assert declaration.lifecycle.take_back == "by the vendor"
    assert declaration.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


def test_optional_keys_may_be_absent() -> None:
    line = 'flash_sha256 = "0000000000000000000000000000000000000000000000000000000000000003"\n'
    assert read(changed(line, "")).build.flash_sha256 is None
    internal = read(changed('"HSE"\ncrystal_hz = 8000000', '"HSI"'))
    assert (internal.clock.source, internal.clock.crystal_hz) == (ClockSource.HSI, None)


def _keys(table: dict[str, object], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in table.items():
        found.append((*path, key))
        if isinstance(value, dict):
            found += _keys(value, (*path, key))
    return found


def _as_toml(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key} = {_as_toml(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(_as_toml(item) for item in value) + "]"
        case str():
            return '"' + value.replace("\n", "\\n") + '"'
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _rewritten(path: tuple[str, ...], change: object) -> bytes:
    """The good declaration with one key removed (`change` is None) or given another value."""
    document = tomllib.loads(GOOD)
    table = document
    for key in path[:-1]:
        table = table[key]
    if change is None:
        del table[path[-1]]
    else:
        table[path[-1]] = change
    return "\n".join(f"{key} = {_as_toml(value)}" for key, value in document.items()).encode()


KEYS = _keys(tomllib.loads(GOOD))
OPTIONAL = {("build", "flash_sha256")}


@pytest.mark.parametrize("path", [key for key in KEYS if key not in OPTIONAL], ids=".".join)
def test_every_other_key_is_required(path: tuple[str, ...]) -> None:
    assert refused(_rewritten(path, None)) == f"{'.'.join(path)}: missing"


TYPES: dict[type, str] = {
    float: "a float",
    bool: "a boolean",
    int: "an integer",
    str: "a string",
    list: "a list",
    dict: "a table",
}
WRONG: tuple[object, ...] = (1.5, True, 7, "text", [], {})


def _type_of(path: tuple[str, ...]) -> type:
    value: object = tomllib.loads(GOOD)
    for key in path:
        assert isinstance(value, dict)
        value = value[key]
    return type(value)


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_every_key_has_one_type(path: tuple[str, ...]) -> None:
    for wrong in WRONG:
        if type(wrong) is not _type_of(path):
            message = f"{'.'.join(path)}: must be {TYPES[_type_of(path)]}, is {TYPES[type(wrong)]}"
            assert refused(_rewritten(path, wrong)) == message


@pytest.mark.parametrize("path", [key for key in KEYS if len(key) == 1 and key != ("specification",)], ids=".".join)
def test_unknown_keys_are_refused_in_every_table(path: tuple[str, ...]) -> None:
    data = changed(f"[{path[0]}]\n", f"[{path[0]}]\ncolour = 1\n")
    assert refused(data) == f"{path[0]}.colour: unknown key"


def test_unknown_keys_at_the_top_and_inside() -> None:
    assert refused(b"colour = 1\n" + GOOD.encode()) == "colour: unknown key"
    assert refused(changed("size = 0x10000 }", "size = 0x10000, colour = 1 }")) == "memory.confined.colour: unknown key"
    assert refused(GOOD.encode() + b"\n[level]\nx = 1\n") == "level: unknown key"


SPAN = "the address space"
PIN = "is not a pin (PA0 to PK15)"
CAMERA = """kind = "image"
width = 96
height = 96
bits_per_sample = 8
control_bus = "I2C1"
"""
MICROPHONE = """kind = "sound"
samples = 4608
samples_per_second = 16000
bits_per_sample = 16
data_bus = "SPI2"
"""
ONE_A_PIN = "give one a pin, in the same order"
DIGEST = "is not a SHA-256 (64 lower-case hex digits)"
PATH = "is not a path relative to the declaration, of plain names without '..'"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'specification = "0.1"',
            'specification = "0.2"',
            'specification: must be "0.1", the version that this verifier knows',
        ),
        ('"Example Works"', '""', "module.vendor: must not be blank"),
        ('"Example Works"', '" \\t "', "module.vendor: must not be blank"),
        (
            '"Example Works"',
            '"a\\u001b[2J"',
            "module.vendor: holds a line break or a character that cannot be printed",
        ),
        (
            '"Example Works"',
            '"a\\u202eb"',
            "module.vendor: holds a line break or a character that cannot be printed",
        ),
        ('"Example Works"', '"a\\nb"', "module.vendor: holds a line break or a character that cannot be printed"),
        ('"Example Works"', f'"{"x" * 201}"', "module.vendor: has 201 characters, more than 200"),
        (
            '"stm32f401xe"',
            '"../stm32f401xe"',
            "module.part: '../stm32f401xe' is not the name of a part (lower-case words)",
        ),
        (
            '"person-detector"',
            '"Person"',
            "module.profile: 'Person' is not the name of a profile (lower-case words)",
        ),
        ('["A", "Z"]', "[]", "module.revisions: must name at least one silicon revision"),
        ('["A", "Z"]', '["A", "A"]', "module.revisions[1]: 'A' is named twice"),
        ('["A", "Z"]', '["A", 1]', "module.revisions[1]: must be a string, is an integer"),
        ('["PA5"]', "[]", "output.pins: must name at least one pin"),
        ('["PA5"]', '["PA16"]', f"output.pins[0]: 'PA16' {PIN}"),
        ('["PA5"]', '["PA5", "PL0"]', f"output.pins[1]: 'PL0' {PIN}"),
        ('["PA5"]', '["PA05"]', f"output.pins[0]: 'PA05' {PIN}"),
        ('["PA5"]', '["pa5"]', f"output.pins[0]: 'pa5' {PIN}"),
        ('["PA5"]', '["PA5", "PA5"]', "output.pins[1]: 'PA5' is named twice"),
        ('["PA5"]', '["PB8"]', "output.pins[0]: PB8 is also in sensor.pins"),
        ('"TIM2"', '"TIM"', "output.timer: 'TIM' is not a timer such as TIM2"),
        ("channel = 1", "channel = 0", "output.channel: 0 is not from 1 to 4"),
        ("channel = 1", "channel = 5", "output.channel: 5 is not from 1 to 4"),
        ("channel = 1", "channels = [1, 2]", f"output.channels: has 2 channels for 1 pins; {ONE_A_PIN}"),
        ("channel = 1", "channels = []", f"output.channels: has 0 channels for 1 pins; {ONE_A_PIN}"),
        ("channel = 1", "channels = [5]", "output.channels[0]: 5 is not from 1 to 4"),
        ("channel = 1", 'channels = ["1"]', "output.channels[0]: must be an integer, is a string"),
        ("channel = 1", "channels = 1", "output.channels: must be a list, is an integer"),
        (
            "channel = 1",
            "channel = 1\nchannels = [1]",
            "output.channel: stands beside output.channels; give one of the two",
        ),
        (
            'pins = ["PA5"]\ntimer = "TIM2"\nchannel = 1',
            'pins = ["PA5", "PA15"]\ntimer = "TIM2"\nchannels = [1, 1]',
            "output.channels: names a channel twice; pins that show the same are declared with output.channel",
        ),
        ('timer = "TIM2"', 'timer = ["TIM2", "TIM3"]', "output.timer: must be a string, is a list"),
        (
            'period_seconds = "1.0"',
            'period_seconds = "1e3"',
            "output.period_seconds: '1e3' is not a decimal number such as \"1.0\"",
        ),
        (
            'period_seconds = "1.0"',
            'period_seconds = "-1"',
            "output.period_seconds: '-1' is not a decimal number such as \"1.0\"",
        ),
        (
            'period_seconds = "1.0"',
            'period_seconds = "NaN"',
            "output.period_seconds: 'NaN' is not a decimal number such as \"1.0\"",
        ),
        (
            'period_seconds = "1.0"',
            'period_seconds = "\u0661"',
            "output.period_seconds: '\u0661' is not a decimal number such as \"1.0\"",
        ),
        ('period_seconds = "1.0"', 'period_seconds = "0.0"', "output.period_seconds: must be more than 0"),
        ('kind = "image"', 'kind = "radar"', "sensor.kind: 'radar' is not one of: image, sound"),
        ('kind = "image"', 'kind = "sound"', "sensor.samples: missing"),
        ("height = 96", "height = 96\nsamples = 9216", "sensor.samples: unknown key"),
        (CAMERA, MICROPHONE + "width = 96\n", "sensor.width: unknown key"),
        (CAMERA, MICROPHONE + 'control_bus = "I2C1"\n', "sensor.control_bus: unknown key"),
        (CAMERA, MICROPHONE.replace('data_bus = "SPI2"\n', ""), "sensor.data_bus: missing"),
        (
            CAMERA,
            MICROPHONE.replace('"SPI2"', '"spi2"'),
            "sensor.data_bus: 'spi2' is not the name of a peripheral such as SPI2",
        ),
        (CAMERA, MICROPHONE.replace("samples = 4608", "samples = 0"), "sensor.samples: 0 is not from 1 to 16777216"),
        (
            CAMERA,
            MICROPHONE.replace("samples = 4608", "samples = 4609"),
            "memory.frame.size: 9216 bytes, but the sensor's frame has 9218",
        ),
        (
            CAMERA,
            MICROPHONE.replace("samples_per_second = 16000", "samples_per_second = 1000001"),
            "sensor.samples_per_second: 1000001 is not from 1 to 1000000",
        ),
        ("width = 96", "width = 0", "sensor.width: 0 is not from 1 to 65535"),
        ("height = 96", "height = 65536", "sensor.height: 65536 is not from 1 to 65535"),
        ("bits_per_sample = 8", "bits_per_sample = 33", "sensor.bits_per_sample: 33 is not from 1 to 32"),
        (
            "bits_per_sample = 8",
            "bits_per_sample = 9",
            "memory.frame.size: 9216 bytes, but the sensor's frame has 18432",
        ),
        ("size = 9216", "size = 9215", "memory.frame.size: 9215 bytes, but the sensor's frame has 9216"),
        ('"I2C1"', '"i2c1"', "sensor.control_bus: 'i2c1' is not the name of a peripheral such as I2C1"),
        ("start = 0x20000000", "start = -1", "memory.confined.start: -1 is not from 0 to 0xFFFFFFFF"),
        (
            "start = 0x20000000",
            "start = 0x100000000",
            "memory.confined.start: 0x100000000 is not from 0 to 0xFFFFFFFF",
        ),
        (
            "start = 0x20000000",
            f"start = 0x{'f' * 40}",
            "memory.confined.start: the number is not from 0 to 0xFFFFFFFF",
        ),
        ("size = 0x10000 }", "size = 0 }", "memory.confined.size: 0 is not from 1 to 0xFFFFFFFF"),
        (
            "start = 0x20000000, size = 0x10000",
            "start = 0xFFFFFFFF, size = 2",
            f"memory.confined.size: runs past the end of {SPAN}",
        ),
        ("mailbox = 0x20000000", "mailbox = 0x20000002", "memory.mailbox: 0x20000002 is not the address of a word"),
        ("mailbox = 0x20000000", "mailbox = 0x20010000", "memory.mailbox: 0x20010000 lies outside memory.confined"),
        ("mailbox = 0x20000000", "mailbox = 0x2000B500", "memory.mailbox: 0x2000B500 lies inside memory.frame"),
        ("start = 0x2000B500", "start = 0x2000DC01", "memory.frame: lies outside memory.confined"),
        ("start = 0x08001000", "start = 0x08000FFF", "flash.confined: overlaps flash.gate"),
        (
            "detector = 0x08001000",
            "detector = 0x08001001",
            "entry.detector: 0x08001001 is odd; write the address without the Thumb bit",
        ),
        (
            "detector = 0x08001000",
            "detector = 0x08000000",
            "entry.detector: 0x08000000 lies outside flash.confined",
        ),
        ("idle = 0x08001020", "idle = 0x08010000", "entry.idle: 0x08010000 lies outside flash.confined"),
        ("start = 0x08010000", "start = 0x08000800", "model: overlaps flash.gate"),
        ("size = 300000", "size = 0xF8000000", f"model.size: runs past the end of {SPAN}"),
        (f'"{1:064}"', f'"{1:063}"', f"model.sha256: '{0:037}...' {DIGEST}"),
        (f'"{1:064}"', '"ABC"', f"model.sha256: 'ABC' {DIGEST}"),
        ('"HSE"', '"LSE"', "clock.source: 'LSE' is not one of: HSE, HSI"),
        ('"HSE"', '"HSI"', "clock.crystal_hz: has no meaning where clock.source is HSI"),
        (
            "crystal_hz = 8000000",
            "crystal_hz = 0",
            "clock.crystal_hz: 0 is not from 1 to 1000000000",
        ),
        (
            "tolerance_ppm = 100",
            "tolerance_ppm = -1",
            "clock.tolerance_ppm: -1 is not from 0 to 500000",
        ),
        ('"provisioning.toml"', '"/etc/passwd"', f"provisioning.file: '/etc/passwd' {PATH}"),
        ('"provisioning.toml"', '"a/../../b"', f"provisioning.file: 'a/../../b' {PATH}"),
        ('"provisioning.toml"', "'a\\b'", f"provisioning.file: 'a\\b' {PATH}"),
        ('"docs/datasheet.md"', '"docs//a"', f"datasheet.file: 'docs//a' {PATH}"),
        ('["HM01B0"]', "[]", "materials.transducers: must name the sensor at least"),
        ('"ten years"', '""', "lifecycle.support_period: must not be blank"),
    ],
)
def test_impossible_values(old: str, new: str, message: str) -> None:
    assert refused(changed(old, new)) == message


class TestFilesThatAreNotToml:
    def test_empty(self) -> None:
        assert refused(b"") == "specification: missing"

    def test_syntax(self) -> None:
        assert refused(b"a = ") == "not TOML: Invalid value (at end of document)"

    def test_key_twice(self) -> None:
        assert refused(b"a = 1\na = 2\n") == "not TOML: Cannot overwrite a value (at line 2, column 6)"

    def test_not_utf8(self) -> None:
        assert refused(b"a = '\xff'") == "byte 5 is not UTF-8"

    def test_huge(self) -> None:
        assert refused(b"#" * 65537) == "the file has 65537 bytes, more than 65536"

    def test_long_line(self) -> None:
        assert refused(b"\na" + b".a" * 3000 + b" = 1") == "line 2: 6005 characters, more than 4096"

    def test_deep(self) -> None:
        assert refused(b"a = " + b"[" * 4000) == "nested too deeply"

    def test_number_of_thousands_of_digits(self) -> None:
        digits = b"9" * 4090
        assert refused(b"a=" + digits) == "specification: missing"
        assert refused(b"a = [\n" + digits + digits + b"]").startswith("line 2: 8181 characters")

    def test_date(self) -> None:
        assert refused(changed('"0.1"', "2000-01-01")) == "specification: must be a string, is a date or time"

    def test_key_with_control_characters(self) -> None:
        assert refused(b'"a\\nb" = 1\n' + GOOD.encode()) == "a?b: unknown key"

    def test_name_of_the_file_cannot_break_the_line(self) -> None:
        with pytest.raises(DeclarationError, match=r"^a\?b: specification: missing$"):
            read_declaration(b"", "a\nb")


def test_ranges() -> None:
    span = Range(start=16, size=16)
    assert span.end == 32
    assert [span.contains(15), span.contains(16), span.contains(31), span.contains(32)] == [False, True, True, False]
    assert span.contains(16, 16)
    assert not span.contains(16, 17)
    assert not span.overlaps(Range(start=32, size=1))
    assert span.overlaps(Range(start=31, size=1))


ARRAY = 'pins = ["PA5", "PA1"]\ntimer = "TIM2"\nchannels = [1, 2]'


def test_an_array_gives_each_pin_its_channel() -> None:
    output = read(changed('pins = ["PA5"]\ntimer = "TIM2"\nchannel = 1', ARRAY)).output
    assert (output.pins, output.channels) == (("PA5", "PA1"), (1, 2))
    assert (output.channel_of("PA5"), output.channel_of("PA1")) == (1, 2)


def test_one_channel_is_that_of_every_pin() -> None:
    output = read(changed('["PA5"]', '["PA5", "PA15"]')).output
    assert output.channels == (1, 1)


def test_a_microphone_has_samples_and_a_data_bus() -> None:
    sensor = read(changed(CAMERA, MICROPHONE)).sensor
    assert (sensor.kind, sensor.samples, sensor.samples_per_second) == (SensorKind.SOUND, 4608, 16000)
    assert (sensor.bus, sensor.data_bus, sensor.control_bus, sensor.width) == ("SPI2", "SPI2", None, None)
    assert (sensor.frame_size, sensor.frame_bits) == (9216, 73_728)
