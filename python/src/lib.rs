//! `_presam`: the step of presam over tensors by address, for the Python package `presam`.
//!
//! `slices` turns addresses into slices and `team` finds PyTorch's threads: the only unsafe code. What is read of
//! Python's objects is the crate presam-bridge's; `engine` holds rules, counters and tensors; `ascent` and `descent`
//! are the two halves of a step over core's phases; `border` is what Python sees.

mod ascent;
mod border;
mod descent;
mod engine;
mod lists;
mod slices;
mod team;
mod threads;

/// The module.
#[pyo3::pymodule]
mod _presam {
    #[pymodule_export]
    use crate::border::PyEngine;
    #[pymodule_export]
    use crate::lists::{bases_list, gsam_rho, variants_list};

    /// Remembers which process this is: a fork of it will be another.
    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        crate::team::begin();
        Ok(())
    }

    /// The version of the library.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
