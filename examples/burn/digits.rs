//! A network on 1,797 digits, 60 % of the training labels wrong: SGD beside SAM and ASAM.

use burn::module::{Module, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData, activation::relu};
use presam_burn::{Config, Refused, Sam};

const DIGITS: &str = include_str!("../../program/data/optdigits.csv");
const TRAINING: usize = 1_000;
const BATCH: usize = 50;
const EPOCHS: usize = 30;
/// The variant and its radius; with a radius of 0 it is the base optimizer alone.
const METHODS: [(&str, &str, f32); 3] =
    [("sgd", "sam", 0.0), ("sam", "sam", 0.2), ("asam", "asam", 1.5)];

struct Digits {
    pixels: Tensor<2>,
    labels: Tensor<1, Int>,
}

/// The rows from `from` to `to`; where noise is asked for, 60 % of the labels are wrong.
fn digits(from: usize, to: usize, noisy: bool, device: &Device) -> Digits {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let mut draw = Draw(1);
    for line in DIGITS.lines().take(to).skip(from) {
        let mut row: Vec<f32> = line.split(',').map(|field| field.parse().unwrap_or(0.0)).collect();
        let label = row.pop().unwrap_or(0.0) as u32;
        pixels.extend(row.iter().map(|pixel| pixel / 16.0));
        let wrong = noisy && draw.below(10) < 6;
        labels.push(if wrong { (label + 1 + draw.below(9)) % 10 } else { label } as i32);
    }
    let count = labels.len();
    let pixels = Tensor::from_data(TensorData::new(pixels, [count, 64]), device);
    Digits { pixels, labels: Tensor::from_data(TensorData::new(labels, [count]), device) }
}

/// Numbers without a pattern, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((self.0 >> 33) % u64::from(end)) as u32
    }

    fn param<const D: usize>(&mut self, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
        let numbers = (0..shape.iter().product()).map(|_| self.below(2001) as f32 / 8000.0 - 0.125);
        let data = TensorData::new(numbers.collect::<Vec<f32>>(), shape);
        Param::from_tensor(Tensor::from_data(data, device))
    }
}

#[derive(Module, Debug)]
struct Network {
    hidden: Linear,
    out: Linear,
}

impl Network {
    /// 64-64-10, the same weights for every method.
    fn new(device: &Device) -> Self {
        let mut draw = Draw(2);
        let mut layer = |inputs, outputs| {
            let mut layer = LinearConfig::new(inputs, outputs).init(device);
            layer.weight = draw.param([inputs, outputs], device);
            layer.bias = Some(draw.param([outputs], device));
            layer
        };
        Self { hidden: layer(64, 64), out: layer(64, 10) }
    }

    fn forward(&self, pixels: Tensor<2>) -> Tensor<2> {
        self.out.forward(relu(self.hidden.forward(pixels)))
    }

    fn accuracy(&self, digits: &Digits) -> f32 {
        let guess = self.forward(digits.pixels.clone()).argmax(1).squeeze::<1>();
        guess.equal(digits.labels.clone()).float().mean().into_scalar()
    }
}

fn trained(
    variant: &str,
    rho: f32,
    training: &Digits,
    device: &Device,
) -> Result<(Network, f64), Refused> {
    let config = Config::by_name(variant, rho, "sgd-momentum")?.base("momentum", 0.9)?;
    let (mut sam, mut network, mut last) = (Sam::new(config), Network::new(device), 0.0);
    let loss = CrossEntropyLossConfig::new().init(device);
    for step in 0..EPOCHS * TRAINING / BATCH {
        let at = step * BATCH % TRAINING;
        let pixels = training.pixels.clone().narrow(0, at, BATCH);
        let labels = training.labels.clone().narrow(0, at, BATCH);
        let (stepped, done) = sam.step(0.05, network, |network: Network| {
            let loss = loss.forward(network.forward(pixels.clone()), labels.clone());
            let grads = GradientsParams::from_grads(loss.backward(), &network);
            (loss.into_scalar::<f32>().into(), grads)
        });
        (network, last) = (stepped, done?.loss);
    }
    Ok((network, last))
}

fn main() -> Result<(), Refused> {
    let device = Device::flex().autodiff();
    let training = digits(0, TRAINING, true, &device);
    let test = digits(TRAINING, 1_797, false, &device);
    println!("digits, 60 % of the training labels wrong, {EPOCHS} epochs");
    for (name, variant, rho) in METHODS {
        let (network, loss) = trained(variant, rho, &training, &device)?;
        let accuracy = 100.0 * network.accuracy(&test);
        println!("{name:<5} rho {rho:<4} training loss {loss:.3}  test accuracy {accuracy:.1} %");
    }
    Ok(())
}
