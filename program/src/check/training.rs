//! Whole training runs on the digits, on the CPU and on the device.

use super::{Request, Training};
use crate::config::{Many, Options, SeedsOption, resolve};
use crate::error::Error;
use crate::train;
use presam_cuda::Device;

/// One of each kind: plain, ASAM's operator, memory and statistic, one gradient, each mix.
const METHODS: &[&str] = &["sgd", "sam", "info-asam", "momentum-sam", "gsam", "wsam", "look-sam"];

/// Trains every method on both sides.
pub(super) fn run(device: &mut Box<dyn Device>, request: Request) -> Result<Vec<Training>, Error> {
    let config = resolve(Options {
        epochs: Some(request.epochs),
        seeds: Some(SeedsOption::Count(1)),
        methods: Some(Many::List(METHODS.iter().map(|&name| name.to_owned()).collect())),
        ..Options::default()
    })?;
    let cpu = train::run(&config, &|_| ())?;
    let device = train::run_on(&config, &|_| (), Some(device))?;
    let pairs = cpu.runs.into_iter().zip(device.runs);
    Ok(pairs
        .map(|(cpu, device)| Training {
            method: cpu.method,
            epochs: request.epochs,
            cpu_sha256: cpu.params_sha256,
            device_sha256: device.params_sha256,
        })
        .collect())
}
