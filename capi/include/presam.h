/* presam: sharpness-aware minimisation for trainers in C. README.md of capi/ is its page.
 *
 *   presam_init_f32(&sam, sizeof sam, &config);
 *   for (;;) {
 *       backward(...);  presam_ascend_all_f32(&sam, tensors, count);      the gradients at w
 *       backward(...);  presam_descend_all_f32(&sam, tensors, count);     the gradients at the perturbed point
 *   }
 *
 * Every address that a call takes is null (an error) or holds what its type says; planes hold `len` elements;
 * strings end with 0; nobody else uses meanwhile what a call writes. Nothing is allocated, nothing is global:
 * threads may each have a state of their own, or share one over different tensors in the calls for one tensor.
 * Written by `cargo xtask capi-header` from capi/src: change those. */

#ifndef PRESAM_H
#define PRESAM_H

#include <stddef.h>
#include <stdint.h>

// The version of the structs: what their `version` must be.
#define PRESAM_VERSION 1

// Settings in a list.
#define PRESAM_MAX_SETTINGS 8

// Planes in a list.
#define PRESAM_MAX_PLANES 4

// Elements in a chunk: where a norm may be cut, see `presam_norm_begin_f32`.
#define PRESAM_CHUNK 2048

// 8-byte words of a `presam_state_f32`.
#define PRESAM_STATE_F32_WORDS 32

// 8-byte words of a `presam_state_f64`.
#define PRESAM_STATE_F64_WORDS 48

// 8-byte words of a `presam_norm_f32`.
#define PRESAM_NORM_F32_WORDS 80

// 8-byte words of a `presam_norm_f64`.
#define PRESAM_NORM_F64_WORDS 152

// `presam_config.flags`: the second gradient is taken as it is, without a pass that looks for infinity and
// NaN: an infinite or NaN entry enters parameters and state.
#define PRESAM_CONFIG_UNCHECKED 1

// `presam_group.flags`: left out of the norm.
#define PRESAM_GROUP_NOT_COUNTED 1

// `presam_group.flags`: not perturbed.
#define PRESAM_GROUP_NOT_PERTURBED 2

// `presam_group.flags`: ASAM's operator does not apply (biases, norm layers).
#define PRESAM_GROUP_NO_OPERATOR 4

// `presam_group.flags`: its `weight_decay` stands in place of the base optimizer's.
#define PRESAM_GROUP_OWN_WEIGHT_DECAY 8

// A variant of SAM. The numbers are for ever; 0 is none.
enum presam_variant
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // `sam`
  PRESAM_VARIANT_SAM = 1,
  // `asam`
  PRESAM_VARIANT_ASAM = 2,
  // `fisher-sam`
  PRESAM_VARIANT_FISHER_SAM = 3,
  // `info-sam-draft`
  PRESAM_VARIANT_INFO_SAM_DRAFT = 4,
  // `info-sam`
  PRESAM_VARIANT_INFO_SAM = 5,
  // `info-asam`
  PRESAM_VARIANT_INFO_ASAM = 6,
  // `vasso`
  PRESAM_VARIANT_VASSO = 7,
  // `friendly-sam`
  PRESAM_VARIANT_FRIENDLY_SAM = 8,
  // `ssam`
  PRESAM_VARIANT_SSAM = 9,
  // `masked-sam`
  PRESAM_VARIANT_MASKED_SAM = 10,
  // `momentum-sam`: one gradient a step, taken at the perturbed point; `grads` is read in the descent alone
  PRESAM_VARIANT_MOMENTUM_SAM = 11,
  // `objective-preconditioner`
  PRESAM_VARIANT_OBJECTIVE_PRECONDITIONER = 12,
  // `constraint-preconditioner`
  PRESAM_VARIANT_CONSTRAINT_PRECONDITIONER = 13,
  // `pre-sam`
  PRESAM_VARIANT_PRE_SAM = 14,
  // `friendly-asam`
  PRESAM_VARIANT_FRIENDLY_ASAM = 15,
  // `raw-asam`
  PRESAM_VARIANT_RAW_ASAM = 16,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum presam_variant presam_variant;
