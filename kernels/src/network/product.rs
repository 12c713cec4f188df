//! The one matrix product behind forward and backward pass.
//!
//! ```text
//! out[m][n] = finish(out[m][n], start[n] + Σ_k a(m, k) * b(k, n)),    k increasing
//! ```
//!
//! A block has a square tile of results, a thread OWN x OWN of them in registers; strips of both matrices
//! pass through shared memory, the next one on its way from device memory while this one is summed. Each sum
//! runs over k in order, product by product, so its bits are those of `presam-model`.
//!
//! A thread has every sixteenth row and column of the tile, kept side by side in shared memory: it reads its own
//! in one access, and its neighbours write the results beside its own.

use core::array::from_fn;

use presam_model::element::{relu, relu_slope};

use crate::reads::quad;
use crate::team::{THREADS, Team};

/// Threads along a side of a tile.
const SIDE: u32 = 16;
/// Rows and columns of a block's tile.
pub const TILE: u32 = 2 * SIDE;
/// Those of a large tile: half the reads of shared memory for a product, a quarter of the blocks.
pub const LARGE_TILE: u32 = 4 * SIDE;
/// Words of a strip: four for each thread to bring.
const STRIP: u32 = 4 * THREADS;

/// What follows from the results that a thread has along each side.
struct Shape<const OWN: usize>;

impl<const OWN: usize> Shape<OWN> {
    const OWN: u32 = OWN as u32;
    /// Rows and columns of the tile.
    const TILE: u32 = SIDE * Self::OWN;
    /// Values of k in a strip.
    const DEPTH: u32 = STRIP / Self::TILE;
    /// Words from one k to the next in shared memory: 8 of k and 4 neighbours meet other banks.
    const STRIDE: u32 = Self::TILE + 4;
    /// Where the strip of `b` begins in shared memory.
    const B: u32 = Self::DEPTH * Self::STRIDE;

    /// Where row or column i of the tile lies among the words of a k.
    #[inline(always)]
    const fn seat(i: u32) -> u32 {
        i % SIDE * Self::OWN + i / SIDE
    }
}

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
pub fn product<W: Team, Left: Layout, Right: Layout, F: Finish, const OWN: usize>(
    team: &W,
    [rows, columns, sums, a, b, start, out]: [u64; 7],
) {
    let (rows, columns, sums) = (rows as u32, columns as u32, sums as u32);
    // Never 0, which the compiler cannot know.
    let across = columns.div_ceil(Shape::<OWN>::TILE).max(1);
    let tile = Shape::<OWN>::TILE;
    let (row, column) = (team.block() / across * tile, team.block() % across * tile);
    let fetch = |first: u32| {
        team.each(|thread| {
            let left = fetched::<Left, OWN>(team, thread, a, (row, rows), (first, sums));
            let right = fetched::<Right, OWN>(team, thread, b, (column, columns), (first, sums));
            (left, right)
        })
    };
    let mut own = team.each(|thread| started(team, column + place(thread).1, columns, start));
    let mut ahead = if sums == 0 { team.each(|_| ([0; 4], [0; 4])) } else { fetch(0) };
    let mut first = 0;
    while first < sums {
        // The strip before is used up.
        team.barrier();
        team.map(ahead, |thread, (left, right)| {
            put::<Left, OWN>(team, thread, 0, left);
            put::<Right, OWN>(team, thread, Shape::<OWN>::B, right);
        });
        team.barrier();
        let depth = (sums - first).min(Shape::<OWN>::DEPTH);
        first += Shape::<OWN>::DEPTH;
        if first < sums {
            ahead = fetch(first);
        }
        own = team.map(own, |thread, own| summed(team, own, place(thread), depth));
    }
    team.map(own, |thread, own| {
        let (m, n) = place(thread);
        store::<W, F, OWN>(team, own, (row + m, rows), (column + n, columns), out);
    });
}

/// A thread's first row and column in the tile: a warp has 4 x 8.
#[inline(always)]
const fn place(thread: u32) -> (u32, u32) {
    (thread / 8 % 4 + thread / 64 * 4, thread % 8 + thread / 32 % 2 * 8)
}

