/* What a caller can do wrong: each call is refused, its status names the argument, and no byte is touched. */
#include <presam.h>
#include <stdio.h>
#include <string.h>

enum { N = 8 };
static struct {
    float weights[N + 1], gradients[N], backup[N], momentum[N];
    presam_tensor_f32 tensor;
    presam_group group;
    presam_norm_f32 norm;
    presam_report report;
} all, before;
/* Not among them: it has bytes that mean nothing, which no program should compare. Its report stands for it. */
static presam_state_f32 sam;
static presam_config config;
static int faults;

/* A status with this code at this argument, and nothing touched but what the test itself did. */
static void refused(const char *what, presam_status status, unsigned code, unsigned argument) {
    char text[160];
    presam_status_write(status, text, sizeof text);
    if (presam_report_f32(&sam, &all.report) != 0) faults++;
    if (PRESAM_CODE(status) != code || PRESAM_ARGUMENT(status) != argument) {
        printf("%s: expected code %u at argument %u, found: %s\n", what, code, argument, text);
        faults++;
    }
    if (memcmp(&all, &before, sizeof all) != 0) {
        printf("%s: touched something\n", what);
        faults++;
    }
}

static void done(const char *what, presam_status status) {
    if (status) {
        printf("%s: refused\n", what);
        faults++;
    }
    if (presam_report_f32(&sam, &all.report) != 0) faults++;
    before = all;
}

static void start(void) {
    memset(&all, 0, sizeof all);
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.version = PRESAM_VERSION;
    config.variant = PRESAM_VARIANT_SAM;
    config.base = PRESAM_BASE_SGD_MOMENTUM;
    for (int i = 0; i < N; i++) all.weights[i] = all.gradients[i] = (float)(i + 1);
    all.report.size = sizeof all.report;
    all.report.version = PRESAM_VERSION;
    all.group.size = sizeof all.group;
    all.group.version = PRESAM_VERSION;
    all.group.rho = 0.5;
    all.tensor.size = sizeof all.tensor;
    all.tensor.version = PRESAM_VERSION;
    all.tensor.len = N;
    all.tensor.params = all.weights;
    all.tensor.grads = all.gradients;
    all.tensor.backup = all.backup;
    all.tensor.state[0] = all.momentum;
    all.tensor.group = &all.group;
    done("init", presam_init_f32(&sam, sizeof sam, &config));
}

/* The ascent of a spoilt tensor. */
static void tensor_refused(const char *what, unsigned code, unsigned argument) {
    before = all;
    refused(what, presam_ascend_all_f32(&sam, &all.tensor, 1), code, argument);
    start();
}

static void bad_tensors(void) {
    all.tensor.params = NULL;
    tensor_refused("null", PRESAM_CODE_NULL, PRESAM_ARGUMENT_PARAMS);
    all.tensor.len = (size_t)-1;
    tensor_refused("endless", PRESAM_CODE_TOO_LONG, PRESAM_ARGUMENT_LEN);
    all.tensor.backup = all.weights + 1;
    tensor_refused("aliased", PRESAM_CODE_OVERLAP, PRESAM_ARGUMENT_BACKUP);
    all.tensor.size = 4;
    tensor_refused("size", PRESAM_CODE_STRUCT_SIZE, PRESAM_ARGUMENT_TENSOR);
    all.tensor.version = 2;
    tensor_refused("version", PRESAM_CODE_STRUCT_VERSION, PRESAM_ARGUMENT_TENSOR);
    all.group.rho = -1.0;
    tensor_refused("rho", PRESAM_CODE_RANGE, PRESAM_ARGUMENT_RHO);
}

static void bad_configurations(void) {
    volatile double zero = 0.0;
    config.variant = 99;
    refused("tag", presam_init_f32(&sam, sizeof sam, &config), PRESAM_CODE_UNKNOWN,
            PRESAM_ARGUMENT_VARIANT);
    config.variant = PRESAM_VARIANT_SAM;
    config.base_settings[0].key = "learning_rate";
    config.base_settings[0].value = zero / zero;
    refused("NaN", presam_init_f32(&sam, sizeof sam, &config), PRESAM_CODE_RANGE,
            PRESAM_ARGUMENT_BASE_SETTINGS);
    config.base_settings[0].value = 0.1;
    presam_state_f32 *odd = (presam_state_f32 *)(void *)((char *)&sam + 4);
    refused("misaligned", presam_init_f32(odd, sizeof sam, &config), PRESAM_CODE_MISALIGNED,
            PRESAM_ARGUMENT_STATE);
    refused("room", presam_init_f32(&sam, 8, &config), PRESAM_CODE_STRUCT_SIZE,
            PRESAM_ARGUMENT_STATE);
    start();
}

static void bad_orders(void) {
    refused("descend first", presam_descend_f32(&sam, &all.tensor), PRESAM_CODE_ORDER,
            PRESAM_ARGUMENT_STATE);
    done("begin", presam_norm_begin_f32(&sam, &all.norm, 0));
    done("add", presam_norm_add_f32(&sam, &all.tensor, &all.norm));
    done("finish", presam_norm_finish_f32(&sam, &all.norm));
    done("ascend", presam_ascend_f32(&sam, &all.tensor));
    refused("ascend twice", presam_ascend_f32(&sam, &all.tensor), PRESAM_CODE_STILL_PERTURBED,
            PRESAM_ARGUMENT_MARK);
    done("second begin", presam_second_begin_f32(&sam, &all.norm, 0));
    done("second add", presam_second_add_f32(&sam, &all.tensor, &all.norm));
    done("second finish", presam_second_finish_f32(&sam, &all.norm));
    refused("descend before restore", presam_descend_f32(&sam, &all.tensor),
            PRESAM_CODE_STILL_PERTURBED, PRESAM_ARGUMENT_MARK);
    done("restore", presam_restore_f32(&sam, &all.tensor));
    done("descend", presam_descend_f32(&sam, &all.tensor));
    refused("descend twice", presam_descend_f32(&sam, &all.tensor), PRESAM_CODE_ORDER,
            PRESAM_ARGUMENT_MARK);
}

int main(void) {
    start();
    bad_tensors();
    bad_configurations();
    bad_orders();
    printf("%d faults\n", faults);
    return faults == 0 ? 0 : 1;
}
