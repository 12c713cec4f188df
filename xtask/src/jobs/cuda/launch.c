/* Behind stub.c: modules, launches, events and graphs. */

/* --- modules and launches --- */

struct function { char name[128]; int parameters; };

/* The text of an option: 5 is the log of errors, 6 its size. */
static void write_log(unsigned count, const int *options, void **values) {
    for (unsigned i = 0; i + 1 < count; i++)
        if (options[i] == 5 && options[i + 1] == 6)
            snprintf(values[i], (size_t)(uintptr_t)values[i + 1],
                     "ptxas application ptx input, line 3; fatal : refused\n"
                     "ptxas fatal : Ptx assembly aborted due to errors\n");
}

int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options, void **values) {
    int answer = enter("cuModuleLoadDataEx");
    if (!answer && !current) answer = INVALID_CONTEXT;
    if (!answer && capturing) answer = CAPTURE_UNSUPPORTED;
    if (!answer && !count) answer = INVALID_VALUE; /* no log asked for: an error without words */
    if (!answer && strstr(image, "REJECT")) answer = INVALID_PTX;
    if (answer == INVALID_PTX) write_log(count, options, values);
    if (!answer) *module = strdup(image);
    return answer;
}

int cuModuleUnload(void *module) { IN_CONTEXT("cuModuleUnload"); free(module); return 0; }

/* The parameters between the parentheses behind an entry's name. */
static int parameters(const char *text) {
    const char *end = strchr(text, ')');
    int count = 0;
    while ((text = strstr(text, ".param")) && text < end) { count++; text++; }
    return count;
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
    IN_CONTEXT("cuModuleGetFunction");
    const char *text = module;
    size_t length = strlen(name);
    while ((text = strstr(text, ".entry "))) {
        text += strlen(".entry ");
        if (strncmp(text, name, length) || !strchr("( \n\t", text[length])) continue;
        struct function *found = calloc(1, sizeof *found);
        snprintf(found->name, sizeof found->name, "%s", name);
        found->parameters = parameters(text);
        *function = found;
        return 0;
    }
    return NOT_FOUND;
}

int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned ty,
                   unsigned tz, unsigned shared, void *stream, void **arguments, void **extra) {
    IN_CONTEXT("cuLaunchKernel");
    (void)stream;
    const struct function *kernel = function;
    int grid = x > 0 && x <= 2147483647u && y == 1 && z == 1;
    if (!grid || !threads || threads > 1024 || ty != 1 || tz != 1 || shared || extra)
        return INVALID_VALUE;
    note(" %s %ux%u", kernel->name, x, threads);
    for (int i = 0; i < kernel->parameters; i++) note(" %llu", *(unsigned long long *)arguments[i]);
    note("\n");
    return 0;
}

/* --- events --- */

/* An event is the number of its mark, 0 before it is recorded. */
int cuEventCreate(void **event, unsigned flags) {
    WAITS("cuEventCreate");
    (void)flags;
    *event = calloc(1, sizeof marks);
    return *event ? 0 : OUT_OF_MEMORY;
}

int cuEventDestroy_v2(void *event) { IN_CONTEXT("cuEventDestroy_v2"); free(event); return 0; }

int cuEventRecord(void *event, void *stream) {
    IN_CONTEXT("cuEventRecord");
    (void)stream;
    *(unsigned long long *)event = ++marks;
    return 0;
}

int cuEventSynchronize(void *event) {
    WAITS("cuEventSynchronize");
    unsigned long long mark = *(unsigned long long *)event;
    if (mark > passed) note(" waited\n");
    if (mark > passed) pass(mark);
    return 0;
}

int cuEventElapsedTime(float *milliseconds, void *start, void *end) {
    WAITS("cuEventElapsedTime");
    unsigned long long first = *(unsigned long long *)start, last = *(unsigned long long *)end;
    if (!first || !last) return INVALID_HANDLE;
    if (first > passed || last > passed) return NOT_READY;
    *milliseconds = 0.5f;
    return 0;
}

/* --- graphs --- */

int cuStreamBeginCapture_v2(void *stream, int mode) {
    IN_CONTEXT("cuStreamBeginCapture_v2");
    (void)mode;
    if (capturing) return ILLEGAL_STATE;
    if (!stream) return CAPTURE_UNSUPPORTED;
    capturing = 1;
    return 0;
}

/* Global (0), by thread (1), relaxed (2). */
int cuThreadExchangeStreamCaptureMode(int *mode) {
    ENTER("cuThreadExchangeStreamCaptureMode");
    static int own;
    int before = own;
    own = *mode;
    *mode = before;
    return 0;
}

int cuStreamIsCapturing(void *stream, int *status) {
    IN_CONTEXT("cuStreamIsCapturing");
    *status = stream && capturing;
    return 0;
}

int cuStreamEndCapture(void *stream, void **graph) {
    IN_CONTEXT("cuStreamEndCapture");
    (void)stream;
    if (!capturing) return ILLEGAL_STATE;
    capturing = 0;
    return handle(graph);
}

int cuGraphInstantiate_v2(void **made, void *graph, void **culprit, char *log, size_t bytes) {
    WAITS("cuGraphInstantiate_v2");
    (void)culprit, (void)log, (void)bytes;
    return graph ? handle(made) : INVALID_VALUE;
}

int cuGraphLaunch(void *graph, void *stream) {
    IN_CONTEXT("cuGraphLaunch");
    (void)stream;
    return graph ? 0 : INVALID_VALUE;
}

int cuGraphDestroy(void *graph) { IN_CONTEXT("cuGraphDestroy"); free(graph); return 0; }

int cuGraphExecDestroy(void *graph) { IN_CONTEXT("cuGraphExecDestroy"); free(graph); return 0; }

/* --- every other function of the bindings --- */

#define OTHER(name) int name(void) { ENTER(#name); return NOT_SUPPORTED; }