/// What the sums of a thread start from.
#[inline(always)]
fn started<const OWN: usize>(
    team: &impl Team,
    column: u32,
    columns: u32,
    start: u64,
) -> [[f32; OWN]; OWN] {
    let row = from_fn(|n| {
        let n = column + SIDE * n as u32;
        let inside = start != 0 && n < columns;
        if inside { f32::from_bits(team.word(start + 4 * u64::from(n))) } else { 0.0 }
    });
    [row; OWN]
}

/// The r-th of a thread's elements (i, k) of a strip.
#[inline(always)]
fn element<L: Layout, const OWN: usize>(thread: u32, r: u32) -> (u32, u32) {
    if L::ALONG_K {
        // A sector of 8 floats from each of 4 rows.
        let octets = Shape::<OWN>::DEPTH / 8;
        (thread / 8 + r / octets * (THREADS / 8), thread % 8 + r % octets * 8)
    } else {
        let tile = Shape::<OWN>::TILE;
        (thread % tile, thread / tile + r * (THREADS / tile))
    }
}

/// A thread's elements of the strip of one matrix that begins at `first`. Beyond the edge it is the last one
/// again, whose products nobody adds or stores: no load waits for a comparison.
#[inline(always)]
fn fetched<L: Layout, const OWN: usize>(
    team: &impl Team,
    thread: u32,
    matrix: u64,
    (base, extent): (u32, u32),
    (first, sums): (u32, u32),
) -> [u32; 4] {
    quad(|r| {
        let (i, k) = element::<L, OWN>(thread, r as u32);
        let (i, k) = ((base + i).min(extent - 1), (first + k).min(sums - 1));
        team.word(matrix + 4 * L::index(i, k, extent, sums))
    })
}

/// A thread's elements of a strip into shared memory, [k][i].
#[inline(always)]
fn put<L: Layout, const OWN: usize>(team: &impl Team, thread: u32, at: u32, words: [u32; 4]) {
    quad(|r| {
        let (i, k) = element::<L, OWN>(thread, r as u32);
        team.share(at + k * Shape::<OWN>::STRIDE + Shape::<OWN>::seat(i), words[r]);
    });
}

/// A thread's sums with `depth` products more in each, k increasing.
#[inline(always)]
fn summed<const OWN: usize>(
    team: &impl Team,
    mut own: [[f32; OWN]; OWN],
    (m, n): (u32, u32),
    depth: u32,
) -> [[f32; OWN]; OWN] {
    let mut k = 0;
    while k < depth {
        own = added(team, own, (m, n), k);
        k += 1;
    }
    own
}

/// A product more in each sum.
#[inline(always)]
fn added<const OWN: usize>(
    team: &impl Team,
    own: [[f32; OWN]; OWN],
    (m, n): (u32, u32),
    k: u32,
) -> [[f32; OWN]; OWN] {
    let read = |at: u32, i: u32| -> [f32; OWN] {
        let words = team.shared_words::<OWN>(at + k * Shape::<OWN>::STRIDE + i * Shape::<OWN>::OWN);
        from_fn(|j| f32::from_bits(words[j]))
    };
    let (a, b) = (read(0, m), read(Shape::<OWN>::B, n));
    from_fn(|i| from_fn(|j| own[i][j] + a[i] * b[j]))
}

/// A thread's results, those that are within the matrix.
#[inline(always)]
fn store<W: Team, F: Finish, const OWN: usize>(
    team: &W,
    own: [[f32; OWN]; OWN],
    (row, rows): (u32, u32),
    (column, columns): (u32, u32),
    out: u64,
) {
    let mut i = 0;
    while i < OWN {
        let mut j = 0;
        while j < OWN {
            let (m, n) = (row + SIDE * i as u32, column + SIDE * j as u32);
            if m < rows && n < columns {
                let at = out + 4 * (u64::from(m) * u64::from(columns) + u64::from(n));
                let old = if F::OLD { f32::from_bits(team.word(at)) } else { 0.0 };
                team.set_word(at, F::finish(old, own[i][j]).to_bits());
            }
            j += 1;
        }
        i += 1;
    }
}

const _: () = assert!(SIDE * SIDE == THREADS);
const _: () = assert!(2 * Shape::<2>::B == 2304 && Shape::<4>::B < Shape::<2>::B);
