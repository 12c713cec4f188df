//! A model as a list of tensors, a rule and a base optimizer by name: groups, a cosine schedule and
//! clipping, by a [`Session`].
//!
//! Linear regression with ASAM. Weights decay and have ASAM's operator; biases have neither, as
//! ASAM's authors run it: with eta = 0 the operator could never move a bias that starts at zero.

use presam::{
    AnyBase, AnyVariant, Cpu, DynVariant, Error, Group, Mark, Planes, PlanesMut, Schedule,
    SecondGradient, SegmentMut, Session, Tensor,
};

const INPUTS: usize = 4;
const OUTPUTS: usize = 3;
const STEPS: u32 = 300;
/// Indices into the list of groups.
const WEIGHTS: usize = 0;
const BIASES: usize = 1;

struct Layer {
    group: usize,
    params: Vec<f32>,
    grads: Vec<f32>,
    spare: Vec<f32>,
    memory: Vec<Vec<f32>>,
    state: Vec<Vec<f32>>,
    mark: Mark,
}

/// The whole of what a session asks of a trainer: a slice of these is a model.
impl Tensor<f32> for Layer {
    fn segment(&mut self) -> SegmentMut<'_, f32> {
        SegmentMut {
            group: self.group,
            params: &mut self.params,
            grads: &self.grads,
            perturbed_grads: &self.grads, // one buffer for both
            spare: &mut self.spare,
            memory: PlanesMut::of(&mut self.memory),
            inputs: Planes::none(),
            state: PlanesMut::of(&mut self.state),
            mark: &mut self.mark,
        }
    }
}

type Rules = (AnyVariant<f32>, AnyBase<f32>);

fn layer((rule, base): Rules, group: usize, params: Vec<f32>) -> Layer {
    let zeros = || vec![0.0; params.len()];
    let planes = |count| (0..count).map(|_| zeros()).collect();
    let (memory, state) = (planes(rule.planes().memory), planes(base.about().state));
    let (grads, spare, mark) = (zeros(), zeros(), Mark::default());
    Layer { group, grads, spare, memory, state, mark, params }
}

/// The corners of a cube in four dimensions and what the model shall answer there.
fn samples() -> impl Iterator<Item = ([f32; INPUTS], [f32; OUTPUTS])> {
    (0..1usize << INPUTS).map(|corner| {
        let x: [f32; INPUTS] =
            std::array::from_fn(|i| if corner >> i & 1 == 0 { -1.0 } else { 1.0 });
        (x, [x[0] - 2.0 * x[1] + 3.0, 0.5 * x[2] - 1.0, x[0] + x[1] + x[2] + x[3]])
    })
}

/// A weight matrix, row by row, and a bias.
fn model(rules: Rules) -> [Layer; 2] {
    let weights = (0..OUTPUTS * INPUTS).map(|i| 0.1 * (i as f32 + 1.0)).collect();
    [layer(rules, WEIGHTS, weights), layer(rules, BIASES, vec![0.0; OUTPUTS])]
}

/// Half the mean squared error; its gradient is written into the tensors.
fn backward(model: &mut [Layer]) -> f32 {
    let [weights, biases] = model else { return f32::NAN };
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

fn main() -> Result<(), Error> {
    let rules = (
        AnyVariant::by_name("asam")?.set("eta", 0.0)?,
        AnyBase::by_name("sgd-momentum")?.set("momentum", 0.9)?,
    );
    let mut session = Session::new(Cpu::detect(), rules.0, rules.1);
    session.second = SecondGradient::Clipped(1.0);
    let groups = [
        Group::new(0.2)?.with_weight_decay(1e-4)?,
        Group::new(0.2)?.without_operator().with_weight_decay(0.0)?,
    ];
    let rate = Schedule::cosine(0.05, 0.0, STEPS)?.with_warm_up(10);

    let mut model = model(rules);
    let before = backward(&mut model);
    for step in 0..STEPS {
        session.learning_rate = Some(rate.at(step));
        let report = session.step(&groups, &mut model[..], |model, _| {
            backward(model);
            Ok::<(), Error>(())
        })?;
        if step % 50 == 0 {
            let (rate, norm) = (rate.at(step), report.ascent.norm.value());
            println!("step {step:>3}: rate {rate:.4}, ascent norm {norm:.5}");
        }
    }
    let after = backward(&mut model);
    println!("loss {before:.4} before, {after:.6} after");
    assert!(after < 1e-3 * before, "the targets are linear: the model must find them");
    check_groups(&mut session, &groups, rules)
}

/// One more ascent by hand: what the groups do to a model whose biases are zero.
fn check_groups(
    session: &mut Session<f32, AnyVariant<f32>, AnyBase<f32>>,
    groups: &[Group<f32>],
    rules: Rules,
) -> Result<(), Error> {
    let mut model = model(rules);
    backward(&mut model);
    let mut ascended = session.ascend(groups, &mut model[..])?;
    let biases = &ascended.model()[BIASES].params;
    println!("biases of 0, perturbed without the operator: {biases:.4?}");
    assert!(biases[..2].iter().all(|bias| *bias != 0.0));
    drop(ascended); // no descent: dropping restores
    assert_eq!(model[BIASES].params, [0.0; OUTPUTS]);

    let with_operator = [groups[WEIGHTS], groups[WEIGHTS]];
    let mut ascended = session.ascend(&with_operator, &mut model[..])?;
    let biases = &ascended.model()[BIASES].params;
    println!("biases of 0, perturbed with it:              {biases:.4?}");
    assert_eq!(*biases, [0.0; OUTPUTS]);
    Ok(())
}
