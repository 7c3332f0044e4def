"""Attacks on the output: who moves the pin, when, and to how many levels; and on every other way to signal."""

from __future__ import annotations

from tests.attacks.danger import (
    high_at_once,
    in_handler,
    level_unknown,
    moves_in_mid_period,
    stored,
    ticks_faster,
)
from tests.attacks.variant import (
    Kind,
    NotShown,
    Shown,
    Variant,
    declaration,
    gate,
    in_boot,
    in_fault,
    in_tick,
)

_CONNECT = "static const uint32_t kPortAOutput = 0xFFFFFBFFu;"
_RELEASE = "word_write(kGpioB + kGpioModer, kAllAnalogue);"
_CAMERA = "pins_configure(kGpioC, kPortCSensor, 0u, kPortCPullDown, 0u, 0u);"
_PRELOAD = "word_write(kTim2Ccr1, 0u - present);"
_CCMR1 = "static const uint32_t kCcmr1Setup = (6u << 4) | (1u << 3);"
_CR1 = "static const uint32_t kCr1Setup = (1u << 7) | (1u << 2);"
_HAND_OVER = "timer_preload(smoothing_step(tick_is_present(mailbox)));"
_NO_PORTS = "QEMU has no ports and no pins; what is seen is that the store is really made."
_NO_LATCH = "QEMU's timer has no output and no preload registers."

