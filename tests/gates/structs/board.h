#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>

#include "device.h"

extern uint32_t layout_confined_start[], layout_confined_end[];
extern volatile uint32_t mailbox;
extern volatile uint8_t frame[96][96];
void confined_entry(void);
void confined_idle(void);

bool Camera_ReadFrame(void);

#endif
