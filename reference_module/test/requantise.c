/* Host driver. Cases on stdin, six 32-bit integers each: sum, multiplier, shift, zero, minimum, maximum; one byte each on stdout. */
#include <stdio.h>

#include "kernels.h"

int main(void)
{
    int32_t numbers[6];
    while (fread(numbers, sizeof numbers, 1, stdin) == 1) {
        const layer_t layer = {
            .zero = (uint8_t)numbers[3],
            .minimum = (uint8_t)numbers[4],
            .maximum = (uint8_t)numbers[5],
        };
        putchar(kernel_requantise(&layer, numbers[0], numbers[1], (uint32_t)numbers[2]));
    }
    return 0;
}