_PINS = (
    Variant(
        name="second-pin-output",
        gain="A second pin, PA6, under the gate's control.",
        edits=gate("product.h", _CONNECT, _CONNECT.replace("FBFF", "DBFF")),
        requirement="out-declared-pins",
        reason="undeclared-pin",
        danger=Shown(what="configures PA6 as an output", seen=stored(0x40020000, 0xFFFFDBFF)),
    ),
    Variant(
        name="pin-eventout",
        gain="PC10, a declared sensor line, carries EVENTOUT: any code pulses it with SEV.",
        edits=gate("pins.c", _CAMERA, "pins_configure(kGpioC, 0xFFE00000u, 0u, kPortCPullDown, 0u, 0xF00u);"),
        requirement="out-declared-pins",
        reason="eventout",
        danger=Shown(what="gives PC10 to EVENTOUT", seen=stored(0x40020824, 0xF00)),
    ),
    Variant(
        name="pin-mco1",
        gain="PA8 carries the clock output, which the sensor's supply of light can be keyed with.",
        edits=gate("product.h", _CONNECT, _CONNECT.replace("FFFFFBFF", "FFFEFBFF")),
        requirement="out-declared-pins",
        reason="clock-output",
        danger=Shown(what="gives PA8 to MCO1", seen=stored(0x40020000, 0xFFFEFBFF)),
    ),
    Variant(
        name="pin-mco2-on-sensor-line",
        gain="PC9 is a declared sensor line, and as alternate function 0 the second clock output.",
        edits=gate("product.h", "kPortCSensor = 0xFFC00000u", "kPortCSensor = 0xFFC80000u"),
        requirement="out-declared-pins",
        reason="clock-output",
        danger=Shown(what="gives PC9 to MCO2", seen=stored(0x40020800, 0xFFC80000)),
    ),
    Variant(
        name="trace-pin-left-on",
        gain="PB3 stays the trace output of reset.",
        edits=gate("pins.c", _RELEASE, "word_write(kGpioB + kGpioModer, 0xFFFFFFBFu);"),
        requirement="out-declared-pins",
        reason="debug-pin-open",
        danger=Shown(what="leaves PB3 with its trace function", seen=stored(0x40020400, 0xFFFFFFBF)),
    ),
    Variant(
        name="debug-pin-left-on",
        gain="PA13 stays the debug port's data line.",
        edits=gate("product.h", _CONNECT, _CONNECT.replace("FFFFFBFF", "FBFFFBFF")),
        requirement="out-declared-pins",
        reason="debug-pin-open",
        danger=Shown(what="leaves PA13 with its debug function", seen=stored(0x40020000, 0xFBFFFBFF)),
    ),
    Variant(
        name="handler-makes-edge",
        gain="The tick drives PA5 as a plain output: entry jitter carries more than a bit.",
        edits=(
            *gate("product.h", _CONNECT, _CONNECT.replace("FBFF", "F7FF")),
            *gate("timer.c", _PRELOAD, _PRELOAD + "\n    word_write(0x40020018u, 1u << (21u - 16u * present));"),
        ),
        requirement="out-clocked",
        reason="handler-made-edge",
        danger=Shown(what="moves PA5 by a store to the port", seen=in_handler(0x40020018)),
    ),
    Variant(
        name="lock-undone",
        gain="A reset of the port undoes the lock of its configuration, at an instant of the confined part's choice.",
        edits=in_fault("word_write(0x40023810u, 1u);"),
        requirement="out-clock-steady",
        reason="clock-tree-written",
        danger=Shown(
            what="resets port A when the confined part faults",
            seen=in_handler(0x40023810, 1),
            confined='asm volatile("udf #0");',
        ),
    ),
    Variant(
        name="pin-mode-in-fault",
        gain="A fault changes PA5's mode: the confined part chooses the instant. Not every port is locked for ever.",
        edits=in_fault("word_write(kGpioA + kGpioModer, 0xFFFFFFFFu);"),
        requirement="out-fault-safe",
        reason="fault-moves-output",
        danger=Shown(
            what="stores to port A's mode register when the confined part faults",
            seen=in_handler(0x40020000),
            confined='asm volatile("udf #0");',
        ),
    ),
    Variant(
        name="pin-set-in-tick",
        gain="A pin of port B is set by a program.",
        edits=in_tick("word_write(kGpioB + 0x18u, 0x40u);"),
        requirement="out-declared-pins",
        reason="pin-written-after-drop",
        danger=Shown(what="stores to port B in each tick", seen=in_handler(0x40020418)),
    ),
    Variant(
        name="rtc-drives-pin",
        gain="PC13 is driven by the real-time clock's output, whatever its port says.",
        edits=in_boot("word_write(0x40002808u, 1u << 23);"),
        requirement="mem-no-other-store",
        reason="storage-used",
        danger=Shown(what="switches the calibration output on", seen=stored(0x40002808)),
    ),
    Variant(
        name="slow-oscillator-drives-pin",
        gain="PC14 and PC15 are driven by the slow oscillator, whatever their port says.",
        edits=in_boot("word_write(0x40023870u, 1u);"),
        requirement="out-declared-pins",
        reason="pin-driven-otherwise",
        danger=Shown(what="switches the slow oscillator on", seen=stored(0x40023870, 1)),
    ),
    Variant(
        name="output-of-another-channel",
        gain="The declaration claims a pin that the timer cannot move; a program must be doing it.",
        edits=declaration('pins = ["PA5"]', 'pins = ["PA1"]'),
        requirement="out-declared-pins",
        reason="output-pin-unknown",
        danger=NotShown(why="The image is the reference's; only what is claimed of it is wrong."),
    ),
)

