//! A trainer that owns its device buffers, and SAM's step over them: no copy, no wait within a step.
//!
//! `cargo run --release -p presam-cuda --features network --example device_trainer [-- emulated|cuda[:N]]`

use presam::{Group, Sam, Sgd};
use presam_cuda::{
    Batch, Buffers, Choice, Device, DeviceNetwork, DeviceSegment, DeviceStep, Options, download,
};
use presam_kernels::entries;
use presam_model::{Mlp, init};

/// Images of the one batch that it learns by heart.
const BATCH: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let choice: Choice = std::env::args().nth(1).unwrap_or("emulated".into()).parse()?;
    let mut device = choice.open()?.ok_or("device: expected emulated or cuda, found cpu")?;
    let device = &mut device;

    // The trainer's own buffers: parameters, both gradients, the perturbed parameters, the momentum.
    let mlp = Mlp::new(&[64, 32, 10])?;
    let mut params = vec![0.0_f32; mlp.param_count()];
    init::he_uniform(&mlp, &mut params, &mut init::streams(7).initialisation)?;
    let mut buffers = Buffers::default();
    let w = buffers.upload(device, &params)?;
    let [g, second, perturbed, momentum] = [
        buffers.zeros(device, params.len())?,
        buffers.zeros(device, params.len())?,
        buffers.zeros(device, params.len())?,
        buffers.zeros(device, params.len())?,
    ];
    // Synthetic images: a ramp whose slope is the label's.
    let labels: Vec<u32> = (0..BATCH as u32).map(|image| image % 10).collect();
    let pixel = |at: usize| (labels[at / 64] + 1) as f32 * (at % 64) as f32 / 640.0;
    let images: Vec<f32> = (0..BATCH * 64).map(pixel).collect();
    let batch = Batch {
        len: BATCH,
        inputs: buffers.upload(device, &images)?,
        labels: buffers.upload(device, &labels)?,
    };
    let loss = buffers.zeros(device, 1)?;

    // The step: one segment for each tensor, weights and biases in groups of their own.
    let segments: Vec<_> = mlp
        .segments()
        .map(|tensor| {
            let at = |plane| plane + 4 * tensor.offset as u64;
            DeviceSegment {
                len: tensor.len as u64,
                group: usize::from(tensor.is_bias),
                params: at(w),
                grads: at(g),
                perturbed_grads: at(second),
                out: at(perturbed),
                state: [at(momentum), 0],
                ..DeviceSegment::default()
            }
        })
        .collect();
    let groups = [Group::new(0.05)?.with_weight_decay(5e-4)?, Group::new(0.05)?];
    let base = Sgd::new(0.1)?.with_momentum(0.9)?;
    let (variant, base) = (Sam::new().into(), base.into());
    let step = DeviceStep::new(device, variant, base, &segments, &groups, Options::default())?;
    let network = DeviceNetwork::new(device, &mlp, BATCH)?;

    for number in 1..=30 {
        network.forward(device, w, batch)?;
        network.backward(device, w, batch, g)?;
        let mean = [BATCH as u64, network.losses(), loss];
        device.launch(&entries::mean_loss, 1, &mean)?;
        step.ascend(device)?;
        network.forward(device, perturbed, batch)?;
        network.backward(device, perturbed, batch, second)?;
        step.descend(device)?;
        // Only where somebody looks does the host wait.
        if number % 10 == 0 {
            let loss = download::<f32>(device, loss, 1)?;
            println!("step {number}: loss {loss:?}, {:?}", step.report(device)?.ascent);
        }
    }
    step.free(device)?;
    network.free(device)?;
    buffers.free(device)?;
    Ok(())
}
