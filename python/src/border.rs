//! The engine as Python sees it: lists of addresses and numbers in, outcomes out, without the
//! interpreter's lock while it computes on many of them.

use presam::{AnyReal, BaseState, Outcome, Real, RuleState};
use presam_bridge::{Descent, Fault, Numbers, Seats, Where};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyString};

use crate::ascent::Slope;
use crate::engine::{Engine, Made};

enum Typed {
    F32(Engine<f32>),
    F64(Engine<f64>),
}

/// A step over fewer numbers than these, tens of microseconds, keeps the interpreter's lock: to give it up and take it
/// again costs a good part of that, and more where another thread wants it.
const SHORT: usize = 1 << 14;

/// The same for either scalar type.
macro_rules! each {
    ($typed:expr, $engine:ident => $body:expr) => {
        match $typed {
            Typed::F32($engine) => $body,
            Typed::F64($engine) => $body,
        }
    };
}

/// One optimizer's step over tensors by address. Whoever calls it promises that every address stands for
/// so many numbers of its scalar type, alive and used by no one else until the call returns.
#[pyclass(name = "Engine", module = "presam._presam")]
pub(crate) struct PyEngine {
    typed: Typed,
    numbers: Numbers,
    seats: Option<Seats>,
}

impl<R: AnyReal> Engine<R> {
    /// A half of a step on so many threads, in one piece where no process of Python's is asked in its middle.
    fn whole<T: Send>(
        &mut self,
        threads: usize,
        decide: &Decide,
        work: impl FnOnce(&mut Self) -> PyResult<T> + Send,
    ) -> PyResult<T> {
        if decide.is_some() {
            return work(self);
        }
        self.on(threads, |engine| Ok(work(engine)))?
    }
}

impl PyEngine {
    /// Brings the groups up to date.
    fn regroup(&mut self, groups: &Bound<'_, PyList>) -> PyResult<()> {
        let typed = &mut self.typed;
        self.numbers.renew(groups, |values| each!(typed, engine => engine.set_groups(values)))
    }

    /// Runs `work` without the interpreter's lock, where it is long enough: whoever lets go of the lock for a
    /// microsecond may wait five thousand for another thread to give it back.
    fn unlocked<T: Send>(
        &mut self,
        py: Python<'_>,
        work: impl FnOnce(&mut Typed) -> PyResult<T> + Send,
    ) -> PyResult<T> {
        let typed = &mut self.typed;
        let short = each!(&*typed, engine => engine.total()) < SHORT;
        if short { work(typed) } else { py.detach(|| work(typed)) }
    }

    fn found(
        &self,
        grads: Option<Vec<usize>>,
        groups: &Bound<'_, PyList>,
    ) -> PyResult<Option<Vec<usize>>> {
        Seats::found(self.seats.as_ref(), grads, groups)
    }
}

/// In the engine's scalar type; no norm is too long where there is no limit.
fn limits<R: Real>(unscale: f64, max_norm: Option<f64>) -> (R, R) {
    (R::from_f64(unscale), R::from_f64(max_norm.unwrap_or(f64::INFINITY)))
}

/// Steps, running product, mean.
type RuleCounters = (u32, f64, f64);
/// Steps and both running products, one a tensor.
type BaseCounters = Vec<(u32, f64, f64)>;
/// A function of Python that is told whether the numbers are finite here and says whether they are
/// everywhere.
type Decide = Option<Py<PyAny>>;

fn decided(decide: &Decide, found: Outcome) -> PyResult<Outcome> {
    let Some(decide) = decide else { return Ok(found) };
    let here = found != Outcome::NonFinite;
    let everywhere: bool = Python::attach(|py| decide.call1(py, (here,))?.extract(py))?;
    Ok(if everywhere { found } else { Outcome::NonFinite })
}