#else
typedef uint32_t presam_variant;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A base optimizer. The numbers are for ever; 0 is none.
enum presam_base
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // `sgd`
  PRESAM_BASE_SGD = 1,
  // `sgd-momentum`
  PRESAM_BASE_SGD_MOMENTUM = 2,
  // `adamw`
  PRESAM_BASE_ADAMW = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum presam_base presam_base;
#else
typedef uint32_t presam_base;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What is wrong. The numbers are for ever.
enum presam_code
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Nothing.
  PRESAM_CODE_OK = 0,
  // A null pointer where something is expected; a buffer may be null where its length is 0.
  PRESAM_CODE_NULL = 1,
  // An address that is not a multiple of its type's alignment.
  PRESAM_CODE_MISALIGNED = 2,
  // A length that no memory has.
  PRESAM_CODE_TOO_LONG = 3,
  // A buffer that shares memory with another one of the call, where one of them is written.
  PRESAM_CODE_OVERLAP = 4,
  // A struct whose `size` is not that of this library.
  PRESAM_CODE_STRUCT_SIZE = 5,
  // A struct whose `version` is not that of this library.
  PRESAM_CODE_STRUCT_VERSION = 6,
  // A tag or a name that no rule has; a flag that is none.
  PRESAM_CODE_UNKNOWN = 7,
  // A setting that the rule does not have.
  PRESAM_CODE_UNKNOWN_KEY = 8,
  // A number outside of its range, or NaN.
  PRESAM_CODE_RANGE = 9,
  // A state or a norm that was not begun by this library, or is of the other type.
  PRESAM_CODE_NOT_BEGUN = 10,
  // A call at another place of the step than its own.
  PRESAM_CODE_ORDER = 11,
  // A tensor that is still perturbed, shown or not: restore it first.
  PRESAM_CODE_STILL_PERTURBED = 12,
  // A tensor whose length has changed since it was perturbed; an array with another number of tensors than ascended.
  PRESAM_CODE_LENGTH_CHANGED = 13,
  // A part of a norm that does not begin where this one ends.
  PRESAM_CODE_NOT_ADJACENT = 14,
  // A part of a norm that does not begin at chunk 0.
  PRESAM_CODE_NOT_FROM_ZERO = 15,
  // More chunks than a norm holds.
  PRESAM_CODE_TOO_MANY_CHUNKS = 16,
  // A slope along the momentum of a base optimizer without momentum.
  PRESAM_CODE_NO_MOMENTUM = 17,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum presam_code presam_code;
