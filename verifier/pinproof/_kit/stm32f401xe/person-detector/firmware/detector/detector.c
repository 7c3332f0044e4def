#include "detector.h"

#include "kernels.h"

void detector_run_layer(const model_t *model, uint32_t index, const uint8_t *frame, uint8_t *arena)
{
    const layer_t *layer = &model->layers[index];
    const constants_t constants = {
        .weights = model->weights + layer->weights,
        .bias = model->bias + layer->channel,
        .multiplier = model->multiplier + layer->channel,
        .shift = model->shift + layer->channel,
    };
    const uint8_t *input = index == 0 ? frame : arena + layer->input;
    uint8_t *output = arena + layer->output;
    if (layer->operation == kOperatorPointwise) {
        kernel_pointwise(layer, &constants, input, output);
    } else if (layer->operation == kOperatorDepthwise) {
        kernel_depthwise(layer, &constants, input, output);
    } else if (layer->operation == kOperatorConvolution) {
        kernel_convolution(layer, &constants, input, output);
    } else {
        kernel_pool(layer, input, output);
    }
}

int32_t detector_score(const model_t *model, const uint8_t *frame, uint8_t *arena)
{
    for (uint32_t index = 0; index < kModelLayers; index++) {
        detector_run_layer(model, index, frame, arena);
    }
    const uint8_t *logits = arena + model->layers[kModelLayers - 1].output;
    return (int32_t)logits[model->person] - (int32_t)logits[1 - model->person];
}
