/* What a Cortex-M does before main: vectors, the floating-point unit, then newlib's start, which clears memory and
 * talks to QEMU by semihosting. */
#include <stdint.h>

extern uint32_t stack_top;
extern void _start(void);

static void reset(void) {
    volatile uint32_t *const coprocessors = (volatile uint32_t *)0xE000ED88u;
    *coprocessors |= 0xFu << 20;
    __asm volatile("dsb\n isb");
    _start();
}

/* A fault ends the run: exit with an error, by semihosting. */
static void fault(void) {
    __asm volatile(
        "mov r0, #0x18\n" /* SYS_EXIT */
        "ldr r1, =0x20023\n" /* ADP_Stopped_RunTimeError */
        "bkpt 0xAB\n");
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*handlers[15])(void);
} vectors = {&stack_top, {reset, fault, fault, fault, fault, fault}};
