//! The tree over more parts than a block folds: the one place where blocks wait for each other.

use presam::{Part, PartialNorm};
use presam_kernels::entries;
use presam_kernels::fold::LEAVES;
use presam_kernels::layout::PART_BYTES;

use super::Request;
use super::counted::Counted;
use super::difference::{Difference, floats, text};
use super::random::Random;
use crate::error::Error;
use presam_cuda::{Address, Buffers, Device, download};

/// Parts around whole subtrees of blocks.
const COUNTS: &[u32] = &[1, LEAVES, LEAVES + 1, 2 * LEAVES + 3, 5 * LEAVES - 1];

/// On a GPU blocks run at once: as many as there can be, and several times, since their order is chance.
const AT_ONCE: (u32, u32) = (LEAVES * LEAVES, 20);

/// The check: every count with parts of every class, one counter for all launches.
pub(super) fn check(device: &mut Counted, request: Request) -> Result<(), Error> {
    let mut random = Random::new(request.seed ^ 3);
    let mut buffers = Buffers::default();
    let words = PART_BYTES as usize / 4;
    let results = buffers.zeros(device, LEAVES as usize * words)?;
    let room = [results, buffers.zeros(device, 1)?, buffers.zeros(device, 3)?];
    for _ in 0..request.cases {
        for &count in COUNTS {
            tree(device, &mut random, (count, 1), room)?;
        }
    }
    if !device.stands_in() {
        tree(device, &mut random, AT_ONCE, room)?;
    }
    Ok(buffers.free(device)?)
}

/// One tree over `count` parts, `times` times over.
fn tree(
    device: &mut Counted,
    random: &mut Random,
    (count, times): (u32, u32),
    [results, counter, out]: [Address; 3],
) -> Result<(), Error> {
    let part = if random.once_in(2) { of_class_zero } else { of_any_class };
    let parts: Vec<Part<f32>> = (0..count).map(|_| part(random)).collect();
    let rows: Vec<[u32; 4]> = parts.iter().map(row).collect();
    let mut sums = PartialNorm::new();
    parts.iter().try_for_each(|&part| sums.push(part, 1))?;
    let mut buffers = Buffers::default();
    let address = buffers.upload(device, &rows)?;
    for _ in 0..times {
        let tree = [address, count.into(), results, counter, out];
        device.launch(&entries::total, count.div_ceil(LEAVES), &tree)?;
        let found = download::<Part<f32>>(device, out, 1)?;
        device.judged(compare(count, sums.total()?, &found));
    }
    Ok(buffers.free(device)?)
}

fn compare(count: u32, expected: Part<f32>, found: &[Part<f32>]) -> Option<Difference> {
    let told = || format!("tree over {count} parts");
    let numbers = |part: &Part<f32>| [part.sum, part.statistic];
    let pair: Vec<f32> = found.iter().flat_map(numbers).collect();
    floats(told, "sum and statistic", &numbers(&expected), &pair).or_else(|| {
        let classes: Vec<i32> = found.iter().map(|part| part.class).collect();
        text(told, "class", &vec![expected.class], &classes)
    })
}

/// Sums of which eight are too large for their class every other time.
fn of_class_zero(random: &mut Random) -> Part<f32> {
    Part { sum: random.unit().abs() * (f32::MAX / 4.0), statistic: random.unit(), class: 0 }
}

/// Sums of every class, a zero now and then.
fn of_any_class(random: &mut Random) -> Part<f32> {
    let sum = if random.once_in(5) { 0.0 } else { random.unit().abs() * 1e30 };
    // A sum of zero is neutral and has no class.
    let class = if sum == 0.0 { 0 } else { random.pick(&[0, 0, 0, -1, 1]) };
    Part { sum, statistic: random.unit(), class }
}

/// A part as it lies in memory.
fn row(part: &Part<f32>) -> [u32; 4] {
    [part.sum.to_bits(), part.statistic.to_bits(), part.class.cast_unsigned(), 0]
}
