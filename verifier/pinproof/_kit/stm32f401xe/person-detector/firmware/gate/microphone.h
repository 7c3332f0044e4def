/* Taking one window of sound from a digital microphone over I2S, by polling. */
#ifndef GATE_MICROPHONE_H
#define GATE_MICROPHONE_H

#include <stdbool.h>

enum {
    kWindowSamples = 16000, /* one second */
};

/*
 * Sets SPI 2 up as I2S master that receives, and starts it. From here on its clock lines run without end and without
 * regard to anything; nothing is ever sent.
 */
void microphone_configure(void);

/*
 * Stores the next kWindowSamples samples of the left channel in `frame`, 16 bits each. Returns whether all arrived,
 * without a gap; if not, what is in `frame` is of no use. Ends after a bounded number of polls whatever the microphone
 * does.
 */
bool microphone_capture(void);

#endif
