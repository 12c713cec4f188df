//! One generic step by typed phases, by erased ones, by [`Session`] and by [`FixedSam`]; the caller decides
//! every value.

use presam::{
    AdamW, AnyBase, AnyReal, AnyVariant, Armed, ArmedBase, Ascending, BaseOptimizer, BaseState,
    Configure, Cpu, DynBase, DynVariant, Error, FixedSam, Flat, Form, Group, LengthRule,
    PartialNorm, Point, Real, RuleState, SecondGradient, SegmentMut, Session, SgdMomentum,
    StepReport, Variant, finish,
};

/// What a trainer hands in, all of it unknown to the compiler.
pub struct Call<'a, R> {
    pub name: &'a str,
    pub base: &'a str,
    pub key: &'a str,
    pub value: f64,
    pub groups: &'a [Group<R>],
    pub length: LengthRule<R>,
    pub form: Form,
    pub learning_rate: Option<R>,
    pub segment: SegmentMut<'a, R>,
    pub second_moment: &'a mut [R],
    pub perturbed: &'a mut [R],
    pub norm: PartialNorm<R>,
    pub later: PartialNorm<R>,
    pub rule_state: RuleState<R>,
    pub base_state: BaseState,
    pub momentum: SgdMomentum<R>,
    pub adamw: AdamW<R>,
    pub grad_factor: R,
}

/// A configuration as a file makes it: of an unknown key or value it is the default, so that the step
/// stays reachable for a variant without keys.
fn configured<R, V: Configure>(call: &Call<'_, R>) -> V {
    V::default().set(call.key, call.value).unwrap_or_default()
}

/// The step by typed phases, in place and out of place, with each base optimizer.
pub fn phases<R: Real, V, const M: usize, const I: usize>(
    call: &mut Call<'_, R>,
) -> Result<(), Error>
where
    V: Variant<R, M, I> + Configure,
{
    let variant: V = configured(call);
    let cpu = Cpu::plain();
    let Some(group) = call.groups.first() else { return Ok(()) };
    let rule = variant.with_operator(group.operator()).arm(&call.rule_state);
    let SegmentMut { params, grads, spare, memory, inputs, state, .. } = &mut call.segment;
    let inputs: [&[R]; I] = inputs.array("inputs")?;
    let read: [&[R]; M] = memory.read().array("memory")?;
    cpu.accumulate_norm(rule, params, grads, read, inputs, &mut call.norm)?;
    call.norm.merge(&call.later)?;
    let ascent = finish(variant, &call.norm, &mut call.rule_state)?;
    let scale = ascent.scale(group.rho(), call.length)?;
    let planes: [&mut [R]; M] = memory.lend().array("memory")?;
    cpu.ascend(rule, scale, params, grads, planes, inputs, call.perturbed)?;
    let planes: [&mut [R]; M] = memory.lend().array("memory")?;
    cpu.ascend_in_place(rule, scale, params, grads, planes, inputs, spare)?;
    cpu.restore(params, spare)?;
    let (factor, before) = (call.grad_factor, call.base_state);
    let planes: [&mut [R]; 1] = state.lend().array("state")?;
    cpu.descend(call.momentum.arm(&before), factor, params, grads, planes)?;
    let [momentum] = state.lend().array("state")?;
    let moments = [momentum, &mut *call.second_moment];
    cpu.descend(call.adamw.arm(&before), factor, params, grads, moments)?;
    call.base_state = call.adamw.advance(&call.momentum.advance(&before));
    Ok(())
}

