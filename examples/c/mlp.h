/* A multilayer perceptron 64-16-10 with relu and softmax cross-entropy over flat arrays: what the trainer trains.
 * Every sum has the order that the Rust crate presam-model states, so both give the same bits. */
#ifndef MLP_H
#define MLP_H

#include <stddef.h>

enum { INPUTS = 64, HIDDEN = 16, CLASSES = 10, TENSORS = 4 };
enum { PARAMS = INPUTS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES };

/* 64 pixels of 0 to 16, then the class. */
typedef unsigned char digit[INPUTS + 1];

/* Where each tensor begins: weights, biases, weights, biases; and the end. */
extern const size_t mlp_offset[TENSORS + 1];

/* Uniform weights from a seed, biases 0. */
void mlp_init(float *weights, unsigned long seed);

/* The mean loss over some digits. */
float mlp_loss(const float *weights, const digit *digits, size_t count);

/* The same, and its gradient, which is overwritten. */
float mlp_gradient(const float *weights, const digit *digits, size_t count, float *gradients);

/* How many digits get their class from the largest logit. */
size_t mlp_correct(const float *weights, const digit *digits, size_t count);

#endif
