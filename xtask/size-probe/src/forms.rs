//! The forms in which firmware takes a step, each as firmware would write it. Phases stand in functions of
//! their own, so that the stack of each is seen.
#![allow(dead_code, reason = "an image is one of them")]

use crate::board::Call;
use core::hint::black_box;
use presam::{
    AnyBase, AnyVariant, Armed, ArmedBase, Ascending, BaseOptimizer, Cpu, DynBase, DynVariant,
    Error, FixedSam, Flat, Group, LengthRule, PartialNorm, Planes, PlanesMut, Scale, Session, Sgd,
    Variant, finish,
};

type Done = Result<(), Error>;

/// The first planes of a list.
fn first<T, const K: usize>(list: [T; 2], none: impl Fn() -> T) -> [T; K] {
    let mut list = list.into_iter();
    core::array::from_fn(|_| list.next().unwrap_or_else(&none))
}

fn read<'a, const K: usize>(list: &'a [&'static mut [f32]; 2]) -> [&'a [f32]; K] {
    first([&*list[0], &*list[1]], || &[])
}

fn written<'a, const K: usize>(list: &'a mut [&'static mut [f32]; 2]) -> [&'a mut [f32]; K] {
    let [one, two] = list;
    first([&mut **one, &mut **two], || &mut [])
}

#[inline(never)]
pub fn norm<V, const M: usize, const I: usize>(
    variant: V,
    call: &Call,
    norm: &mut PartialNorm<f32>,
) -> Done
where
    V: Variant<f32, M, I>,
{
    let (rule, inputs) = (variant.arm(&call.rule_state), first(call.inputs, || &[]));
    let (w, g) = (&*call.params, &*call.grads);
    Cpu::plain().accumulate_norm(rule, w, g, read(&call.memory), inputs, norm)
}

#[inline(never)]
pub fn scale<V, const M: usize, const I: usize>(
    variant: V,
    call: &mut Call,
    norm: &PartialNorm<f32>,
) -> Result<Scale<f32>, Error>
where
    V: Variant<f32, M, I>,
{
    finish(variant, norm, &mut call.rule_state)?.scale(call.rho, LengthRule::NORMALISED)
}

#[inline(never)]
pub fn ascend<V, const M: usize, const I: usize>(
    variant: V,
    scale: Scale<f32>,
    call: &mut Call,
) -> Done
where
    V: Variant<f32, M, I>,
{
    let (rule, inputs) = (variant.arm(&call.rule_state), first(call.inputs, || &[]));
    let (memory, perturbed) = (written(&mut call.memory), &mut *call.spare);
    Cpu::plain().ascend(rule, scale, call.params, call.grads, memory, inputs, perturbed)
}

#[inline(never)]
pub fn ascend_in_place<V, const M: usize, const I: usize>(
    variant: V,
    scale: Scale<f32>,
    call: &mut Call,
) -> Done
where
    V: Variant<f32, M, I>,
{
    let (rule, inputs) = (variant.arm(&call.rule_state), first(call.inputs, || &[]));
    let (memory, backup) = (written(&mut call.memory), &mut *call.spare);
    Cpu::plain().ascend_in_place(rule, scale, call.params, call.grads, memory, inputs, backup)
}

#[inline(never)]
pub fn restore(call: &mut Call) -> Done {
    Cpu::plain().restore(call.params, call.spare)
}

#[inline(never)]
pub fn descend<B: BaseOptimizer<f32, S>, const S: usize>(base: B, call: &mut Call) -> Done {
    let base = base.with_learning_rate(call.learning_rate)?;
    let rule = base.arm(&call.base_state);
    Cpu::plain().descend(rule, 1.0, call.params, call.grads, written(&mut call.velocity))?;
    call.base_state = base.advance(&call.base_state);
    Ok(())
}

/// The first half of a step by typed phases, in place.
pub fn perturb<V, const M: usize, const I: usize>(variant: V, call: &mut Call) -> Done
where
    V: Variant<f32, M, I>,
{
    let mut sums = PartialNorm::new();
    norm(variant, call, &mut sums)?;
    let scale = scale(variant, call, &sums)?;
    ascend_in_place(variant, scale, call)
}

