/* Setting up the HM01B0 over I2C, once, before the drop. */
#ifndef GATE_SENSOR_H
#define GATE_SENSOR_H

#include <stdbool.h>

/*
 * Sends a constant table to the sensor and lets it stream, then switches the bus off for good. Returns whether the
 * sensor acknowledged every byte. Nothing is read from the sensor, not even its model: before the drop the gate reads
 * no sensor data (mem-frame-bounded).
 */
bool sensor_configure(void);

#endif
