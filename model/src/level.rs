//! Which instructions the products may use.

use core::fmt;

/// Columns that scratch space must hold for one panel (see `product`), whatever level runs.
///
/// A panel row is two registers: 32 bytes in plain code, 64 in wide code. Four of them, half as many
/// again for operands, fit the 16 registers of SSE2 and AVX2; twice the width was slower on AVX-512.
pub(crate) const MOST_COLUMNS: usize = if cfg!(feature = "simd") { 16 } else { 8 };

/// Work that a [`Level`] runs with the panel width that suits it.
pub(crate) trait Work {
    /// Elements of 8 bytes rather than 4.
    const DOUBLE: bool;

    /// Does it, in panels of N columns.
    fn run<const N: usize>(self);
}

/// An instruction set, plain or wide. The bits of every result are the same at each level.
///
/// ```
/// use presam_model::{Level, Mlp};
///
/// let mlp = Mlp::new(&[3, 2])?.with_level(Level::PLAIN);
/// assert!(!mlp.level().is_wide());
/// assert_eq!(Level::available().filter(|level| !level.is_wide()).count(), 1);
/// # Ok::<(), presam_model::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Level {
    #[cfg(feature = "simd")]
    wide: Option<pulp::Arch>,
}

#[cfg(feature = "simd")]
impl Level {
    /// What the compiler was told to use for the whole program.
    pub const PLAIN: Self = Self { wide: None };

    /// The widest level of this machine; plain where `simd` is off or nothing wider is there.
    pub fn detect() -> Self {
        let arch = pulp::Arch::new();
        Self { wide: if matches!(arch, pulp::Arch::Scalar) { None } else { Some(arch) } }
    }

    /// Whether the level is more than [`Level::PLAIN`].
    pub fn is_wide(self) -> bool {
        self.wide.is_some()
    }

    /// `plain`, `x86-v3`, `x86-v4`, or `wide` on other machines.
    pub fn name(self) -> &'static str {
        match self.wide {
            None => "plain",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Some(pulp::Arch::V3(_)) => "x86-v3",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Some(pulp::Arch::V4(_)) => "x86-v4",
            Some(_) => "wide",
        }
    }

    /// Every level of this machine, for tests that pour over all of them: plain first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let wide = [
            pulp::x86::V3::try_new().map(pulp::Arch::V3),
            pulp::x86::V4::try_new().map(pulp::Arch::V4),
        ];
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        let wide = [Self::detect().wide];
        let wide = wide.into_iter().flatten().map(|arch| Self { wide: Some(arch) });
        core::iter::once(Self::PLAIN).chain(wide)
    }

    /// Runs the work inside functions compiled for this level.
    pub(crate) fn run<W: Work>(self, work: W) {
        match self.wide {
            None => run_plain(work),
            Some(arch) => arch.dispatch(Wide(work)),
        }
    }
}

#[cfg(not(feature = "simd"))]
impl Level {
    /// What the compiler was told to use for the whole program.
    pub const PLAIN: Self = Self {};

    /// The widest level of this machine; plain where `simd` is off or nothing wider is there.
    pub fn detect() -> Self {
        Self::PLAIN
    }

    /// Whether the level is more than [`Level::PLAIN`].
    pub fn is_wide(self) -> bool {
        false
    }

    /// `plain`: the only level without `simd`.
    pub fn name(self) -> &'static str {
        "plain"
    }

    /// Every level of this machine, for tests that pour over all of them: plain first.
    pub fn available() -> impl Iterator<Item = Self> {
        core::iter::once(Self::PLAIN)
    }

    /// Runs the work.
    pub(crate) fn run<W: Work>(self, work: W) {
        run_plain(work);
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Level({})", self.name())
    }
}

fn run_plain<W: Work>(work: W) {
    if W::DOUBLE {
        work.run::<4>();
    } else {
        work.run::<8>();
    }
}

/// Carries work into the function that pulp compiles for an instruction set.
#[cfg(feature = "simd")]
struct Wide<W>(W);

#[cfg(feature = "simd")]
impl<W: Work> pulp::WithSimd for Wide<W> {
    type Output = ();

    // Always inlined: code that stayed outside would be compiled for the plain level.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        if W::DOUBLE {
            self.0.run::<8>();
        } else {
            self.0.run::<16>();
        }
    }
}
