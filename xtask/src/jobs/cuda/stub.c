/* A libcuda for machines without one. cargo xtask cuda-stub puts the names of the errors before this
 * text, as ERRORS(X), and every function that is not written out here behind it.
 *
 *   PRESAM_STUB_CUDA=fake       one device; calls do what they can on the host, kernels do nothing.
 *                               Copies from page-locked memory are put off for as long as they may be.
 *                               Without it every call answers that there is no device.
 *   PRESAM_STUB_FAIL=NAME:CODE  this call answers this error; a sticky one is answered ever after.
 *   PRESAM_STUB_VERSION=10020   the driver's version (12040).
 *   PRESAM_STUB_LOG=FILE        a line for each call: its name, and what tests look at.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long address;

enum {
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    INVALID_PTX = 218,
    ILLEGAL_STATE = 401,
    NOT_FOUND = 500,
    NOT_READY = 600,
    CONTEXT_IS_DESTROYED = 709,
    NOT_SUPPORTED = 801,
    CAPTURE_UNSUPPORTED = 900
};

static _Thread_local void *current; /* the context */
static int capturing;
static int lost;               /* the sticky error, once there was one */

static void note(const char *format, ...) {
    const char *path = getenv("PRESAM_STUB_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fclose(file);
}

/* What a call answers before it does anything; 0 lets it go on. */
static int enter(const char *name) {
    note("%s\n", name);
    if (lost) return lost;
    const char *fail = getenv("PRESAM_STUB_FAIL");
    size_t length = strlen(name);
    if (fail && !strncmp(fail, name, length) && fail[length] == ':') {
        int code = atoi(fail + length + 1);
        if ((code >= 700 && code < 722) || code == 810 || code == 999) lost = code;
        return code;
    }
    const char *kind = getenv("PRESAM_STUB_CUDA");
    return kind && !strcmp(kind, "fake") ? 0 : NO_DEVICE;
}

#define ENTER(name) do { int answer = enter(name); if (answer) return answer; } while (0)
#define IN_CONTEXT(name) do { ENTER(name); if (!current) return INVALID_CONTEXT; } while (0)
/* What a capture does not bear. */
#define WAITS(name) do { IN_CONTEXT(name); if (capturing) return CAPTURE_UNSUPPORTED; } while (0)

/* These two never fail for a code that the bindings know: cust panics where they do. */
int cuGetErrorName(int code, const char **text) {
    *text = NULL;
#define NAME(number, name) if (code == number) *text = name;
    ERRORS(NAME)
    return *text ? 0 : INVALID_VALUE;
}

int cuGetErrorString(int code, const char **text) {
    int answer = cuGetErrorName(code, text);
    if (code == NO_DEVICE) *text = "no CUDA-capable device is detected";
    if (code == 700) *text = "an illegal memory access was encountered";
    return answer;
}

/* --- driver, device, context, stream --- */

int cuInit(unsigned flags) { ENTER("cuInit"); return flags ? INVALID_VALUE : 0; }

int cuDriverGetVersion(int *version) {
    ENTER("cuDriverGetVersion");
    const char *text = getenv("PRESAM_STUB_VERSION");
    *version = text ? atoi(text) : 12040;
    return 0;
}

int cuDeviceGetCount(int *count) { ENTER("cuDeviceGetCount"); *count = 1; return 0; }

int cuDeviceGet(int *device, int number) {
    ENTER("cuDeviceGet");
    *device = number;
    return number ? INVALID_DEVICE : 0;
}

int cuDeviceGetName(char *text, int length, int device) {
    ENTER("cuDeviceGetName");
    snprintf(text, (size_t)length, "Stub GPU");
    return device ? INVALID_DEVICE : 0;
}

int cuDeviceGetPCIBusId(char *text, int length, int device) {
    ENTER("cuDeviceGetPCIBusId");
    snprintf(text, (size_t)length, "0000:3B:00.0");
    return device ? INVALID_DEVICE : 0;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    ENTER("cuDeviceTotalMem_v2");
    *bytes = (size_t)80 << 30;
    return device ? INVALID_DEVICE : 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    ENTER("cuDeviceGetAttribute");
    static const int known[][2] = {{13, 1980000}, {16, 132}, {36, 2619000}, {37, 5120},
                                   {38, 52428800}, {75, 9}, {76, 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i][0] == attribute) { *value = known[i][1]; return device ? INVALID_DEVICE : 0; }
    return INVALID_VALUE;
}

static int primary; /* how often it is retained; its address is the context */

int cuDevicePrimaryCtxRetain(void **context, int device) {
    ENTER("cuDevicePrimaryCtxRetain");
    *context = &primary;
    primary++;
    return device ? INVALID_DEVICE : 0;
}

int cuDevicePrimaryCtxRelease_v2(int device) {
    ENTER("cuDevicePrimaryCtxRelease_v2");
    if (!primary) return INVALID_CONTEXT;
    primary--;
    return device ? INVALID_DEVICE : 0;
}

int cuCtxSetCurrent(void *context) {
    ENTER("cuCtxSetCurrent");
    if (context && !primary) return CONTEXT_IS_DESTROYED;
    current = context;
    return 0;
}

int cuCtxGetCurrent(void **context) { ENTER("cuCtxGetCurrent"); *context = current; return 0; }

int cuCtxGetDevice(int *device) { IN_CONTEXT("cuCtxGetDevice"); *device = 0; return 0; }

static int handle(void **handle) { *handle = malloc(16); return *handle ? 0 : OUT_OF_MEMORY; }

/* A stream is a flag: whether it is alive. Its memory is kept, so that a dead one is known. */
int cuStreamCreate(void **stream, unsigned flags) {
    IN_CONTEXT("cuStreamCreate");
    note(" flags %u\n", flags);
    int answer = handle(stream);
    if (!answer) *(int *)*stream = 1;
    return answer;
}

int cuStreamDestroy_v2(void *stream) {
    IN_CONTEXT("cuStreamDestroy_v2");
    if (!stream || !*(int *)stream) return INVALID_HANDLE;
    *(int *)stream = 0;
    return 0;
}

/* Every stream is the primary context's. */
int cuStreamGetCtx(void *stream, void **context) {
    IN_CONTEXT("cuStreamGetCtx");
    *context = &primary;
    return stream && !*(int *)stream ? INVALID_HANDLE : 0;
}

/* The device's progress: marks are numbered as they are recorded, those up to `passed` are passed. */
static unsigned long long marks, passed;

/* Copies that may still read the host's memory, each behind so many marks. */
static struct { void *to; const void *from; size_t bytes; unsigned long long behind; } late[4096];
static size_t late_count;

/* Lets the device pass the marks up to `mark`, and do the copies before them. */
static void pass(unsigned long long mark) {
    size_t left = 0;
    for (size_t i = 0; i < late_count; i++) {
        if (late[i].behind < mark) memcpy(late[i].to, late[i].from, late[i].bytes);
        else late[left++] = late[i];
    }
    late_count = left;
    if (mark > passed) passed = mark;
}

static void pass_all(void) { pass(marks + 1); passed = marks; }

int cuStreamSynchronize(void *stream) {
    WAITS("cuStreamSynchronize");
    pass_all();
    return stream && !*(int *)stream ? INVALID_HANDLE : 0;
}

/* --- memory --- */

static struct { char *start; size_t bytes; } ranges[4096];

/* Whether memory of ours holds the bytes from `at` on. */
static int holds(address at, size_t bytes) {
    char *start = (char *)(uintptr_t)at;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].start && start >= ranges[i].start) {
            size_t offset = (size_t)(start - ranges[i].start);
            if (offset <= ranges[i].bytes && bytes <= ranges[i].bytes - offset) return 1;
        }
    return 0;
}

