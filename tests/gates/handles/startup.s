@ Start-up of the project: vectors, memory, and the ends of handlers.
    .syntax unified
    .cpu    cortex-m4
    .thumb

    .macro clear
    movs    r0, #0
    .irp    reg, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12
    mov     \reg, r0
    .endr
    .endm

    .section .isr_vector, "a"
    .word   layout_gate_stack_end
    .word   Reset_Handler
    .rept   42
    .word   Fault_Handler
    .endr
    .word   TIM2_IRQHandler
    .rept   56
    .word   Fault_Handler
    .endr

    .text
    .thumb_func
    .global Reset_Handler
Reset_Handler:
    cpsid   i
    clear
    ldr     r1, =layout_ram_start
    ldr     r2, =layout_ram_end
    b       2f
1:  str     r0, [r1], #4
2:  cmp     r1, r2
    blt     1b
    bl      app_main
    ldr     r0, =layout_confined_end
    msr     psp, r0
    movs    r0, #2
    msr     control, r0
    isb
    cpsie   i
    movs    r0, #3
    msr     control, r0
    isb
    b       confined_idle
    .pool

    .thumb_func
TIM2_IRQHandler:
    clear
    bl      TIM_Callback
    clear
    mvn     lr, #2
    dsb
    bx      lr

    .thumb_func
Fault_Handler:
    clear
    bl      Fault_Callback
    clear
    mvn     lr, #2
    dsb
    bx      lr

@ What compilers call for structures; r0 is returned.
    .section .text.memset, "ax"
    .thumb_func
    .global memset
memset:
    mov     r3, r0
    b       2f
1:  strb    r1, [r3], #1
2:  subs    r2, r2, #1
    bpl     1b
    bx      lr

    .section .text.memcpy, "ax"
    .thumb_func
    .global memcpy
memcpy:
    cbz     r2, 2f
    push    {r4, lr}
    adds    r4, r0, r2
    mov     r3, r0
1:  ldrb    r2, [r1], #1
    strb    r2, [r3], #1
    cmp     r3, r4
    bne     1b
    pop     {r4, pc}
2:  bx      lr

    .global __aeabi_memclr4
    .global __aeabi_memclr
    .section .text.memclr, "ax"
    .thumb_func
__aeabi_memclr4:
    .thumb_func
__aeabi_memclr:
    mov     r2, r1
    movs    r1, #0
    b       memset

    .global __aeabi_memcpy4
    .global __aeabi_memcpy
    .section .text.aeabi_memcpy, "ax"
    .thumb_func
__aeabi_memcpy4:
    .thumb_func
__aeabi_memcpy:
    b       memcpy

    .section .confined_idle, "ax"
    .thumb_func
    .global confined_idle
    .type   confined_idle, %function
confined_idle:
    b       .
