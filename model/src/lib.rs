//! A multilayer perceptron over the caller's slices, with every sum in one fixed order.
//!
//! ```text
//! x_0 = inputs
//! x_l = relu(x_{l-1} W_l + b_l)              every layer but the last
//! z   = x_{L-1} W_L + b_L                    logits
//! f   = mean over the batch of  log(sum_j exp(z_j)) - z_label
//! ```
//!
//! It is what presam trains and measures: no heap, no `std`, no unsafe code, no panic, `f32` or
//! `f64`, layers of any width.
//!
//! # Layout of the parameters
//!
//! One flat slice holds `W_1, b_1, W_2, b_2, ...`. `W_l` is row-major with the *input* index first:
//! `W[k][j]` at `k * outputs + j` joins input `k` to output `j`, so that the inner loop over `j` reads
//! and writes neighbours. [`Mlp::segments`] lists the tensors. Inputs and logits are row-major, one
//! row per example.
//!
//! # Bit contract
//!
//! A microcontroller, a laptop at any vector width and a GPU give the same bits, because each sum has
//! one order, each product is rounded before it is added (never fused), and `exp` and `log` are
//! [`libm`]'s own. `Σ` runs in increasing index, one term after another:
//!
//! | value | definition | sum starts at |
//! | --- | --- | --- |
//! | `z[b][j]` | `b[j] + Σ_k x[b][k] * W[k][j]` | the bias `b[j]` |
//! | `relu(z)` | `+0.0` where `z <= 0`, else `z` (a NaN stays a NaN) | |
//! | `max` | first logit, replaced by each later logit that is greater | |
//! | `e[j]`, `s` | `exp(z[j] - max)`, `Σ_j e[j]` | `+0.0` |
//! | loss of a row | `log(s) - (z[label] - max)` | |
//! | loss | `(Σ_b loss of row b) / batch` | `+0.0` |
//! | `dz[b][j]` | `(e[j] / s - [j = label]) / batch` | |
//! | `dW[k][j]` | `Σ_b x[b][k] * dz[b][j]` | `+0.0` |
//! | `db[j]` | `Σ_b dz[b][j]` | `+0.0` |
//! | `dx[b][k]` | `Σ_j dz[b][j] * W[k][j]` | `+0.0` |
//! | `dz` of a hidden layer | `+0.0` where its `x` is zero, else `dx` | |
//!
//! Vector units work *across* results, never along a sum. The per-element expressions are in
//! [`element`], where a GPU kernel can call them too.
//!
//! # Example
//!
//! ```
//! use presam_model::Mlp;
//!
//! let mlp = Mlp::new(&[2, 3, 2])?;
//! let mut params = [0.1_f32; 17];
//! params[1] = -0.4;
//! let inputs = [1.0, 0.5, -1.0, 2.0]; // two examples of two features
//! let labels = [0_u8, 1];
//!
//! let mut scratch = [0.0; 256];
//! assert!(mlp.scratch_len(2) <= scratch.len() && mlp.param_count() == params.len());
//! let mut grads = [0.0; 17];
//! let before = mlp.loss_and_gradient(&params, &inputs, &labels, 2, &mut grads, &mut scratch)?;
//! for (param, grad) in params.iter_mut().zip(&grads) {
//!     *param -= 0.5 * grad;
//! }
//! let after = mlp.loss(&params, &inputs, &labels, 2, &mut scratch)?;
//! assert!(after < before);
//! # Ok::<(), presam_model::Error>(())
//! ```
//!
//! # Features
//!
//! `simd`: the widest instruction set of the machine, chosen at run time ([`Level`]); `rand`: seeded
//! initialisation, shuffling and label noise (module `init`). Both are off by default.

#![no_std]
#![forbid(unsafe_code)]

pub mod element;
mod error;
#[cfg(feature = "rand")]
pub mod init;
mod level;
mod mlp;
mod passes;
mod product;
mod scalar;
mod segment;
mod slices;
mod task;

pub use error::Error;
pub use level::Level;
pub use mlp::Mlp;
pub use scalar::Scalar;
pub use segment::{Segment, Segments};