#[pymethods]
impl PyEngine {
    #[new]
    fn new(
        scalar: &str,
        variant: &str,
        keys: Vec<(String, f64)>,
        base: Option<(String, Vec<String>)>,
        names: Vec<Py<PyString>>,
        length: (f64, f64),
        descent: (String, f64),
    ) -> PyResult<Self> {
        let made = Made {
            variant: (variant, &keys),
            base: base.as_ref().map(|(name, keys)| (name.as_str(), keys.clone())),
            length,
            descent: (&descent.0, descent.1),
        };
        let typed = match scalar {
            "f32" => Typed::F32(Engine::new(made)?),
            "f64" => Typed::F64(Engine::new(made)?),
            _ => {
                return Err(
                    Fault::new(format!("scalar: expected f32 or f64, found {scalar}")).into()
                );
            }
        };
        Ok(Self { typed, numbers: Numbers::new(names), seats: None })
    }

    /// Planes of memory, inputs and state of each tensor.
    #[getter]
    fn planes(&self) -> [usize; 3] {
        each!(&self.typed, engine => engine.planes())
    }

    fn set_tensors(&mut self, tensors: Vec<(usize, usize, Vec<usize>)>) -> PyResult<()> {
        self.seats = None;
        Ok(each!(&mut self.typed, engine => engine.set_tensors(&tensors))?)
    }

    /// After `set_tensors`: torch's parameters, so that a call can find their gradients.
    fn set_seats(
        &mut self,
        table: &Bound<'_, PyCapsule>,
        plain: &Bound<'_, PyAny>,
        groups: &Bound<'_, PyList>,
        there: Vec<bool>,
    ) -> PyResult<()> {
        self.seats = Seats::of(Where::CPU, table, plain, groups, &there)?;
        Ok(())
    }

    /// Whether all is as it was but the gradients: what a call asks that is given none.
    fn look(&self, groups: &Bound<'_, PyList>) -> PyResult<bool> {
        Ok(self.found(None, groups)?.is_some())
    }

    /// The first half of a step: the outcome's number and the norm.
    #[allow(clippy::too_many_arguments, reason = "one call a half, each argument a plain value")]
    fn ascend(
        &mut self,
        py: Python<'_>,
        grads: Option<Vec<usize>>,
        groups: &Bound<'_, PyList>,
        unscale: f64,
        momentum: bool,
        threads: usize,
        decide: Decide,
    ) -> PyResult<Option<(u8, f64)>> {
        let Some(grads) = self.found(grads, groups)? else { return Ok(None) };
        self.regroup(groups)?;
        self.unlocked(py, |typed| {
            each!(typed, engine => {
                engine.whole(threads, &decide, |engine| {
                    let grads = engine.gradients(&grads)?;
                    engine.keep_first(&grads)?;
                    let slope = Slope { unscale: Real::from_f64(unscale), momentum };
                    let mut measured = engine.on(threads, |engine| engine.measure(&grads, slope))?;
                    measured.ascent.outcome = decided(&decide, measured.ascent.outcome)?;
                    let (outcome, norm) = (measured.ascent.outcome, measured.ascent.norm.value());
                    if outcome != Outcome::NonFinite {
                        engine.on(threads, |engine| engine.perturb(&grads, slope, &measured))?;
                    }
                    Ok(Some((outcome as u8, Real::to_f64(norm))))
                })
            })
        })
    }

    /// The second half of a step: the outcome's number. `alone`, without a first half, the gradients are taken as they are.
    #[allow(clippy::too_many_arguments, reason = "one call a half, each argument a plain value")]
    fn descend(
        &mut self,
        py: Python<'_>,
        grads: Option<Vec<usize>>,
        groups: &Bound<'_, PyList>,
        unscale: f64,
        max_norm: Option<f64>,
        threads: usize,
        decide: Decide,
        alone: bool,
    ) -> PyResult<Option<u8>> {
        let Some(grads) = self.found(grads, groups)? else { return Ok(None) };
        self.regroup(groups)?;
        self.unlocked(py, |typed| {
            each!(typed, engine => {
                engine.whole(threads, &decide, |engine| {
                    engine.on(threads, Engine::restore)?;
                    let grads = engine.gradients(&grads)?;
                    let (unscale, max_norm) = limits(unscale, max_norm);
                    let descent = if alone { Descent::Plain } else { engine.descent };
                    let judged = engine.on(threads, |engine| {
                        engine.mix(descent, &grads)?;
                        engine.judge(&grads, unscale, max_norm)
                    });
                    let (factor, found) = judged?;
                    let outcome = decided(&decide, found)?;
                    if outcome != Outcome::NonFinite {
                        engine.on(threads, |engine| {
                            engine.keep_sharp(descent, &grads)?;
                            let factor = unscale * factor;
                            if engine.base.is_some() {
                                engine.descend(descent, &grads, factor)
                            } else {
                                engine.multiply(&grads, factor)
                            }
                        })?;
                    }
                    Ok(Some(outcome as u8))
                })
            })
        })
    }

