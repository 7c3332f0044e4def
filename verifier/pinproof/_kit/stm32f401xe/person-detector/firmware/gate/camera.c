#include "camera.h"

#include "access.h"
#include "layout.h"
#include "registers.h"

/* Port C: one read shows the pixel and all three signals at the same instant. */
static const uint32_t kPixelMask = 0xFFu;     /* PC0-PC7: D0-D7 */
static const uint32_t kPixelClock = 1u << 8;  /* PC8: PCLK, runs only while a line is valid (sensor.c) */
static const uint32_t kLineValid = 1u << 9;   /* PC9: LVLD */
static const uint32_t kFrameValid = 1u << 10; /* PC10: FVLD */

/* The sensor sends 162x122 pixels (sensor.c); the frame is their middle. */
enum {
    kSensorWidth = 162,
    kSensorHeight = 122,
    kSkippedRows = (kSensorHeight - kFrameHeight) / 2,
    kSkippedColumns = (kSensorWidth - kFrameWidth) / 2,
};

/*
 * Longest waits, in polls of about 12 cycles. Chosen for pixel clocks from about 0.5 to 1.5 MHz; others give no frames.
 * Their sum bounds the tick: at most a million polls, which is less than half a period even at the silicon file's worst
 * case for each.
 */
static const uint32_t kFrameEndPolls = 400000u;  /* the rest of a frame that is under way */
static const uint32_t kFrameStartPolls = 30000u; /* the pause between frames */
static const uint32_t kLinePolls = 3000u;        /* a whole line */
static const uint32_t kPausePolls = 1000u;       /* the pause between lines, the columns right of the middle */
static const uint32_t kPixelPolls = 12u;         /* half a pixel clock */

static const uint32_t kArrived = 1u << 31;

/*
 * Polls until `signal` is as `wanted` (0 or `signal` itself). Returns the port's levels then, with kArrived, or 0:
 * too late.
 */
static inline __attribute__((always_inline)) uint32_t camera_poll(uint32_t signal, uint32_t wanted, uint32_t polls)
{
    for (uint32_t left = polls; left != 0u; left--) {
        const uint32_t levels = word_read(kGpioC + kGpioIdr);
        if ((levels & signal) == wanted) {
            return levels | kArrived;
        }
    }
    return 0u;
}

/* The same, once for all waits that are not in a hurry. */
__attribute__((noinline)) static uint32_t camera_wait(uint32_t signal, uint32_t wanted, uint32_t polls)
{
    return camera_poll(signal, wanted, polls);
}

/* Waits for the next rising edge of the pixel clock. Returns the pixel in the low byte, with kArrived, or 0. */
static uint32_t camera_pixel(void)
{
    if (camera_poll(kPixelClock, 0u, kPixelPolls) == 0u) {
        return 0u;
    }
    return camera_poll(kPixelClock, kPixelClock, kPixelPolls);
}

static bool camera_skip_line(void)
{
    return camera_wait(kLineValid, kLineValid, kLinePolls) != 0u && camera_wait(kLineValid, 0u, kLinePolls) != 0u;
}

/* Stores the middle of one line in `row`, of kFrameWidth bytes. */
static bool camera_line(volatile uint8_t *row)
{
    if (camera_wait(kLineValid, kLineValid, kPausePolls) == 0u) {
        return false;
    }
    for (uint32_t column = 0; column < kSkippedColumns; column++) {
        if (camera_pixel() == 0u) {
            return false;
        }
    }
    for (uint32_t column = 0; column < kFrameWidth; column++) {
        const uint32_t levels = camera_pixel();
        if (levels == 0u) {
            return false;
        }
        row[column] = (uint8_t)(levels & kPixelMask);
    }
    return camera_wait(kLineValid, 0u, kPausePolls) != 0u;
}

// REQ: mem-frame-bounded
// REQ: inp-none
__attribute__((noinline)) bool camera_capture(void)
{
    if (camera_wait(kFrameValid, 0u, kFrameEndPolls) == 0u) {
        return false;
    }
    if (camera_wait(kFrameValid, kFrameValid, kFrameStartPolls) == 0u) {
        return false;
    }
    for (uint32_t row = 0; row < kSkippedRows; row++) {
        if (!camera_skip_line()) {
            return false;
        }
    }
    for (uint32_t row = 0; row < kFrameHeight; row++) {
        if (!camera_line(&frame[row * kFrameWidth])) {
            return false;
        }
    }
    return true;
}
