//! What a step of each rule costs beside one of SGD: instructions and stack.

use crate::arrays::Arrays;
use crate::fault::Fault;
use crate::flat::{descend, norm_erased, perturb_erased, restore};
use crate::machine::{Cost, Machine, measured};
use crate::network::{LEARNING_RATE, MOMENTUM, Network, PARAMS};
use presam::{AnyVariant, Armed, BaseState, Cpu, DynVariant, LengthRule, RuleState, Sgd, variants};

/// Steps of each rule: the last is measured, when memory is no longer fresh.
const STEPS: u32 = 4;
const RHO: f32 = 0.05;

/// The phases of the last step.
struct Phases {
    norm: Cost,
    ascent: Cost,
    restore: Cost,
    descent: Cost,
}

impl Phases {
    fn instructions(&self) -> u64 {
        [self.norm, self.ascent, self.restore, self.descent].iter().map(|c| c.instructions).sum()
    }

    fn stack(&self) -> usize {
        let all = [self.norm, self.ascent, self.restore, self.descent];
        all.iter().map(|cost| cost.stack).max().unwrap_or(0)
    }
}

/// A table on a microcontroller, nothing on a host.
pub fn run(machine: &mut dyn Machine, arrays: &mut Arrays) -> Result<(), Fault> {
    let mut network = Network::new()?;
    network.initial(&mut arrays.weights);
    let gradient = || network.gradient(0, &arrays.weights, &mut arrays.grads);
    let (found, Some(gradient)) = measured(machine, gradient) else { return Ok(()) };
    found?;
    machine.line(format_args!(
        "cost gradient: {} instructions, stack {} bytes",
        gradient.instructions, gradient.stack
    ));
    for info in variants::ALL {
        let rule = AnyVariant::by_name(info.name)?;
        let Some(cost) = phases(machine, &rule, arrays)? else { continue };
        let Phases { norm, ascent, restore, descent } = &cost;
        let (sgd, sam) = (gradient.instructions + descent.instructions, cost.instructions());
        // momentum-sam takes its first gradient from the momentum.
        let gradients = if info.name == "momentum-sam" { 1 } else { 2 };
        machine.line(format_args!(
            "cost {}: norm {} + ascent {} + restore {} + descent {} = {sam} instructions; with {gradients} \
             gradients {} against SGD's {sgd}; stack {} bytes",
            info.name,
            norm.instructions,
            ascent.instructions,
            restore.instructions,
            descent.instructions,
            gradients * gradient.instructions + sam,
            cost.stack(),
        ));
    }
    Ok(())
}

fn phases(
    machine: &mut dyn Machine,
    rule: &AnyVariant<f32>,
    arrays: &mut Arrays,
) -> Result<Option<Phases>, Fault> {
    let sgd = Sgd::new(LEARNING_RATE)?.with_momentum(MOMENTUM)?;
    let (mut state, mut base_state) = (RuleState::new(), BaseState::new());
    (arrays.memory, arrays.inputs) = ([[0.0; PARAMS]; 2], [[1.0; PARAMS]; 2]);
    let mut last = None;
    for _ in 0..STEPS {
        let armed = Armed::new(Cpu::detect(), state);
        let (norm, norm_cost) = measured(machine, || norm_erased(rule, &armed, arrays));
        let scale = rule.finish(&norm?, &mut state)?.scale(RHO, LengthRule::NORMALISED)?;
        let (done, ascent) = measured(machine, || perturb_erased(rule, &armed, scale, arrays));
        done?;
        let (done, restored) = measured(machine, || restore(arrays));
        done?;
        let (done, descent) = measured(machine, || descend(sgd, &mut base_state, arrays));
        done?;
        last = norm_cost.zip(ascent).zip(restored.zip(descent));
    }
    Ok(last.map(|((norm, ascent), (restore, descent))| Phases { norm, ascent, restore, descent }))
}
