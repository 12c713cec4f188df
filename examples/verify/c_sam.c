/* SAM and ASAM with SGD and momentum in C, as `presam verify` asks for them. From the repository's root:
 *
 *     cc -O2 -Wall -Wextra -Werror -o c_sam examples/verify/c_sam.c -lm           (-DREAL=float for f32)
 *     presam verify --exec ./c_sam                                                right
 *     presam verify --exec './c_sam --slip norm-per-tensor'                       wrong in one way (--list-slips)
 *
 * The adapter of `presam verify --init c`, not filled in but included: it stays as it was printed. */

#define OWN_STEP
#include "../../program/src/init/c.c"

static const char *const SLIPS[] = {
    "no-restore", "norm-per-tensor", "descends", "decay-on-perturbed", "operator-once",
};
enum { SLIP_COUNT = sizeof SLIPS / sizeof SLIPS[0] };

static const char *slip = "";

static int slips(const char *name) {
    return strcmp(slip, name) == 0;
}

/* D = |w| + eta for ASAM, 1 for SAM. */
static real operator_at(const struct request *request, real w) {
    return strcmp(request->rule, "asam") == 0 ? (real)fabs(w) + rule_setting(request, "eta") : 1;
}

/* sum of (D g)^2 over one tensor. */
static real sum_of_squares(const struct request *request, const struct tensor *t) {
    real sum = 0;
    for (size_t j = 0; j < t->length; j++) {
        real term = operator_at(request, t->params[j]) * t->grads[j];
        sum += term * term;
    }
    return sum;
}

/* perturbed = w + rho D^2 g / (|| D g || + k). */
static void ascend(const struct request *request, struct tensor *t, real norm) {
    real scale = request->rho / (norm + request->norm_guard);
    for (size_t j = 0; j < t->length; j++) {
        real d = operator_at(request, t->params[j]);
        real direction = slips("operator-once") ? d * t->grads[j] : d * d * t->grads[j];
        t->perturbed[j] = slips("descends") ? t->params[j] - scale * direction : t->params[j] + scale * direction;
    }
}

/* d = g~ + weight_decay w;  b <- d at first, then momentum b + (1 - dampening) d;  w <- w - learning_rate b,
 * nesterov: w - learning_rate (d + momentum b). Without momentum b is d. */
static void descend(const struct request *request, struct tensor *t) {
    real learning_rate = base_setting(request, "learning_rate"), decay = base_setting(request, "weight_decay");
    real momentum = base_setting(request, "momentum"), dampening = base_setting(request, "dampening");
    int nesterov = base_setting(request, "nesterov") != 0;
    for (size_t j = 0; j < t->length; j++) {
        real w = slips("no-restore") ? t->perturbed[j] : t->params[j];
        real d = t->perturbed_grads[j] + decay * (slips("decay-on-perturbed") ? t->perturbed[j] : w);
        real step = d;
        if (t->state[0] != NULL) {
            real b = request->base_steps == 0 ? d : momentum * t->state[0][j] + (1 - dampening) * d;
            t->new_state[0][j] = b;
            step = nesterov ? d + momentum * b : b;
        }
        t->stepped[j] = w - learning_rate * step;
    }
}

const char *step(struct request *request) {
    real sum = 0;
    for (size_t i = 0; i < request->count; i++)
        sum += sum_of_squares(request, &request->tensors[i]);
    for (size_t i = 0; i < request->count; i++) {
        struct tensor *t = &request->tensors[i];
        ascend(request, t, (real)sqrt(slips("norm-per-tensor") ? sum_of_squares(request, t) : sum));
        descend(request, t);
    }
    return NULL;
}

int main(int count, char **arguments) {
    int known = count == 1;
    for (int i = 0; i < SLIP_COUNT && count == 3 && strcmp(arguments[1], "--slip") == 0; i++)
        if (strcmp(arguments[2], SLIPS[i]) == 0) {
            slip = SLIPS[i];
            known = 1;
        }
    if (count == 2 && strcmp(arguments[1], "--list-slips") == 0) {
        for (int i = 0; i < SLIP_COUNT; i++)
            puts(SLIPS[i]);
        return EXIT_SUCCESS;
    }
    if (!known) {
        fputs("Usage: c_sam [--slip NAME | --list-slips]\n", stderr);
        return 2;
    }
    return serve("c_sam", "\"sam\",\"asam\"", "\"sgd\",\"sgd-momentum\"");
}
