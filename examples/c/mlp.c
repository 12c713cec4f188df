#include "mlp.h"

#include <presam.h>
#include <stdint.h>
#include <string.h>

enum {
    BIAS1 = INPUTS * HIDDEN,
    WEIGHT2 = BIAS1 + HIDDEN,
    BIAS2 = WEIGHT2 + HIDDEN * CLASSES,
};

const size_t mlp_offset[TENSORS + 1] = {0, BIAS1, WEIGHT2, BIAS2, PARAMS};

/* Uniform in [-bound, bound): 24 bits, exact in float. */
static void draw(float *to, size_t count, float bound, uint32_t *seed) {
    for (size_t i = 0; i < count; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        to[i] = ((float)(*seed >> 8) / 8388608.0f - 1.0f) * bound;
    }
}

void mlp_init(float *weights, unsigned long seed) {
    uint32_t state = (uint32_t)seed;
    memset(weights, 0, PARAMS * sizeof *weights);
    draw(weights, INPUTS * HIDDEN, 0.25f, &state);
    draw(weights + WEIGHT2, HIDDEN * CLASSES, 0.5f, &state);
}

/* What a digit becomes on its way. */
struct pass {
    float x[INPUTS], hidden[HIDDEN], logit[CLASSES];
};

static void forward(const float *weights, const digit *one, struct pass *p) {
    for (size_t k = 0; k < INPUTS; k++) p->x[k] = (float)(*one)[k] / 16.0f;
    for (size_t j = 0; j < HIDDEN; j++) {
        float z = weights[BIAS1 + j];
        for (size_t k = 0; k < INPUTS; k++) z += p->x[k] * weights[k * HIDDEN + j];
        p->hidden[j] = z <= 0.0f ? 0.0f : z;
    }
    for (size_t j = 0; j < CLASSES; j++) {
        float z = weights[BIAS2 + j];
        for (size_t k = 0; k < HIDDEN; k++) z += p->hidden[k] * weights[WEIGHT2 + k * CLASSES + j];
        p->logit[j] = z;
    }
}

static size_t largest(const float *logit) {
    size_t best = 0;
    for (size_t j = 1; j < CLASSES; j++)
        if (logit[j] > logit[best]) best = j;
    return best;
}

/* The loss of a row; its logits become exp(z - max), whose sum is kept. exp and log are presam's: a platform's own
 * round differently from one platform to the next. */
static float cross_entropy(float *logit, size_t label, float *sum) {
    const float max = logit[largest(logit)], at_label = logit[label];
    *sum = 0.0f;
    for (size_t j = 0; j < CLASSES; j++) {
        logit[j] = presam_exp_f32(logit[j] - max);
        *sum += logit[j];
    }
    return presam_log_f32(*sum) - (at_label - max);
}

float mlp_loss(const float *weights, const digit *digits, size_t count) {
    float loss = 0.0f;
    for (size_t b = 0; b < count; b++) {
        struct pass p;
        float sum;
        forward(weights, &digits[b], &p);
        loss += cross_entropy(p.logit, digits[b][INPUTS], &sum);
    }
    return loss / (float)count;
}

/* Adds one digit's share, from the slope at its logits. */
static void backward(const float *weights, const struct pass *p, const float *slope, float *g) {
    for (size_t j = 0; j < CLASSES; j++) g[BIAS2 + j] += slope[j];
    for (size_t k = 0; k < HIDDEN; k++) {
        float below = 0.0f;
        for (size_t j = 0; j < CLASSES; j++) {
            g[WEIGHT2 + k * CLASSES + j] += p->hidden[k] * slope[j];
            below += slope[j] * weights[WEIGHT2 + k * CLASSES + j];
        }
        if (p->hidden[k] == 0.0f) below = 0.0f;
        g[BIAS1 + k] += below;
        for (size_t i = 0; i < INPUTS; i++) g[i * HIDDEN + k] += p->x[i] * below;
    }
}

float mlp_gradient(const float *weights, const digit *digits, size_t count, float *gradients) {
    float loss = 0.0f;
    memset(gradients, 0, PARAMS * sizeof *gradients);
    for (size_t b = 0; b < count; b++) {
        const size_t label = digits[b][INPUTS];
        struct pass p;
        float sum, slope[CLASSES];
        forward(weights, &digits[b], &p);
        loss += cross_entropy(p.logit, label, &sum);
        for (size_t j = 0; j < CLASSES; j++)
            slope[j] = (p.logit[j] / sum - (j == label ? 1.0f : 0.0f)) / (float)count;
        backward(weights, &p, slope, gradients);
    }
    return loss / (float)count;
}

size_t mlp_correct(const float *weights, const digit *digits, size_t count) {
    size_t correct = 0;
    for (size_t b = 0; b < count; b++) {
        struct pass p;
        forward(weights, &digits[b], &p);
        correct += largest(p.logit) == digits[b][INPUTS];
    }
    return correct;
}
