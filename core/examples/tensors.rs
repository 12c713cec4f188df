//! A model as a list of tensors: groups, a cosine schedule and clipping, by a [`Session`].
//!
//! Linear regression with ASAM. Weights decay and have ASAM's operator; biases have neither, as
//! ASAM's authors run it: with eta = 0 the operator could never move a bias that starts at zero.

use presam::{
    Asam, BaseOptimizer, Cpu, Error, Group, Schedule, SecondGradient, SegmentMut, Segments,
    Session, Sgd,
};

const INPUTS: usize = 4;
const OUTPUTS: usize = 3;
const STEPS: u32 = 300;
/// Indices into the list of groups.
const WEIGHTS: usize = 0;
const BIASES: usize = 1;

struct Tensor {
    group: usize,
    params: Vec<f32>,
    grads: Vec<f32>,
    backup: Vec<f32>,
    velocity: Vec<f32>,
}

impl Tensor {
    fn new(group: usize, params: Vec<f32>) -> Self {
        let zeros = vec![0.0; params.len()];
        Self { group, params, grads: zeros.clone(), backup: zeros.clone(), velocity: zeros }
    }
}

/// A weight matrix, row by row, and a bias.
struct Model([Tensor; 2]);

impl Segments<f32, 0, 0, 1> for Model {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, f32, 0, 0, 1>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|tensor| {
            visitor(SegmentMut {
                group: tensor.group,
                params: &mut tensor.params,
                grads: &tensor.grads,
                backup: &mut tensor.backup,
                memory: [],
                inputs: [],
                state: [&mut tensor.velocity],
            })
        })
    }
}

/// The corners of a cube in four dimensions and what the model shall answer there.
fn samples() -> impl Iterator<Item = ([f32; INPUTS], [f32; OUTPUTS])> {
    (0..1usize << INPUTS).map(|corner| {
        let x: [f32; INPUTS] =
            std::array::from_fn(|i| if corner >> i & 1 == 0 { -1.0 } else { 1.0 });
        (x, [x[0] - 2.0 * x[1] + 3.0, 0.5 * x[2] - 1.0, x[0] + x[1] + x[2] + x[3]])
    })
}

impl Model {
    fn new() -> Self {
        let weights = (0..OUTPUTS * INPUTS).map(|i| 0.1 * (i as f32 + 1.0)).collect();
        Self([Tensor::new(WEIGHTS, weights), Tensor::new(BIASES, vec![0.0; OUTPUTS])])
    }

    /// Half the mean squared error; its gradient is written into the tensors.
    fn backward(&mut self) -> f32 {
        let [weights, biases] = &mut self.0;
        weights.grads.fill(0.0);
        biases.grads.fill(0.0);
        let share = 1.0 / samples().count() as f32;
        let mut loss = 0.0;
        for (x, target) in samples() {
            for (output, target) in target.into_iter().enumerate() {
                let row = output * INPUTS..(output + 1) * INPUTS;
                let products = weights.params[row.clone()].iter().zip(x).map(|(w, x)| w * x);
                let error = biases.params[output] + products.sum::<f32>() - target;
                loss += share * error * error / 2.0;
                biases.grads[output] += share * error;
                for (slot, x) in weights.grads[row].iter_mut().zip(x) {
                    *slot += share * error * x;
                }
            }
        }
        loss
    }
}

fn main() -> Result<(), Error> {
    let asam = Asam::new(0.0f32)?;
    let mut session = Session::new(Cpu::detect(), asam, Sgd::new(0.05)?.with_momentum(0.9)?);
    session.second = SecondGradient::Clipped(1.0);
    let groups = [
        Group::new(0.2)?.with_weight_decay(1e-4)?,
        Group::new(0.2)?.without_operator().with_weight_decay(0.0)?,
    ];
    let rate = Schedule::cosine(0.05, 0.0, STEPS)?.with_warm_up(10);

    let mut model = Model::new();
    let before = model.backward();
    for step in 0..STEPS {
        session.base = session.base.with_learning_rate(rate.at(step))?;
        let report = session.step(&groups, &mut model, |model| {
            model.backward();
            Ok::<(), Error>(())
        })?;
        if step % 50 == 0 {
            let (rate, norm) = (session.base.learning_rate(), report.ascent.norm.value());
            println!("step {step:>3}: rate {rate:.4}, ascent norm {norm:.5}");
        }
    }
    let after = model.backward();
    println!("loss {before:.4} before, {after:.6} after");
    assert!(after < 1e-3 * before, "the targets are linear: the model must find them");
    check_groups(&mut session, &groups)
}

/// One more ascent by hand: what the groups do to a model whose biases are zero.
fn check_groups(
    session: &mut Session<f32, Asam<f32>, presam::SgdMomentum<f32>>,
    groups: &[Group<f32>],
) -> Result<(), Error> {
    let mut model = Model::new();
    model.backward();
    let mut ascended = session.ascend(groups, &mut model)?;
    let Model([_, biases]) = ascended.model();
    println!("biases of 0, perturbed without the operator: {:.4?}", biases.params);
    assert!(biases.params[..2].iter().all(|bias| *bias != 0.0));
    drop(ascended); // no descent: dropping restores
    assert_eq!(model.0[BIASES].params, [0.0; OUTPUTS]);

    let with_operator = [groups[WEIGHTS], groups[WEIGHTS]];
    let mut ascended = session.ascend(&with_operator, &mut model)?;
    let Model([_, biases]) = ascended.model();
    println!("biases of 0, perturbed with it:              {:.4?}", biases.params);
    assert_eq!(biases.params, [0.0; OUTPUTS]);
    Ok(())
}
