#ifndef TABLES_H
#define TABLES_H

#include "steps.h"

enum {
    kPinsCount = 32,
    kClocksCount = 10,
    kBusOnCount = 6,
    kSettingCount = 13,
    kBusOffCount = 4,
    kSensorCount = 40,
    kRegionsCount = 8, /* those not named are off */
    kCoreCount = 8,
    kTimerCount = 40,
};

extern const step_t kPins[kPinsCount], kClocks[kClocksCount], kBusOn[kBusOnCount], kSetting[kSettingCount];
extern const step_t kBusOff[kBusOffCount], kCore[kCoreCount], kTimer[kTimerCount];
extern const uint32_t kSensor[kSensorCount];
extern const region_t kRegions[kRegionsCount];

#endif
