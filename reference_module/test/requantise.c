/* Host driver. Cases on stdin, six 32-bit integers each: sum, multiplier, shift, zero, minimum, maximum; one byte each on stdout. */
#include <stdio.h>

#include "kernels.h"

int main(void)
{
    int32_t numbers[6];
    while (fread(numbers, sizeof numbers, 1, stdin) == 1) {
        const layer_t layer = {.minimum = (uint8_t)numbers[4], .maximum = (uint8_t)numbers[5]};
        const tensor_t output = {.zero = (uint8_t)numbers[3]};
        const uint8_t shift = (uint8_t)numbers[2];
        const row_t row = {.layer = &layer, .output = &output, .multiplier = &numbers[1], .shift = &shift};
        putchar(kernel_requantise(&row, 0, numbers[0]));
    }
    return 0;
}
