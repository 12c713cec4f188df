//! A [`Case`] is built and its first step, in place and out of place, compared with the core in bits.

use std::sync::Arc;

use presam::{BaseState, Configure, Group, RuleState};
use presam_kernels::entries::{BaseEntries, VariantEntries};

use super::case::Case;
use super::clocked::Clocked;
use super::planes::Planes;
use super::reference::{Norm, Reference};
use crate::bench::cpu::shard::{Order, Planes as Share, adamw, rho, sgd};
use crate::bench::{Base, BenchError, Phase, Shape};
use crate::config::ConfigError;
use crate::device::{DeviceStep, Form, Options};
use presam::SecondGradient;

/// What a case is made of.
#[derive(Clone)]
pub(super) struct Recipe {
    pub rule: &'static str,
    pub base: Base,
    pub shape: Arc<Shape>,
    /// Threads that compute what is expected.
    pub threads: usize,
    /// Whether the answers are compared, and a few steps taken: not for a profiler.
    pub checked: bool,
}

/// The one place where the rules' types are spelled out.
pub(super) fn build<D: Clocked>(device: &mut D, recipe: &Recipe) -> Result<Case, BenchError> {
    macro_rules! rows {
        ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
            $(if recipe.rule == presam::variants::$module::INFO.name {
                return with_base::<D, presam::$Variant<f32>, $m, $i>(device, recipe);
            })*
        };
    }
    presam::for_each_variant!(rows);
    Err(ConfigError::new("rule", "a name from `presam methods`", recipe.rule).into())
}

fn with_base<D, V, const M: usize, const I: usize>(
    device: &mut D,
    recipe: &Recipe,
) -> Result<Case, BenchError>
where
    D: Clocked,
    V: VariantEntries<M, I> + Configure + Send + Sync,
{
    match recipe.base {
        Base::SgdMomentum => built::<D, V, _, M, I, 1>(device, recipe, sgd()?),
        Base::AdamW => built::<D, V, _, M, I, 2>(device, recipe, adamw()?),
    }
}

fn built<D, V, B, const M: usize, const I: usize, const S: usize>(
    device: &mut D,
    recipe: &Recipe,
    optimizer: B,
) -> Result<Case, BenchError>
where
    D: Clocked,
    V: VariantEntries<M, I> + Configure + Send + Sync,
    B: BaseEntries<S>,
{
    let Recipe { rule, base, ref shape, threads, checked } = *recipe;
    let (variant, shape) = (V::default(), Arc::clone(shape));
    let planes = Planes::new(device, &shape, [M, I, S])?;
    let groups = [Group::new(rho(&shape))?];
    let mut step = |form, turn| {
        let segments = planes.segments::<M, I, S>(turn);
        // As on the CPU: the bytes counted are those of a descent that does not look at g~ first.
        let options = Options { form, second: SecondGradient::Unchecked, ..Options::default() };
        DeviceStep::new(device, variant, optimizer, &segments, &groups, options)
    };
    let plain = [step(Form::OutOfPlace, 0)?, step(Form::OutOfPlace, 1)?];
    let in_place = [step(Form::InPlace, 0)?, step(Form::InPlace, 1)?];
    let case = Case { rule, base, shape: Arc::clone(&shape), planes, plain, in_place };
    let reference = Reference::<V, M, I> { variant, rule, shape, threads };
    let fill = |device: &mut D| {
        reference.each(&[], |elements, share: &Share<V, M, I>, _| {
            let mut pieces = elements.iter().zip(&share.tensors);
            pieces.try_for_each(|(range, tensor)| case.planes.write(device, range, tensor))?;
            Ok(())
        })
    };
    fill(device)?;
    if checked {
        verify(device, &case, &reference).map_err(|error| match error {
            BenchError::Wrong(what) => {
                BenchError::Wrong(format!("{rule} on {}: {what}", case.shape.name))
            }
            other => other,
        })?;
        case.settle(device)?;
    }
    Ok(case)
}

/// The first step in place and back, then out of place and down.
fn verify<D, V, const M: usize, const I: usize>(
    device: &mut D,
    case: &Case,
    reference: &Reference<V, M, I>,
) -> Result<(), BenchError>
where
    D: Clocked,
    V: VariantEntries<M, I> + Send + Sync,
{
    let expected: Norm = reference.norm(rho(&case.shape))?;
    let planes = &case.planes;
    let ascend = Order::Ascend { state: RuleState::new(), scale: expected.scale, turn: false };
    case.in_place[0].ascend(device)?;
    let found = case.in_place[0].report(device)?.ascent.norm;
    if found != expected.norm {
        let what = format!("norm: expected {:?}, found {found:?}", expected.norm);
        return Err(BenchError::Wrong(what));
    }
    reference.each(&[ascend], |elements, share, _| {
        for (range, t) in elements.iter().zip(&share.tensors) {
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
    let descend = Order::Descend { base: case.base, state: BaseState::new() };
    reference.each(&[ascend, descend], |elements, share, _| {
        for (range, t) in elements.iter().zip(&share.tensors) {
            let first = range.start;
            planes.same(device, ("perturbed", planes.out), first, &t.perturbed)?;
            planes.same(device, ("params", planes.params), first, &t.params)?;
            for (plane, expected) in planes.memory.iter().zip(&t.memory) {
                planes.same(device, ("memory", *plane), first, expected)?;
            }
            for (plane, expected) in planes.state.iter().zip([&t.momentum, &t.second]) {
                planes.same(device, ("state", *plane), first, expected)?;
            }
        }
        Ok(())
    })
}
