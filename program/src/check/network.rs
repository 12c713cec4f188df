//! The network's kernels against `presam-model`.

use presam_kernels::entries;
use presam_kernels::layout::Control;
use presam_kernels::network::LARGE_TILE;
use presam_model::Mlp;

use super::Request;
use super::counted::Counted;
use super::difference::{floats, text};
use super::random::Random;
use crate::error::Error;
use presam_cuda::{Address, Batch, Buffers, Device, DeviceNetwork, download};

/// The widest of them with more columns than a block has threads.
const WIDTHS: &[&[usize]] =
    &[&[3, 2], &[64, 128, 10], &[5, 33, 7, 4], &[40, 1, 3], &[31, 65, 64, 2], &[2, 300, 3]];
const BATCHES: &[usize] = &[1, 2, 31, 32, 33, 64, 65];

/// The check.
pub(super) fn check(device: &mut Counted, request: Request) -> Result<(), Error> {
    let mut random = Random::new(request.seed ^ 2);
    for _ in 0..request.cases {
        let mut buffers = Buffers::default();
        let done = one(device, &mut random, &mut buffers)
            .and_then(|()| large(device, &mut random, &mut buffers));
        buffers.free(device)?;
        done?;
    }
    Ok(())
}

fn one(device: &mut Counted, random: &mut Random, buffers: &mut Buffers) -> Result<(), Error> {
    let (widths, len) = (random.pick(WIDTHS), random.pick(BATCHES));
    let mlp = Mlp::new(widths)?;
    let (features, classes) = (mlp.inputs(), mlp.classes());
    let mut floats_of = |count: usize| (0..count).map(|_| random.unit()).collect::<Vec<f32>>();
    let (params, data) = (floats_of(mlp.param_count()), floats_of(2 * len * features));
    let all: Vec<u8> = (0..2 * len).map(|_| random.below(classes) as u8).collect();
    let order: Vec<usize> = (0..len).map(|_| random.below(2 * len)).collect();
    let told = || format!("network {widths:?}, batch {len}");

    let batch = gathered(device, buffers, (&data, &all), &order, features)?;
    let inputs: Vec<f32> = order
        .iter()
        .flat_map(|&row| &data[row * features..(row + 1) * features])
        .copied()
        .collect();
    let labels: Vec<u8> = order.iter().map(|&row| all[row]).collect();
    let mut scratch = vec![0.0; mlp.scratch_len(len)];
    let mut expected = vec![0.0; params.len()];
    let loss =
        mlp.loss_and_gradient(&params, &inputs, &labels, len, &mut expected, &mut scratch)?;
    let right = mlp.correct_count(&params, &inputs, &labels, len, &mut scratch)?;

    let (on_params, grads) =
        (buffers.upload(device, &params)?, buffers.zeros(device, params.len())?);
    let [counted, row] = [buffers.zeros(device, 1)?, buffers.zeros(device, 4)?];
    let network = DeviceNetwork::new(device, &mlp, len)?;
    network.forward(device, on_params, batch)?;
    network.count_right(device, batch, counted)?;
    network.backward(device, on_params, batch, grads)?;
    device.launch(&entries::mean_loss, 1, &[len as u64, network.losses(), row])?;
    let gathered_inputs = download(device, batch.inputs, inputs.len())?;
    let found_right = download::<u32>(device, counted, 1)?;
    let found_loss = download(device, row, 1)?;
    let found = download(device, grads, params.len())?;
    network.free(device)?;
    let difference = floats(told, "gathered", &inputs, &gathered_inputs)
        .or_else(|| text(told, "right answers", &vec![right as u32], &found_right))
        .or_else(|| floats(told, "loss", &[loss], &found_loss))
        .or_else(|| floats(told, "gradient", &expected, &found));
    device.judged(difference);
    reported(device, buffers, row)
}

/// The weight gradient by large tiles, which a layer of a million weights has.
fn large(device: &mut Counted, random: &mut Random, buffers: &mut Buffers) -> Result<(), Error> {
    let [rows, columns, sums] = random.pick(&[[65, 130, 33], [1, 1, 16], [70, 63, 1]]);
    let mut plane = |len: usize| (0..len).map(|_| random.unit()).collect::<Vec<f32>>();
    let (a, b) = (plane(sums * rows), plane(sums * columns));
    let sum = |at: usize| {
        let products =
            (0..sums).map(|k| a[k * rows + at / columns] * b[k * columns + at % columns]);
        products.fold(0.0, |sum, product| sum + product)
    };
    let expected: Vec<f32> = (0..rows * columns).map(sum).collect();
    let (on_a, on_b) = (buffers.upload(device, &a)?, buffers.upload(device, &b)?);
    let out = buffers.zeros(device, rows * columns)?;
    let blocks = rows.div_ceil(LARGE_TILE as usize) * columns.div_ceil(LARGE_TILE as usize);
    let sizes = [rows, columns, sums].map(|size| size as u64);
    let arguments = [sizes.as_slice(), &[on_a, on_b, 0, out]].concat();
    device.launch(&entries::weight_gradient_large, blocks as u32, &arguments)?;
    let found = download(device, out, rows * columns)?;
    let told = || format!("large tiles, {rows} x {columns}, sums of {sums}");
    device.judged(floats(told, "gradient", &expected, &found));
    Ok(())
}

/// The batch that `order` names, gathered by the device itself.
fn gathered(
    device: &mut Counted,
    buffers: &mut Buffers,
    (data, labels): (&[f32], &[u8]),
    order: &[usize],
    features: usize,
) -> Result<Batch, Error> {
    let labels: Vec<u32> = labels.iter().map(|&label| label.into()).collect();
    let indices: Vec<u32> = order.iter().map(|&index| index as u32).collect();
    let [data, labels, order_address] = [
        buffers.upload(device, data)?,
        buffers.upload(device, &labels)?,
        buffers.upload(device, &indices)?,
    ];
    let batch = Batch {
        len: order.len(),
        inputs: buffers.zeros(device, order.len() * features)?,
        labels: buffers.zeros(device, order.len())?,
    };
    let arguments = [features as u64, data, labels, order_address, batch.inputs, batch.labels];
    device.launch(&entries::gather, order.len() as u32, &arguments)?;
    Ok(batch)
}

/// What a step leaves in the log.
fn reported(device: &mut Counted, buffers: &mut Buffers, row: Address) -> Result<(), Error> {
    let mut control = Control::new(presam::LengthRule::NORMALISED);
    (control.outcome, control.descends) = (1, 1);
    let control = buffers.upload(device, &[control])?;
    let part = presam::Part { sum: 16.0_f32, statistic: 0.0, class: -1 };
    let distance = buffers.upload(device, &[part])?;
    device.launch(&entries::report, 1, &[control, distance, row + 4])?;
    let found = download::<u32>(device, row + 4, 3)?;
    let length = presam::ScaledNorm::of(part).value().to_bits();
    device.judged(text(|| "report of a step".to_owned(), "words", &vec![length, 1, 1], &found));
    Ok(())
}