#else
typedef uint32_t presam_code;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// At which argument, or part of one. The numbers are for ever.
enum presam_argument
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // None.
  PRESAM_ARGUMENT_NONE = 0,
  // The state.
  PRESAM_ARGUMENT_STATE = 1,
  // The configuration.
  PRESAM_ARGUMENT_CONFIG = 2,
  // Its variant: tag or name.
  PRESAM_ARGUMENT_VARIANT = 3,
  // Its settings of the variant; the index says which.
  PRESAM_ARGUMENT_VARIANT_SETTINGS = 4,
  // Its base optimizer: tag or name.
  PRESAM_ARGUMENT_BASE = 5,
  // Its settings of the base optimizer; the index says which.
  PRESAM_ARGUMENT_BASE_SETTINGS = 6,
  // Its flags.
  PRESAM_ARGUMENT_FLAGS = 7,
  // Its weight of the unnormalised length.
  PRESAM_ARGUMENT_UNNORMALISED = 8,
  // Its norm guard.
  PRESAM_ARGUMENT_NORM_GUARD = 9,
  // Its largest norm of the second gradient.
  PRESAM_ARGUMENT_MAX_NORM = 10,
  // The learning rate.
  PRESAM_ARGUMENT_LEARNING_RATE = 11,
  // The loss scale.
  PRESAM_ARGUMENT_LOSS_SCALE = 12,
  // The norm.
  PRESAM_ARGUMENT_NORM = 13,
  // The norm that is merged.
  PRESAM_ARGUMENT_NEXT = 14,
  // The struct that is written.
  PRESAM_ARGUMENT_OUT = 15,
  // The array of tensors.
  PRESAM_ARGUMENT_TENSORS = 16,
  // The tensor; the index says which of an array.
  PRESAM_ARGUMENT_TENSOR = 17,
  // Its length.
  PRESAM_ARGUMENT_LEN = 18,
  // Its mark.
  PRESAM_ARGUMENT_MARK = 19,
  // Its parameters.
  PRESAM_ARGUMENT_PARAMS = 20,
  // Its gradients.
  PRESAM_ARGUMENT_GRADS = 21,
  // Its backup.
  PRESAM_ARGUMENT_BACKUP = 22,
  // Its group.
  PRESAM_ARGUMENT_GROUP = 23,
  // The group's radius.
  PRESAM_ARGUMENT_RHO = 24,
  // The group's weight decay.
  PRESAM_ARGUMENT_WEIGHT_DECAY = 25,
  // The group's flags.
  PRESAM_ARGUMENT_GROUP_FLAGS = 26,
  // Its first memory plane.
  PRESAM_ARGUMENT_MEMORY0 = 32,
  // Its second memory plane.
  PRESAM_ARGUMENT_MEMORY1 = 33,
  // Its third memory plane.
  PRESAM_ARGUMENT_MEMORY2 = 34,
  // Its fourth memory plane.
  PRESAM_ARGUMENT_MEMORY3 = 35,
  // Its first input plane.
  PRESAM_ARGUMENT_INPUTS0 = 36,
  // Its second input plane.
  PRESAM_ARGUMENT_INPUTS1 = 37,
  // Its third input plane.
  PRESAM_ARGUMENT_INPUTS2 = 38,
  // Its fourth input plane.
  PRESAM_ARGUMENT_INPUTS3 = 39,
  // Its first plane of the base optimizer's state.
  PRESAM_ARGUMENT_STATE0 = 40,
  // Its second plane of the base optimizer's state.
  PRESAM_ARGUMENT_STATE1 = 41,
  // Its third plane of the base optimizer's state.
  PRESAM_ARGUMENT_STATE2 = 42,
  // Its fourth plane of the base optimizer's state.
  PRESAM_ARGUMENT_STATE3 = 43,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum presam_argument presam_argument;
#else
typedef uint32_t presam_argument;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What the numbers did. Never an error: a trainer goes on, and need not look.
enum presam_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Parameters are perturbed.
  PRESAM_OUTCOME_FINITE = 0,
  // The norm is zero: nothing is perturbed, the step is the base optimizer's.
  PRESAM_OUTCOME_ZERO_NORM = 1,
  // The norm is infinite or NaN: ascent and descent of this step change nothing.
  PRESAM_OUTCOME_NON_FINITE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum presam_outcome presam_outcome;
#else
typedef uint32_t presam_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a call answers: 0 where all is well, else `code | argument << 8 | index << 16`.
//
// `PRESAM_CODE`, `PRESAM_ARGUMENT` and `PRESAM_INDEX` take it apart, `presam_status_write` says it in words.
// A call that answers anything but 0 has touched nothing.
typedef uint32_t presam_status;
// All is well.
#define presam_status_OK 0

// A setting of a rule, by the name that the rule's page has (`presam methods NAME`).
typedef struct presam_setting {
  // Its name; null ends a list.
  const char *key;
  // Its value.
  double value;
} presam_setting;