_TIMER = (
    Variant(
        name="compare-mid-period",
        gain="An edge in mid-period: 26 bits a period by choice of the cycle.",
        edits=gate("timer.c", _PRELOAD, "word_write(kTim2Ccr1, present * 42000000u);"),
        requirement="out-clocked",
        reason="compare-value",
        danger=Shown(what="makes an edge in mid-period", seen=moves_in_mid_period),
    ),
    Variant(
        name="compare-equals-reload",
        gain="One count before the update: an edge that is not the update's.",
        edits=gate("timer.c", _PRELOAD, "word_write(kTim2Ccr1, present * kReload);"),
        requirement="out-clocked",
        reason="compare-value",
        danger=Shown(what="makes an edge one count before the update", seen=moves_in_mid_period),
    ),
    Variant(
        name="compare-from-mailbox",
        gain="The whole mailbox becomes the compare value.",
        edits=gate("tick.c", _HAND_OVER, "timer_preload(0u - mailbox);"),
        requirement="out-clocked",
        reason="compare-value-unknown",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(
            what="makes an edge where the confined part says",
            seen=moves_in_mid_period,
            confined="mailbox = 12345678;",
        ),
    ),
    Variant(
        name="compare-by-byte",
        gain="The bus repeats the byte: 1 becomes 0x01010101, an edge a fifth into the period.",
        edits=gate("timer.c", _PRELOAD, "*(volatile uint8_t *)kTim2Ccr1 = (uint8_t)present;"),
        requirement="out-clocked",
        reason="narrow-compare-store",
        danger=Shown(what="stores a byte to the compare register", seen=in_handler(0x40000034, width=1)),
    ),
    Variant(
        name="compare-by-halfword",
        gain="The bus repeats the halfword: 1 becomes 0x00010001, an edge at the start of the period.",
        edits=gate("timer.c", _PRELOAD, "*(volatile uint16_t *)kTim2Ccr1 = (uint16_t)present;"),
        requirement="run-gate-proved",
        reason="narrow-device-store",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(what="stores a halfword to the compare register", seen=in_handler(0x40000034, width=2)),
    ),
    Variant(
        name="compare-stored-by-stm",
        gain="STM is restartable: an interrupt makes one instruction write twice.",
        edits=gate(
            "timer.c",
            _PRELOAD,
            'const uint32_t value = 0u - present;\n    __asm volatile("mov r2, %1\\n'
            'mov r3, %1\\nstm %0, {r2, r3}" : : "r"(kTim2Ccr1), "r"(value) : "r2", "r3", "memory");',
        ),
        requirement="run-gate-proved",
        reason="multiple-device-access",
        kind=Kind.INCONCLUSIVE,
        danger=Shown(what="stores to the next register too", seen=in_handler(0x40000038)),
    ),
    Variant(
        name="preload-off",
        gain="Without preload the store makes the edge, when the handler gets to it.",
        edits=gate("timer.c", _CCMR1, "static const uint32_t kCcmr1Setup = (6u << 4);"),
        requirement="out-clocked",
        reason="preload-off",
        danger=Shown(what="moves the pin by the store itself", seen=moves_in_mid_period),
    ),
    Variant(
        name="forced-mode",
        gain="The level is forced: the mode register is the output, and acts at once.",
        edits=gate("timer.c", _CCMR1, _CCMR1.replace("6u", "5u")),
        requirement="out-clocked",
        reason="forced-mode",
        danger=Shown(what="has the pin high before any tick", seen=high_at_once),
    ),
    Variant(
        name="compare-mode-toggle",
        gain="Toggle mode makes an edge at every match of the compare value.",
        edits=gate("timer.c", _CCMR1, _CCMR1.replace("6u", "3u")),
        requirement="out-clocked",
        reason="compare-mode",
        danger=Shown(what="leaves PWM mode for a mode whose edges are at the match", seen=stored(0x40000018, 0x38)),
    ),
    Variant(
        name="external-clear",
        gain="The trigger input, which is the output pin itself, can clear the level: whoever holds the pin is heard.",
        edits=gate("timer.c", _CCMR1, _CCMR1.replace("= (6u", "= (1u << 7) | (6u")),
        requirement="out-clocked",
        reason="external-clear",
        danger=Shown(what="lets something else decide about the level", seen=level_unknown),
    ),
    Variant(
        name="external-trigger",
        gain="The counter is clocked by the trigger input: the period is the host's.",
        edits=gate(
            "timer.c",
            "    word_write(kTim2Psc, 0u);",
            "    word_write(0x40000008u, 1u << 14);\n    word_write(kTim2Psc, 0u);",
        ),
        requirement="out-clocked",
        reason="slave-mode",
        danger=Shown(what="lets something else clock the counter", seen=level_unknown),
    ),
    Variant(
        name="inverted-polarity",
        gain="Idle is high: the output says present while the part starts and while it is broken.",
        edits=gate("timer.c", "kCcerSetup = 1u << 0;", "kCcerSetup = 3u << 0;"),
        requirement="out-clocked",
        reason="polarity",
        danger=Shown(what="has the pin high before any tick", seen=high_at_once),
    ),
    Variant(
        name="second-channel",
        gain="Channel 2 of the timer is on, and needs only a pin.",
        edits=gate("timer.c", "kCcerSetup = 1u << 0;", "kCcerSetup = 0x11u << 0;"),
        requirement="out-clocked",
        reason="polarity",
        danger=Shown(what="enables channel 2", seen=stored(0x40000020, 0x11)),
    ),
    Variant(
        name="timer-dma",
        gain="The update event requests DMA, which can write any register at the update.",
        edits=gate("timer.c", "kDierSetup = 1u << 0;", "kDierSetup = (1u << 8) | (1u << 0);"),
        requirement="out-clocked",
        reason="timer-dma",
        danger=Shown(what="enables the timer's DMA request", seen=stored(0x4000000C, 0x101)),
    ),
    Variant(
        name="compare-interrupt",
        gain="A second interrupt in mid-period, at the compare value.",
        edits=gate("timer.c", "kDierSetup = 1u << 0;", "kDierSetup = 3u << 0;"),
        requirement="out-clocked",
        reason="timer-interrupt",
        danger=Shown(what="enables the compare interrupt", seen=stored(0x4000000C, 3)),
    ),
    Variant(
        name="reload-not-buffered",
        gain="The reload value acts at once: any later store of it makes an edge by itself.",
        edits=gate("timer.c", _CR1, "static const uint32_t kCr1Setup = (1u << 2);"),
        requirement="out-clocked",
        reason="timer-mode",
        danger=Shown(what="runs with ARPE clear", seen=stored(0x40000000, 5)),
    ),
    Variant(
        name="one-pulse",
        gain="The counter stops after one period, with the level as it is.",
        edits=gate("timer.c", _CR1, _CR1.replace("= (1u << 7)", "= (1u << 3) | (1u << 7)")),
        requirement="out-clocked",
        reason="timer-mode",
        danger=Shown(what="runs the counter in one-pulse mode", seen=stored(0x40000000, 0x8D)),
    ),
    Variant(
        name="no-initial-update",
        gain="What is preloaded is not in force when the pin is connected.",
        edits=gate("timer.c", "    word_write(kTim2Egr, kEgrUpdate);", "    /* none */"),
        requirement="out-clocked",
        reason="no-initial-update",
        danger=NotShown(why=_NO_LATCH),
    ),
    Variant(
        name="high-at-the-drop",
        gain="The first period says present before any frame was seen.",
        edits=gate("timer.c", "    word_write(kTim2Ccr1, 0u); /*", "    word_write(kTim2Ccr1, 0xFFFFFFFFu); /*"),
        requirement="out-clocked",
        reason="output-not-idle",
        danger=Shown(what="has the pin high before any tick", seen=high_at_once),
    ),
    Variant(
        name="reload-maximum",
        gain="No compare value is above the largest reload value: 'always' is an edge.",
        edits=gate("timer.c", "kReload = kPeriodCounts - 1u;", "kReload = 0xFFFFFFFFu;"),
        requirement="out-clocked",
        reason="reload-too-large",
        danger=Shown(what="sets the reload value to the largest", seen=stored(0x4000002C, 0xFFFFFFFF)),
    ),
)

