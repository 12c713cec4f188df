//! The list of kernels, made from the core's lists of variants and base optimizers.
//!
//! On a GPU each is an entry point, compiled into the text that `presam_text` names; on the host it is
//! a [`Kernel`] that says what a launch needs and carries the body for the emulator.
//!
//! Many rules come out as the same instructions: eleven finish alike. Such twins are compiled for the GPU and
//! compared there, but the text has the first of them only, and on the host the others' rules name that one.

#![cfg_attr(
    target_arch = "nvptx64",
    allow(unused_imports, reason = "a text has some of the kernels only")
)]

#[cfg(not(target_arch = "nvptx64"))]
mod named;
#[cfg(not(target_arch = "nvptx64"))]
mod rules;
#[cfg(not(target_arch = "nvptx64"))]
mod twins;

#[cfg(not(target_arch = "nvptx64"))]
pub use named::{base_words, variant_words};
#[cfg(not(target_arch = "nvptx64"))]
use rules::names;
#[cfg(not(target_arch = "nvptx64"))]
pub use rules::{BaseKernels, VariantKernels};

#[cfg(not(target_arch = "nvptx64"))]
use crate::kernel::Kernel;
use crate::network::{Columns, Identity, Relu, ReluSlope, Rows};
use crate::reads::{F32, Mixed};
use crate::{network, step};
#[cfg(not(target_arch = "nvptx64"))]
use presam::Error;

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
        pub static $entry: crate::kernel::Kernel = crate::kernel::Kernel {
            name: $name,
            text: $text,
            threads: crate::team::THREADS,
            parameters: &[$(stringify!($parameter)),*],
            body: |$team, arguments| {
                let $arguments = crate::kernel::words(arguments);
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
    "descend_mixed" restore_mixed [chunks, count, segments] step::restore_mixed;
    "descend_mixed" accumulate_gradient_mixed [chunks, count, segments, parts, factor, plane]
        step::accumulate_gradient::<_, Mixed>;
    "mix" accumulate_pair [chunks, count, segments, parts, first, second] step::accumulate_pair;
    "mix" accumulate_distance [chunks, count, segments, parts, first, second]
        step::accumulate_distance;
    "mix" total [parts, count, results, counter, out] step::total;
    "mix" arm_gsam [parts, count, results, counter, out, gsam] step::arm_gsam;
    "mix" arm_look_sam_split [parts, count, results, counter, out, look] step::arm_split;
    "mix" arm_look_sam_reuse [sums, out, look] step::arm_reuse;
    "mix" mix_gsam [chunks, count, segments, control, mix, grads, old, to]
        step::mix::<_, presam::descent::GsamMix<f32>, false>;
    "mix" mix_wsam [chunks, count, segments, control, mix, grads, old, to] step::mix::<_, presam::Wsam<f32>, false>;
    "mix" mix_saner [chunks, count, segments, control, mix, grads, old, to] step::mix::<_, presam::Saner<f32>, false>;
    "mix" mix_look_sam_split [chunks, count, segments, control, mix, grads, old, to]
        step::mix::<_, presam::descent::LookSamSplit<f32>, true>;
    "mix" mix_look_sam_reuse [chunks, count, segments, control, mix, grads, old, to]
        step::mix::<_, presam::descent::LookSamReuse<f32>, false>;
    "mix" correct_wsam [chunks, count, segments, control, bases, wsam] step::correct;
    "network" forward_relu [rows, columns, sums, a, b, start, out]
        network::product::<_, Rows, Columns, Relu, 2>;
    "network" forward [rows, columns, sums, a, b, start, out]
        network::product::<_, Rows, Columns, Identity, 2>;
    "network" weight_gradient [rows, columns, sums, a, b, start, out]
        network::product::<_, Columns, Columns, Identity, 2>;
    "network" weight_gradient_large [rows, columns, sums, a, b, start, out]
        network::product::<_, Columns, Columns, Identity, 4>;
    "network" slope_below [rows, columns, sums, a, b, start, out]
        network::product::<_, Rows, Rows, ReluSlope, 2>;
    "network" bias_gradient [batch, columns, slope, out] network::bias_gradient;
    "network" cross_entropy [batch, classes, logits, labels, losses] network::cross_entropy;
    "network" correct_count [batch, classes, logits, labels, right] network::correct_count;
    "network" gather [features, data, labels, order, inputs, batch_labels] network::gather;
    "network" mean_loss [batch, losses, out] network::mean_loss;
    "network" report [control, distance, out] network::report;
}

/// The kernels of each variant, a module each.
macro_rules! variants {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        $(
            mod $module {
                scalar!($module, $Variant, $m, $i, F32, "f32", "accumulate_f32", "ascend_f32",
                    accumulate_f32, ascend_f32, ascend_in_place_f32);
                scalar!($module, $Variant, $m, $i, Mixed, "mixed", "accumulate_mixed", "ascend_mixed",
                    accumulate_mixed, ascend_mixed, ascend_in_place_mixed);
                kernel!("finish", concat!("finish_", stringify!($module)), finish,
                    [parts, count, results, counter, control, variant, groups, group_count, counted],
                    |team, arguments| crate::step::finish::<_, presam::variants::$Variant<f32>, $m, $i>(
                        team, arguments));

                #[cfg(not(target_arch = "nvptx64"))]
                pub(super) const COMPILED: [&crate::kernel::Kernel; 7] = [
                    &accumulate_f32, &accumulate_mixed, &ascend_f32, &ascend_mixed,
                    &ascend_in_place_f32, &ascend_in_place_mixed, &finish,
                ];
            }
        )*

        #[cfg(not(target_arch = "nvptx64"))]
        const VARIANT_NAMES: &[&str] = &[$(presam::variants::$module::INFO.name),*];

        /// What each variant is compiled to, twins included.
        #[cfg(not(target_arch = "nvptx64"))]
        const COMPILED_VARIANTS: &[[&Kernel; 7]] = &[$($module::COMPILED),*];

        /// The kernels of every variant, in the core's order.
        #[cfg(not(target_arch = "nvptx64"))]
        pub const VARIANTS: &[VariantKernels] =
            &[$(VariantKernels::written(
                presam::variants::$module::INFO.name, $module::COMPILED, COMPILED_VARIANTS,
            )),*];
    };
}

