/* Trains the digits in C, on a desktop and, the same file, as firmware: SAM with SGD in whole-model calls, info-asam
 * with AdamW a tensor at a time. All memory is static. The last column is a hash of the parameters' bits: the same
 * on every machine, and in Rust (capi/tests/digits.rs). */
#include "digits.h" /* static const unsigned char digits[600][65], written by the build */
#include "mlp.h"

#include <presam.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRAINING = 400, TEST = 200, BATCH = 20, EPOCHS = 16 };

/* The trainer's own. */
static float weights[PARAMS], gradients[PARAMS];
/* What SAM takes: for every rule a backup, for info-asam two planes of memory, for AdamW two of state. */
static float backup[PARAMS];
static float memory[PRESAM_MEMORY_INFO_ASAM][PARAMS], state[PRESAM_STATE_ADAMW][PARAMS];
static presam_tensor_f32 tensors[TENSORS];
static presam_state_f32 sam;

static void check(presam_status status) {
    if (status) {
        char text[160];
        presam_status_write(status, text, sizeof text);
        printf("presam: %s\n", text);
        exit(1);
    }
}

static void start(const presam_config *config, const presam_group *groups) {
    mlp_init(weights, 1);
    memset(memory, 0, sizeof memory);
    memset(state, 0, sizeof state);
    for (int t = 0; t < TENSORS; t++) {
        const size_t at = mlp_offset[t];
        tensors[t] = (presam_tensor_f32){PRESAM_HEAD(presam_tensor_f32),
                                         .len = mlp_offset[t + 1] - at,
                                         .params = weights + at,
                                         .grads = gradients + at,
                                         .backup = backup + at,
                                         .memory = {memory[0] + at, memory[1] + at},
                                         .state = {state[0] + at, state[1] + at},
                                         .group = &groups[t % 2]};
    }
    check(presam_init_f32(&sam, sizeof sam, config));
    check(presam_check_f32(&sam, tensors, TENSORS));
}

/* A step in two calls. */
static void step_at_once(const digit *batch) {
    mlp_gradient(weights, batch, BATCH, gradients);
    check(presam_ascend_all_f32(&sam, tensors, TENSORS));
    mlp_gradient(weights, batch, BATCH, gradients);
    check(presam_descend_all_f32(&sam, tensors, TENSORS));
}

/* The same a tensor at a time, for trainers whose tensors come one by one. */
static void step_by_tensor(const digit *batch) {
    static presam_norm_f32 norm;
    int t;
    mlp_gradient(weights, batch, BATCH, gradients);
    check(presam_norm_begin_f32(&sam, &norm, 0));
    for (t = 0; t < TENSORS; t++) check(presam_norm_add_f32(&sam, &tensors[t], &norm));
    check(presam_norm_finish_f32(&sam, &norm));
    for (t = 0; t < TENSORS; t++) check(presam_ascend_f32(&sam, &tensors[t]));
    mlp_gradient(weights, batch, BATCH, gradients);
    check(presam_second_begin_f32(&sam, &norm, 0));
    for (t = 0; t < TENSORS; t++) {
        check(presam_restore_f32(&sam, &tensors[t]));
        check(presam_second_add_f32(&sam, &tensors[t], &norm));
    }
    check(presam_second_finish_f32(&sam, &norm));
    for (t = 0; t < TENSORS; t++) check(presam_descend_f32(&sam, &tensors[t]));
}

/* FNV-1a over the bits, low byte first. */
static uint64_t hash(void) {
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < PARAMS; i++) {
        uint32_t bits;
        memcpy(&bits, &weights[i], sizeof bits);
        for (int byte = 0; byte < 4; byte++)
            sum = (sum ^ (bits >> 8 * byte & 255u)) * 0x100000001b3u;
    }
    return sum;
}

/* Trains and tells; whether the network has learned. */
static int train(const char *name, void (*step)(const digit *)) {
    const digit *test = digits + TRAINING;
    const float before = mlp_loss(weights, test, TEST);
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (size_t at = 0; at < TRAINING; at += BATCH) step(digits + at);
    const size_t correct = mlp_correct(weights, test, TEST);
    const uint64_t bits = hash();
    printf("%s: loss %.4f -> %.4f, %u of %u right, bits %08lx%08lx\n", name, (double)before,
           (double)mlp_loss(weights, test, TEST), (unsigned)correct, (unsigned)TEST,
           (unsigned long)(bits >> 32), (unsigned long)(bits & 0xffffffffu));
    return correct >= TEST * 3 / 4;
}

int main(void) {
    static const presam_config with_sgd = {
        PRESAM_HEAD(presam_config),
        .variant = PRESAM_VARIANT_SAM,
        .base = PRESAM_BASE_SGD_MOMENTUM,
        .base_settings = {{"learning_rate", 0.05}, {"momentum", 0.9}, {"weight_decay", 0.0005}},
        .max_norm = 2.0};
    static const presam_config with_adamw = {PRESAM_HEAD(presam_config),
                                             .variant_name = "info-asam",
                                             .base_name = "adamw",
                                             .variant_settings = {{"eta", 0.02}},
                                             .base_settings = {{"learning_rate", 0.005}}};
    static const presam_group small[2] = {{PRESAM_HEAD(presam_group), .rho = 0.1},
                                          {PRESAM_HEAD(presam_group), .rho = 0.1}};
    /* ASAM's operator is for weights; biases do without, and without weight decay. */
    static const presam_group large[2] = {
        {PRESAM_HEAD(presam_group), .rho = 0.5},
        {PRESAM_HEAD(presam_group),
         .rho = 0.5,
         .flags = PRESAM_GROUP_NO_OPERATOR | PRESAM_GROUP_OWN_WEIGHT_DECAY}};
    int learned = 1;
    start(&with_sgd, small);
    learned &= train("sam, sgd-momentum", step_at_once);
    start(&with_adamw, large);
    learned &= train("info-asam, adamw", step_by_tensor);
    return learned ? 0 : 1;
}
