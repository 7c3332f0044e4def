@ A gate by hand: what runs after the drop. The tick and the fault handler share their end.

    .syntax unified
    .cpu    cortex-m4
    .thumb

    .equ TIM2,      0x40000000
    .equ GPIOC_IDR, 0x40020810
    .equ SCB,       0xE000ED00
    .equ PCLK,      1 << 8
    .equ LVLD,      1 << 9
    .equ FVLD,      1 << 10

    .text

@ Bit in, wipe, frame out.
    .thumb_func
    .global tick
tick:
    mov     r0, #TIM2
    movs    r1, #0
    str     r1, [r0, #0x10]         @ SR
    ldr     r1, [r0, #0x10]
    ldr     r1, =mailbox
    ldr     r1, [r1]
    cmp     r1, #1                  @ no branch: as long for every answer
    ite     eq
    mvneq   r1, #0
    movne   r1, #0
    str     r1, [r0, #0x34]         @ CCR1: always or never

    bl      clear
    ldr     r8, =layout_confined_start
    ldr     r9, =layout_confined_end
1:  stmia   r8!, {r0-r7}
    cmp     r8, r9
    blo     1b

    ldr     r0, =SCB
    mov     r1, #0x70000
    str     r1, [r0, #0x24]         @ SHCSR: a fault still pending is forgotten

    bl      camera_capture
    ldr     r8, =confined_entry
    ldr     r1, =confined_idle
    cmp     r0, #0
    it      eq
    moveq   r8, r1
    b       restart

@ This period says nothing.
    .thumb_func
    .global fault
fault:
    movs    r0, #0
    ldr     r1, =mailbox
    str     r0, [r1]
    ldr     r0, =SCB
    mvn     r1, #0
    str     r1, [r0, #0x28]         @ CFSR
    str     r1, [r0, #0x2C]         @ HFSR
    ldr     r8, =confined_idle
@ Leaves the exception for r8, unprivileged, through a fresh frame.
restart:
    bic     r8, r8, #1
    movs    r2, #0
    movs    r3, #0
    movs    r4, #0
    movs    r5, #0
    movs    r6, #0
    mvn     r7, #0                  @ LR
    mov     r9, #1 << 24            @ xPSR
    ldr     r1, =layout_confined_end
    stmdb   r1!, {r2-r9}
    msr     psp, r1
    movs    r0, #1
    msr     control, r0
    isb
    bl      clear
    mvn     lr, #2
    dsb
    bx      lr

    .thumb_func
clear:
    movs    r0, #0
    movs    r1, #0
    movs    r2, #0
    movs    r3, #0
    movs    r4, #0
    movs    r5, #0
    movs    r6, #0
    movs    r7, #0
    mov     r8, r0
    mov     r9, r0
    mov     r10, r0
    mov     r11, r0
    mov     r12, r0
    bx      lr

@ One frame: the middle 96x96 of 162x122. r0 is 1 if it came, else 0.
@ r4 where the next pixel goes, r5 rows and r6 columns to go, r7 the port.
    .thumb_func
    .global camera_capture
camera_capture:
    push    {r4-r7, lr}
    ldr     r7, =GPIOC_IDR
    ldr     r4, =frame
    mov     r1, #FVLD
    ldr     r2, =400000
    bl      low
    bne     9f
    ldr     r2, =30000
    bl      high
    bne     9f
    mov     r1, #LVLD
    movs    r5, #13
1:  movw    r2, #3000
    bl      high
    bne     9f
    movw    r2, #3000
    bl      low
    bne     9f
    subs    r5, r5, #1
    bne     1b

    movs    r5, #96
2:  mov     r1, #LVLD
    mov     r2, #1000
    bl      high
    bne     9f
    movs    r6, #33
3:  bl      pixel
    bne     9f
    subs    r6, r6, #1
    bne     3b
    movs    r6, #96
4:  bl      pixel
    bne     9f
    strb    r0, [r4], #1
    subs    r6, r6, #1
    bne     4b
    mov     r1, #LVLD
    mov     r2, #1000
    bl      low
    bne     9f
    subs    r5, r5, #1
    bne     2b
    movs    r0, #1
    pop     {r4-r7, pc}
9:  movs    r0, #0
    pop     {r4-r7, pc}

@ The next pixel in r0.
    .thumb_func
pixel:
    mov     r1, #PCLK
    movs    r2, #12
    mov     r3, lr
    bl      low
    it      ne
    bxne    r3
    mov     lr, r3
    movs    r2, #12
@ Polls [r7] until all of r1 is 1, at most r2 times. r0 what was read then. EQ when it came.
    .thumb_func
high:
    ldr     r0, [r7]
    bics    r12, r1, r0
    it      eq
    bxeq    lr
    subs    r2, r2, #1
    bne     high
    movs    r2, #1
    bx      lr

@ The same until r1 is 0.
    .thumb_func
low:
    ldr     r0, [r7]
    tst     r0, r1
    it      eq
    bxeq    lr
    subs    r2, r2, #1
    bne     low
    movs    r2, #1
    bx      lr

    .ltorg

    .section .confined_idle, "ax"
    .thumb_func
    .global confined_idle
    .type   confined_idle, %function
confined_idle:
    b       .
