"""Attacks on a microphone: the reference gate with SPI2 as receiver in place of the camera, and one more deviation.

The microphone itself conforms (`MICROPHONE`): each attack is that with one thing changed.
"""

from __future__ import annotations

from tests.attacks.danger import in_handler, stored
from tests.attacks.variant import FAULT, Edit, NotShown, Shown, Variant, declaration, gate
from tests.emulation.observation import Observation

_SAMPLES = 4608
"""As many of 16 bits as fit into the reference's frame."""
_CAPTURE = """
static bool window_capture(void)
{
    volatile uint16_t *const samples = (volatile uint16_t *)frame;

    for (uint32_t at = 0; at < BOUND; at++) {
        uint32_t left = 100u;
        while ((word_read(0x40003808u) & 1u) == 0u) {
            if (--left == 0u) {
                return false;
            }
        }
        samples[at] = (uint16_t)word_read(0x4000380Cu);
    }
    return true;
}

"""
_CLAIM = "What is wrong is what is claimed; the image is the one that conforms."
_NO_RECEIVER = "QEMU has no receiver: what SPI2 would do there says nothing of the part's."

_CAMERA_SET_UP = """\
    const bool configured = sensor_configure();

    pins_release_control_bus();
    if (!configured) {
        word_write(kGpioC + kGpioModer, kAllAnalogue); /* an analogue pin reads 0 (RM0368 8.3.12) */
    }
"""


def _without_sleep_clock(seen: Observation) -> bool:
    """The receiver is started, and its clock is never left on in sleep."""
    return stored(0x4000381C, 0xF01)(seen) and not stored(0x40023860, 0x4001)(seen)


def microphone(
    *,
    receiver: str = "0xF01u",
    prescaler: str = "25u",
    requests: str = "0u",
    mode: str = "0u",
    clocks: str = "word_write(0x40023884u, (5u << 28) | (256u << 6));",
    sleep: str = "(1u << 14) | 1u",
    enabled: str = "(1u << 14) | 1u",
    lines: str = "0xBAFFFFFFu",
    functions: str = "0x50550000u",
    boot: str = "",
    tick: str = "",
    fault: str = "",
    bound: str = f"{_SAMPLES}u",
    pins: str = '"PB12", "PB13", "PB15"',
    bus: str = "SPI2",
    profile: str = "voice-command",
) -> tuple[Edit, ...]:
    """A microphone on SPI2, but for what is given."""
    set_up = (
        f"    {clocks}\n    word_write(kRccApb1enr, {enabled});\n    (void)word_read(kRccApb1enr);\n"
        f"    word_write(0x40003800u, {mode});\n    word_write(0x40003804u, {requests});\n"
        f"    word_write(0x40003820u, {prescaler});\n    word_write(0x4000381Cu, {receiver});\n    {boot}\n"
    )
    return (
        *gate("product.h", _CAMERA_SET_UP, set_up),
        *gate("product.h", "kRccApb1Sensor = 0u", "kRccApb1Sensor = 1u << 14"),
        *gate("product.h", "kPortBSensor = 0xFFFAFFFFu", f"kPortBSensor = {lines}"),
        *gate("product.h", "kPortBOpenDrain = 3u << 8", "kPortBOpenDrain = 0u"),
        *gate("product.h", "kPortBFunctions = 0x00000044u", f"kPortBFunctions = {functions}"),
        *gate(
            "timer.c",
            "word_write(kRccApb1lpenr, kRccApb1Tim2 | kRccApb1Sensor);",
            f"word_write(kRccApb1lpenr, {sleep});",
        ),
        *gate("tick.c", "/* Bit in, frame out.", f"{_CAPTURE.replace('BOUND', bound)}/* Bit in, frame out."),
        *gate("tick.c", "    if (product_capture()) {", f"    {tick}\n    if (window_capture()) {{"),
        *declaration('profile = "person-detector"', f'profile = "{profile}"'),
        *declaration(
            'model = "HM01B0"\nkind = "image"\nwidth = 96\nheight = 96\nbits_per_sample = 8\ncontrol_bus = "I2C1"\n',
            f'model = "INMP441"\nkind = "sound"\nsamples = {_SAMPLES}\nsamples_per_second = 16000\n'
            f'bits_per_sample = 16\ndata_bus = "{bus}"\n',
        ),
        *declaration(
            'pins = ["PB8", "PB9", "PC0", "PC1", "PC2", "PC3", "PC4", "PC5", "PC6", "PC7", "PC8", "PC9", "PC10"]',
            f"pins = [{pins}]",
        ),
        *declaration('transducers = ["HM01B0"]', 'transducers = ["INMP441"]'),
        *(gate("fault.c", FAULT, f"    {fault}\n{FAULT}") if fault else ()),
    )


MICROPHONE = microphone()
"""The microphone that conforms."""


def _told(name: str, reason: str, gain: str, danger: Shown | NotShown, edits: tuple[Edit, ...]) -> Variant:
    return Variant(
        name=f"microphone-{name}",
        gain=gain,
        edits=edits,
        requirement="out-sensor-lines-constant",
        reason=reason,
        danger=danger,
    )


