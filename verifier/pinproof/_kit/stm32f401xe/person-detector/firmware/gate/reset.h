/* From reset to the drop. */
#ifndef GATE_RESET_H
#define GATE_RESET_H

/* Vector of reset. */
void reset_handler(void);

#endif
