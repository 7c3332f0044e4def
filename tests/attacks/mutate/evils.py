"""What a trampoline does besides the instruction that it displaced. Texts may use r0 to r3 and keep the flags.

`{random}` is any word, `{small}` a number below 32. Each is dangerous somewhere, except HARMLESS, which shows that it
is not the trampoline that is refused.
"""

from __future__ import annotations


def _put(address: int, value: int | str, store: str = "str") -> str:
    """A store of a constant."""
    given = value if isinstance(value, str) else f"{value:#x}"
    return (
        f"movw r0, #{address & 0xFFFF:#x}\n movt r0, #{address >> 16:#x}\n"
        f" movw r1, #:lower16:({given})\n movt r1, #:upper16:({given})\n {store} r1, [r0]"
    )


def _take(address: int, register: str = "r1") -> str:
    return f"movw r0, #{address & 0xFFFF:#x}\n movt r0, #{address >> 16:#x}\n ldr {register}, [r0]"


HARMLESS = {
    "nothing": "",
    "no-operation": "nop",
    "move": "mov r0, r1",
    "reads-flash": _take(0x08000000),
    "reads-own-stack": "ldr r0, [sp]",
    "barrier": "dsb",
}

MESSAGE = 0x20006000
"""A word of confined memory that nothing else uses."""
KEEP = 0x20008500
"""A word of gate memory beyond the gate's stack."""

