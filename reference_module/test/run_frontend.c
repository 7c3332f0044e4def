/* Host driver. Windows of sound on stdin, kFrontendSamples 16-bit samples each; kFrontendFeatures bytes each on stdout. */
#include <stdio.h>
#include <string.h>

#include "frontend.h"

int main(void)
{
    static int16_t sound[kFrontendSamples];
    static uint8_t features[kFrontendFeatures];
    static frontend_t work;
    while (fread(sound, sizeof sound, 1, stdin) == 1) {
        /* What was left in the working memory must not matter. */
        memset(&work, 0xA5, sizeof work);
        frontend_run(&work, sound, features);
        if (fwrite(features, sizeof features, 1, stdout) != 1) {
            return 2;
        }
    }
    return 0;
}
