//! `_presam_cuda`: the step of presam over a GPU's tensors by address, for the Python package `presam`.
//!
//! `place` is where the buffers are: a GPU, on the stream that torch says, or the emulated device over a mirror of the
//! CPU's tensors (the only unsafe code). `engine` holds rules, counters and tensors (`row`) and makes the step of
//! presam-cuda, `ready`, which tells the device what has changed; `border` is what Python sees, `refused` its errors.
//! What is read of Python's objects is the crate presam-bridge's.

mod border;
mod engine;
mod place;
mod ready;
mod refused;
mod row;

/// The module.
#[pyo3::pymodule]
mod _presam_cuda {
    #[pymodule_export]
    use crate::border::PyEngine;

    /// The version of the library.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