EVILS = {
    # the pin and its port
    "port-a-set": _put(0x40020018, 0x20),
    "port-a-data": _put(0x40020014, 0x20),
    "port-a-output": _put(0x40020000, 0xFFFFF7FF),
    "port-b-set": _put(0x40020418, 0x100),
    "port-c-output": _put(0x40020800, 0x55555555),
    "port-a-set-byte": _put(0x40020018, 0x20, "strb"),
    "port-a-bit-band": _put(0x42000000 + 0x20014 * 32 + 5 * 4, 1),
    "port-a-alternate": _put(0x40020020, 0x00700000),
    # the timer
    "compare-again": _put(0x40000034, 0),
    "compare-high": _put(0x40000034, 0xFFFFFFFF),
    "compare-inside": _put(0x40000034, "{random} & 0x3ffffff"),
    "compare-from-message": _take(MESSAGE) + "\n movw r0, #0x34\n movt r0, #0x4000\n str r1, [r0]",
    "compare-byte": _put(0x40000034, 1, "strb"),
    "count": _put(0x40000024, "{random}"),
    "reload": _put(0x4000002C, 1000),
    "prescale": _put(0x40000028, 1),
    "update": _put(0x40000014, 1),
    "mode": _put(0x40000018, 0x58),
    "polarity": _put(0x40000020, 3),
    "status-kept": _take(0x40000010),
    "timer-stopped": _put(0x40000000, 0),
    "other-timer": _put(0x40000434, "{random}"),
    "dma-burst": _put(0x40000048, "{random}"),
    # protection and privilege
    "mpu-off": _put(0xE000ED94, 0),
    "mpu-privileged-default": _put(0xE000ED94, 5),
    "mpu-opens-devices": _put(0xE000ED98, 7)
    + "\n"
    + _put(0xE000ED9C, 0x40000000)
    + "\n"
    + _put(0xE000EDA0, 0x13050037),
    "mpu-opens-gate": _put(0xE000ED9C, 0x20008013) + "\n" + _put(0xE000EDA0, 0x1306001D),
    "mpu-alias": _put(0xE000EDA4, 0x40000017) + "\n" + _put(0xE000EDA8, 0x13050037),
    "mpu-executes-memory": _put(0xE000ED9C, 0x20000013) + "\n" + _put(0xE000EDA0, 0x0306001F),
    "privileged": "movs.n r0, #0\n msr control, r0\n isb",
    "privileged-on-process-stack": "mov r0, #2\n msr control, r0\n isb",
    "masks-all": "cpsid i",
    "masks-faults": "cpsid f",
    "base-priority": "mov r0, #0x20\n msr basepri, r0",
    "main-stack": "movw r0, #0x0100\n movt r0, #0x2000\n msr msp, r0",
    "process-stack": "movw r0, #0x0400\n movt r0, #0x2001\n msr psp, r0",
    # exceptions and the system
    "other-interrupt": _put(0xE000E100, 1 << 6),
    "pends-tick": _put(0xE000E200, 1 << 28),
    "clears-enable": _put(0xE000E180, 1 << 28),
    "tick-priority": _put(0xE000E41C, 0x404040C0),
    "vectors-in-memory": _put(0xE000ED08, 0x20000000),
    "vectors-moved": _put(0xE000ED08, 0x08001000),
    "reset": _put(0xE000ED0C, 0x05FA0004),
    "deep-sleep": _put(0xE000ED10, 4),
    "sleep-on-exit": _put(0xE000ED10, 2),
    "software-trigger": _put(0xE000ED14, 2),
    "faults-off": _put(0xE000ED24, 0),
    "systick": _put(0xE000E014, 1000) + "\n" + _put(0xE000E010, 7),
    "float-on": _put(0xE000ED88, 0xF << 20),
    "trace-on": _put(0xE000EDFC, 1 << 24),
    "debug-register": _put(0xE0042004, 7),
    "breakpoint-unit": _put(0xE0002000, 3),
    "trace-port": _put(0xE0000000, 0x55),
    "pending-service": _put(0xE000ED04, 1 << 28),
    # other devices
    "serial-data": _put(0x40004404, "{random}"),
    "serial-on": _put(0x40011004, "{random}"),
    "dma": _put(0x40026010, 1),
    "clocks-more": _put(0x40023830, 0x0060009F),
    "serial-clocked": _put(0x40023840, 0x00020001),
    "clock-output": _put(0x40023808, 0x00601002),
    "pll": _put(0x40023804, 0x27405408),
    "clock-security": _put(0x40023800, 0x01090081),
    "backup": _put(0x40002850, "{random}"),
    "flash-key": _put(0x40023C04, 0x45670123) + "\n" + _put(0x40023C04, 0xCDEF89AB),
    "option-key": _put(0x40023C08, 0x08192A3B),
    "flash-write": _put(0x0807FF00, "{random}"),
    "watchdog": _put(0x40003000, 0xCCCC),
    "sensor-bus": _put(0x40005410, "{random}"),
    "reads-other-port": _take(0x40020010) + "\n movw r0, #0xe000\n movt r0, #0x2000\n str r1, [r0]",
    "reads-identity": _take(0x1FFF7A10) + "\n movw r0, #0xe000\n movt r0, #0x2000\n str r1, [r0]",
    "reads-timer": _take(0x40000024) + "\n movw r0, #0xe000\n movt r0, #0x2000\n str r1, [r0]",
    # memory over time
    "keeps-message": _take(MESSAGE) + f"\n movw r0, #{KEEP & 0xFFFF}\n movt r0, #{KEEP >> 16}\n str r1, [r0]",
    "gives-kept": _take(KEEP) + f"\n movw r0, #{MESSAGE & 0xFFFF}\n movt r0, #{MESSAGE >> 16}\n str r1, [r0]",
    "counts": _take(KEEP) + "\n add r1, r1, #1\n str r1, [r0]",
    "leaves-stack-word": "push {{r0}}\n pop {{r0}}\n ldr r1, [sp, #-4]\n "
    "movw r0, #0xe000\n movt r0, #0x2000\n str r1, [r0]",
    "puts-message": _put(MESSAGE, "{random}"),
    "answers-present": _put(0x20000000, 1),
    "writes-frame": _put(0x20000100, "{random}"),
    "writes-gate-memory": _put(KEEP, "{random}"),
    "overwrites-return": "movw r1, #0x1005\n movt r1, #0x0800\n str r1, [sp, #{small}]",
    "confined-pointer": _take(MESSAGE) + "\n str r1, [r1]",
    "confined-pointer-read": _take(MESSAGE) + "\n ldr r1, [r1]\n str r1, [r0]",
    "unprivileged-load": _take(MESSAGE) + "\n ldrt r1, [r1]\n str r1, [r0]",
    "exclusive": "movw r0, #0xe000\n movt r0, #0x2000\n ldrex r1, [r0]\n strex r2, r1, [r0]",
    "program-status": "mrs r1, psp\n movw r0, #0xe000\n movt r0, #0x2000\n str r1, [r0]",
    # time and flow
    "waits-for-message": _take(MESSAGE) + "\n and r1, r1, #255\n 7: sub r1, r1, #1\n cmp r1, #0\n bgt 7b",
    "loops-for-ever": "7: b 7b",
    "waits-for-event": "wfe",
    "waits-for-interrupt": "wfi",
    "sends-event": "sev",
    "service": "svc #0",
    "breakpoint": "bkpt #0",
    "undefined": "udf #0",
    "divides": "mov r0, #0\n udiv r1, r1, r0",
    "float": "vmov s0, r0",
    "calls-confined": "push {{r12, lr}}\n bl 0x08001004\n pop {{r12, lr}}",
    "calls-memory": "movw r0, #0xe001\n movt r0, #0x2000\n push {{r12, lr}}\n blx r0\n pop {{r12, lr}}",
    "jumps-to-memory": "movw r0, #0xe001\n movt r0, #0x2000\n bx r0",
    "calls-message": _take(MESSAGE) + "\n push {{r12, lr}}\n blx r1\n pop {{r12, lr}}",
    "forges-return": "mvn lr, #6\n bx lr",
    "unaligned-store": _put(0x40000031, "{random}"),
    "double-store": "movw r0, #0x34\n movt r0, #0x4000\n strd r1, r2, [r0]",
    "many-stored": "movw r0, #0x2c\n movt r0, #0x4000\n stm r0, {{r1, r2, r3}}",
    "below-memory": _put(0x1FFFFFFC, "{random}"),
    "past-memory": _put(0x20018000, "{random}"),
    "memory-bit-band": _put(0x22000000 + 0xE000 * 32, 1),
    "switches-data-table": "movw r0, #0xd\n tbb [pc, r0]",
}