// Which step: all that `presam_init` reads. Whatever is left zero is at its default.
typedef struct presam_config {
  // `sizeof(presam_config)`
  uint32_t size;
  // `PRESAM_VERSION`
  uint32_t version;
  // The variant of SAM, by its tag.
  uint32_t variant;
  // The base optimizer, by its tag.
  uint32_t base;
  // The variant by its name, in place of the tag where it is not null.
  const char *variant_name;
  // The base optimizer by its name, likewise.
  const char *base_name;
  // Settings of the variant, in their order.
  struct presam_setting variant_settings[PRESAM_MAX_SETTINGS];
  // Settings of the base optimizer, in their order.
  struct presam_setting base_settings[PRESAM_MAX_SETTINGS];
  // `PRESAM_CONFIG_UNCHECKED` or 0
  uint32_t flags;
  // 0
  uint32_t reserved;
  // 0: the perturbation has length rho (SAM). 1: it is rho times the direction (USAM). Between: mixed.
  double unnormalised;
  // Added to the norm before rho is divided by it.
  double norm_guard;
  // The second gradient is brought down to this global norm; 0: it is not.
  double max_norm;
} presam_config;

// How many planes a configuration takes, each as long as its tensor.
typedef struct presam_plane_count {
  // `sizeof(presam_plane_count)`
  uint32_t size;
  // `PRESAM_VERSION`
  uint32_t version;
  // Of the variant's memory.
  uint32_t memory;
  // Of the variant's inputs.
  uint32_t inputs;
  // Of the base optimizer's state.
  uint32_t state;
  // 0
  uint32_t reserved;
} presam_plane_count;

// The state of a step in `float`, in the caller's memory: hold one, look not into it. No pointer is in it:
// between steps a copy of its bytes is a checkpoint for the same library.
typedef struct presam_state_f32 {
  // The library's own.
  uint64_t words[PRESAM_STATE_F32_WORDS];
} presam_state_f32;

// What tensors of one kind have in common. May change between steps: a schedule's rho.
typedef struct presam_group {
  // `sizeof(presam_group)`
  uint32_t size;
  // `PRESAM_VERSION`
  uint32_t version;
  // `PRESAM_GROUP_...`, joined by `|`
  uint32_t flags;
  // 0
  uint32_t reserved;
  // The radius, 0 or more; 0 is the base optimizer alone.
  double rho;
  // Read with `PRESAM_GROUP_OWN_WEIGHT_DECAY` alone.
  double weight_decay;
} presam_group;

// Where a tensor stands in the step: zero before the first one, from then on the library's own.
typedef struct presam_mark {
  // 0 at rest, 1 perturbed, 2 ascended and back.
  uint32_t stage;
  // The step that wrote it.
  uint32_t step;
  // The elements that were perturbed.
  size_t len;
} presam_mark;

// One tensor: where its planes lie, each of `len` elements. A flat array with offsets is a list of these.
typedef struct presam_tensor_f32 {
  // `sizeof(presam_tensor_f32)`
  uint32_t size;
  // `PRESAM_VERSION`
  uint32_t version;
  // Its elements.
  size_t len;
  // w, read and written.
  float *params;
  // The gradient of the moment, read: of the first pass in the norm and the ascent, of the second in the
  // descent. One buffer may serve both.
  const float *grads;
  // Keeps w while it is perturbed; may be null where the group is not perturbed (and the variant has no
  // memory, or the group does not count). Needed until w is back, whatever the group says by then.
  float *backup;
  // The variant's memory, zero before the first step.
  float *memory[PRESAM_MAX_PLANES];
  // The variant's inputs, read: a mask, a preconditioner.
  const float *inputs[PRESAM_MAX_PLANES];
  // The base optimizer's state, zero before the first step.
  float *state[PRESAM_MAX_PLANES];
  // Its group, which many tensors may share.
  const struct presam_group *group;
  // Zero before the first step, and zero again where a state is copied back: a call for one tensor, or a step
  // without an ascent, may take a mark of a later step for one of its own.
  struct presam_mark mark;
} presam_tensor_f32;

// A norm that is being summed, in `float`: an accumulator of the caller's, one a thread.
typedef struct presam_norm_f32 {
  // The library's own.
  uint64_t words[PRESAM_NORM_F32_WORDS];
} presam_norm_f32;

