"""Attacks through the sensor and other inputs: what goes to the sensor, what else is read, who asks for a frame."""

from __future__ import annotations

from tests.attacks.danger import in_handler, stored
from tests.attacks.variant import (
    GateEdit,
    Kind,
    NotShown,
    Shown,
    Variant,
    before_start,
    declaration,
    gate,
    in_boot,
    in_tick,
)

_HAND_OVER = "timer_preload(smoothing_step(tick_is_present(mailbox)));"
_ONE_SETTING = "if (!sensor_set(kSensorSetUp[index])) {"
_NO_PORTS = "QEMU has no ports: every input reads 0."
_CLAIM = "The image is the reference's; only what is claimed of it is wrong."


def _with_sensor(edits: tuple[GateEdit, ...]) -> tuple[GateEdit, ...]:
    return (*gate("tick.c", '#include "restart.h"', '#include "restart.h"\n#include "sensor.h"'), *edits)


def _told(name: str, address: int, requirement: str, reason: str, gain: str) -> Variant:
    """The tick reads a device that is no sensor, and does nothing with it."""
    return Variant(
        name=name,
        gain=gain,
        edits=before_start(f"mailbox = word_read({address:#010x}u);"),
        requirement=requirement,
        reason=reason,
        danger=NotShown(why="QEMU's answer to a load says nothing of the part's, and loads are not in its log."),
    )


_LINES = (
    Variant(
        name="sensor-configured-again",
        gain="The sensor is configured anew in each tick: its lines move after the drop.",
        edits=_with_sensor(in_tick("sensor_configure();")),
        requirement="out-sensor-lines-constant",
        reason="sensor-written-after-drop",
        danger=Shown(what="sends on the sensor's bus in each tick", seen=in_handler(0x40005400)),
    ),
    Variant(
        name="mailbox-to-sensor",
        gain="The mailbox goes out on the sensor's bus, whose lines a neighbour can read.",
        edits=gate(
            "tick.c",
            _HAND_OVER,
            "const uint32_t message = mailbox;\n    timer_preload(smoothing_step(tick_is_present(message)));\n"
            "    word_write(0x40005410u, message);",
        ),
        requirement="out-sensor-lines-constant",
        reason="sensor-written-after-drop",
        danger=Shown(
            what="sends what the confined part says",
            seen=in_handler(0x40005410, 0x5A),
            confined="mailbox = 0x5A;",
        ),
    ),
    Variant(
        name="sensor-bytes-from-pins",
        gain="A setting of the sensor comes from outside.",
        edits=gate("sensor.c", _ONE_SETTING, "if (!sensor_set(kSensorSetUp[index] ^ (word_read(0x40020810u) & 1u))) {"),
        requirement="out-sensor-lines-constant",
        reason="sensor-bytes-vary",
        danger=NotShown(why=_NO_PORTS),
    ),
    Variant(
        name="sensor-sent-on-condition",
        gain="Whether a setting is sent depends on a pin.",
        edits=gate(
            "sensor.c",
            "        if (!sensor_set(kSensorSetUp[index])) {",
            "        if ((word_read(0x40020810u) & 1u) != 0u) {\n            continue;\n        }\n"
            "        if (!sensor_set(kSensorSetUp[index])) {",
        ),
        requirement="mem-frame-bounded",
        reason="capture-in-boot",
        danger=NotShown(why=_NO_PORTS),
    ),
    Variant(
        name="sensor-bus-clocked",
        gain="The sensor's bus has its clock on and waits to be used.",
        edits=gate(
            "timer.c",
            "    word_write(kRccApb1enr, kRccApb1Tim2 | kRccApb1Sensor);",
            "    word_write(kRccApb1enr, kRccApb1Tim2 | kRccApb1I2c1);",
        ),
        requirement="out-sensor-lines-constant",
        reason="sensor-bus-on",
        danger=Shown(what="leaves the bus's clock on", seen=stored(0x40023840, 0x200001)),
    ),
    Variant(
        name="trigger-on-request",
        gain="The confined part asks for a picture: the trigger line moves when it says so.",
        edits=gate(
            "tick.c",
            _HAND_OVER,
            "const uint32_t message = mailbox;\n    timer_preload(smoothing_step(tick_is_present(message)));\n"
            "    word_write(kGpioC + 0x18u, 1u << (10u + (message & 16u)));",
        ),
        requirement="out-sensor-lines-constant",
        reason="sensor-line-on-request",
        danger=Shown(
            what="moves a line of the sensor as the confined part says",
            seen=in_handler(0x40020818, 1 << 26),
            confined="mailbox = 16;",
        ),
    ),
    Variant(
        name="capture-on-request",
        gain="A frame is taken only when the confined part asked for one: what it sees depends on what it said.",
        edits=(
            *gate(
                "tick.c",
                _HAND_OVER,
                "const uint32_t message = mailbox;\n    timer_preload(smoothing_step(tick_is_present(message)));",
            ),
            *gate("tick.c", "    if (product_capture()) {", "    if ((message & 2u) == 0u && product_capture()) {"),
        ),
        requirement="run-handlers",
        reason="return-target",
        danger=Shown(
            what="does not look at the frame after one that asked for none",
            seen=lambda seen: 1 not in seen.bits[1:4] and seen.bits[4] == 1,
            confined="mailbox = frame[0] == 20 ? 2 : 1;",
            frames=(20, 200, None, 200, 200),
        ),
    ),
    Variant(
        name="sensor-bus-undeclared",
        gain="The bus that is used is not the one that is declared.",
        edits=declaration('control_bus = "I2C1"', 'control_bus = "I2C2"'),
        requirement="out-no-other-peripheral",
        reason="undeclared-peripheral",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="sensor-bus-unknown",
        gain="What is declared as the sensor's bus is no bus.",
        edits=declaration('control_bus = "I2C1"', 'control_bus = "TIM3"'),
        requirement="out-sensor-lines-constant",
        reason="sensor-bus-unknown",
        danger=NotShown(why=_CLAIM),
    ),
)