/// The step by erased phases, of one variant.
pub fn erased<R: Real, V>(call: &mut Call<'_, R>) -> Result<(), Error>
where
    V: DynVariant<R> + Configure,
{
    let variant: V = configured(call);
    let momentum = call.momentum;
    erased_step(&variant, &momentum, call)
}

/// The step by erased phases, of a rule and a base optimizer by name.
pub fn by_name<R: AnyReal>(call: &mut Call<'_, R>) -> Result<(), Error> {
    let variant = AnyVariant::by_name(call.name)?.set(call.key, call.value)?;
    let base = AnyBase::by_name(call.base)?.set(call.key, call.value)?;
    erased_step(&variant, &base, call)
}

fn erased_step<R: Real>(
    variant: &dyn DynVariant<R>,
    base: &dyn DynBase<R>,
    call: &mut Call<'_, R>,
) -> Result<(), Error> {
    let Some(group) = call.groups.first() else { return Ok(()) };
    let at = Armed {
        operator: group.operator(),
        unscale: call.grad_factor,
        ..Armed::new(Cpu::plain(), call.rule_state)
    };
    let SegmentMut { params, grads, spare, memory, inputs, state, .. } = &mut call.segment;
    let inputs = *inputs;
    variant.accumulate_norm(&at, params, grads, memory.read(), inputs, &mut call.norm)?;
    let scale =
        variant.finish(&call.norm, &mut call.rule_state)?.scale(group.rho(), call.length)?;
    let planes = Ascending { grads, memory: memory.lend(), inputs };
    variant.ascend(&at, scale, params, planes, call.perturbed)?;
    let planes = Ascending { grads, memory: memory.lend(), inputs };
    variant.ascend_in_place(&at, scale, params, planes, spare)?;
    let at = ArmedBase {
        learning_rate: call.learning_rate,
        weight_decay: group.weight_decay(),
        ..ArmedBase::new(Cpu::plain(), call.base_state)
    };
    base.descend(&at, call.grad_factor, params, grads, state.lend())?;
    call.base_state = base.advance(&call.base_state);
    Ok(())
}

/// The step by a session of one variant.
pub fn session<R: Real, V>(
    call: &mut Call<'_, R>,
    gradient: fn(&[R], &mut [R]),
) -> Result<StepReport<R>, Error>
where
    V: DynVariant<R> + Configure,
{
    session_step(configured::<R, V>(call), call.momentum, call, gradient)
}

/// The step by a session, of a rule and a base optimizer by name.
pub fn session_by_name<R: AnyReal>(
    call: &mut Call<'_, R>,
    gradient: fn(&[R], &mut [R]),
) -> Result<StepReport<R>, Error> {
    let variant = AnyVariant::by_name(call.name)?;
    session_step(variant, AnyBase::by_name(call.base)?, call, gradient)
}

/// With two gradients, with the momentum as the first one, the descent alone, and the way back after an error.
fn session_step<R: Real, V: DynVariant<R>, B: DynBase<R>>(
    variant: V,
    base: B,
    call: &mut Call<'_, R>,
    gradient: fn(&[R], &mut [R]),
) -> Result<StepReport<R>, Error> {
    let mut session = session_of(variant, base, call);
    let SegmentMut { params, spare, memory, inputs, state, .. } = &mut call.segment;
    let mut model = Flat {
        memory: memory.lend(),
        inputs: *inputs,
        state: state.lend(),
        ..Flat::new(params, call.perturbed, spare)
    };
    let mut at = |model: &mut Flat<'_, R>, point: Point| {
        gradient(if point == Point::Params { model.params } else { model.spare }, model.grads);
        Ok::<(), Error>(())
    };
    session.step(call.groups, &mut model, &mut at)?;
    session.restore(&mut model)?;
    session.descend(call.groups, &mut model)?;
    let report = session.step_with_momentum(call.groups, &mut model, &mut at);
    (call.rule_state, call.base_state) = (session.rule_state, session.base_state);
    report
}

/// The step of an optimizer that owns its buffers.
pub fn fixed_step<R: Real, V, const M: usize>(
    call: &mut Call<'_, R>,
    gradient: fn(&[R], &mut [R]),
) -> Result<StepReport<R>, Error>
where
    V: DynVariant<R> + Configure,
{
    let session = session_of(configured::<R, V>(call), call.momentum, call);
    let mut sam: FixedSam<R, V, SgdMomentum<R>, 64, M, 1> = FixedSam::new(session);
    let Some(&group) = call.groups.first() else { return Err(Error::TooManyChunks) };
    sam.step(call.segment.params, group, gradient)?;
    sam.step(call.perturbed, group, gradient)
}

fn session_of<R: Real, V: DynVariant<R>, B: DynBase<R>>(
    variant: V,
    base: B,
    call: &Call<'_, R>,
) -> Session<R, V, B> {
    let mut session = Session::new(Cpu::plain(), variant, base);
    session.length = call.length;
    session.form = call.form;
    session.learning_rate = call.learning_rate;
    session.rule_state = call.rule_state;
    session.base_state = call.base_state;
    session.second = SecondGradient::Clipped(call.grad_factor);
    session.loss_scale = call.grad_factor;
    session
}
