//! The step in a module's own storage has the bits of core's over vectors, for every rule and base optimizer.

use burn::module::{Module, Param, ParamGroup};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use presam::{AnyVariant, Cpu, DynVariant, Group, Mark, Planes, PlanesMut, SegmentMut, Session};
use presam_burn::{Config, Sam};

const STEPS: usize = 4;
const RATE: f64 = 0.05;
const BASES: [&str; 3] = ["sgd", "sgd-momentum", "adamw"];
/// A matrix over several chunks of the norm, a bias, one number, nothing: those of [`Net`].
const SHAPES: [&[usize]; 4] = [&[70, 60], &[60], &[1], &[0, 3]];

#[derive(Module, Debug)]
struct Net {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    gain: Param<Tensor<1>>,
    nothing: Param<Tensor<2>>,
}

/// Numbers without a pattern, the same in every run.
fn numbers(shape: &[usize], seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let draw = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..shape.iter().product()).map(draw).collect()
}

fn device() -> Device {
    Device::flex().autodiff()
}

fn tensor<const D: usize>(values: Vec<f32>, shape: &[usize]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape.to_vec()), &device())
}

impl Net {
    fn of(values: [Vec<f32>; 4]) -> Self {
        let [weight, bias, gain, nothing] = values;
        Self {
            weight: Param::from_tensor(tensor(weight, SHAPES[0])),
            bias: Param::from_tensor(tensor(bias, SHAPES[1])),
            gain: Param::from_tensor(tensor(gain, SHAPES[2])),
            nothing: Param::from_tensor(tensor(nothing, SHAPES[3])),
        }
    }

    fn new() -> Self {
        Self::of([0, 1, 2, 3].map(|at| numbers(SHAPES[at], at as u32)))
    }

    /// A loss in which every tensor has a part and none is a sphere's.
    fn pass(self) -> (f64, GradientsParams) {
        let x = tensor::<2>(numbers(&[4, 70], 9), &[4, 70]);
        let y = x.matmul(self.weight.val()) + self.bias.val().unsqueeze();
        let y = (y * self.gain.val().unsqueeze()).tanh();
        let loss = (y.clone() * y).sum() + (self.nothing.val() * self.nothing.val()).sum();
        (
            loss.clone().into_scalar::<f32>().into(),
            GradientsParams::from_grads(loss.backward(), &self),
        )
    }

    fn values(&self) -> [Vec<f32>; 4] {
        let of = |data: TensorData| data.try_to_vec().unwrap();
        [
            of(self.weight.val().into_data()),
            of(self.bias.val().into_data()),
            of(self.gain.val().into_data()),
            of(self.nothing.val().into_data()),
        ]
    }
}

fn bits(tensors: &[Vec<f32>; 4]) -> [Vec<u32>; 4] {
    tensors.each_ref().map(|tensor| tensor.iter().map(|x| x.to_bits()).collect())
}

/// As core's own examples keep a tensor.
struct Layer {
    group: usize,
    params: Vec<f32>,
    grads: Vec<f32>,
    spare: Vec<f32>,
    memory: Vec<Vec<f32>>,
    inputs: Vec<Vec<f32>>,
    state: Vec<Vec<f32>>,
    mark: Mark,
}

impl presam::Tensor<f32> for Layer {
    fn segment(&mut self) -> SegmentMut<'_, f32> {
        SegmentMut {
            group: self.group,
            params: &mut self.params,
            grads: &self.grads,
            perturbed_grads: &self.grads,
            spare: &mut self.spare,
            memory: PlanesMut::of(&mut self.memory),
            inputs: Planes::of(&self.inputs),
            state: PlanesMut::of(&mut self.state),
            mark: &mut self.mark,
        }
    }
}

fn inputs(count: usize, at: usize) -> Vec<Vec<f32>> {
    let positive = |plane: u32| numbers(SHAPES[at], 20 + plane).iter().map(|x| x.abs()).collect();
    (0..count as u32).map(positive).collect()
}

fn config(variant: &str, base: &str) -> Config {
    Config::by_name(variant, 0.3, base).unwrap().base("weight_decay", 0.01).unwrap()
}

fn others() -> Group<f32> {
    Group::new(0.1).unwrap().without_operator().with_weight_decay(0.0).unwrap()
}