    /// A whole step of LookSAM without a second gradient: the outcome's number.
    #[allow(clippy::too_many_arguments, reason = "one call a half, each argument a plain value")]
    fn reuse(
        &mut self,
        py: Python<'_>,
        grads: Option<Vec<usize>>,
        groups: &Bound<'_, PyList>,
        unscale: f64,
        max_norm: Option<f64>,
        threads: usize,
        decide: Decide,
    ) -> PyResult<Option<u8>> {
        let Some(grads) = self.found(grads, groups)? else { return Ok(None) };
        self.regroup(groups)?;
        self.unlocked(py, |typed| {
            each!(typed, engine => {
                engine.whole(threads, &decide, |engine| {
                    let grads = engine.gradients(&grads)?;
                    let (unscale, max_norm) = limits(unscale, max_norm);
                    let (mixed, (factor, found)) = engine.on(threads, |engine| {
                        let mixed = engine.reuse_sharp(&grads)?;
                        let judged = engine.judge(&mixed, unscale, max_norm)?;
                        Ok((mixed, judged))
                    })?;
                    let outcome = decided(&decide, found)?;
                    if outcome != Outcome::NonFinite {
                        engine.on(threads, |engine| engine.descend(Descent::Plain, &mixed, unscale * factor))?;
                    }
                    Ok(Some(outcome as u8))
                })
            })
        })
    }

    /// Perturbed tensors back from their backups; how many.
    fn restore(&mut self, py: Python<'_>) -> PyResult<usize> {
        self.unlocked(py, |typed| each!(typed, engine => Ok(engine.restore()?)))
    }

    /// The counters of the rule and of each tensor's base optimizer: with the planes, all that a
    /// checkpoint needs.
    fn counters(&self) -> (RuleCounters, BaseCounters) {
        each!(&self.typed, engine => {
            let RuleState { steps, decay_power, mean } = engine.rule_state;
            let base = engine.tensors.iter().map(|tensor| {
                let BaseState { steps, decay_powers: [a, b] } = tensor.base_state;
                (steps, a, b)
            });
            ((steps, decay_power, Real::to_f64(mean)), base.collect())
        })
    }

    fn set_counters(&mut self, rule: RuleCounters, base: BaseCounters) -> PyResult<()> {
        each!(&mut self.typed, engine => {
            if base.len() != engine.tensors.len() {
                let (expected, found) = (engine.tensors.len(), base.len());
                return Err(Fault::new(format!("counters: expected {expected}, found {found}")).into());
            }
            let (steps, decay_power, mean) = rule;
            engine.rule_state = RuleState { steps, decay_power, mean: Real::from_f64(mean) };
            for (tensor, (steps, a, b)) in engine.tensors.iter_mut().zip(base) {
                tensor.base_state = BaseState { steps, decay_powers: [a, b] };
            }
            Ok(())
        })
    }

    /// Counters as after so many steps of either kind, where the last left this mean: what a request of
    /// `presam verify` tells.
    fn resume(
        &mut self,
        groups: &Bound<'_, PyList>,
        rule_steps: u64,
        mean: f64,
        base_steps: u64,
    ) -> PyResult<()> {
        self.regroup(groups)?;
        each!(&mut self.typed, engine => Ok(engine.resume(rule_steps, mean, base_steps)?))
    }
}
