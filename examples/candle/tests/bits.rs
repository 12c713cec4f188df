//! The step in a variable's own storage has the bits of core's over vectors, for every rule and base optimizer.

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};
use presam::{
    AnyBase, AnyVariant, Cpu, DynVariant, Group, Mark, Planes, PlanesMut, SegmentMut, Session,
};
use presam_candle::{Config, Sam};

/// A matrix over several chunks of the norm, a bias, a scalar, nothing.
const SHAPES: [&[usize]; 4] = [&[70, 60], &[60], &[], &[0, 3]];
const STEPS: usize = 4;
const BASES: [&str; 3] = ["sgd", "sgd-momentum", "adamw"];

/// Numbers without a pattern, the same in every run.
fn numbers(shape: &[usize], seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let draw = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..shape.iter().product()).map(draw).collect()
}

fn vars() -> Result<Vec<Var>> {
    let made = (0..).zip(SHAPES);
    made.map(|(seed, shape)| Var::from_vec(numbers(shape, seed), shape, &Device::Cpu)).collect()
}

/// A loss in which every tensor has a part and none is a sphere's.
fn loss(vars: &[Var]) -> Result<Tensor> {
    let x = Tensor::from_vec(numbers(&[4, 70], 9), &[4, 70], &Device::Cpu)?;
    let y = x.matmul(&vars[0])?.broadcast_add(&vars[1])?.broadcast_mul(&vars[2])?.tanh()?;
    y.sqr()?.sum_all()?.add(&vars[3].sqr()?.sum_all()?)
}

fn gradients(vars: &[Var]) -> Result<GradStore> {
    loss(vars)?.backward()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).unwrap()
}

fn bits(tensors: &[impl AsRef<[f32]>]) -> Vec<Vec<u32>> {
    tensors.iter().map(|tensor| tensor.as_ref().iter().map(|x| x.to_bits()).collect()).collect()
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

fn inputs(count: usize, shape: &[usize]) -> Vec<Vec<f32>> {
    let positive = |plane: u32| numbers(shape, 20 + plane).iter().map(|x| x.abs()).collect();
    (0..count as u32).map(positive).collect()
}

fn config(variant: &str, base: &str) -> Result<Config> {
    let group = |rho| Group::new(rho).unwrap();
    let groups = vec![group(0.3), group(0.1).without_operator().with_weight_decay(0.0).unwrap()];
    Ok(Config { groups, ..Config::by_name(variant, 0.3, base)?.base("weight_decay", 0.01)? })
}

/// What core's session makes of the same gradients.
fn by_core(config: &Config) -> Result<Vec<Vec<f32>>> {
    let (rule, state) = (config.variant.planes(), config.base.about().state);
    let layer = |(seed, shape): (u32, &[usize])| {
        let params = numbers(shape, seed);
        let zeros = vec![0.0; params.len()];
        let planes = |count| vec![zeros.clone(); count];
        Layer {
            group: usize::from(shape.len() < 2),
            memory: planes(rule.memory),
            inputs: inputs(rule.inputs, shape),
            state: planes(state),
            grads: zeros.clone(),
            spare: zeros.clone(),
            params,
            mark: Mark::default(),
        }
    };
    let mut layers: Vec<Layer> = (0..).zip(SHAPES).map(layer).collect();
    let mut session = Session::new(Cpu::plain(), config.variant, config.base);
    let gradient = |layers: &mut [Layer]| {
        let made = layers.iter().zip(SHAPES);
        let made = made.map(|(layer, shape)| Var::from_slice(&layer.params, shape, &Device::Cpu));
        let vars: Vec<Var> = made.collect::<Result<_>>().unwrap();
        let grads = gradients(&vars).unwrap();
        for (layer, var) in layers.iter_mut().zip(&vars) {
            layer.grads = values(grads.get(var).unwrap());
        }
        Ok::<(), presam::Error>(())
    };
    for _ in 0..STEPS {
        let report = if matches!(config.variant, AnyVariant::MomentumSam(_)) {
            session.step_with_momentum(&config.groups, &mut layers[..], |l, _| gradient(l))
        } else {
            session.step(&config.groups, &mut layers[..], |l, _| gradient(l))
        };
        assert!(report.unwrap().descended);
    }
    Ok(layers.into_iter().map(|layer| layer.params).collect())
}

fn by_candle(config: &Config) -> Result<Vec<Vec<f32>>> {
    let vars = vars()?;
    let grouped = vars.iter().map(|var| (var.clone(), usize::from(var.rank() < 2))).collect();
    let mut sam = Sam::grouped(grouped, config.clone())?;
    for (var, shape) in vars.iter().zip(SHAPES) {
        let planes = inputs(config.variant.planes().inputs, shape).into_iter();
        let planes = planes.map(|plane| Tensor::from_vec(plane, shape, &Device::Cpu));
        sam.set_inputs(var, &planes.collect::<Result<Vec<_>>>()?)?;
    }
    for _ in 0..STEPS {
        let (_, report) = sam.backward_step(|| loss(&vars))?;
        assert!(report.descended);
    }
    assert_eq!(sam.copies, 0);
    Ok(vars.iter().map(|var| values(var)).collect())
}

#[test]
fn every_rule_and_base_optimizer_has_cores_bits() -> Result<()> {
    let before: Vec<Vec<f32>> = vars()?.iter().map(|var| values(var)).collect();
    let mut different = std::collections::BTreeSet::new();
    for info in presam::variants::ALL {
        for base in BASES {
            if info.name == "momentum-sam" && base == "sgd" {
                continue; // No momentum to follow: below.
            }
            let config = config(info.name, base)?;
            let (found, expected) = (bits(&by_candle(&config)?), bits(&by_core(&config)?));
            assert_eq!(found, expected, "{} over {base}", info.name);
            assert_ne!(found, bits(&before), "{} over {base} moves", info.name);
            different.insert(found);
        }
    }
    // No two rules are the same under another name, but for masks and weights that happen to agree.
    assert!(different.len() > 30, "{}", different.len());
    Ok(())
}

#[test]
fn momentum_sam_needs_momentum() -> Result<()> {
    let vars = vars()?;
    let mut sam = Sam::new(vars.clone(), config("momentum-sam", "sgd")?)?;
    let refused = sam.backward_step(|| loss(&vars)).and_then(|_| sam.backward_step(|| loss(&vars)));
    assert!(refused.unwrap_err().to_string().contains("expected 1 planes"));
    Ok(())
}

#[test]
fn names_of_base_optimizers_are_all_tried() {
    assert!(BASES.iter().all(|base| AnyBase::<f32>::by_name(base).is_ok()));
    let unknown = AnyBase::<f32>::by_name("").unwrap_err().to_string();
    let known = unknown.rsplit(": ").next().unwrap().split(", ");
    assert_eq!(known.collect::<Vec<_>>(), BASES);
}