// What became of a step.
typedef struct presam_report {
  // `sizeof(presam_report)`
  uint32_t size;
  // `PRESAM_VERSION`
  uint32_t version;
  // Of the ascent: a `presam_outcome`.
  uint32_t outcome;
  // Of the second gradient: a `presam_outcome`; finite where it was not checked.
  uint32_t second;
  // 1 where the base optimizer takes its step, else 0.
  uint32_t descends;
  // Steps of the base optimizer so far.
  uint32_t steps;
  // The norm that rho is divided by.
  double norm;
  // What the second gradient is multiplied by: 1 over the loss scale, and the clipping.
  double grad_factor;
} presam_report;

// The state of a step in `double`.
typedef struct presam_state_f64 {
  // The library's own.
  uint64_t words[PRESAM_STATE_F64_WORDS];
} presam_state_f64;

// One tensor: where its planes lie, each of `len` elements. A flat array with offsets is a list of these.
typedef struct presam_tensor_f64 {
  // `sizeof(presam_tensor_f32)`
  uint32_t size;
  // `PRESAM_VERSION`
  uint32_t version;
  // Its elements.
  size_t len;
  // w, read and written.
  double *params;
  // The gradient of the moment, read: of the first pass in the norm and the ascent, of the second in the
  // descent. One buffer may serve both.
  const double *grads;
  // Keeps w while it is perturbed; may be null where the group is not perturbed (and the variant has no
  // memory, or the group does not count). Needed until w is back, whatever the group says by then.
  double *backup;
  // The variant's memory, zero before the first step.
  double *memory[PRESAM_MAX_PLANES];
  // The variant's inputs, read: a mask, a preconditioner.
  const double *inputs[PRESAM_MAX_PLANES];
  // The base optimizer's state, zero before the first step.
  double *state[PRESAM_MAX_PLANES];
  // Its group, which many tensors may share.
  const struct presam_group *group;
  // Zero before the first step, and zero again where a state is copied back: a call for one tensor, or a step
  // without an ascent, may take a mark of a later step for one of its own.
  struct presam_mark mark;
} presam_tensor_f64;

// A norm that is being summed, in `double`.
typedef struct presam_norm_f64 {
  // The library's own.
  uint64_t words[PRESAM_NORM_F64_WORDS];
} presam_norm_f64;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The library's `PRESAM_VERSION`, where it is not the header's.
uint32_t presam_version(void);

// How many planes of each kind a configuration takes: write `size` and `version` into `out`, the rest is filled
// in. The same numbers stand in the header, for static buffers: `PRESAM_MEMORY_INFO_ASAM`.
presam_status presam_count_planes(const struct presam_config *config,
                                  struct presam_plane_count *out);

// A variant's name, null for a number that is no tag.
const char *presam_variant_name(uint32_t variant);

// A base optimizer's name, null for a number that is no tag.
const char *presam_base_name(uint32_t base);

// What is wrong, in words: `expected .., found ..`.
const char *presam_status_text(presam_status status);

// The argument that is at fault: `tensor.params`; empty where all is well.
const char *presam_status_argument(presam_status status);

// Both, and which tensor or setting: `tensor.params (2): expected .., found ..`, cut to the room there is. Returns
// the length of the whole, without its 0; `buffer` may be null.
size_t presam_status_write(presam_status status,
                           char *buffer,
                           size_t room);

// The bytes of a state: `sizeof(presam_state_f32)`, for memory that is handed out at run time.
size_t presam_state_size_f32(void);

// What a state's address must be a multiple of: 8.
size_t presam_state_align_f32(void);

// Begins: writes a state before its first step. Once, before all else; again, it forgets what was, and the
// marks of the tensors must be zero again too.
presam_status presam_init_f32(struct presam_state_f32 *state,
                              size_t state_size,
                              const struct presam_config *config);

// Sets the learning rate, in place of the configuration's: for a schedule, between steps.
presam_status presam_set_learning_rate_f32(struct presam_state_f32 *state, double learning_rate);

