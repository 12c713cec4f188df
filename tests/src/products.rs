//! Instructions and shared loads of the matrix products, counted by executing the committed PTX.

use std::fmt::Write;

use presam_cuda::{Buffers, Device, DeviceError, Ptx};
use presam_kernels::network::{LARGE_TILE, TILE};
use presam_kernels::{Kernel, THREADS, entries};

/// What one product took.
#[derive(Clone, Debug)]
pub struct Product {
    /// The entry point.
    pub kernel: &'static str,
    /// Rows, columns and length of the sums.
    pub sizes: [u64; 3],
    /// Instructions of all lanes.
    pub instructions: u64,
    /// Loads from shared memory of all lanes, of whatever width.
    pub shared_loads: u64,
    /// Cycles that requests to shared memory waited for a bank, over requests.
    pub waits: f64,
}

/// A CIFAR-like layer, 64 examples of 768 values to 256, its weight gradient by both tiles; then the digits' layers.
const PRODUCTS: [(&Kernel, [u64; 3]); 8] = [
    (&entries::forward_relu, [64, 256, 768]),
    (&entries::weight_gradient, [768, 256, 64]),
    (&entries::weight_gradient_large, [768, 256, 64]),
    (&entries::forward_relu, [64, 128, 64]),
    (&entries::forward, [64, 10, 128]),
    (&entries::weight_gradient, [64, 128, 64]),
    (&entries::weight_gradient, [128, 10, 64]),
    (&entries::slope_below, [64, 128, 10]),
];

fn tile(kernel: &Kernel) -> u64 {
    if kernel.name.ends_with("_large") { LARGE_TILE.into() } else { TILE.into() }
}

/// One product.
fn product(kernel: &'static Kernel, sizes: [u64; 3]) -> Result<Product, DeviceError> {
    let (mut device, mut buffers) = (Ptx::new(0), Buffers::default());
    let [rows, columns, sums] = sizes;
    let mut plane = |len: u64| {
        let values: Vec<f32> = (0..len).map(|i| 0.01 + (i % 97) as f32 / 97.0).collect();
        buffers.upload(&mut device, &values)
    };
    let [a, b, out] = [plane(rows * sums)?, plane(columns * sums)?, plane(rows * columns)?];
    let blocks = rows.div_ceil(tile(kernel)) * columns.div_ceil(tile(kernel));
    let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
    device.launch(kernel, blocks, &[rows, columns, sums, a, b, 0, out])?;
    let report = device.report(kernel.name).cloned().unwrap_or_default();
    let loads = report.instructions.iter().filter(|(name, _)| name.starts_with("ld.shared"));
    Ok(Product {
        kernel: kernel.name,
        sizes,
        instructions: report.lane_instructions,
        shared_loads: loads.map(|(_, count)| count).sum(),
        waits: report.bank_conflicts as f64 / report.shared_requests.max(1) as f64,
    })
}

/// Every product of the table.
///
/// # Errors
/// A fault of a kernel.
pub fn products() -> Result<Vec<Product>, DeviceError> {
    PRODUCTS.iter().map(|&(kernel, sizes)| product(kernel, sizes)).collect()
}

/// Instructions and shared loads of a thread for one strip more of a small tile (32 values of k) and of a large one
/// (16).
///
/// # Errors
/// A fault of a kernel.
pub fn strips() -> Result<[[f64; 2]; 2], DeviceError> {
    let of = |kernel, side: u32, depth: u64| {
        let strips = |strips: u64| product(kernel, [side.into(), side.into(), strips * depth]);
        let (once, twice) = (strips(1)?, strips(2)?);
        let more = |of: fn(&Product) -> u64| (of(&twice) - of(&once)) as f64 / f64::from(THREADS);
        Ok::<_, DeviceError>([
            more(|product| product.instructions),
            more(|product| product.shared_loads),
        ])
    };
    let large = of(&entries::weight_gradient_large, LARGE_TILE, 16)?;
    Ok([of(&entries::weight_gradient, TILE, 32)?, large])
}

/// Their part of docs/traffic.md.
#[must_use]
pub fn table(products: &[Product], strips: [[f64; 2]; 2]) -> String {
    let [[small, small_loads], [large, large_loads]] = strips;
    let mut text = format!(
        "\n## The products\n\nA strip more of `weight_gradient` (a tile of 32 x 32, 32 values of k) is {small:.0} \
         instructions and {small_loads:.0} shared loads to a thread, one of `weight_gradient_large` (64 x 64, 16 \
         values) {large:.0} and {large_loads:.0}. Whole products, in the mean over their multiplications, each with \
         its addition; a wait is a cycle in which a request to shared memory waits for a bank.\n\n| kernel | rows x \
         columns, sums of | instructions a multiplication | shared loads a multiplication | waits a request |\n\
         | --- | --- | --- | --- | --- |\n"
    );
    for product in products {
        let [rows, columns, sums] = product.sizes;
        let each = |count: u64| count as f64 / (rows * columns * sums) as f64;
        let (instructions, loads) = (each(product.instructions), each(product.shared_loads));
        let Product { kernel, waits, .. } = product;
        let _ = writeln!(
            text,
            "| {kernel} | {rows} x {columns}, {sums} | {instructions:.2} | {loads:.3} | {waits:.2} |"
        );
    }
    text
}
