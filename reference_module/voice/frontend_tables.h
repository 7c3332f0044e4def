/* Constants of the front-end: frontend_tables.c, written by tables.py. */
#ifndef VOICE_FRONTEND_TABLES_H
#define VOICE_FRONTEND_TABLES_H

#include <stdint.h>

#include "frontend.h"
#include "transform.h"

enum {
    kFilterBins = 236,     /* bins of the spectrum between the lowest and the highest flank */
    kGainEntries = 125,    /* 2, then 4 for each bit length from 2 to 32, the last without its filler */
    kLogarithmSteps = 128, /* straight pieces of the logarithm between two powers of two */
};

extern const int16_t kWindow[kFrontendWindow];                 /* 4096 is one */
extern const uint8_t kFilterEdges[kFrontendChannels + 2];      /* first bin of each flank, and one past the last */
extern const uint16_t kFilterWeights[kFilterBins];             /* falling share of each bin, 4096 is one */
extern const uint16_t kFilterRest[kFilterBins];                /* rising share */
extern const int16_t kGains[kGainEntries];                     /* value, slope, bend and a filler for each bit length */
extern const uint16_t kLogarithms[kLogarithmSteps + 1];        /* log2(1 + x) - x, 65536 is one */

#endif