_INPUTS = (
    Variant(
        name="converter-read",
        gain="An analogue input is a microphone.",
        edits=in_boot("word_write(0x40012008u, 1u);"),
        requirement="sns-declared",
        reason="undeclared-sensor",
        danger=Shown(what="switches the converter on", seen=stored(0x40012008)),
    ),
    Variant(
        name="second-bus",
        gain="Another sensor on a second bus.",
        edits=in_boot("word_write(0x40005800u, 1u);"),
        requirement="sns-declared",
        reason="undeclared-sensor",
        danger=Shown(what="switches a second bus on", seen=stored(0x40005800)),
    ),
    _told("other-port-read", 0x40020010, "inp-none", "undeclared-input", "A pin of the connector is heard."),
    _told("reset-cause-read", 0x40023874, "inp-none", "reset-cause-read", "Whoever resets the module is heard."),
    _told("supply-monitor-read", 0x40007004, "inp-none", "supply-monitor-read", "Whoever feeds the module is heard."),
    _told("edge-flags-read", 0x40013C14, "inp-none", "external-interrupt-used", "A pin of the connector is heard."),
    Variant(
        name="input-left-open",
        gain="A pin beside the sensor's is an input, and read with them.",
        edits=gate("product.h", "kPortCSensor = 0xFFC00000u", "kPortCSensor = 0xFF000000u"),
        requirement="inp-none",
        reason="input-pin-open",
        danger=Shown(what="leaves PC11 an input", seen=stored(0x40020800, 0xFF000000)),
    ),
    Variant(
        name="microphone-in-materials",
        gain="A second transducer on the board.",
        edits=declaration('transducers = ["HM01B0"]', 'transducers = ["HM01B0", "a microphone"]'),
        requirement="sns-declared",
        reason="undeclared-transducer",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="memory-in-materials",
        gain="A memory on the board.",
        edits=declaration("memories = []", 'memories = ["a flash of 16 MB"]'),
        requirement="sns-declared",
        reason="undeclared-memory",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="frame-larger-than-declared",
        gain="The frame is declared smaller than what capture writes.",
        edits=(
            *declaration("frame = { start = 0x20000100, size = 9216 }", "frame = { start = 0x20000100, size = 9120 }"),
            *declaration("width = 96", "width = 95"),
        ),
        requirement="mem-frame-bounded",
        reason="frame-overrun",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="no-capture",
        gain="What is called the sensor's pins are others: the frame comes from nowhere.",
        edits=gate("camera.c", "row[place] = (uint8_t)(levels & kPixelMask);", "row[place] = 0u;"),
        requirement="mem-frame-bounded",
        reason="no-capture",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="A module that sees nothing is no danger; a proof of its capture is none either."),
    ),
)

VARIANTS = (*_LINES, *_INPUTS)
