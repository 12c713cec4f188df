//! Runs PTX text, the assembly of NVIDIA's GPUs, on the CPU: it finds its faults and counts its memory traffic.
//!
//! ```text
//! Module::parse(text)                all of the text is understood, or the first line that is not is named
//! Memory::new()                      named buffers: .buffer .uninitialised .read_only .buffer_at_offset .guard
//!                                    .address for tables of pointers; .bytes and .f32s to read back
//! Launch::new(&module, "kernel")     .grid .block .shared .buffer .argument .seed .threads .budget .checks
//!     .run(&mut memory)              a Report, or a RunError: kernel, line, instruction, block, warp, lane, what
//! ```
//!
//! ```
//! use ptx_machine::{Launch, Memory, Module};
//!
//! let module = Module::parse(
//!     ".version 7.0 .target sm_70 .address_size 64
//!      .visible .entry double(.param .u64 values, .param .u32 n) {
//!          .reg .pred %p; .reg .b32 %r<5>; .reg .b64 %d<4>;
//!          ld.param.u64 %d0, [values]; ld.param.u32 %r0, [n];
//!          mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x; mad.lo.u32 %r1, %r1, %r2, %r3;
//!          setp.ge.u32 %p, %r1, %r0; @%p ret;
//!          mul.wide.u32 %d1, %r1, 4; add.s64 %d2, %d0, %d1;
//!          ld.global.f32 %r4, [%d2]; add.rn.f32 %r4, %r4, %r4; st.global.f32 [%d2], %r4; ret; }",
//! )?;
//! let mut memory = Memory::new();
//! let values = memory.buffer("values", &[1.5_f32; 100].map(f32::to_le_bytes).concat());
//! let launch = Launch::new(&module, "double").grid(1).block(128).buffer(&memory, values).argument(100_u32);
//! let report = launch.run(&mut memory)?;
//! assert_eq!(memory.f32s(values), [3.0; 100]);
//! assert_eq!(report.global.sectors_read, 13); // 400 bytes in sectors of 32
//!
//! let far = Launch::new(&module, "double").block(128).buffer(&memory, values).argument(101_u32);
//! let fault = far.run(&mut memory).expect_err("one too far").to_string();
//! assert!(fault.ends_with("lane 4: read out of bounds: values+400: 4 bytes, it has 400"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is understood
//!
//! PTX 1.0 to 9.5, targets up to sm_121, as rustc and nvcc write it: integer, f32 and f64 arithmetic, bit fields,
//! comparisons, conversions between all number types (f16 and bf16 included), all state spaces, vectors, calls,
//! branch tables, shuffles, votes, matches, barriers, atomics, fences, inline-assembly scopes. Everything else is
//! an error of [`Module::parse`] with its line: textures, tensor cores, asynchronous copies, arithmetic in 16-bit
//! floats, directed rounding of arithmetic, indirect calls.
//!
//! # Arithmetic
//!
//! As IEEE 754 says, rounded to nearest even, subnormals kept. A NaN that arithmetic makes is 0x7fffffff (f32) or
//! 0x7fffffffffffffff (f64). `.approx`, `.full` and `.ftz` run only after [`Launch::relaxed`]: the first two then
//! give what the host's mathematics gives. `add`, `sub` and `mul` without a written rounding are rounded as with
//! `.rn`, but an assembler may fuse them: [`Report::instructions`] has their names. `fma` is one rounding.
//! Division of an integer by zero gives all ones, its remainder the dividend. `atom.add.f32` flushes subnormals in
//! global memory and keeps them in shared memory, as devices do.
//!
//! # Schedules
//!
//! Each lane has its own place in the text, as from Volta on. Lanes at one place run together; a shuffle waits for
//! the lanes of its mask, a barrier for its block, and what can never go on is a reported deadlock. Which block,
//! warp and lane goes first is drawn from [`Launch::seed`]; one seed is one schedule while [`Launch::threads`] is
//! 1. Memory is sequentially consistent: weaker orders show as races, not as stale values.
//!
//! # Checks
//!
//! Always: bounds, alignment, bytes never written (shared memory, and buffers handed in so), protected bytes,
//! shuffles from absent lanes, masks, divergent barriers (an aligned barrier wants the whole warp, exited lanes
//! included), deadlock, calls and loops without end. Unless switched off ([`Launch::checks`]): races, by vector
//! clocks. Two accesses to one byte race if one writes, one is plain, and nothing orders them:
//!
//! - inside a block: its barriers; named barriers and `bar.warp.sync` among their threads. Shuffles order nothing;
//! - between any two lanes: a fence or `.release`, then an atomic or strong store, read by an atomic or strong
//!   load, then a fence or `.acquire`: the "last block finishes" counter and flags. `.cta` reaches its block only.
//!
//! It may miss a race where several blocks did unordered strong accesses to one word before a
//! plain one: the last of them stands for all. It may take lanes of one block that read one word without order for
//! the whole warp or block, until that is next synchronised.
#![forbid(unsafe_code)]

mod code;
mod decode;
mod error;
mod exec;
mod fault;
pub mod hostile;
mod launch;
mod memory;
mod module;
mod race;
mod random;
mod report;
mod rows;
mod syntax;

pub use error::ParseError;
pub use fault::{AccessKind, Fault, FaultKind, Place, Rival, RunError, SetupError};
pub use launch::{Argument, Launch};
pub use memory::{BufferId, Memory};
pub use module::{Kernel, Module, Parameter};
pub use report::{Report, Traffic};
