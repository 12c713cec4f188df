//! The list of kernels, made from the core's lists of variants and base optimizers.
//!
//! On a GPU each is an entry point, compiled into the text that `presam_text` names; on the host it is
//! a [`Kernel`] that says what a launch needs and carries the body for the emulator.

#![cfg_attr(
    target_arch = "nvptx64",
    allow(unused_imports, reason = "a text has some of the kernels only")
)]

use crate::network::{Columns, Identity, Relu, ReluSlope, Rows};
use crate::reads::{Bf16, F16, F32};
use crate::{network, step};

/// A kernel: what a launch needs to know, and its body on the host.
#[cfg(not(target_arch = "nvptx64"))]
pub struct Kernel {
    /// The entry point.
    pub name: &'static str,
    /// The text under kernels/ptx/ that has it.
    pub text: &'static str,
    /// Threads of a block.
    pub threads: u32,
    /// The names of its arguments, 64-bit words all.
    pub parameters: &'static [&'static str],
    pub(crate) body: fn(&crate::emulator::Block<'_>, &[u64]),
}

#[cfg(not(target_arch = "nvptx64"))]
impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The arguments as a body takes them; a launch has checked their number.
#[cfg(not(target_arch = "nvptx64"))]
fn words<const N: usize>(arguments: &[u64]) -> [u64; N] {
    std::array::from_fn(|i| arguments.get(i).copied().unwrap_or(0))
}

/// One kernel: its text, its name, its arguments, and its body as a function of team and arguments.
macro_rules! kernel {
    ($text:literal, $name:expr, $entry:ident, [$($parameter:ident),*],
        |$team:ident, $arguments:ident| $body:expr) => {
        #[cfg(all(target_arch = "nvptx64", presam_text = $text))]
        const _: () = {
            #[allow(unsafe_code, reason = "an entry point for the driver")]
            #[unsafe(export_name = $name)]
            pub unsafe extern "ptx-kernel" fn $entry($($parameter: u64),*) {
                let ($team, $arguments) = (&crate::gpu::Gpu, [$($parameter),*]);
                $body
            }
        };
        #[cfg(not(target_arch = "nvptx64"))]
        #[doc = concat!("`", $name, "`")]
        #[allow(non_upper_case_globals, reason = "named as the entry point is")]
        pub static $entry: Kernel = Kernel {
            name: $name,
            text: $text,
            threads: crate::THREADS,
            parameters: &[$(stringify!($parameter)),*],
            body: |$team, arguments| {
                let $arguments = words(arguments);
                $body
            },
        };
    };
}

