//! How a thread reads elements: four at once where it may, one by one where it must.

use core::array::from_fn;

use crate::team::Team;
use crate::widen::{bf16, f16};

/// How the elements of a plane lie in memory.
pub trait Scalar: Copy {
    /// Bytes of an element.
    const BYTES: u64;
    /// One element, as an `f32`.
    fn one(team: &impl Team, address: u64) -> f32;
    /// Four in one access.
    fn four(team: &impl Team, address: u64) -> [f32; 4];
}

/// 32-bit floats.
#[derive(Clone, Copy, Debug)]
pub struct F32;
/// bfloat16, widened.
#[derive(Clone, Copy, Debug)]
pub struct Bf16;
/// IEEE 754 binary16, widened.
#[derive(Clone, Copy, Debug)]
pub struct F16;

impl Scalar for F32 {
    const BYTES: u64 = 4;

    #[inline(always)]
    fn one(team: &impl Team, address: u64) -> f32 {
        f32::from_bits(team.word(address))
    }

    #[inline(always)]
    fn four(team: &impl Team, address: u64) -> [f32; 4] {
        let words = team.four(address);
        quad(|j| f32::from_bits(words[j]))
    }
}

/// The two 16-bit scalars.
macro_rules! halves {
    ($Scalar:ident, $widen:path) => {
        impl Scalar for $Scalar {
            const BYTES: u64 = 2;

            #[inline(always)]
            fn one(team: &impl Team, address: u64) -> f32 {
                $widen(team.half(address))
            }

            #[inline(always)]
            fn four(team: &impl Team, address: u64) -> [f32; 4] {
                let [a, b] = team.two(address);
                [
                    $widen(a as u16),
                    $widen((a >> 16) as u16),
                    $widen(b as u16),
                    $widen((b >> 16) as u16),
                ]
            }
        }
    };
}
halves!(Bf16, bf16);
halves!(F16, f16);

/// N planes of `f32`, of which the gradient (the second) may be of another scalar.
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

    /// Four elements of each plane from `element` on, `[plane][j]`: in one access each where `WIDE`.
    /// `G` is the scalar of plane 1.
    #[inline(always)]
    pub fn four<G: Scalar, const WIDE: bool>(
        &self,
        team: &impl Team,
        element: u64,
    ) -> [[f32; 4]; N] {
        from_fn(|plane| {
            let address = self.addresses[plane];
            if plane == 1 {
                read_quad::<G, WIDE>(team, address, element)
            } else {
                read_quad::<F32, WIDE>(team, address, element)
            }
        })
    }

    /// One element of each plane.
    #[inline(always)]
    pub fn one<G: Scalar>(&self, team: &impl Team, element: u64) -> [f32; N] {
        from_fn(|plane| {
            let address = self.addresses[plane];
            if plane == 1 {
                G::one(team, address + G::BYTES * element)
            } else {
                F32::one(team, address + 4 * element)
            }
        })
    }

    /// Writes four elements of one plane, if there is such a plane.
    #[inline(always)]
    pub fn set_four<const WIDE: bool>(
        &self,
        team: &impl Team,
        element: u64,
        plane: usize,
        values: [f32; 4],
    ) {
        if let Some(&address) = self.addresses.get(plane) {
            set_quad::<WIDE>(team, address, element, values);
        }
    }

    /// Writes one element of one plane, if there is such a plane.
    #[inline(always)]
    pub fn set_one(&self, team: &impl Team, element: u64, plane: usize, value: f32) {
        if let Some(&address) = self.addresses.get(plane) {
            team.set_word(address + 4 * element, value.to_bits());
        }
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

#[inline(always)]
fn read_quad<S: Scalar, const WIDE: bool>(team: &impl Team, plane: u64, element: u64) -> [f32; 4] {
    let address = plane + S::BYTES * element;
    if WIDE {
        return S::four(team, address);
    }
    quad(|j| S::one(team, address + S::BYTES * j as u64))
}

/// Writes four elements of a plane.
#[inline(always)]
pub fn set_quad<const WIDE: bool>(team: &impl Team, plane: u64, element: u64, values: [f32; 4]) {
    let address = plane + 4 * element;
    let words = quad(|j| values[j].to_bits());
    if WIDE {
        return team.set_four(address, words);
    }
    team.set_word(address, words[0]);
    team.set_word(address + 4, words[1]);
    team.set_word(address + 8, words[2]);
    team.set_word(address + 12, words[3]);
}
