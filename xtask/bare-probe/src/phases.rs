//! One generic step by phases, by [`Session`] and by [`FixedSam`]; the caller decides every value.

use presam::{
    AdamW, BaseOptimizer, BaseState, Configure, Cpu, Error, FixedSam, Flat, Group, LengthRule,
    PartialNorm, Real, RuleState, SegmentMut, Session, SgdMomentum, StepReport, Variant, finish,
};

/// What a trainer hands in, all of it unknown to the compiler.
pub struct Call<'a, R, const M: usize, const I: usize> {
    pub key: &'a str,
    pub value: f64,
    pub groups: &'a [Group<R>],
    pub length: LengthRule<R>,
    pub segment: SegmentMut<'a, R, M, I, 1>,
    pub second_moment: &'a mut [R],
    pub perturbed: &'a mut [R],
    pub norm: PartialNorm<R>,
    pub later: PartialNorm<R>,
    pub rule_state: RuleState<R>,
    pub base_state: BaseState<R>,
    pub momentum: SgdMomentum<R>,
    pub adamw: AdamW<R>,
    pub grad_factor: R,
}

/// A configuration as a file makes it: of an unknown key or value it is the default, so that the step
/// stays reachable for a variant without keys.
fn configured<R, V: Configure, const M: usize, const I: usize>(call: &Call<'_, R, M, I>) -> V {
    V::default().set(call.key, call.value).unwrap_or_default()
}

/// The step by phases, in place and out of place, with each base optimizer.
pub fn phases<R: Real, V, const M: usize, const I: usize>(
    call: &mut Call<'_, R, M, I>,
) -> Result<(), Error>
where
    V: Variant<R, M, I> + Configure,
{
    let variant: V = configured(call);
    let cpu = Cpu::plain();
    let Some(group) = call.groups.first() else { return Ok(()) };
    let rule = variant.with_operator(group.operator()).arm(&call.rule_state);
    let SegmentMut { params, grads, backup, memory, inputs, state, .. } = &mut call.segment;
    let (inputs, [momentum]) = (*inputs, state);
    let read = memory.each_ref().map(|plane| &**plane);
    cpu.accumulate_norm(rule, params, grads, read, inputs, &mut call.norm)?;
    call.norm.merge(&call.later)?;
    let ascent = finish(variant, &call.norm, &mut call.rule_state)?;
    let scale = ascent.scale(group.rho(), call.length)?;
    let planes = memory.each_mut().map(|plane| &mut **plane);
    cpu.ascend(rule, scale, params, grads, planes, inputs, call.perturbed)?;
    let planes = memory.each_mut().map(|plane| &mut **plane);
    cpu.ascend_in_place(rule, scale, params, grads, planes, inputs, backup)?;
    cpu.restore(params, backup)?;
    let (factor, before) = (call.grad_factor, call.base_state);
    cpu.descend(call.momentum.arm(&before), factor, params, grads, [&mut **momentum])?;
    let moments = [&mut **momentum, &mut *call.second_moment];
    cpu.descend(call.adamw.arm(&before), factor, params, grads, moments)?;
    call.base_state = call.adamw.advance(&call.momentum.advance(&before));
    Ok(())
}

/// The step by a session: with two gradients, and with the momentum as the first one.
pub fn session_step<R: Real, V, const M: usize, const I: usize>(
    call: &mut Call<'_, R, M, I>,
    gradient: fn(&[R], &mut [R]),
) -> Result<StepReport<R>, Error>
where
    V: Variant<R, M, I> + Configure,
{
    let mut session = session_of::<R, V, M, I>(call);
    let SegmentMut { params, backup, memory, inputs, state, .. } = &mut call.segment;
    let mut model = Flat {
        params,
        grads: call.perturbed,
        backup,
        memory: memory.each_mut().map(|plane| &mut **plane),
        inputs: *inputs,
        state: state.each_mut().map(|plane| &mut **plane),
    };
    let mut at = |model: &mut Flat<'_, R, M, I, 1>| {
        gradient(model.params, model.grads);
        Ok::<(), Error>(())
    };
    session.step(call.groups, &mut model, &mut at)?;
    let report = session.step_with_momentum(call.groups, &mut model, &mut at);
    (call.rule_state, call.base_state) = (session.rule_state, session.base_state);
    report
}

/// The step of an optimizer that owns its buffers.
pub fn fixed_step<R: Real, V, const M: usize>(
    call: &mut Call<'_, R, M, 0>,
    gradient: fn(&[R], &mut [R]),
) -> Result<StepReport<R>, Error>
where
    V: Variant<R, M, 0> + Configure,
{
    let session = session_of::<R, V, M, 0>(call);
    let mut sam: FixedSam<R, V, SgdMomentum<R>, 64, M, 1> = FixedSam::new(session);
    let Some(&group) = call.groups.first() else { return Err(Error::TooManyChunks) };
    sam.step(call.segment.params, group, gradient)?;
    sam.step(call.perturbed, group, gradient)
}

fn session_of<R: Real, V: Configure, const M: usize, const I: usize>(
    call: &Call<'_, R, M, I>,
) -> Session<R, V, SgdMomentum<R>> {
    let mut session = Session::new(Cpu::plain(), configured(call), call.momentum);
    session.length = call.length;
    session.rule_state = call.rule_state;
    session.base_state = call.base_state;
    session.second = presam::SecondGradient::Clipped(call.grad_factor);
    session.loss_scale = call.grad_factor;
    session
}
