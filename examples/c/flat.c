/* SAM in a trainer with flat arrays and offsets. What is added to the trainer stands between the two marks; the
 * trainer itself is a stand-in that fits a line of weights to a target.
 *
 *     cc flat.c $(pkg-config --cflags --libs presam) -o flat && ./flat
 */
#include <presam.h>
#include <stdio.h>

/* The trainer's own: all weights in one array, all gradients in another, where each tensor begins. */
enum { TENSORS = 3, PARAMS = 100 };
static const size_t offset[TENSORS + 1] = {0, 64, 96, PARAMS};
static float weights[PARAMS], gradients[PARAMS];

static float backward(void) {
    float loss = 0.0f;
    for (int i = 0; i < PARAMS; i++) {
        const float error = weights[i] - (float)(i % 7);
        loss += error * error / PARAMS;
        gradients[i] = 2.0f * error / PARAMS;
    }
    return loss;
}

/* ---- from here: twenty lines ---- */
static float backup[PARAMS], momentum[PARAMS];
static presam_state_f32 sam;
static presam_tensor_f32 tensors[TENSORS];
static const presam_group all = {PRESAM_HEAD(presam_group), .rho = 0.05};
static const presam_config config = {PRESAM_HEAD(presam_config),
                                     .variant = PRESAM_VARIANT_SAM,
                                     .base = PRESAM_BASE_SGD_MOMENTUM,
                                     .base_settings = {{"learning_rate", 5.0}, {"momentum", 0.5}}};

static presam_status sam_start(void) {
    for (int t = 0; t < TENSORS; t++) {
        const size_t at = offset[t];
        tensors[t] = (presam_tensor_f32){PRESAM_HEAD(presam_tensor_f32),
                                         .len = offset[t + 1] - at,
                                         .params = weights + at,
                                         .grads = gradients + at,
                                         .backup = backup + at,
                                         .state = {momentum + at},
                                         .group = &all};
    }
    const presam_status status = presam_init_f32(&sam, sizeof sam, &config);
    return status ? status : presam_check_f32(&sam, tensors, TENSORS);
}
/* ---- to here, and two calls in the loop ---- */

int main(void) {
    presam_status status = sam_start();
    float loss = 0.0f;
    for (int step = 0; !status && step < 100; step++) {
        loss = backward();
        status = presam_ascend_all_f32(&sam, tensors, TENSORS);
        if (status) break;
        backward();
        status = presam_descend_all_f32(&sam, tensors, TENSORS);
    }
    if (status) {
        char text[160];
        presam_status_write(status, text, sizeof text);
        printf("presam: %s\n", text);
        return 1;
    }
    printf("loss %.4f\n", (double)loss);
    return loss < 0.05f ? 0 : 1;
}
