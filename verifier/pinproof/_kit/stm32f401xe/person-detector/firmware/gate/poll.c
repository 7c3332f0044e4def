#include "poll.h"

#include "access.h"

bool poll_until(uint32_t address, uint32_t mask, uint32_t wanted, uint32_t polls)
{
    for (uint32_t left = polls; left != 0u; left--) {
        if ((word_read(address) & mask) == wanted) {
            return true;
        }
    }
    return false;
}
