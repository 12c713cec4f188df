//! How a thread reads and writes elements: four at once where it may, one by one where it must.

use core::array::from_fn;

use crate::layout::scalar;
use crate::team::Team;
use crate::{narrow, widen};

/// How the elements of a plane lie in memory.
pub trait Scalar: Copy {
    /// Whether each chunk says which one it is.
    const MIXED: bool;
    /// Four elements as they were loaded, where they are no numbers yet: what is loaded together is in flight
    /// together, before the first of it is widened.
    type Words: Copy;
    /// The scalar of this [number](crate::layout::scalar).
    fn of(number: u32) -> Self;
    /// Where an element is.
    fn at(self, plane: u64, element: u64) -> u64;
    /// One element, as an `f32`.
    fn one(self, team: &impl Team, address: u64) -> f32;
    /// Four, in one access where `WIDE`.
    fn words<const WIDE: bool>(self, team: &impl Team, address: u64) -> Self::Words;
    /// Their numbers; `None` where those of `f32` were read at once.
    fn numbers(self, team: &impl Team, words: Self::Words) -> Option<[f32; 4]>;
    /// Writes one, rounded.
    fn set_one(self, team: &impl Team, address: u64, value: f32);
    /// Writes four, rounded, in one access where `WIDE`.
    fn set_four<const WIDE: bool>(self, team: &impl Team, address: u64, values: [f32; 4]);
}

/// 32-bit floats.
#[derive(Clone, Copy, Debug)]
pub struct F32;

/// 32-bit floats, bfloat16 or binary16, by number: the same for all threads of a warp.
#[derive(Clone, Copy, Debug)]
pub struct Mixed(u32);

impl F32 {
    /// Four elements of a plane.
    #[inline(always)]
    fn four<const WIDE: bool>(team: &impl Team, plane: u64, element: u64) -> [f32; 4] {
        let address = Self.at(plane, element);
        if WIDE {
            let words = team.four(address);
            return quad(|j| f32::from_bits(words[j]));
        }
        quad(|j| Self.one(team, address + 4 * j as u64))
    }
}

impl Scalar for F32 {
    const MIXED: bool = false;
    type Words = ();

    #[inline(always)]
    fn of(_: u32) -> Self {
        Self
    }

    #[inline(always)]
    fn at(self, plane: u64, element: u64) -> u64 {
        plane + 4 * element
    }

    #[inline(always)]
    fn one(self, team: &impl Team, address: u64) -> f32 {
        f32::from_bits(team.word(address))
    }

    #[inline(always)]
    fn words<const WIDE: bool>(self, _: &impl Team, _: u64) {}

    #[inline(always)]
    fn numbers(self, _: &impl Team, (): ()) -> Option<[f32; 4]> {
        None
    }

    #[inline(always)]
    fn set_one(self, team: &impl Team, address: u64, value: f32) {
        team.set_word(address, value.to_bits());
    }

    #[inline(always)]
    fn set_four<const WIDE: bool>(self, team: &impl Team, address: u64, values: [f32; 4]) {
        let words = quad(|j| values[j].to_bits());
        if WIDE {
            return team.set_four(address, words);
        }
        team.set_word(address, words[0]);
        team.set_word(address + 4, words[1]);
        team.set_word(address + 8, words[2]);
        team.set_word(address + 12, words[3]);
    }
}

impl Scalar for Mixed {
    const MIXED: bool = true;
    type Words = [u32; 4];

    #[inline(always)]
    fn of(number: u32) -> Self {
        Self(number)
    }

    #[inline(always)]
    fn at(self, plane: u64, element: u64) -> u64 {
        plane + (element << if self.0 == scalar::F32 { 2 } else { 1 })
    }

    #[inline(always)]
    fn one(self, team: &impl Team, address: u64) -> f32 {
        match self.0 {
            scalar::F32 => F32.one(team, address),
            scalar::BF16 => widen::bf16(team.half(address)),
            _ => team.f16_to_f32(team.half(address)),
        }
    }

    #[inline(always)]
    fn words<const WIDE: bool>(self, team: &impl Team, address: u64) -> [u32; 4] {
        if self.0 == scalar::F32 {
            let four = F32::four::<WIDE>(team, address, 0);
            return quad(|j| four[j].to_bits());
        }
        let [a, b] = if WIDE {
            team.two(address)
        } else {
            let half = |j: u64| u32::from(team.half(address + 2 * j));
            [half(0) | half(1) << 16, half(2) | half(3) << 16]
        };
        [a, b, 0, 0]
    }

    #[inline(always)]
    fn numbers(self, team: &impl Team, words: [u32; 4]) -> Option<[f32; 4]> {
        let [a, b, ..] = words;
        let halves = |number: fn(u16) -> f32| {
            [a as u16, (a >> 16) as u16, b as u16, (b >> 16) as u16].map(number)
        };
        Some(match self.0 {
            scalar::F32 => words.map(f32::from_bits),
            scalar::BF16 => halves(widen::bf16),
            _ => {
                let number = |half: u32| team.f16_to_f32(half as u16);
                [number(a), number(a >> 16), number(b), number(b >> 16)]
            }
        })
    }

