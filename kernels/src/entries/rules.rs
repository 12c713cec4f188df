//! Which kernels a rule has, and which of them it shares with others.

use super::twins::TWINS;
use crate::kernel::Kernel;

/// The kernels of a variant.
#[derive(Clone, Copy, Debug)]
pub struct VariantKernels {
    /// The variant's name.
    pub variant: &'static str,
    /// Phase 1: over planes of f32, and over any.
    pub accumulate: [&'static Kernel; 2],
    /// The end of phase 1.
    pub finish: &'static Kernel,
    /// Phase 2 out of place.
    pub ascend: [&'static Kernel; 2],
    /// Phase 2 in place.
    pub ascend_in_place: [&'static Kernel; 2],
}

/// The kernels of a base optimizer.
#[derive(Clone, Copy, Debug)]
pub struct BaseKernels {
    /// The base optimizer's name.
    pub base: &'static str,
    /// Judges the second gradient and arms the descent.
    pub second: &'static Kernel,
    /// The step: over planes of f32, and over any.
    pub descend: [&'static Kernel; 2],
}

impl VariantKernels {
    /// The kernels that the texts have for what a variant is compiled to, among `all` that variants are.
    pub(super) const fn written(
        variant: &'static str,
        compiled: [&'static Kernel; 7],
        all: &[[&'static Kernel; 7]],
    ) -> Self {
        let [a, b, c, d, e, f, finish] = written(compiled, all);
        Self { variant, accumulate: [a, b], finish, ascend: [c, d], ascend_in_place: [e, f] }
    }

    /// Each of them.
    pub fn all(&self) -> impl Iterator<Item = &'static Kernel> + use<> {
        let scalars = [self.accumulate, self.ascend, self.ascend_in_place];
        scalars.into_iter().flatten().chain([self.finish])
    }
}

impl BaseKernels {
    /// The kernels that the texts have for what a base optimizer is compiled to, among `all` that those are.
    pub(super) const fn written(
        base: &'static str,
        compiled: [&'static Kernel; 3],
        all: &[[&'static Kernel; 3]],
    ) -> Self {
        let [second, f32, mixed] = written(compiled, all);
        Self { base, second, descend: [f32, mixed] }
    }

    /// Each of them.
    pub fn all(&self) -> impl Iterator<Item = &'static Kernel> + use<> {
        [self.second].into_iter().chain(self.descend)
    }
}

/// The kernels that a text has for `kernels`: each itself, or the one that `cargo xtask ptx` found equal to
/// the letter.
///
/// Chosen while this crate is compiled, so that no body of a twin is.
const fn written<const N: usize>(
    mut kernels: [&'static Kernel; N],
    all: &[[&'static Kernel; N]],
) -> [&'static Kernel; N] {
    let mut i = 0;
    while i < N {
        // A stale list may name a rule that is gone: then the kernel itself, and the texts are stale too.
        if let Some(first) = first(kernels[i].name)
            && let Some(first) = named(first, all.as_flattened())
        {
            kernels[i] = first;
        }
        i += 1;
    }
    kernels
}

/// The entry that is called in place of `name`, if that is a twin.
const fn first(name: &str) -> Option<&'static str> {
    let mut i = 0;
    while i < TWINS.len() {
        if is_same(TWINS[i].0, name) {
            return Some(TWINS[i].1);
        }
        i += 1;
    }
    None
}

const fn named(name: &str, kernels: &[&'static Kernel]) -> Option<&'static Kernel> {
    let mut i = 0;
    while i < kernels.len() {
        if is_same(kernels[i].name, name) {
            return Some(kernels[i]);
        }
        i += 1;
    }
    None
}

/// `a == b`, which is not to be had while compiling.
const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Name and text of each.
pub(super) const fn names<const N: usize, const RULES: usize>(
    rules: &[[&'static Kernel; N]],
) -> [[(&'static str, &'static str); N]; RULES] {
    let mut names = [[("", ""); N]; RULES];
    let mut i = 0;
    while i < RULES * N {
        let kernel = rules[i / N][i % N];
        names[i / N][i % N] = (kernel.name, kernel.text);
        i += 1;
    }
    names
}
