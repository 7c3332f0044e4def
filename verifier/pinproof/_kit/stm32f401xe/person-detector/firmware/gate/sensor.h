/* Setting up the HM01B0 over I2C, once, before the drop. */
#ifndef GATE_SENSOR_H
#define GATE_SENSOR_H

/*
 * Sends a constant table to the sensor and lets it stream, then switches the bus off for good. Nothing is read from
 * the sensor. A sensor that does not answer is left alone: no frame will come, and the output stays low.
 */
void sensor_configure(void);

#endif
