//! The numbers a step is made of: [`Real`], for `f32` and `f64`.

use core::fmt::Debug;
use core::ops::Neg;
use num_traits::NumAssign;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`, with the few operations an element function may use.
///
/// Every operation is fixed by IEEE 754, so an element function written with them gives the same
/// bits on every processor: `+ - * /`, [`sqrt`](Real::sqrt), [`abs`](Real::abs), comparisons and
/// [`select`](Real::select), in the written order. There is no fused multiply-add here, on purpose.
/// Sealed: a third type would leave that contract.
pub trait Real:
    Copy
    + PartialOrd
    + Debug
    + Default
    + Send
    + Sync
    + 'static
    + NumAssign
    + Neg<Output = Self>
    + sealed::Sealed
{
    /// +0.0
    const ZERO: Self;
    /// 1.0
    const ONE: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// The smallest normal number; what is smaller is stored as +0.0 in memory ([`flush`](Real::flush)).
    const MIN_NORMAL: Self;
    /// 2^96 (`f64`: 2^768), the unit of a range class: see [`Part`](crate::Part).
    const RANGE_UP: Self;
    /// 2^-96 (`f64`: 2^-768).
    const RANGE_DOWN: Self;
    /// 2^-100 (`f64`: 2^-900); a chunk whose plain sum of squares is smaller is summed again, scaled up.
    const SMALL_SUM: Self;
    /// 2^-20 (`f64`: 2^-48): a difference shorter than this share of its operands is rounding noise.
    const RELATIVE_NOISE: Self;

    /// The square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// The absolute value; clears the sign bit.
    fn abs(self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Rounds a hyperparameter to this type.
    fn from_f64(value: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// A count as a number, rounded to nearest.
    fn from_count(count: u64) -> Self;
    /// The bits, zero-extended.
    fn bits(self) -> u64;
    /// `libm`'s cosine, by path: the platform's differs between platforms. For schedules, never for elements.
    fn cos(self) -> Self;

    /// [`Written`]'s loop of this type.
    #[doc(hidden)]
    fn written<W: Written>(with: W::With<'_, Self>) -> W::Out;

    /// `if condition { yes } else { no }`, as a value: both sides are computed, none is multiplied by 0.
    #[inline(always)]
    fn select(condition: bool, yes: Self, no: Self) -> Self {
        if condition { yes } else { no }
    }

    /// What memory, momentum and moments store: `self`, or +0.0 where |self| is below
    /// [`MIN_NORMAL`](Real::MIN_NORMAL).
    ///
    /// Rounding to nearest never lets an average reach zero: fed with zeros it would stick at a few
    /// subnormal units for ever, where many processors run up to 100 times slower. A NaN stays a NaN.
    #[inline(always)]
    fn flush(self) -> Self {
        Self::select(self.abs() < Self::MIN_NORMAL, Self::ZERO, self)
    }
}

/// A loop over slices that is written out for both types, so that it is compiled in this crate and at its level of
/// optimisation, whoever calls it: a generic function is compiled again in each crate that names its types.
#[doc(hidden)]
pub trait Written {
    /// Its arguments.
    type With<'a, R: Real>;
    /// Its result.
    type Out;
    /// The loop.
    fn f32(with: Self::With<'_, f32>) -> Self::Out;
    /// The loop.
    fn f64(with: Self::With<'_, f64>) -> Self::Out;
}

/// `struct Name`, [`Written`] with these arguments: called as `R::written::<Name>((..))`. In their types `R` is the number's
/// and `'a` every borrow's.
macro_rules! written {
    ($Name:ident($($argument:ident: $Type:ty),*) -> $Out:ty $body:block) => {
        struct $Name;

        impl $Name {
            #[inline(always)]
            fn run<'a, R: Real>($($argument: $Type),*) -> $Out $body
        }

        impl $crate::real::Written for $Name {
            type With<'a, R: Real> = ($($Type),*);
            type Out = $Out;

            fn f32(with: Self::With<'_, f32>) -> $Out {
                let ($($argument),*) = with;
                Self::run($($argument),*)
            }

            fn f64(with: Self::With<'_, f64>) -> $Out {
                let ($($argument),*) = with;
                Self::run($($argument),*)
            }
        }
    };
}
pub(crate) use written;

macro_rules! impl_real {
    ($real:ident, $up:expr, $down:expr, $small:expr, $noise:expr, $sqrt:path, $cos:path) => {
        impl Real for $real {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $real::INFINITY;
            const MIN_NORMAL: Self = $real::MIN_POSITIVE;
            const RANGE_UP: Self = $real::from_bits($up);
            const RANGE_DOWN: Self = $real::from_bits($down);
            const SMALL_SUM: Self = $real::from_bits($small);
            const RELATIVE_NOISE: Self = $real::from_bits($noise);

            #[inline(always)]
            fn sqrt(self) -> Self {
                // The same bits: both are correctly rounded. std's is one instruction and vectorises.
                #[cfg(feature = "std")]
                {
                    $real::sqrt(self)
                }
                // One instruction, correctly rounded too.
                #[cfg(any(
                    target_arch = "nvptx64",
                    all(presam_core_float_math, not(feature = "std"))
                ))]
                {
                    core::$real::math::sqrt(self)
                }
                #[cfg(not(any(feature = "std", target_arch = "nvptx64", presam_core_float_math)))]
                {
                    $sqrt(self)
                }
            }

            #[inline(always)]
            fn abs(self) -> Self {
                $real::abs(self)
            }

            #[inline(always)]
            fn is_finite(self) -> bool {
                $real::is_finite(self)
            }

            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
            fn from_f64(value: f64) -> Self {
                value as $real
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            #[allow(clippy::cast_precision_loss, reason = "rounding is the purpose")]
            fn from_count(count: u64) -> Self {
                count as $real
            }

            #[inline(always)]
            fn bits(self) -> u64 {
                u64::from(self.to_bits())
            }

            #[inline]
            fn cos(self) -> Self {
                $cos(self)
            }

            #[inline(always)]
            fn written<W: Written>(with: W::With<'_, Self>) -> W::Out {
                W::$real(with)
            }
        }
    };
}

/// The bits of 2^exponent as an `f32`.
const fn power_f32(exponent: i32) -> u32 {
    ((127 + exponent) as u32) << 23
}

/// The bits of 2^exponent as an `f64`.
const fn power_f64(exponent: i64) -> u64 {
    ((1023 + exponent) as u64) << 52
}

impl_real!(
    f32,
    power_f32(96),
    power_f32(-96),
    power_f32(-100),
    power_f32(-20),
    libm::sqrtf,
    libm::cosf
);
impl_real!(
    f64,
    power_f64(768),
    power_f64(-768),
    power_f64(-900),
    power_f64(-48),
    libm::sqrt,
    libm::cos
);
