@ A gate by hand: from reset to the drop.
@
@ Conventions of these files: r0-r3 and r12 are scratch, r4 walks tables, r7 and r11 are constants of the caller, r8
@ and r9 are the ends of a block. A subroutine that can fail answers in the Z flag: EQ is success.
@ RM: RM0368, ST's manual of the part. ARM: DDI 0403, Arm's ARMv7-M manual.

    .syntax unified
    .cpu    cortex-m4
    .thumb

    .equ RCC,       0x40023800
    .equ RCC_CR,    0x00            @ RM 6.3.1
    .equ RCC_PLL,   0x04            @ RM 6.3.2
    .equ RCC_CFGR,  0x08            @ RM 6.3.3
    .equ RCC_AHB1,  0x30            @ RM 6.3.9
    .equ RCC_APB1,  0x40            @ RM 6.3.11
    .equ RCC_APB1LP, 0x60           @ RM 6.3.15
    .equ FLASH_ACR, 0x40023C00      @ RM 3.8.1
    .equ GPIOA,     0x40020000      @ RM 8.4
    .equ GPIOB,     0x40020400
    .equ GPIOC,     0x40020800
    .equ GPIOD,     0x40020C00
    .equ GPIOE,     0x40021000
    .equ GPIOH,     0x40021C00
    .equ TIM2,      0x40000000      @ RM 13.4
    .equ I2C1,      0x40005400      @ RM 18.6
    .equ SCS,       0xE000E000      @ ARM B3.2
    .equ RAM,       0x20000000
    .equ RAM_END,   0x20018000

    .section .vectors, "a"
    .global vectors
vectors:
    .word   layout_gate_stack_end
    .word   reset
    .rept   42
    .word   fault
    .endr
    .word   tick                    @ 44: TIM2
    .rept   56
    .word   fault
    .endr

    .text

    .thumb_func
    .global reset
reset:
    cpsid   i
    movs    r0, #0                  @ clear all memory, eight words at a time
    movs    r1, #0
    movs    r2, #0
    movs    r3, #0
    movs    r4, #0
    movs    r5, #0
    movs    r6, #0
    movs    r7, #0
    mov     r10, r0                 @ a push must not put back what a register held before reset
    mov     r11, r0
    mov     r12, r0
    ldr     r8, =RAM
    ldr     r9, =RAM_END
1:  stmia   r8!, {r0-r7}
    cmp     r8, r9
    blo     1b

    bl      ports
    bl      clocks
    bl      sensor
    bl      protect
    bl      exceptions
    bl      output

    ldr     r0, =layout_confined_end
    msr     psp, r0
    movs    r0, #2                  @ process stack first, then interrupts, then privilege
    msr     control, r0
    isb
    cpsie   i
    adds    r0, #1
    msr     control, r0
    isb
    b       confined_idle

@ All pins analogue but PA5 (not yet), the control bus and the camera's inputs.
    .thumb_func