int cuMemAlloc_v2(address *at, size_t bytes) {
    WAITS("cuMemAlloc_v2");
    if (!bytes) return INVALID_VALUE;
    if (bytes > (size_t)1 << 36) return OUT_OF_MEMORY;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!ranges[i].start) {
            ranges[i].start = aligned_alloc(256, (bytes + 255) / 256 * 256);
            ranges[i].bytes = bytes;
            if (!ranges[i].start) return OUT_OF_MEMORY;
            *at = (uintptr_t)ranges[i].start;
            return 0;
        }
    return OUT_OF_MEMORY;
}

int cuMemGetInfo_v2(size_t *unused, size_t *all) {
    IN_CONTEXT("cuMemGetInfo_v2");
    *all = (size_t)80 << 30;
    *unused = *all;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].start) *unused -= ranges[i].bytes;
    return 0;
}

int cuMemFree_v2(address at) {
    WAITS("cuMemFree_v2");
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].start && (uintptr_t)ranges[i].start == at) {
            free(ranges[i].start);
            ranges[i].start = NULL;
            return 0;
        }
    return INVALID_VALUE;
}

/* The page-locked memory, one piece at a time. */
static char *locked;
static size_t locked_bytes;

int cuMemHostAlloc(void **at, size_t bytes, unsigned flags) {
    WAITS("cuMemHostAlloc");
    (void)flags;
    if (locked) return OUT_OF_MEMORY;
    *at = locked = malloc(bytes);
    locked_bytes = bytes;
    return *at ? 0 : OUT_OF_MEMORY;
}

int cuMemFreeHost(void *at) {
    WAITS("cuMemFreeHost");
    if (at != locked || late_count) return INVALID_VALUE;
    locked = NULL;
    free(at);
    return 0;
}

int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t bytes, void *stream) {
    IN_CONTEXT("cuMemcpyHtoDAsync_v2");
    (void)stream;
    if (!holds(to, bytes)) return INVALID_VALUE;
    int put_off = locked && (const char *)from >= locked && (const char *)from < locked + locked_bytes;
    if (!put_off || late_count == sizeof late / sizeof *late) pass_all();
    if (put_off) {
        late[late_count].to = (void *)(uintptr_t)to;
        late[late_count].from = from;
        late[late_count].bytes = bytes;
        late[late_count++].behind = marks;
    } else if (!capturing) {
        memcpy((void *)(uintptr_t)to, from, bytes);
    }
    return 0;
}

int cuMemcpyDtoHAsync_v2(void *to, address from, size_t bytes, void *stream) {
    IN_CONTEXT("cuMemcpyDtoHAsync_v2");
    if (!capturing) pass_all();
    (void)stream;
    if (!holds(from, bytes)) return INVALID_VALUE;
    if (!capturing) memcpy(to, (void *)(uintptr_t)from, bytes);
    return 0;
}

int cuMemcpyDtoDAsync_v2(address to, address from, size_t bytes, void *stream) {
    IN_CONTEXT("cuMemcpyDtoDAsync_v2");
    if (!capturing) pass_all();
    (void)stream;
    if (!holds(to, bytes) || !holds(from, bytes)) return INVALID_VALUE;
    if (!capturing) memcpy((void *)(uintptr_t)to, (void *)(uintptr_t)from, bytes);
    return 0;
}

int cuMemsetD32Async(address to, unsigned word, size_t count, void *stream) {
    IN_CONTEXT("cuMemsetD32Async");
    if (!capturing) pass_all();
    (void)stream;
    if (to % 4 || !holds(to, count * 4)) return INVALID_VALUE;
    for (size_t i = 0; !capturing && i < count; i++) ((unsigned *)(uintptr_t)to)[i] = word;
    return 0;
}
