//! The norm contract of design.md, section 3, written out: what core's loops are judged by.
//!
//! ```text
//! chunk     2048 elements of one segment; 128 lanes from +0.0, lane l adds elements l, l+128, ...
//! fold      lane l takes l+64, then l+32, ... until one is left
//! range     sum = s * 2^(192 class) (f64: 2^(1536 class)): class 1 where the plain sum is infinite, -1 where
//!           it is below 2^-100 (2^-900), every term multiplied by 2^-96 or 2^96 (2^-768, 2^768) first
//! tree      adjacent pairs, padded with neutral zeros
//! ```

use presam::{Part, Real};

const CHUNK: usize = 2048;
const LANES: usize = 128;

/// 2^-96, 2^96 and 2^-100 of f32; of f64 2^-768, 2^768, 2^-900.
fn factors<R: Real>() -> [R; 3] {
    let exponents = if size_of::<R>() == 4 { [-96, 96, -100] } else { [-768, 768, -900] };
    exponents.map(|exponent| R::from_f64(2_f64.powi(exponent)))
}

fn folded<R: Real>(terms: impl Iterator<Item = R>) -> R {
    let mut lanes = [R::ZERO; LANES];
    for (i, term) in terms.enumerate() {
        lanes[i % LANES] += term;
    }
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] += lanes[l + width];
        }
        width /= 2;
    }
    lanes[0]
}

fn chunk<R: Real>(first: &[R], second: &[R]) -> Part<R> {
    let [down, up, small] = factors::<R>();
    let squares = |factor: R| folded(first.iter().map(|&x| (x * factor) * (x * factor)));
    let statistic = folded(first.iter().zip(second).map(|(&x, &y)| x * y));
    let plain = squares(R::ONE);
    let (sum, class) = if plain == R::INFINITY {
        (squares(down), 1)
    } else if plain < small {
        let sum = squares(up);
        (sum, if sum == R::ZERO { 0 } else { -1 })
    } else {
        (plain, 0)
    };
    Part { sum, statistic, class }
}

/// The sum in a class that is at least its own.
fn lifted<R: Real>(part: Part<R>, class: i32) -> R {
    let [down, ..] = factors::<R>();
    (part.class..class).fold(part.sum, |sum, _| sum * down * down)
}

fn joined<R: Real>(left: Part<R>, right: Part<R>) -> Part<R> {
    let statistic = left.statistic + right.statistic;
    if left.sum == R::ZERO || right.sum == R::ZERO {
        let (sum, class) =
            if left.sum == R::ZERO { (right.sum, right.class) } else { (left.sum, left.class) };
        return Part { sum, statistic, class };
    }
    let class = left.class.max(right.class);
    let (a, b) = (lifted(left, class), lifted(right, class));
    let overflows = a.is_finite() && b.is_finite() && !(a + b).is_finite();
    let class = class + i32::from(overflows);
    Part { sum: lifted(left, class) + lifted(right, class), statistic, class }
}

/// The tree over `parts`, padded to a power of two.
fn tree<R: Real>(parts: &[Part<R>]) -> Part<R> {
    match parts {
        [] => Part { sum: R::ZERO, statistic: R::ZERO, class: 0 },
        [part] => *part,
        _ => {
            let (left, right) = parts.split_at(parts.len().next_power_of_two() / 2);
            joined(tree(left), tree(right))
        }
    }
}

/// || first ||^2 and <first, second> over segments.
pub fn pair<R: Real>(segments: &[(Vec<R>, Vec<R>)]) -> Part<R> {
    let chunks = |segment: &(Vec<R>, Vec<R>)| {
        let (first, second) = segment;
        first.chunks(CHUNK).zip(second.chunks(CHUNK)).map(|(a, b)| chunk(a, b)).collect::<Vec<_>>()
    };
    tree(&segments.iter().flat_map(chunks).collect::<Vec<_>>())
}
