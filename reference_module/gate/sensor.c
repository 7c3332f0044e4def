#include "sensor.h"

#include "access.h"
#include "poll.h"
#include "registers.h"

/* One setting: register number (16 bits) above its value (8 bits). */
#define SENSOR_SET(number, value) (((uint32_t)(number) << 8) | (uint32_t)(value))

static const uint32_t kSensorAddress = 0x24u << 1; /* 7-bit address, write */

/*
 * Sizes, timing, clocking and exposure of the HM01B0, with the numbers that public drivers use; the vendor's register
 * description was not at hand and nothing here has been tried on silicon. "Tuning" are analogue settings that drivers
 * agree on and explain in a word at most.
 */
static const uint32_t kSensorSetUp[] = {
    SENSOR_SET(0x0100, 0x00), /* mode: standby while settings change */
    SENSOR_SET(0x1003, 0x08), /* black level target */
    SENSOR_SET(0x1007, 0x08), /* second black level target */
    SENSOR_SET(0x3044, 0x0A), /* tuning: time for the pixel to settle */
    SENSOR_SET(0x3045, 0x00), /* tuning: symmetry of transfer and reset */
    SENSOR_SET(0x3047, 0x0A), /* tuning: time for the pixel to settle */
    SENSOR_SET(0x3050, 0xC0), /* tuning: range of the negative offset */
    SENSOR_SET(0x3051, 0x42), /* tuning */
    SENSOR_SET(0x3052, 0x50), /* tuning */
    SENSOR_SET(0x3053, 0x00), /* tuning */
    SENSOR_SET(0x3054, 0x03), /* tuning: signal clamp */
    SENSOR_SET(0x3055, 0xF7), /* tuning: sun spots */
    SENSOR_SET(0x3056, 0xF8), /* tuning: converter clock */
    SENSOR_SET(0x3057, 0x29), /* tuning: converter current */
    SENSOR_SET(0x3058, 0x1F), /* tuning: sun spots */
    SENSOR_SET(0x3059, 0x82), /* interface: own oscillator on (bit 7), 8 bits wide (6 and 5 clear), low bits kept */
    SENSOR_SET(0x3060, 0x30), /* clocks: pixel clock only in lines (5), high bit first (4), register / 4, core / 8 */
    SENSOR_SET(0x3064, 0x00), /* tuning */
    SENSOR_SET(0x3065, 0x04), /* idle level of the output pins: low */
    SENSOR_SET(0x3067, 0x01), /* clock source: own oscillator, no clock from outside */
    SENSOR_SET(0x3068, 0x00), /* pixel clock polarity: data valid at the rising edge */
    SENSOR_SET(0x1000, 0x43), /* black level: on */
    SENSOR_SET(0x1001, 0x40), /* black level: dithering */
    SENSOR_SET(0x1002, 0x32), /* black level: dark threshold */
    SENSOR_SET(0x0350, 0x7F), /* digital gain control */
    SENSOR_SET(0x1006, 0x01), /* second black level: on */
    SENSOR_SET(0x3010, 0x01), /* window: 324x244, before binning */
    SENSOR_SET(0x0383, 0x03), /* horizontal binning: readout step 3 */
    SENSOR_SET(0x0387, 0x03), /* vertical binning: readout step 3 */
    SENSOR_SET(0x0390, 0x03), /* binning on in both directions: 162x122 */
    SENSOR_SET(0x0340, 0x00), /* lines a frame, high byte */
    SENSOR_SET(0x0341, 0x84), /* lines a frame, low byte: 132, of which 122 carry pixels */
    SENSOR_SET(0x0342, 0x00), /* pixel clocks a line, high byte */
    SENSOR_SET(0x0343, 0xD7), /* pixel clocks a line, low byte: 215, of which 162 carry pixels */
    SENSOR_SET(0x3011, 0x70), /* six bits a pixel: off */
    SENSOR_SET(0x0101, 0x00), /* neither mirrored nor turned */
    SENSOR_SET(0x0601, 0x00), /* test pattern: off */
    SENSOR_SET(0x2150, 0x00), /* motion detection, which would remember a picture: off */
    SENSOR_SET(0x0202, 0x00), /* exposure to begin with: integration in lines, high byte */
    SENSOR_SET(0x0203, 0x40), /* low byte: 64 */
    SENSOR_SET(0x0205, 0x00), /* exposure to begin with: analogue gain 1 */
    SENSOR_SET(0x020E, 0x01), /* exposure to begin with: digital gain 1, high byte */
    SENSOR_SET(0x020F, 0x00), /* low byte */
    SENSOR_SET(0x2100, 0x01), /* automatic exposure, inside the sensor: on; all its limits follow */
    SENSOR_SET(0x2101, 0x5A), /* automatic exposure: target mean */
    SENSOR_SET(0x2102, 0x0A), /* automatic exposure: least mean */
    SENSOR_SET(0x2103, 0x03), /* automatic exposure: settled within */
    SENSOR_SET(0x2104, 0x05), /* automatic exposure: moves again beyond */
    SENSOR_SET(0x2105, 0x00), /* automatic exposure: longest integration in lines, high byte */
    SENSOR_SET(0x2106, 0x82), /* automatic exposure: low byte: 130, two less than the lines a frame */
    SENSOR_SET(0x2107, 0x02), /* automatic exposure: shortest integration in lines */
    SENSOR_SET(0x2108, 0x03), /* automatic exposure: largest analogue gain */
    SENSOR_SET(0x2109, 0x03), /* automatic exposure: largest analogue gain while binning */
    SENSOR_SET(0x210A, 0x00), /* automatic exposure: least analogue gain */
    SENSOR_SET(0x210B, 0xC0), /* automatic exposure: largest digital gain */
    SENSOR_SET(0x210C, 0x40), /* automatic exposure: least digital gain */
    SENSOR_SET(0x210D, 0x20), /* automatic exposure: damping */
    SENSOR_SET(0x210E, 0x00), /* automatic exposure: no steps of the mains frequency */
    SENSOR_SET(0x0104, 0x01), /* apply the settings above together */
    SENSOR_SET(0x0100, 0x01), /* mode: stream */
};