// Sets the factor by which the trainer's loss, and so every gradient, is scaled; 1 at first. Between steps.
presam_status presam_set_loss_scale_f32(struct presam_state_f32 *state,
                                        double loss_scale);

// Checks all tensors, and each against every other: no two share memory that is written, which the calls of
// a step check of one tensor at a time. Once, when the arrays are laid out.
presam_status presam_check_f32(const struct presam_state_f32 *state,
                               const struct presam_tensor_f32 *tensors,
                               size_t count);

// The first half of a step: norm, finish and ascent of all tensors, by the gradients at w. Then write the
// gradients at the perturbed point, and call `presam_descend_all_f32`. An error has touched nothing; while a tensor
// of the step before is perturbed, shown or not, it is one. A tensor that comes twice is refused: where the
// parameters do not lie in the order of the tensors, each is compared with all before it.
presam_status presam_ascend_all_f32(struct presam_state_f32 *state,
                                    struct presam_tensor_f32 *tensors,
                                    size_t count);

// The second half: restores all tensors, bit for bit, looks at the second gradient, and lets the base
// optimizer step with it. After `presam_skip_ascent_f32` it is the base optimizer alone. An error has touched
// nothing; a perturbed tensor that the array lacks, one that comes twice, or another number of tensors than
// `presam_ascend_all_f32` took, is one.
presam_status presam_descend_all_f32(struct presam_state_f32 *state,
                                     struct presam_tensor_f32 *tensors,
                                     size_t count);

// Begins a norm of the first gradient at chunk `first_chunk`: 0, or where another thread's part ends. A tensor
// has a chunk for each `PRESAM_CHUNK` elements that it begins; where it is cut, it is cut between chunks.
presam_status presam_norm_begin_f32(const struct presam_state_f32 *state,
                                    struct presam_norm_f32 *norm,
                                    uint64_t first_chunk);

// Adds a tensor to the norm; every tensor of the step, in the same order at every step.
presam_status presam_norm_add_f32(const struct presam_state_f32 *state,
                                  const struct presam_tensor_f32 *tensor,
                                  struct presam_norm_f32 *norm);

// Adds the part `next` to `norm`, where that ends: the bits are those of one norm over both.
presam_status presam_norm_merge_f32(struct presam_norm_f32 *norm,
                                    const struct presam_norm_f32 *next);

// Ends the norm of the first gradient: the tensors may ascend. Refused while a tensor of the step before is still
// perturbed, whether it was added or not.
presam_status presam_norm_finish_f32(struct presam_state_f32 *state,
                                     const struct presam_norm_f32 *norm);

// Perturbs a tensor, keeps its parameters in its backup and renews its memory. Once a step. The state counts it, one
// thread beside the other (a processor without atomic additions takes one such call at a time).
presam_status presam_ascend_f32(struct presam_state_f32 *state,
                                struct presam_tensor_f32 *tensor);

// Brings a perturbed tensor back, bit for bit; any other stays as it is. At any time, with the state whose ascent it
// went through, and threads as in that. A perturbed tensor that is never brought back (its memory freed, its mark
// zeroed) is counted until the state is initialised anew: restore first.
presam_status presam_restore_f32(struct presam_state_f32 *state,
                                 struct presam_tensor_f32 *tensor);

// Begins a norm of the second gradient, as `presam_norm_begin_f32`.
presam_status presam_second_begin_f32(const struct presam_state_f32 *state,
                                      struct presam_norm_f32 *norm,
                                      uint64_t first_chunk);

// Adds a tensor's second gradient.
presam_status presam_second_add_f32(const struct presam_state_f32 *state,
                                    const struct presam_tensor_f32 *tensor,
                                    struct presam_norm_f32 *norm);

// Ends the look at the second gradient: the tensors may descend. `norm` may be null with
// `PRESAM_CONFIG_UNCHECKED`.
presam_status presam_second_finish_f32(struct presam_state_f32 *state,
                                       const struct presam_norm_f32 *norm);

