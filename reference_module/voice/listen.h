/* What is said of a window: which word, if any. */
#ifndef VOICE_LISTEN_H
#define VOICE_LISTEN_H

#include <stdint.h>

/*
 * The number of the word that is reported for the network's outputs, from 1 in the order of the model's decisions; 0: none. A
 * word is reported when its output is above all others by its threshold, which is positive: so at most one is.
 */
uint32_t listen_decide(const uint8_t *outputs);

#endif
