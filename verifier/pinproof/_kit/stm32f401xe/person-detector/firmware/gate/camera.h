/* Taking one frame from the HM01B0 over its parallel port, by polling. */
#ifndef GATE_CAMERA_H
#define GATE_CAMERA_H

#include <stdbool.h>

/*
 * Waits for the sensor's next frame and stores its middle 96x96 pixels in `frame`. Returns whether all arrived; if
 * not, what is in `frame` is of no use. Ends after a bounded number of polls whatever the sensor does. Drives no line
 * of the sensor.
 */
bool camera_capture(void);

#endif