// The base optimizer's step on a restored tensor. Once a step.
presam_status presam_descend_f32(const struct presam_state_f32 *state,
                                 struct presam_tensor_f32 *tensor);

// In place of an ascent: this step is the base optimizer's alone, with one gradient. For SAM every k steps. Refused
// while a tensor is still perturbed.
presam_status presam_skip_ascent_f32(struct presam_state_f32 *state);

// Gives up a step that has ascended, where there is no second gradient to be had. Restore every tensor too. The
// ascent stays counted, as the memory that it renewed stays. A call for all tensors that fails on the way gives its
// step up by itself and does not count it.
presam_status presam_cancel_f32(struct presam_state_f32 *state);

// What became of the step: write `size` and `version` into `out`, the rest is filled in.
presam_status presam_report_f32(const struct presam_state_f32 *state, struct presam_report *out);

// e to the power x, correct to the last bits and the same on every machine, as a platform's `expf` is not:
// for a softmax that must have the same bits everywhere.
float presam_exp_f32(float x);

// The natural logarithm, likewise.
float presam_log_f32(float x);

// `presam_state_size_f32` in `double`.
size_t presam_state_size_f64(void);

// `presam_state_align_f32` in `double`.
size_t presam_state_align_f64(void);

// `presam_init_f32` in `double`.
presam_status presam_init_f64(struct presam_state_f64 *state,
                              size_t state_size,
                              const struct presam_config *config);

// `presam_set_learning_rate_f32` in `double`.
presam_status presam_set_learning_rate_f64(struct presam_state_f64 *state, double learning_rate);

// `presam_set_loss_scale_f32` in `double`.
presam_status presam_set_loss_scale_f64(struct presam_state_f64 *state, double loss_scale);

// `presam_check_f32` in `double`.
presam_status presam_check_f64(const struct presam_state_f64 *state,
                               const struct presam_tensor_f64 *tensors,
                               size_t count);

// `presam_ascend_all_f32` in `double`.
presam_status presam_ascend_all_f64(struct presam_state_f64 *state,
                                    struct presam_tensor_f64 *tensors,
                                    size_t count);

// `presam_descend_all_f32` in `double`.
presam_status presam_descend_all_f64(struct presam_state_f64 *state,
                                     struct presam_tensor_f64 *tensors,
                                     size_t count);

// `presam_norm_begin_f32` in `double`.
presam_status presam_norm_begin_f64(const struct presam_state_f64 *state,
                                    struct presam_norm_f64 *norm,
                                    uint64_t first_chunk);

// `presam_norm_add_f32` in `double`.
presam_status presam_norm_add_f64(const struct presam_state_f64 *state,
                                  const struct presam_tensor_f64 *tensor,
                                  struct presam_norm_f64 *norm);

// `presam_norm_merge_f32` in `double`.
presam_status presam_norm_merge_f64(struct presam_norm_f64 *norm,
                                    const struct presam_norm_f64 *next);

// `presam_norm_finish_f32` in `double`.
presam_status presam_norm_finish_f64(struct presam_state_f64 *state,
                                     const struct presam_norm_f64 *norm);

// `presam_ascend_f32` in `double`.
presam_status presam_ascend_f64(struct presam_state_f64 *state, struct presam_tensor_f64 *tensor);

// `presam_restore_f32` in `double`.
presam_status presam_restore_f64(struct presam_state_f64 *state, struct presam_tensor_f64 *tensor);

// `presam_second_begin_f32` in `double`.
presam_status presam_second_begin_f64(const struct presam_state_f64 *state,
                                      struct presam_norm_f64 *norm,
                                      uint64_t first_chunk);

// `presam_second_add_f32` in `double`.
presam_status presam_second_add_f64(const struct presam_state_f64 *state,
                                    const struct presam_tensor_f64 *tensor,
                                    struct presam_norm_f64 *norm);

