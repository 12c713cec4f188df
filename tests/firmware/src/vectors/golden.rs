//! The golden vectors of the variants' reference, by name.

use super::name;
use crate::bits::Bits;
use crate::fault::Fault;
use crate::machine::Machine;
use presam::{
    AnyReal, AnyVariant, Armed, Ascending, Cpu, DynVariant, LengthRule, PartialNorm, Planes,
    PlanesMut, RuleState,
};

#[path = "../../../vectors/golden.rs"]
mod rows;
use rows::{RHO, ROWS, Row, W};

/// The weight and the bias.
const TENSORS: [core::ops::Range<usize>; 2] = [0..3, 3..5];

/// Every row in one scalar type, to a relative and an absolute tolerance.
pub fn run<R: AnyReal>(
    machine: &mut dyn Machine,
    (relative, absolute): (f64, f64),
) -> Result<(), Fault> {
    let mut bits = Bits::new();
    for (index, row) in ROWS.iter().enumerate() {
        let perturbed = step::<R>(row)?;
        for ((found, w), expected) in perturbed.iter().zip(W).zip(row.perturbation) {
            let found = found.to_f64() - w;
            if (found - expected).abs() > relative * expected.abs() + absolute {
                return Err(Fault::Differs(row.name, index));
            }
        }
        bits.add(&perturbed);
    }
    let (rows, name) = (ROWS.len(), name::<R>());
    machine.line(format_args!("result golden {name}: {rows} rows, sha256 {bits}"));
    Ok(())
}

/// The perturbed parameters of the last gradient.
fn step<R: AnyReal>(row: &Row) -> Result<[R; 5], Fault> {
    let mut rule = AnyVariant::by_name(row.rule)?;
    for (key, value) in row.settings {
        rule = rule.set(key, *value)?;
    }
    let count = rule.planes();
    let [w, input] = [W, row.input].map(|plane| plane.map(R::from_f64));
    let mut memory = [[R::ZERO; 5]; 2];
    let mut state = RuleState::new();
    let mut perturbed = w;
    for grads in row.grads {
        let g = grads.map(R::from_f64);
        let inputs = [(); 2].map(|()| &input);
        let armed = |tensor: usize| Armed {
            operator: tensor == 0 || row.operator_on_bias,
            ..Armed::new(Cpu::detect(), state)
        };
        let armed = [armed(0), armed(1)];
        let mut norm = PartialNorm::new();
        let perturbs = |tensor: &usize| *tensor == 1 || row.with_weight;
        for tensor in (0..2).filter(perturbs) {
            let at = TENSORS[tensor].clone();
            let memory = memory.each_ref().map(|plane| &plane[at.clone()]);
            let inputs = inputs.map(|plane| &plane[at.clone()]);
            let (memory, inputs) =
                (Planes::of(&memory[..count.memory]), Planes::of(&inputs[..count.inputs]));
            let (w, g) = (&w[at.clone()], &g[at]);
            rule.accumulate_norm(&armed[tensor], w, g, memory, inputs, &mut norm)?;
        }
        let length = LengthRule::mixed(R::from_f64(row.lambda), R::ZERO)?;
        let scale = rule.finish(&norm, &mut state)?.scale(R::from_f64(RHO), length)?;
        for tensor in (0..2).filter(perturbs) {
            let at = TENSORS[tensor].clone();
            let mut memory = memory.each_mut().map(|plane| &mut plane[at.clone()]);
            let inputs = inputs.map(|plane| &plane[at.clone()]);
            let planes = Ascending {
                grads: &g[at.clone()],
                memory: PlanesMut::of(&mut memory[..count.memory]),
                inputs: Planes::of(&inputs[..count.inputs]),
            };
            let (w, out) = (&w[at.clone()], &mut perturbed[at]);
            rule.ascend(&armed[tensor], scale, w, planes, out)?;
        }
    }
    Ok(perturbed)
}
