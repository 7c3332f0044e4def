#include "listen.h"

#include "network.h"

uint32_t listen_decide(const uint8_t *outputs)
{
    for (uint32_t report = 0; report < kModelDecisions; report++) {
        const decision_t *word = &kModel.decisions[report];
        if (network_margin(outputs, kModelOutputs, word->output) >= word->threshold) {
            return report + 1;
        }
    }
    return 0;
}