// `presam_second_finish_f32` in `double`.
presam_status presam_second_finish_f64(struct presam_state_f64 *state,
                                       const struct presam_norm_f64 *norm);

// `presam_descend_f32` in `double`.
presam_status presam_descend_f64(const struct presam_state_f64 *state,
                                 struct presam_tensor_f64 *tensor);

// `presam_skip_ascent_f32` in `double`.
presam_status presam_skip_ascent_f64(struct presam_state_f64 *state);

// `presam_cancel_f32` in `double`.
presam_status presam_cancel_f64(struct presam_state_f64 *state);

// `presam_report_f32` in `double`.
presam_status presam_report_f64(const struct presam_state_f64 *state, struct presam_report *out);

// `presam_exp_f32` in `double`.
double presam_exp_f64(double x);

// `presam_log_f32` in `double`.
double presam_log_f64(double x);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* The first two members of every struct that has them: {PRESAM_HEAD(presam_group), .rho = 0.05} */
#define PRESAM_HEAD(type) (uint32_t)sizeof(type), PRESAM_VERSION

/* The parts of a status. */
#define PRESAM_CODE(status) ((status) & 255u)
#define PRESAM_ARGUMENT(status) ((status) >> 8 & 255u)
#define PRESAM_INDEX(status) ((status) >> 16)

/* The bytes of a state, and what its address must be a multiple of. */
#define PRESAM_STATE_F32_SIZE (8 * PRESAM_STATE_F32_WORDS)
#define PRESAM_STATE_F64_SIZE (8 * PRESAM_STATE_F64_WORDS)
#define PRESAM_STATE_ALIGN 8

/* Planes of each rule, each as long as its tensor: static float memory[PRESAM_MEMORY_VASSO][N]. */
#define PRESAM_MEMORY_SAM 0
#define PRESAM_INPUTS_SAM 0
#define PRESAM_MEMORY_ASAM 0
#define PRESAM_INPUTS_ASAM 0
#define PRESAM_MEMORY_FISHER_SAM 0
#define PRESAM_INPUTS_FISHER_SAM 0
#define PRESAM_MEMORY_INFO_SAM_DRAFT 1
#define PRESAM_INPUTS_INFO_SAM_DRAFT 0
#define PRESAM_MEMORY_INFO_SAM 2
#define PRESAM_INPUTS_INFO_SAM 0
#define PRESAM_MEMORY_INFO_ASAM 2
#define PRESAM_INPUTS_INFO_ASAM 0
#define PRESAM_MEMORY_VASSO 1
#define PRESAM_INPUTS_VASSO 0
#define PRESAM_MEMORY_FRIENDLY_SAM 1
#define PRESAM_INPUTS_FRIENDLY_SAM 0
#define PRESAM_MEMORY_SSAM 0
#define PRESAM_INPUTS_SSAM 1
#define PRESAM_MEMORY_MASKED_SAM 0
#define PRESAM_INPUTS_MASKED_SAM 1
#define PRESAM_MEMORY_MOMENTUM_SAM 0
#define PRESAM_INPUTS_MOMENTUM_SAM 0
#define PRESAM_MEMORY_OBJECTIVE_PRECONDITIONER 0
#define PRESAM_INPUTS_OBJECTIVE_PRECONDITIONER 1
#define PRESAM_MEMORY_CONSTRAINT_PRECONDITIONER 0
#define PRESAM_INPUTS_CONSTRAINT_PRECONDITIONER 1
#define PRESAM_MEMORY_PRE_SAM 0
#define PRESAM_INPUTS_PRE_SAM 2
#define PRESAM_MEMORY_FRIENDLY_ASAM 1
#define PRESAM_INPUTS_FRIENDLY_ASAM 0
#define PRESAM_MEMORY_RAW_ASAM 0
#define PRESAM_INPUTS_RAW_ASAM 0
#define PRESAM_STATE_SGD 0
#define PRESAM_STATE_SGD_MOMENTUM 1
#define PRESAM_STATE_ADAMW 2

#endif  /* PRESAM_H */
