//! The memory traffic of the committed PTX, counted by executing it, against the least that a pass can move.

use presam::{AdamW, BaseOptimizer, Configure, Group, Sgd, for_each_variant};
use presam_cuda::{
    Address, Buffers, Device, DeviceError, DeviceSegment, DeviceStep, Form, Options, Ptx,
};
use presam_kernels::entries::{BaseEntries, VariantEntries};
use std::fmt::Write;

/// Elements of the one segment: past 1e5, a whole number of chunks and then some.
pub const ELEMENTS: usize = 100_352 + 640;

/// What one kernel moved.
#[derive(Clone, Debug)]
pub struct Row {
    /// The entry point.
    pub kernel: String,
    /// Floats a parameter that it must read and write.
    pub planes: usize,
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
        self.sectors as f64 / ((self.planes * ELEMENTS * 4).div_ceil(32)) as f64
    }
}

/// A row of the table from what a kernel's last launch did.
fn row(device: &Ptx, kernel: &str, planes: usize) -> Row {
    let report = device.report(kernel).cloned().unwrap_or_default();
    Row {
        kernel: kernel.to_owned(),
        planes,
        sectors: report.global.sectors_read + report.global.sectors_written,
        coalesced: report.global.coalesced_share(),
        instructions: report.lane_instructions as f64 / ELEMENTS as f64,
    }
}

/// One step of a rule over a base optimizer, its planes aligned and full of ordinary numbers.
fn step<V, B, const M: usize, const I: usize, const S: usize>(
    (variant, base): (V, B),
    form: Form,
) -> Result<Ptx, DeviceError>
where
    V: VariantEntries<M, I>,
    B: BaseEntries<S>,
{
    let (mut device, mut buffers) = (Ptx::new(0), Buffers::default());
    let device_ref = &mut device;
    let values: Vec<f32> = (0..ELEMENTS).map(|i| 0.01 + (i % 97) as f32 / 97.0).collect();
    let mut plane = || buffers.upload(device_ref, &values);
    let segment = DeviceSegment {
        len: ELEMENTS as u64,
        group: 0,
        params: plane()?,
        grads: plane()?,
        perturbed_grads: plane()?,
        out: plane()?,
        memory: planes::<M>(&mut plane)?,
        inputs: planes::<I>(&mut plane)?,
        state: planes::<S>(&mut plane)?,
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

fn planes<const N: usize>(
    plane: &mut impl FnMut() -> Result<Address, DeviceError>,
) -> Result<[Address; N], DeviceError> {
    let mut planes = [0; N];
    for address in &mut planes {
        *address = plane()?;
    }
    Ok(planes)
}

/// The planes that the norm pass of a rule reads in its first step, and its ascent.
fn variant_rows<V, const M: usize, const I: usize>(
    rows: &mut Vec<Row>,
    module: &str,
    norm_reads: usize,
) -> Result<(), DeviceError>
where
    V: VariantEntries<M, I> + Configure,
{
    let sgd = Sgd::new(0.1)?.with_momentum(0.9)?;
    let device = step::<V, _, M, I, 1>((V::default(), sgd), Form::OutOfPlace)?;
    rows.push(row(&device, &format!("accumulate_{module}_f32"), norm_reads));
    rows.push(row(&device, &format!("ascend_{module}_f32"), 3 + 2 * M + I));
    let device = step::<V, _, M, I, 1>((V::default(), sgd), Form::InPlace)?;
    rows.push(row(&device, &format!("ascend_in_place_{module}_f32"), 4 + 2 * M + I));
    Ok(())
}

macro_rules! every_variant {
    ($rows:ident; $($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        $(variant_rows::<presam::$Variant<f32>, $m, $i>(
            &mut $rows, stringify!($module), presam::variants::$module::INFO.norm_reads)?;)*
    };
}

/// Every pass of every rule and base optimizer.
///
/// # Errors
/// A fault of a kernel.
pub fn rows() -> Result<Vec<Row>, DeviceError> {
    let mut rows = Vec::new();
    for_each_variant!(every_variant rows;);
    let sgd = Sgd::new(0.1)?;
    let sam = presam::Sam::new();
    let device = step::<_, _, 0, 0, 0>((sam, sgd), Form::OutOfPlace)?;
    rows.push(row(&device, "descend_sgd", 3));
    let momentum = sgd.with_momentum(0.9)?.with_weight_decay(1e-3)?;
    let device = step::<_, _, 0, 0, 1>((sam, momentum), Form::InPlace)?;
    rows.push(row(&device, "restore", 2));
    rows.push(row(&device, "accumulate_gradient", 1));
    rows.push(row(&device, "descend_sgd_momentum", 5));
    let device = step::<_, _, 0, 0, 2>((sam, AdamW::new(0.01)?), Form::OutOfPlace)?;
    rows.push(row(&device, "descend_adamw", 7));
    Ok(rows)
}

/// The table of docs/traffic.md.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "# Memory traffic of the kernels\n\nCounted by `ptx-machine`, which executes the texts under \
         kernels/ptx, over one aligned segment of {ELEMENTS} parameters: sectors of 32 bytes that the \
         requests of warps touch (no cache in this count), against the least that the pass can move. \
         Exact counts, the same on every machine for the same texts (their headers name compiler and date). Written by `UPDATE=1 cargo test -p presam-tests --test suite traffic`.\n\n\
         | kernel | floats a parameter | bytes a parameter, at least | sectors over the least | coalesced \
         requests | lane instructions a parameter |\n| --- | --- | --- | --- | --- | --- |\n"
    );
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.4} | {:.1} % | {:.1} |",
            row.kernel,
            row.planes,
            4 * row.planes,
            row.over_floor(),
            100.0 * row.coalesced,
            row.instructions
        );
    }
    text
}
