"""Confined parts that try to remember: whatever one frame's run leaves behind, the next run must not find.

Each looks for what it left, says "present" if it finds anything, and leaves it again. Against the reference gate the
answer must always be "absent"; against a gate with one piece of forgetting taken out it must not, or the attempt was
no attempt.
"""

from __future__ import annotations

from dataclasses import dataclass

_HEAD = """
#include <stdint.h>
extern uint8_t frame[9216];
extern volatile uint32_t mailbox;
__attribute__((section(".model"), used)) const uint32_t model[4] = {0};
#define ENTRY __attribute__((section(".text.confined_entry"))) void confined_entry(void)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    name: str
    code: str
    """The whole confined part."""
    gate_file: str = ""
    """Where the reference gate makes it forget; empty if it is the processor that does."""
    forgetting: str = ""
    """The text there that does it."""
    instead: str = ""


_WIPE = "    restart_wipe();\n"

MEMORIES = (
    Memory(
        name="a counter",
        code=_HEAD
        + """
static volatile uint32_t counter;
ENTRY
{
    counter++;
    mailbox = counter > 1;
    for (;;) {
    }
}
""",
        gate_file="tick.c",
        forgetting=_WIPE,
    ),
    Memory(
        name="every word of memory",
        code=_HEAD
        + """
#define FIRST 0x20000000u
#define LAST 0x20007F00u /* leaves room for the stack in use */
ENTRY
{
    uint32_t found = 0;
    for (uint32_t address = FIRST; address != LAST; address += 4) {
        if (address < (uint32_t)frame || address >= (uint32_t)frame + 9216) {
            found |= *(volatile uint32_t *)address;
        }
    }
    for (uint32_t address = FIRST; address != LAST; address += 4) {
        *(volatile uint32_t *)address = 0xA5A5A5A5u;
    }
    mailbox = found != 0;
    for (;;) {
    }
}
""",
        gate_file="tick.c",
        forgetting=_WIPE,
    ),
    Memory(
        name="the memory below the stack",
        code=_HEAD
        + """
ENTRY
{
    uint32_t found = 0;
    for (uint32_t address = 0x20007000u; address != 0x20008000u; address += 4) {
        found |= *(volatile uint32_t *)address == 0xA5A5A5A5u;
    }
    mailbox = found;
    for (uint32_t address = 0x20007000u; address != 0x20007F00u; address += 4) {
        *(volatile uint32_t *)address = 0xA5A5A5A5u;
    }
    for (;;) {
    }
}
""",
        gate_file="tick.c",
        forgetting=_WIPE,
    ),
    Memory(
        name="registers that the exception does not stack",
        code=_HEAD
        + """
__attribute__((naked)) ENTRY
{
    __asm volatile("orr r0, r4, r5\\n orr r0, r6\\n orr r0, r7\\n orr r0, r8\\n orr r0, r9\\n "
                   "orr r0, r10\\n orr r0, r11\\n"
                   "cmp r0, #0\\n ite ne\\n movne r0, #1\\n moveq r0, #0\\n ldr r1, =mailbox\\n str r0, [r1]\\n"
                   "mov r4, #1\\n mov r5, r4\\n mov r6, r4\\n mov r7, r4\\n mov r8, r4\\n mov r9, r4\\n mov r10, r4\\n"
                   "mov r11, r4\\n 1: b 1b\\n .ltorg");
}
""",
        gate_file="restart.h",
        forgetting='    "movs r4, #0\\n" \\\n',
        instead='    "mov r4, r4\\n" \\\n',
    ),
    Memory(
        name="registers that the exception stacks",
        code=_HEAD
        + """
__attribute__((naked)) ENTRY
{
    __asm volatile("mov r4, r0\\n orr r4, r1\\n orr r4, r2\\n orr r4, r3\\n orr r4, r12\\n"
                   "cmp r4, #0\\n ite ne\\n movne r4, #1\\n moveq r4, #0\\n ldr r1, =mailbox\\n str r4, [r1]\\n"
                   "mov r0, #1\\n mov r1, r0\\n mov r2, r0\\n mov r3, r0\\n mov r12, r0\\n 1: b 1b\\n .ltorg");
}
""",
        gate_file="restart.c",
        forgetting="restart_push(base, kFrameR12, 0u);",
        instead="restart_push(base, kFrameR12, mailbox + 1u);",
    ),
    Memory(
        name="flags, saturation and SIMD bits",
        code=_HEAD
        + """
__attribute__((naked)) ENTRY
{
    __asm volatile("mrs r0, apsr\\n cmp r0, #0\\n ite ne\\n movne r0, #1\\n moveq r0, #0\\n "
                   "ldr r1, =mailbox\\n str r0, [r1]\\n"
                   "mov r2, #0xF8000000\\n orr r2, #0xF0000\\n msr apsr_nzcvqg, r2\\n 1: b 1b\\n .ltorg");
}
""",
        gate_file="restart.c",
        forgetting="kXpsrThumb = 1u << 24;",
        instead="kXpsrThumb = (1u << 24) | (1u << 27);",
    ),
    Memory(
        name="the exclusive monitor",
        code=_HEAD
        + """
static volatile uint32_t word;
__attribute__((naked)) ENTRY
{
    __asm volatile("ldr r1, =mailbox\\n add r2, r1, #64\\n strex r0, r1, [r2]\\n eor r0, #1\\n str r0, [r1]\\n"
                   "ldrex r0, [r2]\\n 1: b 1b\\n .ltorg");
}
""",
    ),
    Memory(
        name="the stack pointer",
        code=_HEAD
        + """
__attribute__((naked)) ENTRY
{
    __asm volatile("ldr r1, =0x20008000\\n cmp sp, r1\\n ite ne\\n movne r0, #1\\n moveq r0, #0\\n ldr r1, =mailbox\\n"
                   "str r0, [r1]\\n sub sp, #256\\n 1: b 1b\\n .ltorg");
}
""",
    ),
)