/// A module of kernels, and the list of them.
macro_rules! kernels {
    ($($(#[$doc:meta])* $text:literal $entry:ident [$($parameter:ident),*] $body:expr;)*) => {
        $(kernel!($text, stringify!($entry), $entry, [$($parameter),*], |team, arguments| {
            ($body)(team, arguments)
        });)*

        #[cfg(not(target_arch = "nvptx64"))]
        const COMMON: &[&Kernel] = &[$(&$entry),*];
    };
}

kernels! {
    "descend" restore [chunks, count, segments] step::restore;
    "descend" accumulate_gradient [chunks, count, segments, parts, factor, plane]
        step::accumulate_gradient::<_, F32>;
    "accumulate_bf16" accumulate_gradient_bf16 [chunks, count, segments, parts, factor, plane]
        step::accumulate_gradient::<_, Bf16>;
    "accumulate_f16" accumulate_gradient_f16 [chunks, count, segments, parts, factor, plane]
        step::accumulate_gradient::<_, F16>;
    "mix" accumulate_pair [chunks, count, segments, parts, first, second] step::accumulate_pair;
    "mix" accumulate_distance [chunks, count, segments, parts, first, second]
        step::accumulate_distance;
    "mix" total [parts, count, results, counter, out] step::total;
    "mix" arm_gsam [parts, count, results, counter, out, gsam] step::arm_gsam;
    "mix" arm_look_sam_split [parts, count, results, counter, out, look] step::arm_split;
    "mix" arm_look_sam_reuse [sums, out, look] step::arm_reuse;
    "mix" mix_gsam [chunks, count, segments, control, mix, grads, old, to]
        step::mix::<_, presam::descent::GsamMix<f32>>;
    "mix" mix_wsam [chunks, count, segments, control, mix, grads, old, to] step::mix::<_, presam::Wsam<f32>>;
    "mix" mix_look_sam_split [chunks, count, segments, control, mix, grads, old, to]
        step::mix::<_, presam::descent::LookSamSplit<f32>>;
    "mix" mix_look_sam_reuse [chunks, count, segments, control, mix, grads, old, to]
        step::mix::<_, presam::descent::LookSamReuse<f32>>;
    "mix" correct_wsam [chunks, count, segments, control, wsam] step::correct;
    "network" forward_relu [rows, columns, sums, a, b, start, out]
        network::product::<_, Rows, Columns, Relu>;
    "network" forward [rows, columns, sums, a, b, start, out]
        network::product::<_, Rows, Columns, Identity>;
    "network" weight_gradient [rows, columns, sums, a, b, start, out]
        network::product::<_, Columns, Columns, Identity>;
    "network" slope_below [rows, columns, sums, a, b, start, out]
        network::product::<_, Rows, Rows, ReluSlope>;
    "network" bias_gradient [batch, columns, slope, out] network::bias_gradient;
    "network" cross_entropy [batch, classes, logits, labels, losses] network::cross_entropy;
    "network" correct_count [batch, classes, logits, labels, right] network::correct_count;
    "network" gather [features, data, labels, order, inputs, batch_labels] network::gather;
    "network" mean_loss [batch, losses, out] network::mean_loss;
    "network" report [control, distance, out] network::report;
}

/// The kernels of a variant.
#[cfg(not(target_arch = "nvptx64"))]
#[derive(Clone, Copy, Debug)]
pub struct VariantKernels {
    /// The variant's name.
    pub variant: &'static str,
    /// Phase 1, by scalar of the gradient: f32, bf16, f16.
    pub accumulate: [&'static Kernel; 3],
    /// The end of phase 1.
    pub finish: &'static Kernel,
    /// Phase 2 out of place.
    pub ascend: [&'static Kernel; 3],
    /// Phase 2 in place.
    pub ascend_in_place: [&'static Kernel; 3],
}

/// The kernels of each variant, a module each.
macro_rules! variants {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        $(
            #[doc = concat!("The kernels of `", stringify!($module), "`.")]
            pub mod $module {
                use super::*;
                scalar!($module, $Variant, $m, $i, F32, "f32", "accumulate_f32", "ascend_f32",
                    accumulate_f32, ascend_f32, ascend_in_place_f32);
                scalar!($module, $Variant, $m, $i, Bf16, "bf16", "accumulate_bf16", "ascend_bf16",
                    accumulate_bf16, ascend_bf16, ascend_in_place_bf16);
                scalar!($module, $Variant, $m, $i, F16, "f16", "accumulate_f16", "ascend_f16",
                    accumulate_f16, ascend_f16, ascend_in_place_f16);
                kernel!("finish", concat!("finish_", stringify!($module)), finish,
                    [parts, count, results, counter, control, variant, groups, group_count, counted],
                    |team, arguments| step::finish::<_, presam::$Variant<f32>, $m, $i>(
                        team, arguments));
            }
        )*

        $(
            #[cfg(not(target_arch = "nvptx64"))]
            impl VariantEntries<$m, $i> for presam::$Variant<f32> {
                const KERNELS: VariantKernels = VariantKernels {
                    variant: presam::variants::$module::INFO.name,
                    accumulate: [
                        &$module::accumulate_f32, &$module::accumulate_bf16,
                        &$module::accumulate_f16,
                    ],
                    finish: &$module::finish,
                    ascend: [&$module::ascend_f32, &$module::ascend_bf16, &$module::ascend_f16],
                    ascend_in_place: [
                        &$module::ascend_in_place_f32, &$module::ascend_in_place_bf16,
                        &$module::ascend_in_place_f16,
                    ],
                };
            }
        )*

        /// The kernels of every variant, in the core's order.
        #[cfg(not(target_arch = "nvptx64"))]
        pub const VARIANTS: &[VariantKernels] =
            &[$(<presam::$Variant<f32> as VariantEntries<$m, $i>>::KERNELS),*];
    };
}

/// Kernels of a variant for one scalar of the gradient.
macro_rules! scalar {
    ($module:ident, $Variant:ident, $m:literal, $i:literal, $Scalar:ident, $scalar:literal,
        $reduce:literal, $map:literal, $accumulate:ident, $ascend:ident, $in_place:ident) => {
        kernel!(
            $reduce,
            concat!("accumulate_", stringify!($module), "_", $scalar),
            $accumulate,
            [chunks, count, segments, parts, control, variant, groups],
            |team, arguments| step::accumulate::<_, presam::$Variant<f32>, $Scalar, $m, $i>(
                team, arguments
            )
        );
        kernel!(
            $map,
            concat!("ascend_", stringify!($module), "_", $scalar),
            $ascend,
            [chunks, count, segments, control, variant, groups],
            |team, arguments| step::ascend::<_, presam::$Variant<f32>, $Scalar, $m, $i>(
                team, false, arguments
            )
        );
        kernel!(
            $map,
            concat!("ascend_in_place_", stringify!($module), "_", $scalar),
            $in_place,
            [chunks, count, segments, control, variant, groups],
            |team, arguments| step::ascend::<_, presam::$Variant<f32>, $Scalar, $m, $i>(
                team, true, arguments
            )
        );
    };
}
presam::for_each_variant!(variants);

/// The kernels of a base optimizer.
#[cfg(not(target_arch = "nvptx64"))]
#[derive(Clone, Copy, Debug)]
pub struct BaseKernels {
    /// Judges the second gradient and arms the descent.
    pub second: &'static Kernel,
    /// The step.
    pub descend: &'static Kernel,
}

/// The kernels of each base optimizer, a module each.
macro_rules! bases {
    ($($module:ident: $Base:ident, state $s:literal;)*) => {
        $(
            #[doc = concat!("The kernels of `", stringify!($module), "`.")]
            pub mod $module {
                use super::*;
                kernel!("descend", concat!("second_", stringify!($module)), second,
                    [parts, count, results, counter, control, base, checked],
                    |team, arguments| step::second::<_, presam::$Base<f32>, $s>(team, arguments));
                kernel!("descend", concat!("descend_", stringify!($module)), descend,
                    [chunks, count, segments, control, bases],
                    |team, arguments| step::descend::<_, presam::$Base<f32>, $s>(team, arguments));
            }
        )*

        $(
            #[cfg(not(target_arch = "nvptx64"))]
            impl BaseEntries<$s> for presam::$Base<f32> {
                const KERNELS: BaseKernels =
                    BaseKernels { second: &$module::second, descend: &$module::descend };
            }
        )*

        /// The kernels of every base optimizer, in the core's order.
        #[cfg(not(target_arch = "nvptx64"))]
        pub const BASES: &[BaseKernels] =
            &[$(<presam::$Base<f32> as BaseEntries<$s>>::KERNELS),*];
    };
}
presam::for_each_base!(bases);

/// A variant that has kernels: every one of the core's.
#[cfg(not(target_arch = "nvptx64"))]
pub trait VariantEntries<const M: usize, const I: usize>:
    presam::Variant<f32, M, I> + crate::Plain
{
    /// Its kernels.
    const KERNELS: VariantKernels;
}

/// A base optimizer that has kernels: every one of the core's.
#[cfg(not(target_arch = "nvptx64"))]
pub trait BaseEntries<const S: usize>: presam::BaseOptimizer<f32, S> + crate::Plain {
    /// Its kernels.
    const KERNELS: BaseKernels;
}

/// Every kernel.
#[cfg(not(target_arch = "nvptx64"))]
pub fn all() -> impl Iterator<Item = &'static Kernel> {
    let variants = VARIANTS.iter().flat_map(|kernels| {
        let scalars = [kernels.accumulate, kernels.ascend, kernels.ascend_in_place];
        scalars.into_iter().flatten().chain([kernels.finish])
    });
    let bases = BASES.iter().flat_map(|kernels| [kernels.second, kernels.descend]);
    COMMON.iter().copied().chain(variants).chain(bases)
}
