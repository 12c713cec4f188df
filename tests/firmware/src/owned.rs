//! Image A: training with an optimizer that owns its buffers, then the vectors.

use crate::bits::Bits;
use crate::digits::TEST;
use crate::fault::Fault;
use crate::machine::{Machine, measured};
use crate::network::{
    INFO_ASAM_RHO, LEARNING_RATE, MOMENTUM, Network, PARAMS, SAM_RHO, STEPS, has_learnt,
};
use crate::vectors;
use presam::{
    Cpu, DynVariant, FixedSam, Group, InfoAsam, Sam, Schedule, Session, Sgd, SgdMomentum,
};

/// The whole image.
pub fn run(machine: &mut dyn Machine) -> Result<(), Fault> {
    if let Some(bytes) = machine.static_ram() {
        machine.line(format_args!("owned: static RAM {bytes} bytes"));
    }
    train::<_, 0>(machine, "sam", Sam::new(), SAM_RHO)?;
    train::<_, 2>(machine, "info-asam", InfoAsam::default(), INFO_ASAM_RHO)?;
    vectors::run(machine)
}

type Owner<V, const M: usize> = FixedSam<f32, V, SgdMomentum<f32>, PARAMS, M, 1>;

/// Trains from scratch by one rule and says what came of it.
#[inline(never)]
fn train<V: DynVariant<f32>, const M: usize>(
    machine: &mut dyn Machine,
    name: &str,
    variant: V,
    rho: f32,
) -> Result<(), Fault> {
    let mut network = Network::new()?;
    let mut params = [0.0; PARAMS];
    network.initial(&mut params);
    let before = network.judge(&params)?;
    let sgd = Sgd::new(LEARNING_RATE)?.with_momentum(MOMENTUM)?;
    let mut owner: Owner<V, M> = FixedSam::new(Session::new(Cpu::detect(), variant, sgd));
    let (rate, group) = (Schedule::cosine(LEARNING_RATE, 0.0, STEPS)?, Group::new(rho)?);
    let mut last = None;
    for step in 0..STEPS {
        owner.session.learning_rate = Some(rate.at(step));
        let mut found = Ok(());
        let one = || {
            owner.step(&mut params, group, |w, g| {
                let loss = network.gradient(step, w, g);
                found = core::mem::replace(&mut found, Ok(())).and(loss.map(drop));
            })
        };
        let (report, cost) = measured(machine, one);
        report?;
        found?;
        last = cost;
    }
    let after = network.judge(&params)?;
    machine.line(format_args!(
        "result owned {name}: loss {} to {}, right {} to {} of {TEST}, sha256 {}",
        before.loss,
        after.loss,
        before.right,
        after.right,
        Bits::of(&params)
    ));
    if let Some(cost) = last {
        let (owned, all) = (size_of::<Owner<V, M>>(), cost.instructions);
        machine.line(format_args!(
            "owned {name}: {all} instructions a step with its two gradients, stack {} bytes below the \
             trainer's frame, optimizer {owned} bytes",
            cost.stack
        ));
    }
    if has_learnt(before, after) { Ok(()) } else { Err(Fault::Differs("what was learnt", 0)) }
}