    #[inline(always)]
    fn set_one(self, team: &impl Team, address: u64, value: f32) {
        match self.0 {
            scalar::F32 => F32.set_one(team, address, value),
            scalar::BF16 => team.set_half(address, narrow::bf16(value)),
            _ => team.set_half(address, team.f32_to_f16(value)),
        }
    }

    #[inline(always)]
    fn set_four<const WIDE: bool>(self, team: &impl Team, address: u64, values: [f32; 4]) {
        let [a, b, c, d] = match self.0 {
            scalar::F32 => return F32.set_four::<WIDE>(team, address, values),
            scalar::BF16 => quad(|j| narrow::bf16(values[j])),
            _ => quad(|j| team.f32_to_f16(values[j])),
        };
        if WIDE {
            let pair = |low: u16, high: u16| u32::from(low) | u32::from(high) << 16;
            return team.set_two(address, [pair(a, b), pair(c, d)]);
        }
        team.set_half(address, a);
        team.set_half(address + 2, b);
        team.set_half(address + 4, c);
        team.set_half(address + 6, d);
    }
}

/// N planes, of which the last may be of another scalar than `f32`.
#[derive(Clone, Copy, Debug)]
pub struct Planes<const N: usize> {
    addresses: [u64; N],
}

impl<const N: usize> Planes<N> {
    /// Planes at these addresses.
    #[inline(always)]
    pub const fn at(addresses: [u64; N]) -> Self {
        Self { addresses }
    }

    /// Four elements of each plane of `f32` from `element` on, `[plane][j]`: in one access each where `WIDE`.
    #[inline(always)]
    pub fn four<const WIDE: bool>(&self, team: &impl Team, element: u64) -> [[f32; 4]; N] {
        from_fn(|plane| F32::four::<WIDE>(team, self.addresses[plane], element))
    }

    /// The same where the last plane is of the scalar `last`.
    #[inline(always)]
    pub fn four_of<G: Scalar, const WIDE: bool>(
        &self,
        team: &impl Team,
        last: G,
        element: u64,
    ) -> Fours<G, N> {
        let planes = from_fn(|plane| {
            if G::MIXED && plane + 1 == N {
                return [0.0; 4];
            }
            F32::four::<WIDE>(team, self.addresses[plane], element)
        });
        let plane = self.addresses[N - 1];
        Fours { planes, words: last.words::<WIDE>(team, last.at(plane, element)) }
    }

    /// One element of each plane.
    #[inline(always)]
    pub fn one(&self, team: &impl Team, last: impl Scalar, element: u64) -> [f32; N] {
        from_fn(|plane| {
            let address = self.addresses[plane];
            if plane + 1 == N {
                last.one(team, last.at(address, element))
            } else {
                F32.one(team, F32.at(address, element))
            }
        })
    }

    /// Writes four elements of one plane of `f32`, if there is such a plane.
    #[inline(always)]
    pub fn set_four<const WIDE: bool>(
        &self,
        team: &impl Team,
        element: u64,
        plane: usize,
        values: [f32; 4],
    ) {
        if let Some(&address) = self.addresses.get(plane) {
            F32.set_four::<WIDE>(team, F32.at(address, element), values);
        }
    }

    /// Writes one element of one plane of `f32`, if there is such a plane.
    #[inline(always)]
    pub fn set_one(&self, team: &impl Team, element: u64, plane: usize, value: f32) {
        if let Some(&address) = self.addresses.get(plane) {
            F32.set_one(team, F32.at(address, element), value);
        }
    }
}

/// Four elements of each plane, as they were loaded.
#[derive(Clone, Copy)]
pub struct Fours<G: Scalar, const N: usize> {
    planes: [[f32; 4]; N],
    /// Those of the last plane, where they are not among `planes`.
    words: G::Words,
}

impl<G: Scalar, const N: usize> Fours<G, N> {
    /// Their numbers, `[plane][j]`; `last` is the scalar of the last plane.
    #[inline(always)]
    pub fn numbers(self, team: &impl Team, last: G) -> [[f32; 4]; N] {
        let mut planes = self.planes;
        if let Some(four) = last.numbers(team, self.words) {
            planes[N - 1] = four;
        }
        planes
    }
}

/// Four values, written out: a loop over an array would keep it in memory.
#[inline(always)]
pub fn quad<T>(value: impl Fn(usize) -> T) -> [T; 4] {
    [value(0), value(1), value(2), value(3)]
}

/// Element j of each plane.
#[inline(always)]
pub fn nth<const N: usize>(planes: &[[f32; 4]; N], j: usize) -> [f32; N] {
    from_fn(|plane| planes[plane][j])
}
