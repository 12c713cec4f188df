//! A network on 1,797 digits, 60 % of the training labels wrong: SGD beside SAM and ASAM.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Activation, Module, Sequential, VarBuilder, VarMap, linear, loss, seq};
use presam_candle::{Config, Sam, in_order};

const DIGITS: &str = include_str!("../../program/data/optdigits.csv");
const TRAINING: usize = 1_000;
const BATCH: usize = 50;
const EPOCHS: usize = 30;
/// The variant and its radius; with a radius of 0 it is the base optimizer alone.
const METHODS: [(&str, &str, f32); 3] =
    [("sgd", "sam", 0.0), ("sam", "sam", 0.2), ("asam", "asam", 1.5)];

struct Digits {
    pixels: Tensor,
    labels: Tensor,
}

/// The rows from `from` to `to`; where noise is asked for, 60 % of the labels are wrong.
fn digits(from: usize, to: usize, noisy: bool) -> Result<Digits> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let mut draw = Draw(1);
    for line in DIGITS.lines().take(to).skip(from) {
        let mut row: Vec<f32> = line.split(',').map(|field| field.parse().unwrap_or(0.0)).collect();
        let label = row.pop().unwrap_or(0.0) as u32;
        pixels.extend(row.iter().map(|pixel| pixel / 16.0));
        let wrong = noisy && draw.below(10) < 6;
        labels.push(if wrong { (label + 1 + draw.below(9)) % 10 } else { label });
    }
    let count = labels.len();
    let pixels = Tensor::from_vec(pixels, (count, 64), &Device::Cpu)?;
    Ok(Digits { pixels, labels: Tensor::from_vec(labels, count, &Device::Cpu)? })
}

/// Numbers without a pattern, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((self.0 >> 33) % u64::from(end)) as u32
    }
}

/// 64-64-10, the same weights for every method.
fn network(varmap: &VarMap) -> Result<Sequential> {
    let vb = VarBuilder::from_varmap(varmap, DType::F32, &Device::Cpu);
    let network = seq().add(linear(64, 64, vb.pp("hidden"))?).add(Activation::Relu);
    let network = network.add(linear(64, 10, vb.pp("out"))?);
    let mut draw = Draw(2);
    for var in in_order(varmap) {
        let numbers = (0..var.elem_count()).map(|_| draw.below(2001) as f32 / 8000.0 - 0.125);
        var.set(&Tensor::from_vec(numbers.collect(), var.shape(), &Device::Cpu)?)?;
    }
    Ok(network)
}

fn accuracy(network: &Sequential, digits: &Digits) -> Result<f32> {
    let guess = network.forward(&digits.pixels)?.argmax(1)?;
    guess.eq(&digits.labels)?.to_dtype(DType::F32)?.mean_all()?.to_scalar()
}

fn trained(variant: &str, rho: f32, training: &Digits) -> Result<(Sequential, f32)> {
    let varmap = VarMap::new();
    let network = network(&varmap)?;
    let config = Config::by_name(variant, rho, "sgd-momentum")?;
    let config = config.base("learning_rate", 0.05)?.base("momentum", 0.9)?;
    let mut sam = Sam::new(in_order(&varmap), config)?;
    let mut last = 0.0;
    for step in 0..EPOCHS * TRAINING / BATCH {
        let at = step * BATCH % TRAINING;
        let (pixels, labels) =
            (training.pixels.narrow(0, at, BATCH)?, training.labels.narrow(0, at, BATCH)?);
        let batch = || loss::cross_entropy(&network.forward(&pixels)?, &labels);
        let (loss, _) = sam.backward_step(batch)?;
        last = loss.map_or(Ok(last), |loss| loss.to_scalar())?;
    }
    Ok((network, last))
}

fn main() -> Result<()> {
    let (training, test) = (digits(0, TRAINING, true)?, digits(TRAINING, 1_797, false)?);
    println!("digits, 60 % of the training labels wrong, {EPOCHS} epochs");
    for (name, variant, rho) in METHODS {
        let (network, loss) = trained(variant, rho, &training)?;
        let accuracy = 100.0 * accuracy(&network, &test)?;
        println!("{name:<5} rho {rho:<4} training loss {loss:.3}  test accuracy {accuracy:.1} %");
    }
    Ok(())
}