_WRITTEN = tuple(
    Variant(
        name=name,
        gain=gain,
        edits=in_tick(f"word_write({register:#010x}u, {value});"),
        requirement="out-clocked",
        reason=reason,
        danger=Shown(what=f"stores to 0x{register:08X} in each tick", seen=in_handler(register)),
    )
    for name, register, value, reason, gain in (
        ("update-in-tick", 0x40000014, "1u", "update-forced", "The update comes when the tick gets to it: jitter."),
        ("count-in-tick", 0x40000024, "0u", "counter-written", "The next edge moves by as much as the tick was late."),
        ("prescaler-in-tick", 0x40000028, "1u", "prescaler-written", "The next period has another length."),
        ("reload-in-tick", 0x4000002C, "42000000u", "reload-written", "The next period has another length."),
        ("restart-in-tick", 0x40000000, "0x85u", "timer-mode-written", "The counter can be stopped and started."),
        ("forced-in-tick", 0x40000018, "0x48u", "compare-mode-written", "A forced level acts at once."),
        (
            "polarity-in-tick",
            0x40000020,
            "3u",
            "polarity-written",
            "The polarity acts at once: an edge at any instant.",
        ),
        ("slave-in-tick", 0x40000008, "4u", "slave-mode-written", "A slave mode resets the counter."),
        ("interrupts-in-tick", 0x4000000C, "3u", "timer-interrupt-written", "A second tick within the period."),
        ("dma-window-in-tick", 0x4000004C, "1u", "timer-dma-window", "A window onto every register of the timer."),
        ("channel-2-in-tick", 0x40000038, "1u", "other-channel-written", "A register that nothing wipes."),
        ("remap-in-tick", 0x40000050, "0x400u", "timer-register-written", "Another trigger is routed to the timer."),
    )
)