/// What core's session makes of the same gradients.
fn by_core(config: Config) -> [Vec<f32>; 4] {
    let (rule, state) = (config.variant.planes(), config.base.about().state);
    let layer = |at: usize| {
        let params = numbers(SHAPES[at], at as u32);
        let zeros = vec![0.0; params.len()];
        let planes = |count| vec![zeros.clone(); count];
        Layer {
            group: usize::from(at == 1 || at == 2),
            memory: planes(rule.memory),
            inputs: inputs(rule.inputs, at),
            state: planes(state),
            grads: zeros.clone(),
            spare: zeros.clone(),
            params,
            mark: Mark::default(),
        }
    };
    let mut layers = [0, 1, 2, 3].map(layer);
    let mut session = Session::new(Cpu::plain(), config.variant, config.base);
    session.learning_rate = Some(RATE as f32);
    let gradient = |layers: &mut [Layer]| {
        let [a, b, c, d] = layers else { unreachable!() };
        let net = Net::of([a, b, c, d].map(|layer| layer.params.clone()));
        let (_, grads) = net.clone().pass();
        let of = |data: TensorData| data.try_to_vec().unwrap();
        layers[0].grads = of(grads.get::<2>(net.weight.id).unwrap().into_data());
        layers[1].grads = of(grads.get::<1>(net.bias.id).unwrap().into_data());
        layers[2].grads = of(grads.get::<1>(net.gain.id).unwrap().into_data());
        layers[3].grads = of(grads.get::<2>(net.nothing.id).unwrap().into_data());
        Ok::<(), presam::Error>(())
    };
    let groups = [config.group, others()];
    for _ in 0..STEPS {
        let report = if matches!(config.variant, AnyVariant::MomentumSam(_)) {
            session.step_with_momentum(&groups, &mut layers[..], |layers, _| gradient(layers))
        } else {
            session.step(&groups, &mut layers[..], |layers, _| gradient(layers))
        };
        assert!(report.unwrap().descended);
    }
    layers.map(|layer| layer.params)
}

fn by_burn(config: Config) -> [Vec<f32>; 4] {
    let mut net = Net::new();
    let mut sam =
        Sam::new(config).with_group(ParamGroup::from_paths(vec!["bias", "gain"]), others());
    let count = config.variant.planes().inputs;
    let planes = |at: usize| inputs(count, at).into_iter();
    let square = |at: usize| planes(at).map(|plane| tensor::<2>(plane, SHAPES[at])).collect();
    let line = |at: usize| planes(at).map(|plane| tensor::<1>(plane, SHAPES[at])).collect();
    sam.set_inputs(&net.weight, square(0)).unwrap();
    sam.set_inputs(&net.bias, line(1)).unwrap();
    sam.set_inputs(&net.gain, line(2)).unwrap();
    sam.set_inputs(&net.nothing, square(3)).unwrap();
    for _ in 0..STEPS {
        let (stepped, step) = sam.step(RATE, net, Net::pass);
        assert!(step.unwrap().report.descended);
        net = stepped;
    }
    assert_eq!(sam.copies(), 0);
    net.values()
}

#[test]
fn every_rule_and_base_optimizer_has_cores_bits() {
    let mut different = std::collections::BTreeSet::new();
    for info in presam::variants::ALL {
        for base in BASES {
            if info.name == "momentum-sam" && base == "sgd" {
                continue; // No momentum to follow: below.
            }
            let (found, expected) =
                (bits(&by_burn(config(info.name, base))), bits(&by_core(config(info.name, base))));
            assert!(found == expected, "{} over {base}", info.name);
            assert!(found != bits(&Net::new().values()), "{} over {base} moves", info.name);
            different.insert(found);
        }
    }
    // No two rules are the same under another name, but for masks and weights that happen to agree.
    assert!(different.len() > 30, "{}", different.len());
}

#[test]
fn momentum_sam_needs_momentum() {
    let mut sam = Sam::new(config("momentum-sam", "sgd"));
    let before = Net::new().values();
    let (net, first) = sam.step(RATE, Net::new(), Net::pass);
    assert_eq!(first.is_err(), net.values() == before);
    let (net, second) = sam.step(RATE, net, Net::pass);
    assert!(second.unwrap_err().to_string().contains("expected 1 planes"));
    net.values();
}
