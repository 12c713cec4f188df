//! What a trainer must not have to think of: statistics, missing gradients, numbers that are none, what is refused.

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, GradientCheckpointingStrategy, Tensor, TensorData};
use presam::Outcome;
use presam_burn::{Config, Sam};

fn device() -> Device {
    Device::flex().autodiff()
}

fn param(values: &[f32]) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::from_data(
        TensorData::new(values.to_vec(), [values.len()]),
        &device(),
    ))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// With weight decay: a parameter that takes part in a step moves, gradient of 0 or not.
fn sam(variant: &str) -> Sam {
    let config = Config::by_name(variant, 0.5, "adamw").unwrap();
    Sam::new(config.base("weight_decay", 0.1).unwrap())
}

#[derive(Module, Debug)]
struct Network {
    first: Linear,
    norm: BatchNorm,
    second: Linear,
}

impl Network {
    fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(3, 5).init(device),
            norm: BatchNormConfig::new(5).init(device),
            second: LinearConfig::new(5, 1).init(device),
        }
    }

    fn pass(self) -> (f64, GradientsParams) {
        let x = (0..24).map(|i| (i * i % 7) as f32).collect::<Vec<_>>();
        let device = self.first.weight.val().device();
        let x = Tensor::<2>::from_data(TensorData::new(x, [8, 3]), &device);
        let hidden = self.norm.forward(self.first.forward(x));
        let loss = self.second.forward(hidden.tanh()).powi_scalar(2).mean();
        (
            loss.clone().into_scalar::<f32>().into(),
            GradientsParams::from_grads(loss.backward(), &self),
        )
    }

    fn statistics(&self) -> [Vec<f32>; 2] {
        let norm = &self.norm;
        [values(norm.running_mean.value_sync()), values(norm.running_var.value_sync())]
    }
}

#[test]
fn a_batch_enters_the_running_statistics_once() {
    let network = Network::new(&device());
    let fresh = network.statistics();
    let once = {
        let own = network.valid().train(); // Its statistics are its own.
        own.clone().pass();
        own.statistics()
    };
    assert_eq!(network.statistics(), fresh);
    let (mut passes, mut sam) = (Vec::new(), sam("sam"));
    let (network, step) = sam.step(0.1, network, |network: Network| {
        let pass = network.clone().pass();
        passes.push(network.statistics());
        pass
    });
    assert!(step.unwrap().report.descended);
    assert_eq!(passes[0], once);
    assert_ne!(passes[1], once, "the second pass counted too");
    assert_eq!(network.statistics(), once);
    assert_eq!(sam.copies(), 0);
}

#[test]
fn the_strategy_of_checkpointing_stays() {
    let device = Device::flex().autodiff().gradient_checkpointing();
    let mut network = Network::new(&device);
    let mut sam = sam("asam");
    for _ in 0..2 {
        let (stepped, step) = sam.step(0.1, network, Network::pass);
        assert!(step.unwrap().report.descended);
        network = stepped;
    }
    let strategy = network.first.weight.val().gradient_checkpointing_strategy();
    assert_eq!(strategy, Some(GradientCheckpointingStrategy::Balanced));
    assert!(network.first.weight.val().is_require_grad());
}

#[derive(Module, Debug)]
struct Two {
    a: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
}

impl Two {
    fn new() -> Self {
        Self { a: param(&[1.0, -2.0]), b: param(&[3.0, 4.0]) }
    }

    fn values(&self) -> [Vec<f32>; 2] {
        [values(self.a.val()), values(self.b.val())]
    }

    fn pass(self, with_b: bool, factor: f32) -> (f64, GradientsParams) {
        let mut loss = self.a.val().powi_scalar(2).sum();
        if with_b {
            loss = loss + self.b.val().powi_scalar(2).sum();
        }
        let loss = loss * factor;
        (
            loss.clone().into_scalar::<f32>().into(),
            GradientsParams::from_grads(loss.backward(), &self),
        )
    }
}

#[test]
fn without_a_gradient_a_parameter_is_left_alone() {
    let (mut two, mut sam) = (Two::new(), sam("info-asam"));
    let mut step = |with_b: [bool; 2]| {
        let before = two.values();
        let mut b_was = Vec::new();
        let (stepped, step) = sam.step(0.1, two.clone(), |two: Two| {
            b_was.push(values(two.b.val()));
            two.pass(with_b[b_was.len() - 1], 1.0)
        });
        step.unwrap();
        two = stepped;
        assert_ne!(two.values()[0], before[0]);
        (b_was[1] != before[1], two.values()[1] != before[1])
    };
    assert_eq!(step([false, false]), (false, false));
    assert_eq!(step([true, true]), (true, true));
    assert_eq!(step([true, false]), (true, false), "perturbed, restored, no step");
    assert_eq!(step([false, true]), (false, true), "not perturbed, a step");
    assert_eq!(step([false, false]), (false, false));
}

#[test]
fn a_gradient_that_is_not_finite_changes_nothing() {
    let (mut two, mut sam) = (Two::new(), sam("info-asam"));
    for bad in [0, 1] {
        let mut pass = 0;
        let (stepped, step) = sam.step(0.1, two, |two: Two| {
            pass += 1;
            two.pass(true, if pass - 1 == bad { f32::INFINITY } else { 1.0 })
        });
        let report = step.unwrap().report;
        assert!(!report.descended);
        assert_eq!(report.ascent.outcome == Outcome::NonFinite, bad == 0);
        assert_eq!((pass, stepped.values()), (1 + bad, Two::new().values()));
        two = stepped;
    }
}

#[test]
fn copies_are_counted_and_the_copied_stay_as_they_were() {
    let (two, mut sam) = (Two::new(), sam("asam"));
    let kept = two.clone();
    let (two, step) = sam.step(0.1, two, |two: Two| two.pass(true, 1.0));
    assert!(step.unwrap().report.descended);
    assert_eq!((sam.copies(), kept.values()), (2, Two::new().values()));
    let (two, _) = sam.step(0.1, two, |two: Two| two.pass(true, 1.0));
    assert_eq!(sam.copies(), 2);
    assert_ne!(two.values(), kept.values());
}

#[test]
fn what_it_cannot_take_is_refused_in_one_line_and_the_module_comes_back() {
    let (two, mut sam) = (Two::new(), sam("sam"));
    let (two, step) = sam.step(0.1, two, |two: Two| {
        let (loss, mut grads) = two.clone().pass(true, 1.0);
        grads.remove::<1>(two.b.id);
        grads.register(two.b.id, Tensor::<1>::ones([3], &Device::flex()));
        (loss, grads)
    });
    assert!(step.unwrap_err().to_string().starts_with("b: gradient: expected"));
    assert_eq!(two.values(), Two::new().values());
    let (two, step) = sam.step(-1.0, two, |two: Two| two.pass(true, 1.0));
    assert!(step.unwrap_err().to_string().starts_with("learning_rate: expected"));
    assert_eq!(two.values(), Two::new().values());
    let (_, step) = sam.step(0.1, two, |two: Two| two.pass(true, 1.0));
    assert!(step.unwrap().report.descended);
    let unknown = Config::by_name("sma", 0.5, "sgd").unwrap_err().to_string();
    assert!(unknown.contains("expected one of: sam, asam"), "{unknown}");
}