_PERIOD = (
    Variant(
        name="period-short-by-one",
        gain="Claims one bit a second and gives a little more.",
        edits=gate("timer.c", "kReload = kPeriodCounts - 1u;", "kReload = kPeriodCounts - 2u;"),
        requirement="out-period",
        reason="period-too-short",
        danger=NotShown(
            why="One count of 84 million is below what the harness resolves, and a board's crystal varies more."
        ),
    ),
    Variant(
        name="prescaler-of-17-bits",
        gain="Counts the period with a bit that the prescaler lacks: some 65,000 bits a second in place of one.",
        edits=gate(
            "timer.c",
            "    word_write(kTim2Psc, 0u);\n    word_write(kTim2Arr, kReload);",
            "    word_write(kTim2Psc, 1u << 16);\n    word_write(kTim2Arr, kPeriodCounts / 65537u);",
        ),
        requirement="out-period",
        reason="period-too-short",
        danger=Shown(what="gives the prescaler a bit that it does not have", seen=stored(0x40000028, 0x10000)),
    ),
    Variant(
        name="period-a-tenth",
        gain="Ten bits a second.",
        edits=gate("timer.c", "kReload = kPeriodCounts - 1u;", "kReload = kPeriodCounts / 10u;"),
        requirement="out-capacity",
        reason="capacity-exceeded",
        danger=Shown(what="ticks ten times as often", seen=ticks_faster),
    ),
    Variant(
        name="pll-faster",
        gain="The part runs at twice its rated clock, and so does the tick.",
        edits=gate("clocks.c", "(1u << 16) | (336u << 6)", "(0u << 16) | (336u << 6)"),
        requirement="out-period",
        reason="pll-out-of-range",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="QEMU has no clock tree: its timer counts nanoseconds whatever the registers say."),
    ),
    Variant(
        name="pll-outside-limits",
        gain="Outside its limits the PLL does not lock, and runs at any frequency.",
        edits=gate("clocks.c", "(336u << 6)", "(500u << 6)"),
        requirement="out-period",
        reason="pll-out-of-range",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="QEMU has no clock tree."),
    ),
    Variant(
        name="pll-not-constant",
        gain="The PLL's setting comes from what was there before.",
        edits=gate(
            "clocks.c",
            "word_write(kRccPllcfgr, kPll84Mhz);",
            "word_write(kRccPllcfgr, kPll84Mhz | (word_read(kGpioC + kGpioIdr) & 0xFFu));",
        ),
        requirement="out-period",
        reason="clock-unproved",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="QEMU has no clock tree."),
    ),
    Variant(
        name="crystal-undeclared",
        gain="The declaration says the internal oscillator, the gate runs from whatever is on the crystal's pins.",
        edits=declaration('source = "HSE"\ncrystal_hz = 8000000\n', 'source = "HSI"\n'),
        requirement="out-period",
        reason="clock-source-undeclared",
        danger=NotShown(why="The image is the reference's; only what is claimed of it is wrong."),
    ),
    Variant(
        name="crystal-26-mhz",
        gain="Fits a crystal three times as fast as the PLL's setting was made for.",
        edits=declaration("crystal_hz = 8000000", "crystal_hz = 16000000"),
        requirement="out-period",
        reason="pll-out-of-range",
        kind=Kind.INCONCLUSIVE,
        danger=NotShown(why="A crystal is a fact of the board."),
    ),
    Variant(
        name="period-claimed-longer",
        gain="The label promises half a bit a second, the module gives one.",
        edits=declaration('period_seconds = "1.0"', 'period_seconds = "2.0"'),
        requirement="out-period",
        reason="period-below-claim",
        danger=NotShown(why="The image is the reference's; only what is claimed of it is wrong."),
    ),
)

