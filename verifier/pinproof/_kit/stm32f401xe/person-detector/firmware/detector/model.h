/*
 * The network as constants: what the generator (firmware/model) writes and the kernels read.
 *
 * Numbers. A tensor of TensorFlow Lite's int8 is stored here plus 128, as 0 to 255. The frame is such a tensor as it comes
 * from the camera. The generator admits only networks in which every tensor that a kernel multiplies has zero point -128:
 * stored 0 is real 0, padding is 0, and no kernel subtracts an offset.
 *
 * All constants lie in one object, `kModel`, in the section .model; it is position-independent, and its bytes are what the
 * declaration's [model] digest covers. Little-endian; the generator computes the same bytes without a compiler.
 */
#ifndef DETECTOR_MODEL_H
#define DETECTOR_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* What a layer computes. The values are part of the model's bytes. */
enum {
    kOperatorConvolution = 0, /* 3x3, all input channels to each output channel */
    kOperatorDepthwise = 1,   /* 3x3, channel by channel */
    kOperatorPointwise = 2,   /* 1x1; a fully connected layer is one pixel of it */
    kOperatorPool = 3,        /* mean over the whole picture */
};

/* One layer. Shapes in elements; offsets in bytes. */
typedef struct {
    uint8_t operation;        /* kOperator... */
    uint8_t stride;           /* 1 or 2, both axes; 1 for pointwise and pool */
    uint8_t padding_top;      /* rows above the input that are taken as 0 */
    uint8_t padding_left;     /* columns left of the input that are taken as 0 */
    uint8_t zero;             /* stored value of real 0 in the output */
    uint8_t minimum;          /* smallest stored output: the activation function */
    uint8_t maximum;          /* largest stored output */
    uint8_t input_height;     /* rows */
    uint8_t input_width;      /* columns */
    uint8_t output_height;    /* rows */
    uint8_t output_width;     /* columns */
    uint8_t reserved;         /* 0 */
    uint16_t input_channels;  /* at most kMaximumChannels */
    uint16_t output_channels; /* at most kMaximumChannels; even for pointwise */
    uint32_t input;           /* offset in the arena; the first layer reads the frame instead */
    uint32_t output;          /* offset in the arena */
    uint32_t channel;         /* index of the layer's first entry in bias, multiplier and shift */
    uint32_t weights;         /* offset of the layer's first weight */
} layer_t;

_Static_assert(sizeof(layer_t) == 32, "the generator writes 32 bytes a layer");
_Static_assert(offsetof(layer_t, input) == 16, "the generator writes the offsets from byte 16");

enum {
    kMaximumChannels = 256,    /* channels of any tensor */
    kMaximumPatch = 3 * 3 * 4, /* inputs of one output of kOperatorConvolution */
};

/* A layer's constants. `bias`, `multiplier` and `shift` have one entry per output channel. */
typedef struct {
    const int8_t *weights;     /* convolution [out][3][3][in], depthwise [3][3][channel], pointwise [out][in] */
    const int32_t *bias;       /* in units of the accumulator */
    const int32_t *multiplier; /* 2^31 times a factor in [0.5, 1), or 0 */
    const uint8_t *shift;      /* 0 to 31: the accumulator is multiplied by the factor times 2^-shift */
} constants_t;

#endif
