//! The engine as Python sees it: lists of addresses and numbers in; outcomes stay on the device until they are asked for.

use presam::{BaseState, Outcome, RuleState};
use presam_bridge::{Fault, Numbers, Seats};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyString};

use crate::engine::{Began, Engine, Made};
use crate::refused::Refused;

/// The numbers of what is no `presam::Outcome`: not known yet, and both kinds of steps without an ascent.
const QUEUED: u8 = 3;
const BASE: u8 = 4;
const REUSED: u8 = 5;

/// Steps, running product, mean.
type RuleCounters = (u32, f64, f64);
/// Steps and both running products, one a tensor.
type BaseCounters = Vec<(u32, f64, f64)>;

/// One optimizer's step over tensors by address, queued on a stream. Whoever calls it promises that every address stands
/// for so many floats of the device's memory, alive and used by nothing that is not in order with the stream.
#[pyclass(name = "Engine", module = "_presam_cuda")]
pub(crate) struct PyEngine {
    engine: Engine,
    numbers: Numbers,
    seats: Option<Seats>,
}

impl PyEngine {
    /// Brings the groups up to date.
    fn regroup(&mut self, groups: &Bound<'_, PyList>) -> PyResult<()> {
        self.numbers.renew(groups, |values| self.engine.set_groups(values))
    }

    fn found(
        &self,
        grads: Option<Vec<usize>>,
        groups: &Bound<'_, PyList>,
    ) -> PyResult<Option<Vec<usize>>> {
        Seats::found(self.seats.as_ref(), grads, groups)
    }

    /// Runs `work` without the interpreter's lock: a driver whose queue is full waits.
    fn unlocked<T: Send>(
        &mut self,
        py: Python<'_>,
        work: impl FnOnce(&mut Engine) -> Result<T, Refused> + Send,
    ) -> PyResult<T> {
        let engine = &mut self.engine;
        Ok(py.detach(|| work(engine))?)
    }
}

/// Processes cannot agree on what no host has seen.
fn alone(decide: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    if decide.is_none() {
        return Ok(());
    }
    let line = "process_group: expected None on a GPU, where each process decides for itself whether a step is skipped \
                (all alike, where both gradients are synchronised), found several processes";
    Err(Fault::new(line.into()).into())
}