/// Kernels of a variant: for planes of `f32`, or for planes whose scalar each chunk tells.
macro_rules! scalar {
    ($module:ident, $Variant:ident, $m:literal, $i:literal, $Scalar:ident, $scalar:literal,
        $reduce:literal, $map:literal, $accumulate:ident, $ascend:ident, $in_place:ident) => {
        kernel!(
            $reduce,
            concat!("accumulate_", stringify!($module), "_", $scalar),
            $accumulate,
            [chunks, count, segments, parts, control, variant, groups],
            |team, arguments| crate::step::accumulate::<
                _,
                presam::variants::$Variant<f32>,
                crate::reads::$Scalar,
                $m,
                $i,
            >(team, arguments)
        );
        kernel!(
            $map,
            concat!("ascend_", stringify!($module), "_", $scalar),
            $ascend,
            [chunks, count, segments, control, variant, groups],
            |team, arguments| crate::step::ascend::<
                _,
                presam::variants::$Variant<f32>,
                crate::reads::$Scalar,
                $m,
                $i,
            >(team, false, arguments)
        );
        kernel!(
            $map,
            concat!("ascend_in_place_", stringify!($module), "_", $scalar),
            $in_place,
            [chunks, count, segments, control, variant, groups],
            |team, arguments| crate::step::ascend::<
                _,
                presam::variants::$Variant<f32>,
                crate::reads::$Scalar,
                $m,
                $i,
            >(team, true, arguments)
        );
    };
}
presam::for_each_variant!(variants);