VARIANTS = (
    _told(
        "transmits",
        "data-bus-set-up",
        "The data line is an output: what the gate stores goes to whoever listens on it.",
        Shown(what="makes the block a transmitter", seen=stored(0x4000381C, 0xE00)),
        microphone(receiver="0xE00u"),
    ),
    _told(
        "clocked-from-outside",
        "data-bus-set-up",
        "As a slave the block takes its clock from the lines: whoever holds them is heard.",
        Shown(what="makes the block a slave", seen=stored(0x4000381C, 0xD00)),
        microphone(receiver="0xD00u"),
    ),
    _told(
        "clock-from-a-pin",
        "data-bus-clock",
        "The receiver's clock is a pin, and the rate of its lines is whoever's who drives it.",
        Shown(what="takes the receiver's clock from a pin", seen=stored(0x40023808, 0x801000)),
        (
            *microphone(),
            *gate("registers.h", "kRccCfgrApb1Half = 4u << 10;", "kRccCfgrApb1Half = (4u << 10) | (1u << 23);"),
        ),
    ),
    _told(
        "sleeps-with-the-processor",
        "data-bus-clock",
        "The confined part sleeps, and the microphone's clock stops: a line that it keys as it likes.",
        Shown(what="leaves the receiver without a clock in sleep", seen=_without_sleep_clock),
        microphone(sleep="1u"),
    ),
    _told(
        "asks-for-dma",
        "data-bus-requests",
        "Samples can be moved without the processor.",
        Shown(what="lets the receiver request DMA", seen=stored(0x40003804, 1)),
        microphone(requests="1u"),
    ),
    _told(
        "interrupts",
        "data-bus-requests",
        "Each sample can interrupt: something beside the tick happens when sound comes.",
        Shown(what="lets the receiver interrupt", seen=stored(0x40003804, 0x40)),
        microphone(requests="0x40u"),
    ),
    _told(
        "master-clock",
        "data-bus-requests",
        "A third clock line.",
        Shown(what="enables the master clock output", seen=stored(0x40003820, 0x219)),
        microphone(prescaler="0x219u"),
    ),
    _told(
        "set-up-by-what-was-read",
        "data-bus-set-up",
        "The rate of the lines is what a pin said at the start.",
        NotShown(why="QEMU has no ports: every input reads 0."),
        microphone(prescaler="25u + (word_read(kGpioC + kGpioIdr) & 1u)"),
    ),
    _told(
        "stopped-in-tick",
        "data-bus-written-after-drop",
        "The receiver is stopped and started in each tick: its lines tell when the tick came.",
        Shown(what="stops the receiver in the tick", seen=in_handler(0x4000381C, 0xB00)),
        microphone(tick="word_write(0x4000381Cu, 0xB00u); word_write(0x4000381Cu, 0xF01u);"),
    ),
    _told(
        "read-by-fault",
        "data-bus-read-elsewhere",
        "A fault takes a sample away when the confined part wants: the next window begins with what came after it.",
        NotShown(why=_NO_RECEIVER),
        microphone(fault="(void)word_read(0x4000380Cu);"),
    ),
    _told(
        "on-other-pins",
        "data-bus-pins",
        "A pin that is declared as the microphone's carries another block's output.",
        Shown(what="gives PB15 to another function", seen=stored(0x40020424, 0x60550000)),
        microphone(functions="0x60550000u"),
    ),
    _told(
        "with-one-pin-more",
        "data-bus-pins",
        "A fourth line is declared as the microphone's.",
        NotShown(why=_CLAIM),
        microphone(pins='"PB12", "PB13", "PB14", "PB15"'),
    ),
    _told(
        "on-a-serial-port",
        "data-bus-unknown",
        "What is declared as the microphone's receiver is a serial port.",
        NotShown(why=_CLAIM),
        microphone(bus="USART2"),
    ),
    Variant(
        name="microphone-sampled-otherwise",
        gain="The label promises a second of sound, the window holds two.",
        edits=microphone(prescaler="50u"),
        requirement="doc-declaration",
        reason="sample-rate-differs",
        danger=Shown(what="divides the receiver's clock by twice as much", seen=stored(0x40003820, 50)),
    ),
    Variant(
        name="microphone-second-receiver",
        gain="The block beside the receiver can transmit on a line of its own.",
        edits=microphone(boot="word_write(0x4000341Cu, 0xA00u);"),
        requirement="out-no-other-peripheral",
        reason="undeclared-peripheral",
        danger=NotShown(why=_NO_RECEIVER),
    ),
    Variant(
        name="microphone-window-too-long",
        gain="One sample more than the declared window lands behind it.",
        edits=microphone(bound=f"{_SAMPLES + 1}u"),
        requirement="mem-frame-bounded",
        reason="frame-overrun",
        danger=NotShown(why=_NO_RECEIVER),
    ),
    Variant(
        name="microphone-heard-in-boot",
        gain="Boot listens, where no proof covers what its pins tell.",
        edits=microphone(boot="(void)word_read(0x4000380Cu);"),
        requirement="mem-frame-bounded",
        reason="capture-in-boot",
        danger=NotShown(why=_NO_RECEIVER),
    ),
    Variant(
        name="microphone-judged-as-camera",
        gain="A microphone that is held to what a camera may keep.",
        edits=microphone(profile="gesture"),
        requirement="mem-frame-bounded",
        reason="frame-kind",
        danger=NotShown(why=_CLAIM),
    ),
    Variant(
        name="microphone-lines-read",
        gain="The lines are read beside the receiver: more than the declared sensor's data comes in.",
        edits=microphone(tick="(void)word_read(kGpioB + kGpioIdr);"),
        requirement="inp-none",
        reason="undeclared-input",
        danger=NotShown(why="QEMU has no ports: every input reads 0."),
    ),
)