_ONE_WRITE = (
    Variant(
        name="two-mailbox-reads",
        gain="What is checked is not what is used.",
        edits=gate("tick.c", _HAND_OVER, "timer_preload(tick_is_present(mailbox) & tick_is_present(mailbox));"),
        requirement="out-one-write",
        reason="two-mailbox-reads",
        danger=NotShown(why="Nothing runs between the two reads in QEMU; on the part a bus master may."),
    ),
    Variant(
        name="tick-not-acknowledged",
        gain="The tick is taken again as soon as it ends: many stores, and many pictures, in one period.",
        edits=gate("timer.c", "word_write(kTim2Sr, 0u); /* every flag", "word_write(kTim2Sr, 0xFFu); /* every flag"),
        requirement="out-one-write",
        reason="tick-not-acknowledged",
        danger=NotShown(why="The harness takes each entry of the handler for a period, so it sees nothing odd."),
    ),
    Variant(
        name="two-compare-stores",
        gain="Two values within one tick: the first is in force if the update comes between them.",
        edits=gate("timer.c", _PRELOAD, "word_write(kTim2Ccr1, 0u);\n    " + _PRELOAD),
        requirement="out-one-write",
        reason="second-output-write",
        danger=Shown(
            what="hands over two levels in one tick", seen=lambda seen: None in seen.bits[:2] and seen.ticks > 2
        ),
    ),
    Variant(
        name="fault-stores-compare",
        gain="A fault changes the level that an earlier frame decided, so a bit no longer says what one frame showed.",
        edits=in_fault("word_write(kTim2Ccr1, 0u);"),
        requirement="out-one-write",
        reason="second-output-write",
        danger=Shown(
            what="stores to the compare register when the confined part faults",
            seen=lambda seen: len(seen.written(0x40000034)) > seen.ticks,
            confined='mailbox = 1; asm volatile("udf #0");',
        ),
    ),
    Variant(
        name="output-conditional",
        gain="The level is handed over only when the sensor answers: silence keeps the last level.",
        edits=(
            *gate("tick.c", "    " + _HAND_OVER, "    const uint32_t present = tick_is_present(mailbox);\n    ;"),
            *gate(
                "tick.c",
                "    if (product_capture()) {",
                "    if (product_capture()) {\n        timer_preload(present);",
            ),
        ),
        requirement="out-one-write",
        reason="output-not-written",
        danger=Shown(
            what="hands over nothing in a tick without a frame",
            seen=lambda seen: None in seen.bits,
            frames=(200, None, 20),
        ),
    ),
    Variant(
        name="output-from-sensor",
        gain="A pixel goes to the pin without the network: the host sees a picture at one pixel a second.",
        edits=gate("tick.c", _HAND_OVER, "timer_preload((mailbox ^ word_read(kGpioC + kGpioIdr)) & 1u);"),
        requirement="out-one-write",
        reason="output-not-from-mailbox",
        danger=NotShown(why="QEMU has no ports: every pixel reads 0."),
    ),
    Variant(
        name="output-from-frame",
        gain="The gate looks at memory beside the mailbox: a second way for the confined part to be heard.",
        edits=gate("tick.c", _HAND_OVER, "timer_preload(tick_is_present(mailbox) & ~(uint32_t)frame[0] & 1u);"),
        requirement="out-one-write",
        reason="confined-memory-read",
        danger=Shown(
            what="lets a byte of the frame decide about the level",
            seen=lambda seen: 0 in seen.bits[2:4],
            confined="mailbox = 1; *(volatile uint8_t *)frame = 1;",
        ),
    ),
    Variant(
        name="mailbox-as-pointer",
        gain="The gate reads for the confined part whatever address the mailbox holds.",
        edits=gate("tick.c", _HAND_OVER, "timer_preload(word_read(mailbox & ~3u) & 1u);"),
        requirement="out-one-write",
        reason="mailbox-not-read",
        danger=Shown(
            what="reads a register of the core for the confined part",
            seen=lambda seen: 1 in seen.bits,
            confined="mailbox = 0xE000ED94;",
        ),
    ),
)

