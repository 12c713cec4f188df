//! [`Numbers`]: the numbers of the groups, read anew only where a group holds another object than before.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::fault::Fault;

/// Names of a group's numbers, and the objects under them that were read last.
pub struct Numbers {
    names: Vec<Py<PyString>>,
    /// Group by group. Held, so that no other object can come to have the identity of one.
    seen: Vec<Py<PyAny>>,
    groups: usize,
}

impl Numbers {
    /// The numbers under these names.
    #[must_use]
    pub const fn new(names: Vec<Py<PyString>>) -> Self {
        Self { names, seen: Vec::new(), groups: 0 }
    }

    /// Hands the numbers of the groups to `set` where one of them has moved; what that refuses is read again.
    ///
    /// # Errors
    /// Of Python, for what are no groups of numbers; those of `set`.
    pub fn renew(
        &mut self,
        groups: &Bound<'_, PyList>,
        set: impl FnOnce(Vec<Vec<f64>>) -> Result<(), Fault>,
    ) -> PyResult<()> {
        let Some(values) = self.moved(groups)? else { return Ok(()) };
        let done = set(values);
        if done.is_err() {
            self.forget();
        }
        Ok(done?)
    }

    /// The numbers of each group by name, a pair as two; `None` where all are those of the last call.
    fn moved(&mut self, groups: &Bound<'_, PyList>) -> PyResult<Option<Vec<Vec<f64>>>> {
        if self.stand(groups) {
            return Ok(None);
        }
        self.forget();
        let mut values = Vec::with_capacity(groups.len());
        for group in groups {
            values.push(self.read(&group.cast_into::<PyDict>()?)?);
        }
        self.groups = values.len();
        Ok(Some(values))
    }

    /// The next call reads everything.
    fn forget(&mut self) {
        self.seen.clear();
        self.groups = 0;
    }

    /// Whether every group holds the objects of the last call, none of which can have changed.
    fn stand(&self, groups: &Bound<'_, PyList>) -> bool {
        if self.groups != groups.len() || self.seen.len() != self.groups * self.names.len() {
            return false;
        }
        groups.iter().zip(self.seen.chunks(self.names.len().max(1))).all(|(group, seen)| {
            let Ok(group) = group.cast_exact::<PyDict>() else { return false };
            self.names.iter().zip(seen).all(|(name, seen)| {
                let found = group.get_item(name.bind(group.py()));
                found.is_ok_and(|found| found.is_some_and(|found| seen.is(&found)))
            })
        })
    }

    fn read(&mut self, group: &Bound<'_, PyDict>) -> PyResult<Vec<f64>> {
        let mut numbers = Vec::with_capacity(10);
        for name in &self.names {
            let value = group.as_any().get_item(name.bind(group.py()))?;
            if value.is_instance_of::<PyTuple>() || value.is_instance_of::<PyList>() {
                numbers.extend(value.extract::<Vec<f64>>()?);
            } else {
                numbers.push(value.extract()?);
            }
            if immutable(&value) {
                self.seen.push(value.unbind());
            }
        }
        Ok(numbers)
    }
}

/// Whether an object is a number of Python's own, or a tuple of such: a tensor or a list may change inside.
fn immutable(value: &Bound<'_, PyAny>) -> bool {
    let number = |value: &Bound<'_, PyAny>| {
        value.is_exact_instance_of::<PyFloat>()
            || value.is_exact_instance_of::<PyInt>()
            || value.is_exact_instance_of::<PyBool>()
    };
    number(value) || value.cast_exact::<PyTuple>().is_ok_and(|pair| pair.iter().all(|n| number(&n)))
}