#[pymethods]
impl PyEngine {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "the arguments of the CPU's module, and a place")]
    fn new(
        variant: &str,
        keys: Vec<(String, f64)>,
        base: (String, Vec<String>),
        names: Vec<Py<PyString>>,
        length: (f64, f64),
        descent: (String, f64),
        place: &str,
    ) -> PyResult<Self> {
        let made = Made {
            variant: (variant, &keys),
            base: (&base.0, base.1),
            length,
            descent: (&descent.0, descent.1),
            place,
        };
        Ok(Self { engine: Engine::new(made)?, numbers: Numbers::new(names), seats: None })
    }

    /// Planes of memory, inputs and state of each tensor.
    #[getter]
    fn planes(&self) -> [usize; 3] {
        self.engine.planes()
    }

    fn set_tensors(
        &mut self,
        py: Python<'_>,
        tensors: Vec<(usize, usize, Vec<usize>)>,
    ) -> PyResult<()> {
        self.seats = None;
        self.unlocked(py, |engine| engine.set_tensors(&tensors))
    }

    /// After `set_tensors`: torch's parameters, so that a call can find their gradients.
    fn set_seats(
        &mut self,
        table: &Bound<'_, PyCapsule>,
        plain: &Bound<'_, PyAny>,
        groups: &Bound<'_, PyList>,
        there: Vec<bool>,
    ) -> PyResult<()> {
        self.seats = Seats::of(self.engine.place.memory(), table, plain, groups, &there)?;
        Ok(())
    }

    /// The first half of a step, queued. The slope of momentum-sam is its own.
    #[allow(clippy::too_many_arguments, reason = "the arguments of the CPU's module")]
    fn ascend(
        &mut self,
        py: Python<'_>,
        grads: Option<Vec<usize>>,
        groups: &Bound<'_, PyList>,
        unscale: f64,
        _momentum: bool,
        stream: usize,
        decide: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Option<(u8, f64)>> {
        alone(decide.as_ref())?;
        let Some(grads) = self.found(grads, groups)? else { return Ok(None) };
        self.regroup(groups)?;
        self.unlocked(py, |engine| engine.ascend(stream, &grads, unscale))?;
        Ok(Some((QUEUED, f64::NAN)))
    }

    /// The second half of a step, queued; without a first one the gradients are taken as they are.
    #[allow(clippy::too_many_arguments, reason = "the arguments of the CPU's module")]
    fn descend(
        &mut self,
        py: Python<'_>,
        grads: Option<Vec<usize>>,
        groups: &Bound<'_, PyList>,
        unscale: f64,
        max_norm: Option<f64>,
        stream: usize,
        decide: Option<Bound<'_, PyAny>>,
        _alone: bool,
    ) -> PyResult<Option<u8>> {
        alone(decide.as_ref())?;
        let Some(grads) = self.found(grads, groups)? else { return Ok(None) };
        self.regroup(groups)?;
        self.unlocked(py, |engine| engine.descend(stream, &grads, unscale, max_norm))?;
        Ok(Some(QUEUED))
    }

    /// A whole step of LookSAM without a second gradient, queued.
    #[allow(clippy::too_many_arguments, reason = "the arguments of the CPU's module")]
    fn reuse(
        &mut self,
        py: Python<'_>,
        grads: Option<Vec<usize>>,
        groups: &Bound<'_, PyList>,
        unscale: f64,
        max_norm: Option<f64>,
        stream: usize,
        decide: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Option<u8>> {
        alone(decide.as_ref())?;
        let Some(grads) = self.found(grads, groups)? else { return Ok(None) };
        self.regroup(groups)?;
        self.unlocked(py, |engine| engine.reuse(stream, &grads, unscale, max_norm))?;
        Ok(Some(QUEUED))
    }

    /// Tells the device what the groups hold: between replays of a captured step.
    fn push(
        &mut self,
        py: Python<'_>,
        groups: &Bound<'_, PyList>,
        unscale: f64,
        max_norm: Option<f64>,
        stream: usize,
    ) -> PyResult<()> {
        self.regroup(groups)?;
        self.unlocked(py, |engine| engine.push(stream, unscale, max_norm))
    }

    /// Perturbed tensors back from their backups; how many.
    fn restore(&mut self, py: Python<'_>, stream: usize) -> PyResult<usize> {
        self.unlocked(py, |engine| engine.restore(stream))
    }

    /// Waits for the stream: the outcome's number and the norm of the last step; `None` before the first one.
    fn outcome(&mut self, py: Python<'_>, stream: usize) -> PyResult<Option<(u8, f64)>> {
        let found = self.unlocked(py, |engine| engine.found(stream))?;
        Ok(found.map(|found| {
            let number = match (found.outcome, found.began) {
                (Outcome::NonFinite, _) | (_, Began::Ascending) => found.outcome as u8,
                (_, Began::Alone) => BASE,
                (_, Began::Reusing) => REUSED,
            };
            (number, found.norm)
        }))
    }

    /// Waits for the stream: the counters of the rule and of each tensor's base optimizer.
    fn counters(
        &mut self,
        py: Python<'_>,
        stream: usize,
    ) -> PyResult<(RuleCounters, BaseCounters)> {
        let (rule, base) = self.unlocked(py, |engine| engine.counters(stream))?;
        let RuleState { steps, decay_power, mean } = rule;
        let counters = |BaseState { steps, decay_powers: [a, b] }| (steps, a, b);
        let base = base.into_iter().map(counters).collect();
        Ok(((steps, decay_power, f64::from(mean)), base))
    }

    fn set_counters(&mut self, rule: RuleCounters, base: BaseCounters) {
        let (steps, decay_power, mean) = rule;
        let rule = RuleState { steps, decay_power, mean: mean as f32 };
        let state = |(steps, a, b)| BaseState { steps, decay_powers: [a, b] };
        self.engine.set_counters(rule, base.into_iter().map(state).collect());
    }
}
