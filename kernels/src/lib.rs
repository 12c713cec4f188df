//! presam's step and network as GPU kernels, written once: for NVIDIA GPUs and for the CPU that emulates them.
//!
//! A kernel body is a function over a [`Team`]: the threads of a block in lockstep. On a GPU a team is
//! one thread, and the hardware does the lockstep; on the host it is the whole block as arrays
//! ([`emulator`]), so the same text runs, and is tested, on any machine. What is computed per element
//! is the core's and the network's own element functions: nothing of their mathematics stands here.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`team`] | what a body may ask of its threads |
//! | [`layout`] | what host and device share: segments, chunks, the control block |
//! | [`reduce`], [`fold`] | sums by the norm contract: a chunk a warp, then the tree |
//! | [`map`] | passes that write: ascent, restore, descent, mixes |
//! | [`step`] | the kernels of a step, and what the last thread of a tree concludes |
//! | [`network`] | the kernels of the multilayer perceptron |
//! | [`entries`] | the list: every kernel with its name, text and parameters |
//! | `emulator` | blocks on the CPU, with checked memory (host only) |
//! | `ptx` | the generated texts (host only) |
//!
//! `cargo xtask ptx` compiles the same crate for nvptx64 and writes kernels/ptx/.

#![cfg_attr(target_arch = "nvptx64", no_std)]
#![cfg_attr(target_arch = "nvptx64", feature(abi_ptx, stdarch_nvptx, asm_experimental_arch))]

#[cfg(not(target_arch = "nvptx64"))]
pub mod emulator;
pub mod entries;
pub mod fold;
#[cfg(target_arch = "nvptx64")]
mod gpu;
#[cfg(not(target_arch = "nvptx64"))]
mod kernel;
pub mod layout;
pub mod map;
pub mod narrow;
pub mod network;
pub mod piece;
pub mod plain;
#[cfg(not(target_arch = "nvptx64"))]
pub mod ptx;
pub mod reads;
pub mod reduce;
pub mod step;
pub mod team;
pub mod widen;

#[cfg(not(target_arch = "nvptx64"))]
pub use kernel::Kernel;
pub use plain::Plain;
pub use team::{THREADS, Team, WARP, WARPS};
