//! The memory traffic of the committed PTX, counted by executing it, against the least that a pass can move.

use std::collections::BTreeSet;
use std::fmt::Write;

use presam::{
    AdamW, AnyBase, AnyVariant, BaseOptimizer, DynBase, DynVariant, Group, PlaneCount, Sgd,
    VariantInfo,
};
use presam_cuda::{
    Buffers, Device, DeviceError, DeviceSegment, DeviceStep, Form, Options, Ptx, Scalar, Scalars,
};
use presam_kernels::fold::LEAVES;
use presam_kernels::{THREADS, entries};

/// Elements of the one segment: past 1e5, a whole number of chunks and then some.
pub const ELEMENTS: usize = 100_352 + 640;

/// What one kernel moved.
#[derive(Clone, Debug)]
pub struct Row {
    /// The entry point, and the scalar of a mixed one.
    pub kernel: String,
    /// Numbers a parameter that it must read and write.
    pub planes: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Sectors of 32 bytes that its warps touched.
    pub sectors: u64,
    /// The share of requests that were fully coalesced.
    pub coalesced: f64,
    /// Instructions of all lanes, for each parameter.
    pub instructions: f64,
}

impl Row {
    /// Sectors over the least.
    #[must_use]
    pub fn over_floor(&self) -> f64 {
        self.sectors as f64 / self.least() as f64
    }

    /// Sectors that it must touch.
    #[must_use]
    pub const fn least(&self) -> u64 {
        (self.bytes * ELEMENTS).div_ceil(32) as u64
    }
}

/// A row of the table from what a kernel's last launch did.
fn row(device: &Ptx, kernel: &str, planes: usize) -> Row {
    let report = device.report(kernel).cloned().unwrap_or_default();
    Row {
        kernel: kernel.to_owned(),
        planes,
        bytes: 4 * planes,
        sectors: report.global.sectors_read + report.global.sectors_written,
        coalesced: report.global.coalesced_share(),
        instructions: report.lane_instructions as f64 / ELEMENTS as f64,
    }
}

/// The words of a plane of this scalar, as `f32`: 1/2 in each number of 16 bits.
fn in_scalar(scalar: Scalar, values: &[f32]) -> Vec<f32> {
    let halves = |half: u32| vec![f32::from_bits(half << 16 | half); values.len().div_ceil(2)];
    match scalar {
        Scalar::F32 => values.to_vec(),
        Scalar::Bf16 => halves(0x3f00),
        Scalar::F16 => halves(0x3800),
    }
}

/// One step of a rule over a base optimizer, its planes aligned and full of ordinary numbers; gradients and what the
/// model reads in the mixed form are of this scalar.
fn step(
    variant: AnyVariant<f32>,
    base: AnyBase<f32>,
    form: Form,
    scalar: Scalar,
) -> Result<Ptx, DeviceError> {
    let (mut device, mut buffers) = (Ptx::new(0), Buffers::default());
    let values: Vec<f32> = (0..ELEMENTS).map(|i| 0.01 + (i % 97) as f32 / 97.0).collect();
    let halves = in_scalar(scalar, &values);
    let mut model = || buffers.upload(&mut device, &halves);
    let [grads, perturbed_grads, out] = [model()?, model()?, model()?];
    let mut plane = || buffers.upload(&mut device, &values);
    let mut planes = |count: usize| {
        let mut planes = [0; 2];
        planes.iter_mut().take(count).try_for_each(|at| plane().map(|plane| *at = plane))?;
        Ok::<_, DeviceError>(planes)
    };
    let PlaneCount { memory, inputs } = variant.planes();
    let [params, _] = planes(1)?;
    let segment = DeviceSegment {
        len: ELEMENTS as u64,
        group: 0,
        scalars: Scalars::all(scalar),
        params,
        grads,
        perturbed_grads,
        out,
        memory: planes(memory)?,
        inputs: planes(inputs)?,
        state: planes(base.state_planes())?,
    };
    let options = Options { form, ..Options::default() };
    let groups = [Group::new(0.05)?];
    let step = DeviceStep::new(&mut device, variant, base, &[segment], &groups, options)?;
    step.set_base(&mut device, base, &groups)?;
    step.ascend(&mut device)?;
    step.restore(&mut device)?;
    step.descend(&mut device)?;
    device.synchronize()?;
    Ok(device)
}

/// The planes that the norm pass of a rule reads in its first step, and its ascent.
fn variant_rows(rows: &mut Vec<Row>, info: &VariantInfo) -> Result<(), DeviceError> {
    let (variant, kernels) = (AnyVariant::by_name(info.name)?, entries::variant(info.name)?);
    let sgd = Sgd::new(0.1)?.with_momentum(0.9)?.into();
    let ascent = 3 + 2 * info.memory + info.inputs;
    let device = step(variant, sgd, Form::OutOfPlace, Scalar::F32)?;
    rows.push(row(&device, kernels.accumulate[0].name, info.norm_reads));
    rows.push(row(&device, kernels.ascend[0].name, ascent));
    let device = step(variant, sgd, Form::InPlace, Scalar::F32)?;
    rows.push(row(&device, kernels.ascend_in_place[0].name, ascent + 1));
    Ok(())
}

