#include "pins.h"

#include "access.h"
#include "product.h"
#include "registers.h"

static const uint32_t kLockKey = 1u << 16;
static const uint32_t kLockAllPins = 0xFFFFu;

static void pins_configure(uint32_t port, uint32_t moder, uint32_t otyper, uint32_t pupdr, uint32_t afrl, uint32_t afrh)
{
    word_write(port + kGpioOdr, 0u);
    word_write(port + kGpioOtyper, otyper);
    word_write(port + kGpioOspeedr, 0u);
    word_write(port + kGpioPupdr, pupdr);
    word_write(port + kGpioAfrl, afrl);
    word_write(port + kGpioAfrh, afrh);
    word_write(port + kGpioModer, moder); /* last, so that no pin is driven by a function that it does not have yet */
}

// REQ: out-declared-pins
// REQ: run-no-other-master - no clock reaches either DMA controller
void pins_isolate(void)
{
    word_write(kRccAhb1enr, kRccAhb1Ports);
    (void)word_read(kRccAhb1enr); /* a clock needs two cycles to arrive (RM0368, RCC; errata sheet) */

    pins_configure(kGpioA, kAllAnalogue, 0u, 0u, kPortAOutputTimer, 0u);
    pins_configure(kGpioB, kPortBSensor, kPortBOpenDrain, kPortBPullDown, 0u, kPortBFunctions);
    pins_configure(kGpioC, kPortCSensor, 0u, kPortCPullDown, 0u, 0u);
    pins_configure(kGpioD, kAllAnalogue, 0u, 0u, 0u, 0u);
    pins_configure(kGpioE, kAllAnalogue, 0u, 0u, 0u, 0u);
    pins_configure(kGpioH, kAllAnalogue, 0u, 0u, 0u, 0u);
}

// REQ: out-sensor-lines-constant
void pins_release_control_bus(void)
{
    word_write(kGpioB + kGpioModer, kAllAnalogue);
}

// REQ: out-declared-pins
void pins_connect_output(void)
{
    word_write(kGpioA + kGpioModer, kPortAOutput);
}

/*
 * The key is a sequence of three writes and a read (RM0368 8.4.8); on a port where it fails the lock is missing,
 * nothing else.
 */
static void pins_lock_port(uint32_t port)
{
    word_write(port + kGpioLckr, kLockKey | kLockAllPins);
    word_write(port + kGpioLckr, kLockAllPins);
    word_write(port + kGpioLckr, kLockKey | kLockAllPins);
    (void)word_read(port + kGpioLckr);
}

void pins_lock(void)
{
    pins_lock_port(kGpioA);
    pins_lock_port(kGpioB);
    pins_lock_port(kGpioC);
    pins_lock_port(kGpioD);
    pins_lock_port(kGpioE);
    pins_lock_port(kGpioH);
}
