/* Run:   presam verify --init c > adapter.c && cc -std=c99 -O2 -o adapter adapter.c -lm
 *        presam verify --exec ./adapter */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef REAL
#define REAL double /* or float: the scalar type that is offered */
#endif
typedef REAL real;

enum { PLANES = 2, DEPTH = 16 };

/* One tensor: what is given, and what is to be written. Planes that a rule or base optimizer lacks are NULL. */
struct tensor {
    size_t length;
    real *params, *grads, *perturbed_grads, *memory[PLANES], *inputs[PLANES], *state[PLANES];
    real *perturbed, *stepped, *new_memory[PLANES], *new_state[PLANES];
};

struct request {
    const char *rule, *base;
    real rho, norm_guard, mean_of_variance; /* the last one is to be written anew by info-sam and info-asam */
    long rule_steps, base_steps;
    size_t count;
    struct tensor *tensors;
    const struct value *rule_settings, *base_settings;
};

real rule_setting(const struct request *request, const char *name); /* "eta", ... */
real base_setting(const struct request *request, const char *name); /* "learning_rate", "weight_decay", ... */
int serve(const char *name, const char *rules, const char *bases);

/* ---------------------------------------------------------------------------------------------------------------------
 * FILL IN: one whole step of your code, and what it offers in main(). As printed it is SAM with SGD, and right.
 * Returns NULL, or one line that says why there is no answer. (With OWN_STEP defined, this file can be included
 * instead of filled in: then step() and main() stand in yours.) */
const char *step(struct request *request);

#ifndef OWN_STEP
const char *step(struct request *request) {
    real learning_rate = base_setting(request, "learning_rate"), decay = base_setting(request, "weight_decay");
    real sum = 0, scale;
    for (size_t i = 0; i < request->count; i++)
        for (size_t j = 0; j < request->tensors[i].length; j++)
            sum += request->tensors[i].grads[j] * request->tensors[i].grads[j];
    scale = request->rho / ((real)sqrt(sum) + request->norm_guard);

    for (size_t i = 0; i < request->count; i++) {
        struct tensor *t = &request->tensors[i];
        for (size_t j = 0; j < t->length; j++) {
            t->perturbed[j] = t->params[j] + scale * t->grads[j];
            t->stepped[j] = t->params[j] - learning_rate * (t->perturbed_grads[j] + decay * t->params[j]);
        }
    }
    return NULL;
}

int main(void) {
    return serve("adapter.c", "\"sam\"", "\"sgd\"");
}
#endif

/* ---------------------------------------------------------------------------------------------------------------------
 * The other side of the pipe: nothing to change from here on. One JSON object a line (docs/pipe.md). */

/* Memory of one request: freed as a whole. */
struct block {
    struct block *next;
    double aligned[];
};

static struct block *blocks;

