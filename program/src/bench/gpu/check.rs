//! A [`Case`] is built and its first step, in place and out of place, compared with the core in bits.

use std::sync::Arc;

use presam::{BaseState, Group, RuleState, SecondGradient};

use super::case::Case;
use super::clocked::Clocked;
use super::planes::Planes;
use super::reference::{Norm, Reference};
use crate::bench::cpu::shard::{Order, Rules, rho};
use crate::bench::{Base, Phase, Shape};
use crate::error::Error;
use presam_cuda::{Device, DeviceSegment, DeviceStep, Form, Options};

/// What a case is made of.
#[derive(Clone, PartialEq)]
pub(super) struct Recipe {
    pub rule: &'static str,
    pub base: Base,
    pub shape: Arc<Shape>,
    /// Threads that compute what is expected.
    pub threads: usize,
    /// Whether the answers are compared, and a few steps taken: not for a profiler.
    pub checked: bool,
}

/// Builds the planes and the steps over them; the first step is checked where the recipe says so.
pub(super) fn build<D: Clocked>(device: &mut D, recipe: &Recipe) -> Result<Case, Error> {
    let Recipe { rule, base, ref shape, threads, checked } = *recipe;
    let rules = Rules::new(rule, base)?;
    let planes = Planes::new(device, shape, rules.planes())?;
    let (plain, in_place) = (Vec::new(), Vec::new());
    let mut case = Case { rule, base, shape: Arc::clone(shape), planes, plain, in_place };
    let reference = Reference { rules, shape: Arc::clone(shape), threads };
    match fill(device, &mut case, &reference, checked) {
        Ok(()) => Ok(case),
        Err(error) => {
            // The next rows need the room; the first error is the one to tell.
            let _ = case.free(device);
            Err(match error {
                Error::Wrong(what) => Error::Wrong(format!("{rule} on {}: {what}", shape.name)),
                other => other,
            })
        }
    }
}

/// The steps over a case's planes, and the values in these.
fn fill<D: Clocked>(
    device: &mut D,
    case: &mut Case,
    reference: &Reference,
    checked: bool,
) -> Result<(), Error> {
    let (rules, shape, planes) = (reference.rules, &case.shape, &case.planes);
    for (form, steps) in [(Form::OutOfPlace, &mut case.plain), (Form::InPlace, &mut case.in_place)]
    {
        for turn in 0..2 {
            steps.push(step(device, rules, shape, planes.segments(turn, form), form)?);
        }
    }
    reference.each(&[], &mut |elements, tensors, _| {
        let mut pieces = elements.iter().zip(tensors);
        pieces.try_for_each(|(range, tensor)| planes.write(device, range, tensor))?;
        Ok(())
    })?;
    if checked {
        verify(device, case, reference)?;
        case.settle(device)?;
    }
    Ok(())
}

/// The step of these rules over the planes.
fn step(
    device: &mut dyn Device,
    Rules { variant, base }: Rules,
    shape: &Shape,
    segments: Vec<DeviceSegment>,
    form: Form,
) -> Result<DeviceStep, Error> {
    let groups = [Group::new(rho(shape))?];
    // As on the CPU: the bytes counted are those of a descent that does not look at g~ first.
    // One pass is timed over and over, without those that would come between.
    let (second, checks_order) = (SecondGradient::Unchecked, false);
    let options = Options { form, second, checks_order, ..Options::default() };
    Ok(DeviceStep::new(device, variant, base, &segments, &groups, options)?)
}

/// The first step in place and back, then out of place and down.
fn verify<D: Clocked>(device: &mut D, case: &Case, reference: &Reference) -> Result<(), Error> {
    let expected: Norm = reference.norm(rho(&case.shape))?;
    let planes = &case.planes;
    let ascend = Order::Ascend { state: RuleState::new(), scale: expected.scale, turn: false };
    case.in_place[0].ascend(device)?;
    let found = case.in_place[0].report(device)?.ascent.norm;
    if found != expected.norm {
        let what = format!("norm: expected {:?}, found {found:?}", expected.norm);
        return Err(Error::Wrong(what));
    }
    reference.each(&[ascend], &mut |elements, tensors, _| {
        for (range, t) in elements.iter().zip(tensors) {
            let first = range.start;
            planes.same(device, ("params in place", planes.params), first, &t.perturbed)?;
            planes.same(device, ("backup", planes.out), first, &t.params)?;
            for (plane, expected) in planes.memory.iter().zip(&t.memory) {
                planes.same(device, ("memory in place", *plane), first, expected)?;
            }
        }
        Ok(())
    })?;
    case.in_place[0].restore(device)?;
    planes.forget(device)?;
    case.queue(device, Phase::Step, 0)?;
    let descend = Order::Descend(BaseState::new());
    reference.each(&[ascend, descend], &mut |elements, tensors, _| {
        for (range, t) in elements.iter().zip(tensors) {
            let first = range.start;
            planes.same(device, ("perturbed", planes.out), first, &t.perturbed)?;
            planes.same(device, ("params", planes.params), first, &t.params)?;
            for (plane, expected) in planes.memory.iter().zip(&t.memory) {
                planes.same(device, ("memory", *plane), first, expected)?;
            }
            for (plane, expected) in planes.state.iter().zip(&t.state) {
                planes.same(device, ("state", *plane), first, expected)?;
            }
        }
        Ok(())
    })
}
