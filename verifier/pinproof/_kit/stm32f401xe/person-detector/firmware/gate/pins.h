/* Pins: everything analogue except the output and, while needed, the lines of the sensor. */
#ifndef GATE_PINS_H
#define GATE_PINS_H

/* Clocks all ports; makes every pin analogue, debug pins included, except the camera's inputs and the control bus. */
void pins_isolate(void);

/* Takes the sensor's control bus off its pins for good. */
void pins_release_control_bus(void);

/* Gives PA5 to the timer. The timer must already hold it low. */
void pins_connect_output(void);

/* Locks the configuration of every pin of every port until the next reset. */
void pins_lock(void);

#endif