static void *allocate(size_t count, size_t size) {
    struct block *block = count > (size_t)-1 / 2 / size ? NULL : calloc(1, sizeof *block + count * size);
    if (block == NULL) {
        fputs("adapter: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    block->next = blocks;
    blocks = block;
    return block->aligned;
}

static void free_all(void) {
    while (blocks != NULL) {
        struct block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

/* A JSON value. Members of arrays and objects are a list. */
enum kind { LITERAL, NUMBER, TEXT, ARRAY, OBJECT };

struct value {
    enum kind kind;
    double number;
    char *text;
    const char *name;
    struct value *first, *next;
};

static void skip_space(const char **at) {
    *at += strspn(*at, " \t\r\n");
}

/* A string after its opening quote. The protocol's own need no escapes; of others only the length matters. */
static char *read_text(const char **at) {
    const char *from = *at;
    size_t length = 0;
    char *text;
    while (from[length] != '"') {
        if (from[length] == '\0' || (from[length] == '\\' && from[++length] == '\0'))
            return NULL;
        length++;
    }
    *at = from + length + 1;
    text = allocate(length + 1, 1);
    memcpy(text, from, length);
    return text;
}

static struct value *read_value(const char **at, int depth);

/* The members of an array or object after its opening bracket. */
static int read_members(const char **at, struct value *parent, int depth) {
    const char close = parent->kind == ARRAY ? ']' : '}';
    struct value **last = &parent->first;
    skip_space(at);
    if (**at == close)
        return (*at)++, 1;
    for (;;) {
        const char *name = NULL;
        skip_space(at);
        if (parent->kind == OBJECT) {
            if (*(*at)++ != '"' || (name = read_text(at)) == NULL)
                return 0;
            skip_space(at);
            if (*(*at)++ != ':')
                return 0;
        }
        if ((*last = read_value(at, depth)) == NULL)
            return 0;
        (*last)->name = name;
        last = &(*last)->next;
        skip_space(at);
        if (**at == close)
            return (*at)++, 1;
        if (*(*at)++ != ',')
            return 0;
    }
}

/* The value at *at, which moves behind it; NULL where there is none. */
static struct value *read_value(const char **at, int depth) {
    struct value *value = allocate(1, sizeof *value);
    size_t letters;
    char *end;
    skip_space(at);
    if (**at == '[' || **at == '{') {
        value->kind = **at == '[' ? ARRAY : OBJECT;
        ++*at;
        return depth < DEPTH && read_members(at, value, depth + 1) ? value : NULL;
    }
    if (**at == '"') {
        ++*at;
        value->kind = TEXT;
        return (value->text = read_text(at)) == NULL ? NULL : value;
    }
    if (**at == '-' || (**at >= '0' && **at <= '9')) {
        value->kind = NUMBER;
        value->number = strtod(*at, &end);
        return end == *at ? NULL : (*at = end, value);
    }
    value->number = **at == 't';
    letters = strspn(*at, "aeflnrstu");
    *at += letters;
    return letters == 0 ? NULL : value; /* true, false, null */
}

static const struct value *member(const struct value *object, const char *name) {
    const struct value *value = object == NULL ? NULL : object->first;
    while (value != NULL && (value->name == NULL || strcmp(value->name, name) != 0))
        value = value->next;
    return value;
}

/* A number, true or false as 1 or 0, or the name of what is not finite; 0 where there is none. */
static real number(const struct value *value) {
    if (value == NULL || value->text == NULL)
        return value == NULL ? 0 : (real)value->number;
    return (real)(strcmp(value->text, "inf") == 0 ? HUGE_VAL : strcmp(value->text, "-inf") == 0 ? -HUGE_VAL : NAN);
}

static const char *text(const struct value *value) {
    return value == NULL || value->text == NULL ? "" : value->text;
}

real rule_setting(const struct request *request, const char *name) {
    return number(member(request->rule_settings, name));
}

real base_setting(const struct request *request, const char *name) {
    return number(member(request->base_settings, name));
}

/* A plane of exactly this length, else NULL. */
static real *plane(const struct value *array, size_t length) {
    real *numbers = allocate(length + 1, sizeof *numbers);
    const struct value *value = array == NULL ? NULL : array->first;
    size_t count = 0;
    for (; value != NULL && count < length; value = value->next)
        numbers[count++] = number(value);
    return array == NULL || value != NULL || count < length ? NULL : numbers;
}

/* The planes of a list, and as many to be written where `fresh` is not NULL. */
static int planes(const struct value *list, size_t length, real *given[PLANES], real *fresh[PLANES]) {
    int count = 0;
    for (const struct value *array = list == NULL ? NULL : list->first; array != NULL; array = array->next) {
        if (count == PLANES || (given[count] = plane(array, length)) == NULL)
            return 0;
        if (fresh != NULL)
            fresh[count] = allocate(length + 1, sizeof **fresh);
        count++;
    }
    return 1;
}

static int read_tensor(const struct value *segment, struct tensor *t) {
    const struct value *params = member(segment, "params");
    for (const struct value *value = params == NULL ? NULL : params->first; value != NULL; value = value->next)
        t->length++;
    t->params = plane(params, t->length);
    t->grads = plane(member(segment, "grads"), t->length);
    t->perturbed_grads = plane(member(segment, "perturbed_grads"), t->length);
    t->perturbed = allocate(t->length + 1, sizeof *t->perturbed);
    t->stepped = allocate(t->length + 1, sizeof *t->stepped);
    return t->params != NULL && t->grads != NULL && t->perturbed_grads != NULL
        && planes(member(segment, "memory"), t->length, t->memory, t->new_memory)
        && planes(member(segment, "inputs"), t->length, t->inputs, NULL)
        && planes(member(segment, "state"), t->length, t->state, t->new_state);
}

/* NULL, or what is wrong with the request. */
static const char *read_request(const struct value *line, struct request *request) {
    const struct value *segments = member(line, "segments");
    request->rule = text(member(line, "rule"));
    request->rule_settings = member(line, "settings");
    request->base_settings = member(line, "base");
    request->base = text(member(request->base_settings, "name"));
    request->rho = number(member(line, "rho"));
    request->norm_guard = number(member(member(line, "length"), "norm_guard"));
    request->mean_of_variance = number(member(line, "mean_of_variance"));
    request->rule_steps = (long)number(member(line, "rule_steps"));
    request->base_steps = (long)number(member(line, "base_steps"));
    if (segments == NULL || segments->kind != ARRAY)
        return "the request has no segments";
    for (const struct value *segment = segments->first; segment != NULL; segment = segment->next)
        request->count++;
    request->tensors = allocate(request->count + 1, sizeof *request->tensors);
    segments = segments->first;
    for (size_t i = 0; i < request->count; i++, segments = segments->next)
        if (!read_tensor(segments, &request->tensors[i]))
            return "a segment lacks a plane, or has one of another length";
    return NULL;
}

/* 17 digits read back exactly. */
static void write_number(real x) {
    if (isfinite(x))
        printf("%.17g", (double)x);
    else
        fputs(isnan(x) ? "\"nan\"" : x > 0 ? "\"inf\"" : "\"-inf\"", stdout);
}

static void write_plane(const real *numbers, size_t length) {
    putchar('[');
    for (size_t i = 0; i < length; i++) {
        fputs(i == 0 ? "" : ",", stdout);
        write_number(numbers[i]);
    }
    putchar(']');
}

static void write_planes(const char *name, real *const fresh[PLANES], size_t length) {
    printf(",\"%s\":[", name);
    for (int i = 0; i < PLANES && fresh[i] != NULL; i++) {
        fputs(i == 0 ? "" : ",", stdout);
        write_plane(fresh[i], length);
    }
    putchar(']');
}

static void write_answer(const struct request *request) {
    if (strcmp(request->rule, "info-sam") == 0 || strcmp(request->rule, "info-asam") == 0) {
        fputs(",\"mean_of_variance\":", stdout);
        write_number(request->mean_of_variance);
    }
    fputs(",\"segments\":[", stdout);
    for (size_t i = 0; i < request->count; i++) {
        const struct tensor *t = &request->tensors[i];
        fputs(i == 0 ? "{\"perturbed\":" : ",{\"perturbed\":", stdout);
        write_plane(t->perturbed, t->length);
        fputs(",\"params\":", stdout);
        write_plane(t->stepped, t->length);
        write_planes("memory", t->new_memory, t->length);
        write_planes("state", t->new_state, t->length);
        putchar('}');
    }
    putchar(']');
}

/* The next line, or NULL at the end. It belongs to this function. */
static const char *read_line(void) {
    static char *line;
    static size_t room;
    size_t length = 0;
    for (int c = getchar(); c != EOF && c != '\n'; c = getchar()) {
        if (length + 2 > room) {
            room = 2 * room + 4096;
            line = realloc(line, room);
            if (line == NULL) {
                fputs("adapter: out of memory\n", stderr);
                exit(EXIT_FAILURE);
            }
        }
        line[length++] = (char)c;
    }
    if (length == 0)
        return NULL;
    line[length] = '\0';
    return line;
}

int serve(const char *name, const char *rules, const char *bases) {
    const char *scalar = sizeof(real) == sizeof(float) ? "f32" : "f64", *line = read_line();
    printf("{\"hello\":{\"protocol\":\"presam-verify/1\",\"name\":\"%s\",\"operations\":[\"step\"],", name);
    printf("\"rules\":[%s],\"bases\":[%s],\"scalars\":[\"%s\"]}}\n", rules, bases, scalar);
    fflush(stdout);
    while (line != NULL && (line = read_line()) != NULL) {
        struct request request = {0};
        const struct value *value = read_value(&line, 0);
        const char *error = value == NULL ? "the request is not JSON" : read_request(value, &request);
        error = error == NULL ? step(&request) : error;
        printf("{\"id\":%.0f", member(value, "id") == NULL ? 0 : member(value, "id")->number);
        if (error == NULL)
            write_answer(&request);
        else
            printf(",\"error\":\"%s\"", error);
        puts("}");
        fflush(stdout);
        free_all();
    }
    return EXIT_SUCCESS;
}