enum { kSensorSettings = sizeof(kSensorSetUp) / sizeof(kSensorSetUp[0]) };

/*
 * Bus timing for a peripheral clock of 42 MHz (RM0368 18.6.2, 18.6.8, 18.6.9). On the slow fall-back clock the bus is
 * slower.
 */
static const uint32_t kBusClockMhz = 42u;
static const uint32_t kBusHalfPeriod = 210u; /* 100 kHz */
static const uint32_t kBusRiseTime = 43u;    /* 1000 ns */

/* One byte takes 90 us, which is about 850 polls of at least 9 cycles at 84 MHz. */
static const uint32_t kBusPolls = 4000u;

/* Each try that finds no sensor takes kBusPolls: together at least 80 ms for the sensor to wake up in. */
static const uint32_t kSensorTries = 200u;

static bool sensor_status(uint32_t flag)
{
    return poll_until(kI2c1Sr1, flag, flag, kBusPolls);
}

static bool sensor_byte(uint32_t byte, uint32_t flag)
{
    word_write(kI2c1Dr, byte);
    return sensor_status(flag);
}

/* Sends one setting: start, address, register number, value, stop. Returns whether the sensor acknowledged all. */
static bool sensor_set(uint32_t setting)
{
    word_write(kI2c1Cr1, kI2cCr1Enable | kI2cCr1Start);
    if (!sensor_status(kI2cSr1Started) || !sensor_byte(kSensorAddress, kI2cSr1Addressed)) {
        return false;
    }
    (void)word_read(kI2c1Sr2); /* clears ADDR after SR1 was read (RM0368 18.6.6) */
    if (!sensor_byte(setting >> 16, kI2cSr1Empty) || !sensor_byte((setting >> 8) & 0xFFu, kI2cSr1Empty)
        || !sensor_byte(setting & 0xFFu, kI2cSr1Finished)) {
        return false;
    }
    word_write(kI2c1Cr1, kI2cCr1Enable | kI2cCr1Stop);
    /* CR1 may not be written before the stop is out (RM0368 18.6.1). */
    return poll_until(kI2c1Cr1, kI2cCr1Stop, 0u, kBusPolls);
}

/* Whether the sensor takes the first setting, which only puts it into standby, in one of kSensorTries tries. */
static bool sensor_wakes(void)
{
    for (uint32_t try = 0; try < kSensorTries; try++) {
        word_write(kI2c1Cr1, 0u); /* lets go of the bus, wherever the last try ended (RM0368 18.6.1, PE) */
        word_write(kI2c1Cr1, kI2cCr1Enable);
        if (sensor_set(kSensorSetUp[0])) {
            return true;
        }
    }
    return false;
}

static bool sensor_takes_settings(void)
{
    for (uint32_t index = 0; index < kSensorSettings; index++) {
        if (!sensor_set(kSensorSetUp[index])) {
            return false;
        }
    }
    return true;
}

// REQ: out-sensor-lines-constant
bool sensor_configure(void)
{
    word_write(kRccApb1enr, kRccApb1I2c1);
    (void)word_read(kRccApb1enr);
    word_write(kI2c1Cr2, kBusClockMhz);
    word_write(kI2c1Ccr, kBusHalfPeriod);
    word_write(kI2c1Trise, kBusRiseTime);
    const bool configured = sensor_wakes() && sensor_takes_settings();
    word_write(kI2c1Cr1, 0u);
    word_write(kRccApb1enr, 0u);
    (void)word_read(kRccApb1enr);
    return configured;
}