ports:
    ldr     r0, =RCC
    movs    r1, #0x9F
    str     r1, [r0, #RCC_AHB1]
    ldr     r1, [r0, #RCC_AHB1]     @ a clock takes a moment
    mov     r12, lr
    mvn     r1, #0
    movs    r2, #0
    ldr     r0, =GPIOA
    mov     r3, #1 << 20            @ AFRL: PA5 is TIM2_CH1
    bl      port
    ldr     r0, =GPIOD
    movs    r3, #0
    bl      port
    ldr     r0, =GPIOE
    bl      port
    ldr     r0, =GPIOH
    bl      port
    ldr     r0, =GPIOC
    ldr     r1, =0xFFC00000         @ PC0-PC10 inputs
    ldr     r2, =0x002AAAAA         @ pulled down
    bl      port
    ldr     r0, =GPIOB
    movs    r1, #0x44               @ AFRH: PB8, PB9 are I2C1
    str     r1, [r0, #0x24]
    mov     r1, #0x300              @ open drain
    str     r1, [r0, #0x04]
    ldr     r1, =0xFFFAFFFF
    movs    r2, #0
    mov     lr, r12
@ r0 port, r1 MODER, r2 PUPDR, r3 AFRL. The mode comes last.
    .thumb_func
port:
    str     r2, [r0, #0x0C]
    str     r3, [r0, #0x20]
    str     r1, [r0, #0x00]
    bx      lr

@ 8 MHz / 4 * 168 / 4 = 84 MHz. Without a crystal everything goes on, slower, on the internal oscillator.
    .thumb_func
clocks:
    push    {r4, lr}
    ldr     r4, =RCC
    mov     r0, #0x1000             @ APB1 at half
    str     r0, [r4, #RCC_CFGR]
    ldr     r0, =0x27412A04         @ Q 7, HSE, P 4, N 168, M 4
    str     r0, [r4, #RCC_PLL]
    ldr     r0, =0x00010081         @ HSE on
    str     r0, [r4, #RCC_CR]
    mov     r1, #1 << 17
    bl      poll
    bne     9f
    ldr     r1, =FLASH_ACR
    movw    r0, #0x102              @ prefetch, two wait states, no caches
    str     r0, [r1]
    ldr     r0, [r1]
    and     r0, r0, #15
    cmp     r0, #2
    bne     9f
    ldr     r0, =0x01010081         @ PLL on
    str     r0, [r4, #RCC_CR]
    mov     r1, #1 << 25
    bl      poll
    itt     eq
    movweq  r0, #0x1002             @ on to the PLL
    streq   r0, [r4, #RCC_CFGR]
9:  pop     {r4, pc}

@ Waits for a flag of [r4]. r1 mask. EQ when it came.
    .thumb_func
poll:
    ldr     r2, =100000
1:  ldr     r0, [r4]
    bics    r0, r1, r0              @ what of the mask is missing
    it      eq
    bxeq    lr
    subs    r2, r2, #1
    bne     1b
    movs    r0, #1                  @ NE
    bx      lr

@ Sends the table to the sensor, then switches its bus off for good.
    .thumb_func
sensor:
    push    {r4-r11, lr}
    ldr     r7, =I2C1
    ldr     r6, =RCC
    mov     r0, #1 << 21
    str     r0, [r6, #RCC_APB1]
    ldr     r0, [r6, #RCC_APB1]
    movs    r0, #42                 @ MHz
    str     r0, [r7, #0x04]
    movs    r0, #210                @ 100 kHz
    str     r0, [r7, #0x1C]
    movs    r0, #43                 @ 1000 ns
    str     r0, [r7, #0x20]
    movs    r0, #1
    str     r0, [r7, #0x00]
    ldr     r4, =settings
    ldr     r5, =settings_end
1:  bl      setting
    bne     2f
    cmp     r4, r5
    bne     1b
2:  movs    r0, #0
    str     r0, [r7, #0x00]
    str     r0, [r6, #RCC_APB1]
    ldr     r0, [r6, #RCC_APB1]
    mvn     r0, #0
    ldr     r1, =GPIOB
    str     r0, [r1]                @ MODER: its pins fall silent
    pop     {r4-r11, pc}

@ One setting, three bytes at r4: start, address, number, value, stop.
    .thumb_func
setting:
    mov     r8, lr
    ldrb    r9, [r4], #1
    ldrb    r10, [r4], #1
    ldrb    r11, [r4], #1
    movw    r0, #0x101
    str     r0, [r7, #0x00]
    movs    r1, #1                  @ SB
    bl      status
    bne     9f
    movs    r0, #0x48
    movs    r1, #2                  @ ADDR
    bl      send
    bne     9f
    ldr     r0, [r7, #0x18]         @ SR2: ends ADDR
    mov     r0, r9
    movs    r1, #0x80               @ TXE
    bl      send
    bne     9f
    mov     r0, r10
    bl      send
    bne     9f
    mov     r0, r11
    movs    r1, #4                  @ BTF
    bl      send
    bne     9f
    movw    r0, #0x201
    str     r0, [r7, #0x00]
    mov     r2, #4000
1:  ldr     r0, [r7, #0x00]
    ands    r0, r0, #0x200          @ the stop is out
    beq     9f
    subs    r2, r2, #1
    bne     1b
    movs    r0, #1
9:  bx      r8

    .thumb_func
send:
    str     r0, [r7, #0x10]
    .thumb_func
status:
    mov     r2, #4000
1:  ldr     r0, [r7, #0x14]
    bics    r0, r1, r0              @ what of the mask is missing
    it      eq
    bxeq    lr
    subs    r2, r2, #1
    bne     1b
    movs    r0, #1
    bx      lr

@ Three regions; the others off. Each base carries its region's number (VALID, ARM B3.5.8).
    .thumb_func
protect:
    ldr     r0, =SCS + 0xD9C
    ldr     r1, =0x08000010         @ 0: flash, 512 KB, read and run
    ldr     r2, =0x06020025
    str     r1, [r0]
    str     r2, [r0, #4]
    ldr     r1, =0x20000011         @ 1: memory, 128 KB, the gate's
    ldr     r2, =0x11060021
    str     r1, [r0]
    str     r2, [r0, #4]
    adds    r1, r1, #1              @ 2: its first 64 KB, everybody's
    ldr     r2, =0x1306001F
    str     r1, [r0]
    str     r2, [r0, #4]
    movs    r1, #0x13
    movs    r2, #0
1:  str     r1, [r0]
    str     r2, [r0, #4]
    adds    r1, r1, #1
    cmp     r1, #0x18
    bne     1b
    movs    r1, #7
    str     r1, [r0, #-8]           @ on, also in HardFault, with the default map for the gate
    dsb
    isb
    bx      lr

@ One priority for all that can happen.
    .thumb_func
exceptions:
    ldr     r0, =SCS + 0xD00
    ldr     r1, =vectors
    str     r1, [r0, #0x08]
    movs    r1, #0
    str     r1, [r0, #0x10]         @ no deep sleep
    mov     r1, #0x80808080
    str     r1, [r0, #0x18]
    str     r1, [r0, #0x1C]
    str     r1, [r0, #0x20]
    ldr     r2, =SCS + 0x41C
    str     r1, [r2]
    mov     r1, #0x70000
    str     r1, [r0, #0x24]
    bx      lr

@ The timer, then the pin, then the locks; the counter last.
    .thumb_func
output:
    ldr     r0, =RCC
    movs    r1, #1
    str     r1, [r0, #RCC_APB1]
    str     r1, [r0, #RCC_APB1LP]
    ldr     r2, [r0, #RCC_APB1]
    mov     r0, #TIM2
    movs    r2, #0
    str     r2, [r0, #0x34]         @ never
    str     r2, [r0, #0x28]
    ldr     r3, =84008400 - 1       @ a second, and 100 ppm
    str     r3, [r0, #0x2C]
    movs    r3, #0x68               @ PWM mode 1, preloaded
    str     r3, [r0, #0x18]
    movs    r3, #0x84
    str     r3, [r0, #0x00]
    str     r1, [r0, #0x14]         @ load them
    str     r2, [r0, #0x10]
    str     r1, [r0, #0x20]
    str     r1, [r0, #0x0C]

    ldr     r2, =GPIOA
    ldr     r3, =0xFFFFFBFF         @ PA5
    str     r3, [r2]
    adr     r2, locked              @ every port, key and all pins (RM 8.4.8)
    ldr     r12, =0x1FFFF
    movw    r3, #0xFFFF
2:  ldr     r1, [r2], #4
    cbz     r1, 3f
    str     r12, [r1, #0x1C]
    str     r3, [r1, #0x1C]
    str     r12, [r1, #0x1C]
    ldr     r1, [r1, #0x1C]
    b       2b
3:  ldr     r1, =SCS + 0x100
    mov     r2, #1 << 28
    str     r2, [r1]
    movs    r3, #0x85
    str     r3, [r0, #0x00]
    ldr     r3, [r0, #0x00]
    bx      lr

    .align  2
locked:
    .word   GPIOA, GPIOB, GPIOC, GPIOD, GPIOE, GPIOH, 0

    .ltorg

@ HM01B0: register number (two bytes, high first), value.
    .macro  set number, value
    .byte   \number >> 8, \number & 255, \value
    .endm

    .section .rodata, "a"
settings:
    set     0x0100, 0x00            @ standby
    set     0x1003, 0x08
    set     0x1007, 0x08
    set     0x3044, 0x0A
    set     0x3045, 0x00
    set     0x3047, 0x0A
    set     0x3050, 0xC0
    set     0x3051, 0x42
    set     0x3052, 0x50
    set     0x3053, 0x00
    set     0x3054, 0x03
    set     0x3055, 0xF7
    set     0x3056, 0xF8
    set     0x3057, 0x29
    set     0x3058, 0x1F
    set     0x3059, 0x82            @ own oscillator, 8 bits wide
    set     0x3060, 0x30            @ pixel clock only in lines
    set     0x3064, 0x00
    set     0x3065, 0x04
    set     0x3067, 0x01
    set     0x3068, 0x00
    set     0x1000, 0x43
    set     0x1001, 0x40
    set     0x1002, 0x32
    set     0x0350, 0x7F
    set     0x1006, 0x01
    set     0x3010, 0x01            @ 324x244
    set     0x0383, 0x03            @ binned: 162x122
    set     0x0387, 0x03
    set     0x0390, 0x03
    set     0x0340, 0x00
    set     0x0341, 0x84
    set     0x0342, 0x00
    set     0x0343, 0xD7
    set     0x2100, 0x01            @ exposure by itself
    set     0x2101, 0x5A
    set     0x2105, 0x00
    set     0x2106, 0x82
    set     0x0104, 0x01
    set     0x0100, 0x01            @ stream
settings_end:
