//! Image B: training in static arrays with offsets, by typed and by erased phases, and what each rule costs.

use crate::arrays::{Arrays, planes, planes_mut, range};
use crate::bits::Bits;
use crate::cost;
use crate::digits::TEST;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::network::{
    INFO_ASAM_RHO, LEARNING_RATE, MOMENTUM, Network, SAM_RHO, STEPS, TENSORS, has_learnt,
};
use crate::platform::Static;
use presam::{
    Armed, Ascending, BaseOptimizer, BaseState, Cpu, DynVariant, InfoAsam, LengthRule, PartialNorm,
    Planes, PlanesMut, RuleState, Sam, Schedule, Sgd, SgdMomentum, Variant, finish,
};

static ARRAYS: Static<Arrays> = Static::new(Arrays::ZERO);

/// The whole image.
pub fn run(machine: &mut dyn Machine) -> Result<(), Fault> {
    let arrays = ARRAYS.take().ok_or(Fault::Unread("the arrays for the first time"))?;
    if let Some(bytes) = machine.static_ram() {
        machine.line(format_args!("flat: static RAM {bytes} bytes"));
    }
    train(machine, "sgd", arrays, |_, _| Ok(()))?;
    let (sam, info) = (Sam::new(), InfoAsam::default());
    let mut state = RuleState::new();
    train(machine, "sam typed", arrays, |a, _| ascend(sam, SAM_RHO, &mut state, a))?;
    let mut state = RuleState::new();
    train(machine, "sam erased", arrays, |a, cpu| {
        ascend_erased(&sam, SAM_RHO, &mut state, a, cpu)
    })?;
    let mut state = RuleState::new();
    train(machine, "info-asam typed", arrays, |a, _| ascend(info, INFO_ASAM_RHO, &mut state, a))?;
    let mut state = RuleState::new();
    train(machine, "info-asam erased", arrays, |a, cpu| {
        ascend_erased(&info, INFO_ASAM_RHO, &mut state, a, cpu)
    })?;
    cost::run(machine, arrays)
}

/// Trains from scratch; `ascend` perturbs the weights and leaves them in the backup, or does nothing.
fn train(
    machine: &mut dyn Machine,
    name: &str,
    arrays: &mut Arrays,
    mut ascend: impl FnMut(&mut Arrays, Cpu) -> Result<(), Fault>,
) -> Result<(), Fault> {
    *arrays = Arrays::ZERO;
    let mut network = Network::new()?;
    network.initial(&mut arrays.weights);
    let before = network.judge(&arrays.weights)?;
    let sgd = Sgd::new(LEARNING_RATE)?.with_momentum(MOMENTUM)?;
    let (rate, mut state) = (Schedule::cosine(LEARNING_RATE, 0.0, STEPS)?, BaseState::new());
    for step in 0..STEPS {
        network.gradient(step, &arrays.weights, &mut arrays.grads)?;
        if name != "sgd" {
            ascend(arrays, Cpu::detect())?;
            network.gradient(step, &arrays.weights, &mut arrays.grads)?;
            restore(arrays)?;
        }
        let sgd = sgd.with_learning_rate(rate.at(step))?;
        descend(sgd, &mut state, arrays)?;
    }
    let after = network.judge(&arrays.weights)?;
    machine.line(format_args!(
        "result flat {name}: loss {} to {}, right {} to {} of {TEST}, sha256 {}",
        before.loss,
        after.loss,
        before.right,
        after.right,
        Bits::of(&arrays.weights)
    ));
    if has_learnt(before, after) { Ok(()) } else { Err(Fault::Differs("what was learnt", 0)) }
}

/// Between the first gradient and the second, by typed phases: the norm over all tensors, then the ascent.
fn ascend<V: Variant<f32, M, 0>, const M: usize>(
    variant: V,
    rho: f32,
    state: &mut RuleState<f32>,
    arrays: &mut Arrays,
) -> Result<(), Fault> {
    let Arrays { weights, grads, backup, memory, .. } = arrays;
    let (cpu, rule, mut norm) = (Cpu::detect(), variant.arm(state), PartialNorm::new());
    for at in TENSORS.map(range) {
        let (w, g) = (&weights[at.clone()], &grads[at.clone()]);
        cpu.accumulate_norm(rule, w, g, planes(memory, at), [], &mut norm)?;
    }
    let scale = finish(variant, &norm, state)?.scale(rho, LengthRule::NORMALISED)?;
    for at in TENSORS.map(range) {
        let (w, g) = (&mut weights[at.clone()], &grads[at.clone()]);
        let (memory, backup) = (planes_mut(memory, at.clone()), &mut backup[at]);
        cpu.ascend_in_place(rule, scale, w, g, memory, [], backup)?;
    }
    Ok(())
}

/// The same by erased phases: the rule is a value.
pub fn ascend_erased(
    variant: &dyn DynVariant<f32>,
    rho: f32,
    state: &mut RuleState<f32>,
    arrays: &mut Arrays,
    cpu: Cpu,
) -> Result<(), Fault> {
    let at = Armed::new(cpu, *state);
    let norm = norm_erased(variant, &at, arrays)?;
    let scale = variant.finish(&norm, state)?.scale(rho, LengthRule::NORMALISED)?;
    perturb_erased(variant, &at, scale, arrays)
}

/// The norm over all tensors.
pub fn norm_erased(
    variant: &dyn DynVariant<f32>,
    armed: &Armed<f32>,
    arrays: &Arrays,
) -> Result<PartialNorm<f32>, Fault> {
    let count = variant.planes();
    let mut norm = PartialNorm::new();
    for at in TENSORS.map(range) {
        let (w, g) = (&arrays.weights[at.clone()], &arrays.grads[at.clone()]);
        let memory = planes::<2>(&arrays.memory, at.clone());
        let inputs = planes::<2>(&arrays.inputs, at);
        let (memory, inputs) =
            (Planes::of(&memory[..count.memory]), Planes::of(&inputs[..count.inputs]));
        variant.accumulate_norm(armed, w, g, memory, inputs, &mut norm)?;
    }
    Ok(norm)
}

/// The ascent over all tensors, in place.
pub fn perturb_erased(
    variant: &dyn DynVariant<f32>,
    armed: &Armed<f32>,
    scale: presam::Scale<f32>,
    arrays: &mut Arrays,
) -> Result<(), Fault> {
    let count = variant.planes();
    let Arrays { weights, grads, backup, memory, inputs, .. } = arrays;
    for at in TENSORS.map(range) {
        let mut memory = planes_mut::<2>(memory, at.clone());
        let inputs = planes::<2>(inputs, at.clone());
        let planes = Ascending {
            grads: &grads[at.clone()],
            memory: PlanesMut::of(&mut memory[..count.memory]),
            inputs: Planes::of(&inputs[..count.inputs]),
        };
        let (w, backup) = (&mut weights[at.clone()], &mut backup[at]);
        variant.ascend_in_place(armed, scale, w, planes, backup)?;
    }
    Ok(())
}

/// Every weight back, bit for bit.
pub fn restore(arrays: &mut Arrays) -> Result<(), Fault> {
    for at in TENSORS.map(range) {
        Cpu::detect().restore(&mut arrays.weights[at.clone()], &arrays.backup[at])?;
    }
    Ok(())
}

/// The base optimizer's step.
pub fn descend(
    sgd: SgdMomentum<f32>,
    state: &mut BaseState,
    arrays: &mut Arrays,
) -> Result<(), Fault> {
    let Arrays { weights, grads, velocity, .. } = arrays;
    for at in TENSORS.map(range) {
        let (w, g, v) = (&mut weights[at.clone()], &grads[at.clone()], &mut velocity[at]);
        Cpu::detect().descend(sgd.arm(state), 1.0, w, g, [v])?;
    }
    *state = sgd.advance(state);
    Ok(())
}
