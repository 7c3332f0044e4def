"""A declaration with nothing wrong, and a way to make one thing wrong."""

from __future__ import annotations

GOOD = """\
specification = "0.1"

[module]
vendor = "Example Works"
product = "Person pin"
version = "1.0"
part = "stm32f401xe"
revisions = ["A", "Z"]
profile = "person-detector"

[output]
pins = ["PA5"]
timer = "TIM2"
channel = 1
period_seconds = "1.0"

[sensor]
model = "HM01B0"
kind = "image"
width = 96
height = 96
bits_per_sample = 8
control_bus = "I2C1"
pins = ["PB8", "PB9", "PC0"]

[memory]
confined = { start = 0x20000000, size = 0x10000 }
mailbox = 0x20000000
frame = { start = 0x2000B500, size = 9216 }

[flash]
gate = { start = 0x08000000, size = 0x1000 }
confined = { start = 0x08001000, size = 0xF000 }

[entry]
detector = 0x08001000
idle = 0x08001020

[model]
start = 0x08010000
size = 300000
sha256 = "0000000000000000000000000000000000000000000000000000000000000001"

[clock]
source = "HSE"
crystal_hz = 8000000
tolerance_ppm = 100

[provisioning]
file = "provisioning.toml"
sha256 = "0000000000000000000000000000000000000000000000000000000000000002"

[build]
toolchain = "a compiler"
recipe = \"\"\"
make
\"\"\"
flash_sha256 = "0000000000000000000000000000000000000000000000000000000000000003"

[datasheet]
file = "docs/datasheet.md"
sha256 = "0000000000000000000000000000000000000000000000000000000000000004"

[materials]
transducers = ["HM01B0"]
memories = []

[lifecycle]
immutability_rationale = "A change would void the proof."
support_period = "ten years"
replacement = "as a whole"
battery = "none"
hazardous_substances = "none"
take_back = "by the vendor"
"""


def changed(old: str, new: str, text: str = GOOD) -> bytes:
    """`text` with the one place `old` replaced."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new).encode()
