//! The one matrix product behind forward and backward pass.
//!
//! ```text
//! out[m][n] = finish(out[m][n], start[n] + Σ_k a(m, k) * b(k, n)),    k increasing
//! ```
//!
//! A block has a tile of TILE x TILE results, a thread 2 x 2 of them in registers; strips of TILE values
//! of k pass through shared memory. Each sum runs over k in order, product by product, so its bits
//! are those of `presam-model`.

use presam_model::element::{relu, relu_slope};

use crate::team::{THREADS, Team};

/// Rows and columns of a block's tile, and values of k in a strip.
pub const TILE: u32 = 32;
/// Results of a thread along each side.
const OWN: u32 = 2;
/// Threads along a side of the tile.
const SIDE: u32 = TILE / OWN;
/// Words from one k to the next in shared memory: an odd number, so that columns meet other banks.
const STRIDE: u32 = TILE + 1;
/// Where the strip of `b` begins in shared memory.
const B: u32 = TILE * STRIDE;

/// How a matrix (i, k) lies in memory, i being the row of `a` or the column of `b`.
pub trait Layout {
    /// The element (i, k) of `extent` x `sums`, and whether neighbours in memory are neighbours in k.
    fn index(i: u32, k: u32, extent: u32, sums: u32) -> u64;
    /// Neighbours in memory are neighbours in k.
    const ALONG_K: bool;
}

/// i-major: element (i, k) at `i * sums + k`.
pub struct Rows;
/// k-major: element (i, k) at `k * extent + i`.
pub struct Columns;

impl Layout for Rows {
    const ALONG_K: bool = true;

    #[inline(always)]
    fn index(i: u32, k: u32, _extent: u32, sums: u32) -> u64 {
        u64::from(i) * u64::from(sums) + u64::from(k)
    }
}

impl Layout for Columns {
    const ALONG_K: bool = false;

    #[inline(always)]
    fn index(i: u32, k: u32, extent: u32, _sums: u32) -> u64 {
        u64::from(k) * u64::from(extent) + u64::from(i)
    }
}

/// What becomes of a sum.
pub trait Finish {
    /// Whether it looks at the old element of `out`.
    const OLD: bool;
    /// The new element.
    fn finish(old: f32, sum: f32) -> f32;
}

/// The sum.
pub struct Identity;
/// Through a relu.
pub struct Relu;
/// A slope through the relu whose result is the old element.
pub struct ReluSlope;

impl Finish for Identity {
    const OLD: bool = false;

    #[inline(always)]
    fn finish(_: f32, sum: f32) -> f32 {
        sum
    }
}

impl Finish for Relu {
    const OLD: bool = false;

    #[inline(always)]
    fn finish(_: f32, sum: f32) -> f32 {
        relu(sum)
    }
}

impl Finish for ReluSlope {
    const OLD: bool = true;

    #[inline(always)]
    fn finish(old: f32, sum: f32) -> f32 {
        relu_slope(old, sum)
    }
}

/// `rows` x `columns` results, sums of `sums` products; `start` is 0 where sums start at +0.0.
#[inline(always)]
pub fn product<W: Team, Left: Layout, Right: Layout, F: Finish>(
    team: &W,
    [rows, columns, sums, a, b, start, out]: [u64; 7],
) {
    let (rows, columns, sums) = (rows as u32, columns as u32, sums as u32);
    // Never 0, which the compiler cannot know.
    let across = columns.div_ceil(TILE).max(1);
    let (row, column) = (team.block() / across * TILE, team.block() % across * TILE);
    let own = |thread: u32| (row + thread / SIDE * OWN, column + thread % SIDE * OWN);
    let mut tile = team.each(|thread| {
        let (_, n) = own(thread);
        let at = |n: u32| {
            let inside = start != 0 && n < columns;
            if inside { f32::from_bits(team.word(start + 4 * u64::from(n))) } else { 0.0 }
        };
        [[at(n), at(n + 1)]; 2]
    });
    let mut first = 0;
    while first < sums {
        let depth = (sums - first).min(TILE);
        // The strip before is used up.
        team.barrier();
        team.each(|thread| {
            strip::<Left>(team, thread, a, (row, rows), (first, sums), 0);
            strip::<Right>(team, thread, b, (column, columns), (first, sums), B);
        });
        team.barrier();
        tile = team.map(tile, |thread, tile| {
            let (m, n) = (thread / SIDE * OWN, thread % SIDE * OWN);
            if depth == TILE {
                add_strip(team, tile, m, n, TILE)
            } else {
                add_strip(team, tile, m, n, depth)
            }
        });
        first += TILE;
    }
    team.map(tile, |thread, [[a, b], [c, d]]| {
        let (m, n) = own(thread);
        let store = |m: u32, n: u32, sum: f32| {
            if m < rows && n < columns {
                let at = out + 4 * (u64::from(m) * u64::from(columns) + u64::from(n));
                let old = if F::OLD { f32::from_bits(team.word(at)) } else { 0.0 };
                team.set_word(at, F::finish(old, sum).to_bits());
            }
        };
        store(m, n, a);
        store(m, n + 1, b);
        store(m + 1, n, c);
        store(m + 1, n + 1, d);
    });
}

/// Brings a strip of one matrix to shared memory, [k][i], padded with zeros that nobody stores.
#[inline(always)]
fn strip<L: Layout>(
    team: &impl Team,
    thread: u32,
    matrix: u64,
    (base, extent): (u32, u32),
    (first, sums): (u32, u32),
    at: u32,
) {
    let (near, far) = (thread % TILE, thread / TILE);
    let mut step = 0;
    while step < TILE {
        let (i, k) = if L::ALONG_K { (far + step, near) } else { (near, far + step) };
        let inside = base + i < extent && first + k < sums;
        let index = L::index(base + i, first + k, extent, sums);
        let word = if inside { team.word(matrix + 4 * index) } else { 0 };
        team.share(at + k * STRIDE + i, word);
        step += THREADS / TILE;
    }
}

/// Adds `depth` products to each of a thread's sums, k increasing.
#[inline(always)]
fn add_strip(team: &impl Team, tile: [[f32; 2]; 2], m: u32, n: u32, depth: u32) -> [[f32; 2]; 2] {
    let [[mut s, mut t], [mut u, mut v]] = tile;
    let mut k = 0;
    while k < depth {
        let value = |at: u32| f32::from_bits(team.shared(at));
        let (a, b) = (value(k * STRIDE + m), value(k * STRIDE + m + 1));
        let (x, y) = (value(B + k * STRIDE + n), value(B + k * STRIDE + n + 1));
        s += a * x;
        t += a * y;
        u += b * x;
        v += b * y;
        k += 1;
    }
    [[s, t], [u, v]]
}

const _: () = assert!(SIDE * SIDE == THREADS && 2 * TILE * STRIDE == 2112);
