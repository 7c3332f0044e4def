#include "frontend.h"

#include "frontend_tables.h"

enum {
    kOneBits = 12,          /* fraction bits of window and filterbank */
    kSampleBits = 15,
    kNoiseBits = 10,        /* fraction bits of the noise estimate */
    kShareBits = 14,        /* fraction bits of the three shares that follow */
    kEvenSmoothing = 409,   /* 0.025: share of the present in an even channel's estimate */
    kOddSmoothing = 983,    /* 0.06: in an odd channel's */
    kSmallestShare = 819,   /* 0.05: what stays of a channel, however noisy */
    kRootBits = 3,          /* by which the filterbank's root is scaled down: 9 of the transform's less 6 */
    kRatioBits = 12,        /* fraction bits of signal over noise, and with kGainBits and kRootBits the shift to it */
    kGainBits = 21,
    kRatioShift = kGainBits - kRootBits - kRatioBits,
    kCompressedBits = 6,    /* fraction bits after compression */
    kLogShift = 6,          /* the logarithm's fraction bits */
    kSegmentShift = 9,      /* from 16 fraction bits to one of 128 pieces */
    kFeatureScale = 256,    /* the network's integer is the logarithm times 256 / 666 */
    kFeatureDivisor = 666,
    kFeatureMaximum = 255,
};

static const uint32_t kOneShare = 1u << kShareBits;
static const uint32_t kLogCoefficient = 45426u; /* ln 2 in 65536ths */

/* Bits needed to write `value`: 0 for 0, 32 at most. */
static uint32_t bit_length(uint32_t value)
{
    uint32_t bits = 0;
    for (uint32_t step = 16; step != 0; step >>= 1) {
        if (value >> step != 0) {
            value >>= step;
            bits += step;
        }
    }
    return bits + value;
}

/* Square root, rounded to the nearest; where that needs 33 bits, one less. */
static uint32_t square_root(uint64_t value)
{
    uint64_t rest = value;
    uint64_t root = 0;
    uint64_t bit = value >> 32 != 0 ? (uint64_t)1 << 62 : (uint64_t)1 << 30;
    while (bit > rest) {
        bit >>= 2;
    }
    while (bit != 0) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    const uint64_t largest = value >> 32 != 0 ? UINT32_MAX : UINT16_MAX;
    return (uint32_t)(root + (rest > root && root != largest ? 1u : 0u));
}

/*
 * The slice under its window, shifted up as far as its largest sample lets it, with zeros behind. Returns the shift.
 * A windowed sample of -32768 has no room to be shifted, and none is needed.
 */
static uint32_t frontend_slice(frontend_t *work, const int16_t *sound)
{
    uint32_t largest = 0;
    for (uint32_t index = 0; index < kFrontendWindow; index++) {
        const int32_t value = (sound[index] * kWindow[index]) >> kOneBits;
        const uint32_t size = (uint32_t)(value < 0 ? -value : value);
        work->slice[index] = (int16_t)value;
        largest = size > largest ? size : largest;
    }
    const uint32_t bits = bit_length(largest);
    const uint32_t shift = bits < kSampleBits ? kSampleBits - bits : 0;
    for (uint32_t index = 0; index < kFrontendWindow; index++) {
        work->slice[index] = (int16_t)(work->slice[index] * (1 << shift));
    }
    for (uint32_t index = kFrontendWindow; index < kTransformSize; index++) {
        work->slice[index] = 0;
    }
    return shift;
}

/* Root of the energy in each triangle, with the slice's shift undone. */
static void frontend_filter(frontend_t *work, uint32_t shift)
{
    uint64_t rising = 0;
    for (uint32_t flank = 0; flank <= kFrontendChannels; flank++) {
        uint64_t falling = rising;
        rising = 0;
        for (uint32_t bin = kFilterEdges[flank]; bin < kFilterEdges[flank + 1]; bin++) {
            const complex_t value = work->bins[bin];
            const uint32_t energy = (uint32_t)(value.real * value.real) + (uint32_t)(value.imaginary * value.imaginary);
            falling += (uint64_t)kFilterWeights[bin - kFilterEdges[0]] * energy;
            rising += (uint64_t)kFilterRest[bin - kFilterEdges[0]] * energy;
        }
        if (flank != 0) {
            work->channels[flank - 1] = square_root(falling) >> shift;
        }
    }
}