/// Every pass of every rule and base optimizer.
///
/// # Errors
/// A fault of a kernel.
pub fn rows() -> Result<Vec<Row>, DeviceError> {
    let mut rows = Vec::new();
    // A kernel that several rules share is counted with the first of them.
    presam::variants::ALL.iter().try_for_each(|info| variant_rows(&mut rows, info))?;
    let mut names = BTreeSet::new();
    rows.retain(|row| names.insert(row.kernel.clone()));
    let sgd = Sgd::new(0.1)?;
    let sam = presam::Sam::new().into();
    let device = step(sam, sgd.into(), Form::OutOfPlace, Scalar::F32)?;
    rows.push(row(&device, "descend_sgd", 3));
    let momentum = sgd.with_momentum(0.9)?.with_weight_decay(1e-3)?;
    let device = step(sam, momentum.into(), Form::InPlace, Scalar::F32)?;
    rows.push(row(&device, "restore", 2));
    rows.push(row(&device, "accumulate_gradient", 1));
    rows.push(row(&device, "descend_sgd_momentum", 5));
    let device = step(sam, AdamW::new(0.01)?.into(), Form::OutOfPlace, Scalar::F32)?;
    rows.push(row(&device, "descend_adamw", 7));
    for scalar in [Scalar::Bf16, Scalar::F16] {
        mixed_rows(&mut rows, scalar)?;
    }
    Ok(rows)
}

/// The passes of a mixed step: numbers of f32, and of the model's scalar.
fn mixed_rows(rows: &mut Vec<Row>, scalar: Scalar) -> Result<(), DeviceError> {
    let sgd = Sgd::new(0.1)?;
    let momentum = sgd.with_momentum(0.9)?.with_weight_decay(1e-3)?;
    let bases = [sgd.into(), momentum.into(), AdamW::new(0.01)?.into()];
    let passes: [&[(&str, usize, usize)]; 3] = [
        &[
            ("accumulate_sam", 0, 1),
            ("ascend_sam", 1, 2),
            ("accumulate_gradient", 0, 1),
            ("descend_sgd", 2, 2),
        ],
        &[("descend_sgd_momentum", 4, 2)],
        &[("descend_adamw", 6, 2)],
    ];
    for (base, passes) in bases.into_iter().zip(passes) {
        let device = step(presam::Sam::new().into(), base, Form::Mixed, scalar)?;
        for &(kernel, floats, halves) in passes {
            let row = row(&device, &format!("{kernel}_mixed"), floats + halves);
            let kernel = format!("{}, {scalar:?}", row.kernel);
            rows.push(Row { kernel, bytes: 4 * floats + 2 * halves, ..row });
        }
    }
    Ok(())
}

/// Parts whose tree is counted: of a full block, of 1e6 parameters a chunk a part, and none.
pub const TREES: [u32; 3] = [LEAVES, 489, 0];

/// Instructions a thread of `total`, the bare tree, over each of [`TREES`].
///
/// # Errors
/// A fault of the kernel.
pub fn trees() -> Result<[f64; 3], DeviceError> {
    let (mut device, mut buffers) = (Ptx::new(0), Buffers::default());
    let parts = vec![[1.0_f32.to_bits(), 0, 0, 0]; LEAVES as usize];
    let [parts, results] = [&parts, &parts].map(|parts| buffers.upload(&mut device, parts));
    let [counter, out] = [buffers.zeros(&mut device, 1)?, buffers.zeros(&mut device, 3)?];
    let (parts, results, mut counts) = (parts?, results?, [0.0; 3]);
    for (instructions, count) in counts.iter_mut().zip(TREES) {
        let tree = [parts, count.into(), results, counter, out];
        device.launch(&entries::total, 1, &tree)?;
        let report = device.report(entries::total.name).cloned().unwrap_or_default();
        *instructions = report.lane_instructions as f64 / f64::from(THREADS);
    }
    Ok(counts)
}

/// The tables of docs/traffic.md.
#[must_use]
pub fn table(rows: &[Row], trees: [f64; 3]) -> String {
    let mut text = format!(
        "# Memory traffic of the kernels\n\nCounted by `ptx-machine`, which executes the texts under \
         kernels/ptx, over one aligned segment of {ELEMENTS} parameters: sectors of 32 bytes that the \
         requests of warps touch (no cache in this count), against the least that the pass can move. \
         A mixed kernel of one scalar stands for every one: a chunk says which scalar it is. Exact counts, the same on every machine for the same texts (their headers name compiler and date). Written by `UPDATE=1 cargo test -p presam-tests --test suite traffic`.\n\n\
         | kernel | floats a parameter | bytes a parameter, at least | sectors over the least | coalesced \
         requests | lane instructions a parameter |\n| --- | --- | --- | --- | --- | --- |\n"
    );
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.4} | {:.1} % | {:.1} |",
            row.kernel,
            row.bytes as f64 / 4.0,
            row.bytes,
            row.over_floor(),
            100.0 * row.coalesced,
            row.instructions
        );
    }
    text += "\nThe summing passes over 16-bit gradients are at 1.025, where no pass in f32 is above 1.02: the tables of chunks and the parts are the same bytes beside half the gradient.\n";
    text += "\n## The tree\n\nInstructions of `total`, the bare tree over the parts that a summing pass leaves, one block of it, in the mean over its threads. A part is eight chunks: 2048 of them are 33 million parameters.\n\n| parts | instructions a thread |\n| --- | --- |\n";
    for (parts, instructions) in TREES.into_iter().zip(trees) {
        let _ = writeln!(text, "| {parts} | {instructions:.0} |");
    }
    text
}