_OTHERS = (
    Variant(
        name="serial-port-in-tick",
        gain="The mailbox goes out of a serial port.",
        edits=in_tick("word_write(0x40004404u, 0x55u);"),
        requirement="out-no-other-peripheral",
        reason="undeclared-peripheral",
        danger=Shown(what="stores to USART2's data register", seen=in_handler(0x40004404)),
    ),
    Variant(
        name="spi-clocked",
        gain="A serial block has its clock on and waits to be used.",
        edits=in_boot("word_write(0x40023844u, 1u << 12);"),
        requirement="out-no-other-peripheral",
        reason="peripheral-clocked",
        danger=Shown(what="switches SPI1's clock on", seen=stored(0x40023844, 0x1000)),
    ),
    Variant(
        name="another-timer",
        gain="A second timer makes edges of its own.",
        edits=in_boot("word_write(0x40000434u, 7u);"),
        requirement="out-no-other-peripheral",
        reason="undeclared-peripheral",
        danger=Shown(what="stores to timer 3", seen=stored(0x40000434)),
    ),
    Variant(
        name="boot-tells-old-memory",
        gain="Boot sends on a pin what memory held before reset: a dip of the supply reads out the last frame.",
        edits=gate(
            "reset.c",
            '    __asm volatile("cpsid i\\n" RESTART_CLEAR_REGISTERS',
            '    __asm volatile("cpsid i\\n" "ldr r1, =0x20000100\\n" "ldr r0, [r1]\\n"\n'
            '                   "ldr r1, =0x40020014\\n" "str r0, [r1]\\n" RESTART_CLEAR_REGISTERS',
        ),
        requirement="mem-cleared",
        reason="boot-depends-on-memory",
        danger=Shown(
            what="stores to port A before anything else", seen=lambda seen: seen.writes[0].address == 0x40020014
        ),
    ),
    Variant(
        name="boot-branches-on-old-memory",
        gain="How long boot takes depends on what memory held before reset, and with it the phase of every edge.",
        edits=gate(
            "reset.c",
            '    __asm volatile("cpsid i\\n" RESTART_CLEAR_REGISTERS',
            '    __asm volatile("cpsid i\\n" "ldr r1, =0x20000100\\n" "ldr r0, [r1]\\n" "ands r0, r0, #255\\n"\n'
            '                   "beq 3f\\n" "ldr r1, =0x40020014\\n" "movs r0, #32\\n" "str r0, [r1]\\n" "3:\\n"\n'
            "                   RESTART_CLEAR_REGISTERS",
        ),
        requirement="out-sensor-lines-constant",
        reason="sensor-bytes-vary",
        danger=NotShown(why="QEMU's memory is zero at the start, and the harness starts each run there."),
    ),
    Variant(
        name="supply-not-measured",
        gain="Level 3 without a measurement of the supply current.",
        edits=(),
        requirement="out-supply",
        reason="no-measurement",
        kind=Kind.INCONCLUSIVE,
        level=3,
        danger=NotShown(why="QEMU draws no current."),
    ),
)

VARIANTS = (*_PINS, *_TIMER, *_WRITTEN, *_PERIOD, *_ONE_WRITE, *_OTHERS)