/* Moves the channel's noise estimate and takes it away from the channel. */
static void frontend_denoise(uint32_t *signal, uint32_t *noise, uint32_t smoothing)
{
    const uint32_t scaled = *signal << kNoiseBits;
    uint32_t estimate =
        (uint32_t)(((uint64_t)scaled * smoothing + (uint64_t)*noise * (kOneShare - smoothing)) >> kShareBits);
    *noise = estimate;
    estimate = estimate > scaled ? scaled : estimate;
    const uint32_t smallest = (uint32_t)(((uint64_t)*signal * kSmallestShare) >> kShareBits);
    const uint32_t rest = (scaled - estimate) >> kNoiseBits;
    *signal = rest > smallest ? rest : smallest;
}

/* The gain for a noise estimate: a parabola within each power of two. */
static uint32_t frontend_gain(uint32_t noise)
{
    if (noise <= 2u) {
        return (uint32_t)kGains[noise];
    }
    const uint32_t bits = bit_length(noise);
    const int16_t *piece = &kGains[4 * bits - 6];
    const int32_t place = (int32_t)((bits < 11 ? noise << (11 - bits) : noise >> (bits - 11)) & 0x3FFu);
    const int32_t slope = ((piece[2] * place) >> 5) + piece[1] * 32;
    return (uint32_t)(piece[0] + ((slope * place + (1 << 14)) >> 15));
}

/* Signal over noise, compressed: a parabola below 2, a line above. */
static uint32_t frontend_normalise(uint32_t signal, uint32_t noise)
{
    const uint32_t ratio = (uint32_t)(((uint64_t)signal * frontend_gain(noise)) >> kRatioShift);
    if (ratio < 2u << kRatioBits) {
        return (ratio * ratio) >> (2 + 2 * kRatioBits - kCompressedBits);
    }
    return (ratio >> (kRatioBits - kCompressedBits)) - (1u << kCompressedBits);
}

/* Natural logarithm with kLogShift fraction bits; 0 for 0 and 1. */
static uint32_t frontend_logarithm(uint32_t value)
{
    if (value <= 1u) {
        return 0;
    }
    const uint32_t whole = bit_length(value) - 1;
    const uint32_t above = value - (1u << whole);
    const uint32_t share = whole < 16 ? above << (16 - whole) : above >> (whole - 16);
    const uint32_t segment = share >> kSegmentShift;
    const int32_t low = kLogarithms[segment];
    const int32_t rise = kLogarithms[segment + 1] - low;
    const uint32_t place = share - (segment << kSegmentShift);
    const uint32_t bend = (uint32_t)(low + ((rise * (int32_t)place) >> 16));
    const uint32_t binary = (whole << 16) + share + bend;
    const uint32_t natural = (uint32_t)(((uint64_t)kLogCoefficient * binary + (1u << 15)) >> 16);
    return ((natural << kLogShift) + (1u << 15)) >> 16;
}

static uint8_t frontend_feature(uint32_t value)
{
    const uint32_t logarithm = frontend_logarithm(value << kRootBits);
    const uint32_t feature = (logarithm * kFeatureScale + kFeatureDivisor / 2) / kFeatureDivisor;
    return (uint8_t)(feature > kFeatureMaximum ? kFeatureMaximum : feature);
}

void frontend_run(frontend_t *work, const int16_t *sound, uint8_t *features)
{
    for (uint32_t channel = 0; channel < kFrontendChannels; channel++) {
        work->noise[channel] = 0;
    }
    for (uint32_t slice = 0; slice < kFrontendSlices; slice++) {
        const uint32_t shift = frontend_slice(work, sound + slice * kFrontendStep);
        transform_real(work->slice, work->bins);
        frontend_filter(work, shift);
        for (uint32_t channel = 0; channel < kFrontendChannels; channel++) {
            uint32_t *signal = &work->channels[channel];
            uint32_t *noise = &work->noise[channel];
            frontend_denoise(signal, noise, channel % 2 == 0 ? kEvenSmoothing : kOddSmoothing);
            *features++ = frontend_feature(frontend_normalise(*signal, *noise));
        }
    }
}