/// The second half.
pub fn step_back<B: BaseOptimizer<f32, S>, const S: usize>(base: B, call: &mut Call) -> Done {
    restore(call)?;
    descend(base, call)
}

/// A step by erased phases, in place.
#[inline(never)]
pub fn erased(variant: &dyn DynVariant<f32>, base: &dyn DynBase<f32>, call: &mut Call) -> Done {
    let (variant, base) = (black_box(variant), black_box(base));
    let count = variant.planes();
    let at = Armed::new(Cpu::plain(), call.rule_state);
    let inputs = Planes::of(call.inputs.get(..count.inputs).unwrap_or_default());
    let memory = call.memory.get_mut(..count.memory).unwrap_or_default();
    let mut sums = PartialNorm::new();
    let read = PlanesMut::of(memory);
    variant.accumulate_norm(&at, call.params, call.grads, read.read(), inputs, &mut sums)?;
    let scale = variant.finish(&sums, &mut call.rule_state)?;
    let scale = scale.scale(call.rho, LengthRule::NORMALISED)?;
    let planes = Ascending { grads: call.grads, memory: read, inputs };
    variant.ascend_in_place(&at, scale, call.params, planes, call.spare)?;
    Cpu::plain().restore(call.params, call.spare)?;
    let at = ArmedBase {
        learning_rate: Some(call.learning_rate),
        ..ArmedBase::new(Cpu::plain(), call.base_state)
    };
    let state = call.velocity.get_mut(..base.state_planes()).unwrap_or_default();
    base.descend(&at, 1.0, call.params, call.grads, PlanesMut::of(state))?;
    call.base_state = base.advance(&call.base_state);
    Ok(())
}

/// A rule and a base optimizer of any name.
pub fn by_name(call: &mut Call) -> Done {
    let (name, key) = (crate::board::name(), crate::board::name());
    let variant = AnyVariant::by_name(name)?.set(key, f64::from(call.rho))?;
    erased(&variant, &AnyBase::by_name(name)?, call)
}

/// The gradient of a trainer, somewhere else.
#[inline(never)]
fn gradient(w: &[f32], g: &mut [f32]) {
    for (g, w) in g.iter_mut().zip(w) {
        *g = *w;
    }
}

fn session_of<V: DynVariant<f32>, B: DynBase<f32>>(v: V, b: B, call: &Call) -> Session<f32, V, B> {
    let mut session = Session::new(Cpu::plain(), v, b);
    session.learning_rate = Some(call.learning_rate);
    session.rule_state = call.rule_state;
    session.base_state = call.base_state;
    session
}

/// A session over one slice.
pub fn session<V: DynVariant<f32>, B: DynBase<f32>>(v: V, b: B, call: &mut Call) -> Done {
    let group = [Group::new(call.rho)?];
    let mut session = session_of(v, b, call);
    let [velocity, _] = &mut call.velocity;
    let state = PlanesMut::from([&mut **velocity]);
    let mut model = Flat { state, ..Flat::new(call.params, call.grads, call.spare) };
    let step = session.step(&group, &mut model, |model, _| {
        gradient(model.params, model.grads);
        Ok::<(), Error>(())
    });
    step.map(drop)
}

/// An optimizer that owns its buffers, at an address that the trainer gives.
pub fn owned<V: DynVariant<f32>, B: DynBase<f32>>(v: V, b: B, call: &mut Call) -> Done {
    let group = Group::new(call.rho)?;
    let mut owner: FixedSam<f32, V, B, 16, 0, 1> = FixedSam::new(session_of(v, b, call));
    owner.step(call.params, group, gradient).map(drop)
}

/// The default of a base optimizer.
pub fn momentum() -> presam::SgdMomentum<f32> {
    Sgd::default().with_momentum(0.9).unwrap_or_default()
}
