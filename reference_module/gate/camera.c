#include "camera.h"

#include "access.h"
#include "layout.h"
#include "registers.h"

/* Port C: one read shows the pixel and all three signals at the same instant. */
static const uint32_t kPixelMask = 0xFFu;     /* PC0-PC7: D0-D7 */
static const uint32_t kPixelClock = 1u << 8;  /* PC8: PCLK, low except in pixels (gated, sensor.c) */
static const uint32_t kLineValid = 1u << 9;   /* PC9: LVLD */
static const uint32_t kFrameValid = 1u << 10; /* PC10: FVLD */

/* The sensor sends 162x122 pixels (sensor.c); the frame is their middle. */
enum {
    kSensorWidth = 162,
    kSensorHeight = 122,
    kSkippedRows = (kSensorHeight - kFrameHeight) / 2,
    kSkippedColumns = (kSensorWidth - kFrameWidth) / 2,
    kNothing = kSensorWidth, /* as the first column to keep: none is */
};

/*
 * Longest waits, in polls. A poll takes 7 or more cycles, and up to twice that where the flash makes it wait;
 * each wait is long enough where it never does. For pixel clocks from 0.5 to 1.5 MHz with the processor at 84 MHz;
 * others give no frame. Together they are 1.4 million polls, which bounds the tick.
 */
static const uint32_t kFrameEndPolls = 480000u;  /* the rest of a frame that is under way: 122 lines, 4.4 M cycles */
static const uint32_t kFramePausePolls = 52000u; /* between frames, around their lines: 10 lines, 361,200 cycles */
static const uint32_t kLinePausePolls = 1300u;   /* between lines: 53 pixels, 8,904 cycles */
static const uint32_t kLineEndPolls = 300u;      /* line valid falls: about 10 pixels */
static const uint32_t kPixelPolls = 14u;         /* half a pixel, 84 cycles */

/*
 * Polls as long as the signals in `mask` are `before`. Returns the last levels: those of the change, or, where it did
 * not come in time, such as before.
 */
static inline __attribute__((always_inline)) uint32_t camera_poll(uint32_t mask, uint32_t before, uint32_t polls)
{
    uint32_t levels = before;

    for (uint32_t left = polls; left != 0u; left--) {
        levels = word_read(kGpioC + kGpioIdr);
        if ((levels & mask) != before) {
            break;
        }
    }
    return levels;
}

/*
 * Polls until the signals in `mask`, which are `before`, become `after`. Returns how many polls were left, or 0: too
 * late, or something else came. (A count, not a bool: a compiler would make the bool of the levels themselves.)
 */
__attribute__((noinline)) static uint32_t camera_change(uint32_t mask, uint32_t before, uint32_t after, uint32_t polls)
{
    for (uint32_t left = polls; left > 0u; left--) {
        const uint32_t levels = word_read(kGpioC + kGpioIdr) & mask;
        if (levels == after) {
            return left;
        }
        if (levels != before) {
            return 0u;
        }
    }
    return 0u;
}

/* A line has exactly kSensorWidth pixels: it must end before the clock rises once more. */
static bool camera_line_ends(void)
{
    return camera_change(kLineValid | kPixelClock, kLineValid, 0u, kLineEndPolls) != 0u;
}

/*
 * One line, which begins within `polls`. Of its pixels, kFrameWidth from `first` on are stored in `row`; where `first`
 * is kNothing, none is. A pixel is a rise of the clock while line and frame are valid, and its fall. Each is counted
 * once, and the count must be exact: where the clock is too fast to be followed, pixels are missing and there is no
 * frame. Aligned to a line of flash, so that what a poll takes does not change with what comes before.
 */
__attribute__((noinline, aligned(16))) static bool camera_line(volatile uint8_t *row, uint32_t first, uint32_t polls)
{
    const uint32_t valid = kFrameValid | kLineValid | kPixelClock;
    uint32_t levels = camera_poll(kPixelClock, 0u, polls);

    for (uint32_t column = 0;; levels = camera_poll(kPixelClock, 0u, kPixelPolls)) {
        if ((levels & valid) != valid) {
            return false;
        }
        if ((camera_poll(kPixelClock, kPixelClock, kPixelPolls) & kPixelClock) != 0u) {
            return false;
        }
        const uint32_t place = column - first; /* wraps around before the middle */
        if (place < kFrameWidth) {
            row[place] = (uint8_t)(levels & kPixelMask);
        }
        column++;
        if (column == kSensorWidth) {
            return camera_line_ends();
        }
    }
}

/* Waits for the end of the frame that is under way. */
static bool camera_pause_begins(void)
{
    return camera_change(kFrameValid, kFrameValid, 0u, kFrameEndPolls) != 0u;
}

/* A frame has exactly kSensorHeight lines: it must end before the clock rises once more. */
static bool camera_frame_ends(void)
{
    return camera_change(kFrameValid | kPixelClock, kFrameValid, 0u, kFramePausePolls) != 0u;
}

// REQ: mem-frame-bounded
// REQ: inp-none
__attribute__((noinline)) bool camera_capture(void)
{
    if (!camera_pause_begins() || !camera_line(frame, kNothing, kFramePausePolls)) {
        return false;
    }
    for (uint32_t line = 1; line < kSkippedRows; line++) {
        if (!camera_line(frame, kNothing, kLinePausePolls)) {
            return false;
        }
    }
    for (uint32_t row = 0; row < kFrameHeight; row++) {
        if (!camera_line(&frame[row * kFrameWidth], kSkippedColumns, kLinePausePolls)) {
            return false;
        }
    }
    for (uint32_t line = kSkippedRows + kFrameHeight; line < kSensorHeight; line++) {
        if (!camera_line(frame, kNothing, kLinePausePolls)) {
            return false;
        }
    }
    return camera_frame_ends();
}
