#include "network.h"

#include "kernels.h"

/* The kernels with DSP instructions where the processor has them; -DNETWORK_DSP=0 takes the plain ones. */
#ifndef NETWORK_DSP
#ifdef __ARM_FEATURE_DSP
#define NETWORK_DSP 1
#else
#define NETWORK_DSP 0
#endif
#endif

static uint8_t *row_place(const tensor_t *tensor, uint8_t *arena, uint32_t row)
{
    return arena + tensor->offset + row % tensor->rows * tensor->pitch;
}

/* How many rows of the input must be there before this row of output can be made. */
static uint32_t rows_needed(const layer_t *layer, const tensor_t *input, uint32_t row)
{
    const uint32_t end = row * layer->row_step + layer->kernel_height - layer->padding_top;
    return input->rows == input->height || end > input->height ? input->height : end;
}

/* The input rows under the kernel for row number `number` of the output; a row of zeros for those outside the picture. */
static void find_rows(const model_t *model, row_t *row, uint8_t *arena, uint32_t number)
{
    const layer_t *layer = row->layer;
    row->first = layer->kernel_height;
    row->end = 0;
    for (uint32_t tap = 0; tap < layer->kernel_height; tap++) {
        /* Above the picture this wraps to a huge value, which the comparison refuses as well. */
        const uint32_t y = number * layer->row_step + tap - layer->padding_top;
        if (y < row->input->height) {
            row->rows[tap] = row_place(row->input, arena, y);
            row->first = tap < row->first ? tap : row->first;
            row->end = tap + 1;
        } else {
            row->rows[tap] = model->outside + layer->outside;
        }
    }
}

/* The columns beside the picture. They stay as they are when a row's place is used again. */
static void fill_padding(const tensor_t *tensor, uint8_t *place)
{
    const uint32_t columns = (uint32_t)tensor->width * tensor->channels;
    for (uint32_t index = 0; index < tensor->lead; index++) {
        place[index] = tensor->zero;
    }
    for (uint32_t index = tensor->lead + columns; index < tensor->pitch; index++) {
        place[index] = tensor->zero;
    }
}

static void compute(const row_t *row)
{
    switch (row->layer->operation) {
    case kOperatorConvolution:
#if NETWORK_DSP
        kernel_convolution_dsp(row);
#else
        kernel_convolution(row);
#endif
        break;
    case kOperatorDepthwise:
#if NETWORK_DSP
        kernel_depthwise_dsp(row);
#else
        kernel_depthwise(row);
#endif
        break;
    case kOperatorAverage:
        kernel_average(row);
        break;
    case kOperatorMaximum:
        kernel_maximum(row);
        break;
    default:
        kernel_copy(row);
        break;
    }
}

static void make_row(const model_t *model, uint8_t *arena, uint32_t index, uint32_t number)
{
    const layer_t *layer = &model->layers[index];
    const tensor_t *output = &model->tensors[index + 1];
    uint8_t *place = row_place(output, arena, number);
    row_t row; /* field by field: an initialiser would clear all of it, rows of pointers included */
    row.layer = layer;
    row.input = &model->tensors[index];
    row.output = output;
    row.weights = model->weights + layer->weights;
    row.bias = model->bias + layer->channel;
    row.multiplier = model->multiplier + layer->channel;
    row.shift = model->shift + layer->channel;
    row.target = place + output->lead;
    find_rows(model, &row, arena, number);
    if (number < output->rows) {
        fill_padding(output, place);
    }
    compute(&row);
}

void network_start(const model_t *model, progress_t *progress)
{
    for (uint32_t tensor = 0; tensor < kModelTensors; tensor++) {
        progress->made[tensor] = 0;
    }
    progress->made[0] = model->tensors[0].height;
    progress->layer = 0;
}

uint32_t network_step(const model_t *model, progress_t *progress, uint8_t *arena)
{
    uint32_t index = progress->layer;
    /* Up where a layer is done, down where one lacks rows: the input lacks none, so this ends at a layer that can go on. */
    for (;;) {
        const uint32_t number = progress->made[index + 1];
        if (number == model->tensors[index + 1].height) {
            if (index + 1 == kModelLayers) {
                return 0;
            }
            index++;
        } else if (progress->made[index] < rows_needed(&model->layers[index], &model->tensors[index], number)) {
            index--;
        } else {
            make_row(model, arena, index, number);
            progress->made[index + 1]++;
            progress->layer = index + 1 < kModelLayers ? index + 1 : index; /* who reads the row may go on now */
            return 1;
        }
    }
}

const uint8_t *network_run(const model_t *model, uint8_t *arena)
{
    progress_t progress;
    network_start(model, &progress);
    while (network_step(model, &progress, arena) != 0) {
    }
    return arena + model->tensors[kModelLayers].offset;
}

int32_t network_margin(const uint8_t *outputs, uint32_t count, uint32_t which)
{
    int32_t other = 0;
    for (uint32_t index = 0; index < count; index++) {
        if (index != which && outputs[index] > other) {
            other = outputs[index];
        }
    }
    return (int32_t)outputs[which] - other;
}
