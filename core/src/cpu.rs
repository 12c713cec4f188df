//! [`Cpu`]: how the loops run. It changes the speed, never a bit.

/// Whether every loop is written once, for the least flash, and not again in rows for vector registers: on
/// a processor without an operating system. The same bits.
pub(crate) const SMALL: bool = cfg!(target_os = "none");

/// How the phases run on this processor: plain or wide loops, one thread or rayon's.
///
/// The value changes the speed and never a bit: plain, wide and parallel agree, and the tests force
/// each of them. It is `Copy` and takes a few feature tests to make: detect once, keep it.
///
/// The phases of a step are its methods, in the order of a step:
/// [`accumulate_norm`](Cpu::accumulate_norm), ([`finish`](crate::finish)), [`ascend`](Cpu::ascend) or
/// [`ascend_in_place`](Cpu::ascend_in_place) and [`restore`](Cpu::restore), [`descend`](Cpu::descend).
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    level: Level,
    #[cfg(feature = "rayon")]
    pub(crate) parallel: bool,
}

#[derive(Clone, Copy, Debug)]
enum Level {
    Plain,
    #[cfg(feature = "simd")]
    Wide(pulp::Arch),
}

impl Cpu {
    /// Plain loops as the compiler makes them for the build's target. What firmware uses.
    #[must_use]
    pub const fn plain() -> Self {
        Self {
            level: Level::Plain,
            #[cfg(feature = "rayon")]
            parallel: false,
        }
    }

    /// The widest loops this processor has (AVX-512, AVX2), with feature `simd`; else [`Cpu::plain`].
    #[must_use]
    pub fn detect() -> Self {
        #[cfg(feature = "simd")]
        let level = Level::Wide(pulp::Arch::new());
        #[cfg(not(feature = "simd"))]
        let level = Level::Plain;
        Self {
            level,
            #[cfg(feature = "rayon")]
            parallel: false,
        }
    }

    /// The same, with long segments split at chunk boundaries over rayon's current thread pool.
    ///
    /// Segments below 2^17 elements stay on one thread: waking another costs more than it saves.
    #[cfg(feature = "rayon")]
    #[must_use]
    pub const fn parallel(self) -> Self {
        Self { parallel: true, ..self }
    }

    /// The name of the level: `plain`, or what was detected.
    #[must_use]
    pub fn level(&self) -> &'static str {
        match self.level {
            Level::Plain => "plain",
            #[cfg(feature = "simd")]
            Level::Wide(arch) => wide_name(arch),
        }
    }

    /// Runs `op` compiled for the level.
    #[inline(always)]
    pub(crate) fn dispatch<Op: Operation>(self, op: Op) -> Op::Output {
        match self.level {
            #[cfg(all(feature = "simd", any(target_arch = "x86", target_arch = "x86_64")))]
            Level::Wide(pulp::Arch::V3(simd)) => simd.vectorize(Wide(op)),
            #[cfg(all(feature = "simd", any(target_arch = "x86", target_arch = "x86_64")))]
            Level::Wide(pulp::Arch::V4(simd)) => simd.vectorize(Wide(op)),
            // What is no wider than the build's target (SSE2, NEON) is one copy of every loop less.
            _ => op.run(),
        }
    }
}

/// A loop to be compiled once per level; its `run` must be `#[inline(always)]`.
pub(crate) trait Operation {
    type Output;
    fn run(self) -> Self::Output;
}

#[cfg(all(feature = "simd", any(target_arch = "x86", target_arch = "x86_64")))]
struct Wide<Op>(Op);

#[cfg(all(feature = "simd", any(target_arch = "x86", target_arch = "x86_64")))]
impl<Op: Operation> pulp::NullaryFnOnce for Wide<Op> {
    type Output = Op::Output;

    #[inline(always)]
    fn call(self) -> Self::Output {
        self.0.run()
    }
}

#[cfg(feature = "simd")]
fn wide_name(arch: pulp::Arch) -> &'static str {
    match arch {
        pulp::Arch::Scalar => "plain (no wider level on this processor)",
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        pulp::Arch::V3(_) => "x86-64-v3 (AVX2)",
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        pulp::Arch::V4(_) => "x86-64-v4 (AVX-512)",
        #[allow(unreachable_patterns, reason = "pulp's list differs per architecture")]
        _ => "plain (all that the build's target has)",
    }
}