/// The kernels of each base optimizer, a module each.
macro_rules! bases {
    ($($module:ident: $Base:ident, state $s:literal;)*) => {
        $(
            mod $module {
                kernel!("descend", concat!("second_", stringify!($module)), second,
                    [parts, count, results, counter, control, base, checked],
                    |team, arguments| crate::step::second::<_, presam::base::$Base<f32>, $s>(team, arguments));
                kernel!("descend", concat!("descend_", stringify!($module)), descend,
                    [chunks, count, segments, control, bases],
                    |team, arguments| crate::step::descend::<
                        _, presam::base::$Base<f32>, crate::reads::F32, $s>(team, arguments));
                kernel!("descend_mixed", concat!("descend_", stringify!($module), "_mixed"), descend_mixed,
                    [chunks, count, segments, control, bases],
                    |team, arguments| crate::step::descend::<
                        _, presam::base::$Base<f32>, crate::reads::Mixed, $s>(team, arguments));

                #[cfg(not(target_arch = "nvptx64"))]
                pub(super) const COMPILED: [&crate::kernel::Kernel; 3] =
                    [&second, &descend, &descend_mixed];
            }
        )*

        #[cfg(not(target_arch = "nvptx64"))]
        const BASE_NAMES: &[&str] = &[$(presam::base::$module::INFO.name),*];

        /// What each base optimizer is compiled to, twins included.
        #[cfg(not(target_arch = "nvptx64"))]
        const COMPILED_BASES: &[[&Kernel; 3]] = &[$($module::COMPILED),*];

        /// The kernels of every base optimizer, in the core's order.
        #[cfg(not(target_arch = "nvptx64"))]
        pub const BASES: &[BaseKernels] = &[$(BaseKernels::written(
            presam::base::$module::INFO.name, $module::COMPILED, COMPILED_BASES,
        )),*];
    };
}
presam::for_each_base!(bases);

/// The kernels of a variant.
///
/// # Errors
/// [`Error::UnknownName`] for a variant that has none: a stranger's rule runs on the CPU alone.
#[cfg(not(target_arch = "nvptx64"))]
pub fn variant(name: &str) -> Result<&'static VariantKernels, Error> {
    let expected = Error::UnknownName { kind: "variant with kernels", expected: VARIANT_NAMES };
    VARIANTS.iter().find(|kernels| kernels.variant == name).ok_or(expected)
}

/// The kernels of a base optimizer.
///
/// # Errors
/// [`Error::UnknownName`] for one that has none.
#[cfg(not(target_arch = "nvptx64"))]
pub fn base(name: &str) -> Result<&'static BaseKernels, Error> {
    let expected = Error::UnknownName { kind: "base optimizer with kernels", expected: BASE_NAMES };
    BASES.iter().find(|kernels| kernels.base == name).ok_or(expected)
}

/// Every kernel that the texts have, each once.
#[cfg(not(target_arch = "nvptx64"))]
pub fn all() -> impl Iterator<Item = &'static Kernel> {
    let variants = VARIANTS.iter().flat_map(VariantKernels::all);
    let rules = variants.chain(BASES.iter().flat_map(BaseKernels::all));
    let mut names = std::collections::BTreeSet::new();
    COMMON.iter().copied().chain(rules).filter(move |kernel| names.insert(kernel.name))
}

/// Name and text of every kernel that rules are compiled to, twins included, in the core's order: where
/// `cargo xtask ptx` looks for twins.
#[cfg(not(target_arch = "nvptx64"))]
pub fn compiled() -> impl Iterator<Item = (&'static str, &'static str)> {
    // Names and texts alone: they do not bring a twin's body along.
    const OF_VARIANTS: [[(&str, &str); 7]; COMPILED_VARIANTS.len()] = names(COMPILED_VARIANTS);
    const OF_BASES: [[(&str, &str); 3]; COMPILED_BASES.len()] = names(COMPILED_BASES);
    OF_VARIANTS.as_flattened().iter().chain(OF_BASES.as_flattened()).copied()
}
