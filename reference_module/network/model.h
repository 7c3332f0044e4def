/*
 * A network as constants: what the generator (reference_module/model) writes, and what runs it reads.
 *
 * Numbers. A tensor of TensorFlow Lite's int8 is stored here plus 128, as 0 to 255. The input is such a tensor as it comes
 * from the sensor. No kernel subtracts a zero point: the generator has taken its part of each sum into the bias, and what
 * lies outside of a picture is stored as the tensor's zero point.
 *
 * A network is a chain: layer n makes tensor n + 1 of tensor n, row by row. A tensor keeps all its rows in the arena, or
 * only as many as the layer that reads them has under its kernel. The generator decides which, and where they lie.
 *
 * All constants lie in one object, `kModel`, in the section .model; it is position-independent, and its bytes are what the
 * declaration's [model] digest covers. Little-endian; the generator computes the same bytes without a compiler.
 */
#ifndef NETWORK_MODEL_H
#define NETWORK_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* What a layer computes. The values are part of the model's bytes. */
enum {
    kOperatorConvolution = 0, /* all input channels to each output channel; also 1x1, and fully connected (one column) */
    kOperatorDepthwise = 1,   /* channel by channel */
    kOperatorAverage = 2,     /* mean of what the window covers of the picture, channel by channel */
    kOperatorMaximum = 3,     /* the largest of it */
    kOperatorCopy = 4,        /* the same values, between the columns of padding that the next layer needs */
};

/* One tensor. Row y lies at offset + (y % rows) * pitch; its first column `lead` bytes further. */
typedef struct {
    uint32_t offset;   /* of its place in the arena, bytes, a multiple of 4 */
    uint16_t height;   /* rows */
    uint16_t width;    /* columns, without padding */
    uint16_t channels; /* bytes of a column */
    uint16_t rows;     /* how many rows are kept: all, or the last few */
    uint16_t pitch;    /* bytes from one kept row to the next: padding, columns, padding */
    uint16_t lead;     /* bytes of padding before the first column */
    uint8_t zero;      /* stored value of real 0: what padding holds */
    uint8_t reserved[3];
} tensor_t;

/*
 * One layer. Weights of a convolution: [pair of output channels][kernel row][word of the run][channel of the pair][4 bytes]; the
 * run and an odd number of channels are padded with zeros. Of a depthwise one: [kernel row][kernel column][output channel].
 */
typedef struct {
    uint8_t operation;     /* kOperator... */
    uint8_t kernel_height; /* rows under the kernel; at most kMaximumKernel */
    uint8_t kernel_width;  /* columns */
    uint8_t row_step;      /* input rows from one output row to the next */
    uint8_t column_step;   /* the same of columns */
    uint8_t padding_top;   /* rows above the input that are taken as zero */
    uint8_t padding_left;  /* columns left of it */
    uint8_t minimum;       /* smallest stored output: the activation function */
    uint8_t maximum;       /* largest stored output */
    uint8_t multiple;      /* output channels for each input channel; depthwise only, else 1 */
    uint16_t outside;      /* where in `outside` of the model a row of the input's zero lies */
    uint32_t run;          /* input bytes under one kernel row: columns times channels */
    uint32_t channel;      /* index of the layer's first entry in bias, multiplier and shift */
    uint32_t weights;      /* offset of the layer's first weight, a multiple of 4 */
} layer_t;

/* What is reported of the outputs: see network_margin. */
typedef struct {
    uint32_t output;   /* which output it is about */
    int32_t threshold; /* smallest margin, in steps of the stored outputs, at which it is reported */
} decision_t;

_Static_assert(sizeof(tensor_t) == 20 && offsetof(tensor_t, zero) == 16, "the generator writes 20 bytes a tensor");
_Static_assert(sizeof(layer_t) == 24 && offsetof(layer_t, run) == 12, "the generator writes 24 bytes a layer");

enum { kMaximumKernel = 64 /* rows under a kernel or a window */ };

#endif
