//! What the library has, by name: for messages, defaults and documentation in Python.

use presam::{Key, Slope, variants};
use pyo3::prelude::*;

/// Name, default, limits in words, meaning.
type KeyRow = (&'static str, f64, &'static str, &'static str);
/// Name, aliases, formula, keys, source, planes of memory and inputs (of state, for a base optimizer), whether a step
/// takes one gradient.
type Row =
    (&'static str, Vec<&'static str>, &'static str, Vec<KeyRow>, &'static str, Vec<usize>, bool);

fn keys(keys: &[Key]) -> Vec<KeyRow> {
    keys.iter().map(|key| (key.name, key.default, key.limits.words(), key.meaning)).collect()
}

/// Every variant.
#[pyfunction]
pub(crate) fn variants_list() -> Vec<Row> {
    let row = |info: &presam::VariantInfo| {
        let planes = vec![info.memory, info.inputs];
        let one = info.slope == Slope::Momentum;
        (info.name, info.aliases.to_vec(), info.formula, keys(info.keys), info.source, planes, one)
    };
    variants::ALL.iter().map(row).collect()
}

/// Every base optimizer.
#[pyfunction]
pub(crate) fn bases_list() -> Vec<Row> {
    let row = |info: &presam::BaseInfo| {
        let planes = vec![info.state];
        (info.name, info.aliases.to_vec(), info.formula, keys(info.keys), info.source, planes, true)
    };
    presam::base::ALL.iter().map(row).collect()
}

/// GSAM's radius at a learning rate: `rho` and `rate` are (least, greatest).
#[pyfunction]
pub(crate) fn gsam_rho(rho: (f64, f64), rate: (f64, f64), learning_rate: f64) -> f64 {
    presam::gsam_rho(rho, rate, learning_rate)
}
