//! [`DeviceStep`]: a whole step over a trainer's own device buffers.

mod phases;
mod settings;

use std::mem::offset_of;

use presam::{
    Ascent, BaseState, Group, LengthRule, Outcome, RuleState, ScaledNorm, SecondGradient,
    StepReport,
};
use presam_kernels::entries::{BaseEntries, BaseKernels, VariantEntries, VariantKernels};
use presam_kernels::fold::LEAVES;
use presam_kernels::layout::{ALIGNED, Control, GroupScale, PART_BYTES, Segment, outcome};
use presam_kernels::plain::{bytes_of, word_of};

use super::contract::{Names, check};
use super::memory::{Buffers, download};
use super::segment::View;
use super::table::{Planes, Tables};
use super::{Address, Device, DeviceError, DeviceSegment, Scalar};
use phases::pick;
use settings::{bases_of, first_control, scale_of};

/// Where the perturbed parameters go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// To a second buffer; w stays.
    #[default]
    OutOfPlace,
    /// Over w, which a backup keeps until [`DeviceStep::restore`].
    InPlace,
}

/// What does not change from step to step, and starting values of what does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Where the perturbed parameters go.
    pub form: Form,
    /// The scalar of the first gradient.
    pub scalar: Scalar,
    /// How long the perturbation is.
    pub length: LengthRule<f32>,
    /// What the second gradient goes through.
    pub second: SecondGradient<f32>,
    /// The factor by which the trainer's loss, and so every gradient, is scaled.
    pub loss_scale: f32,
    /// Whether `grads` is the momentum (momentum-SAM): no ascent before the first descent.
    pub along_momentum: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            form: Form::default(),
            scalar: Scalar::default(),
            length: LengthRule::NORMALISED,
            second: SecondGradient::Checked,
            loss_scale: 1.0,
            along_momentum: false,
        }
    }
}

/// A variant and a base optimizer over device buffers; every method queues and returns.
///
/// ```text
/// first gradient -> ascend() -> second gradient at the perturbed parameters -> [restore()] -> descend()
/// ```
///
/// Nothing waits and nothing is read back within a step, so a step can be captured in a graph; what
/// changes between steps (learning rate, radii, loss scale, counters) lives in device memory.
/// The same bits as `presam::Session` on the CPU.
///
/// Device memory beyond the trainer's w, g, g~ and the base optimizer's state: 1 float a parameter for the
/// perturbed ones (or the backup) and M for the rule's memory, which the trainer hands in; of the step's
/// own, up to 64 bytes for each chunk of 2048 parameters, 96 for each segment, 33 KiB.
#[derive(Clone, Debug)]
pub struct DeviceStep {
    variant_kernels: VariantKernels,
    base_kernels: BaseKernels,
    form: Form,
    scalar: Scalar,
    checked: bool,
    along_momentum: bool,
    counted: Planes,
    uncounted: Planes,
    moved: Planes,
    all: Planes,
    counted_elements: u64,
    parts: Address,
    results: Address,
    counter: Address,
    control: Address,
    variant: Address,
    groups: Address,
    group_count: u64,
    /// A base optimizer of each group, as words: what the learning rate is written into.
    bases: Address,
    buffers: Buffers,
}

impl DeviceStep {
    /// Checks every address and writes the tables; the first step may follow.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for a null, misaligned or overlapping plane, too many elements or an
    /// unknown group, with the kernel that would have met it; [`DeviceError::OutOfMemory`];
    /// [`DeviceError::Rule`] for a learning rate, decay or loss scale out of range.
    pub fn new<V, B, const M: usize, const I: usize, const S: usize>(
        device: &mut impl Device,
        variant: V,
        base: B,
        segments: &[DeviceSegment<M, I, S>],
        groups: &[Group<f32>],
        options: Options,
    ) -> Result<Self, DeviceError>
    where
        V: VariantEntries<M, I>,
        B: BaseEntries<S>,
    {
        let kernels = (V::KERNELS, B::KERNELS);
        let words = (0..size_of::<V>() / 4).map(|i| word_of(&variant, i)).collect();
        let bases = bases_of(base, groups)?;
        let rules = Rules { kernels, variant: words, bases, learning_rate: base.learning_rate() };
        let segments: Vec<View<'_>> = segments.iter().map(DeviceSegment::view).collect();
        Self::built(device, rules, &segments, groups, options)
    }

    /// What is compiled once and not per rule.
    fn built(
        device: &mut impl Device,
        rules: Rules,
        segments: &[View<'_>],
        groups: &[Group<f32>],
        options: Options,
    ) -> Result<Self, DeviceError> {
        let (variant_kernels, base_kernels) = rules.kernels;
        let names = Names {
            accumulate: pick(variant_kernels.accumulate, options.scalar).name,
            ascend: pick(variant_kernels.ascend, options.scalar).name,
            descend: base_kernels.descend.name,
        };
        for (index, segment) in segments.iter().enumerate() {
            if segment.group >= groups.len() {
                return Err(DeviceError::Contract {
                    kernel: names.accumulate,
                    what: format!("segment {index}: group"),
                    expected: format!("one of {} groups", groups.len()),
                    found: segment.group.to_string(),
                });
            }
        }
        let group = |segment: &View<'_>| &groups[segment.group];
        let perturbed = |index: usize| groups[index].is_perturbed();
        check(names, segments, (options.scalar, options.along_momentum), perturbed)?;
        let mut control = first_control(&options)?;
        control.learning_rate = rules.learning_rate;
        if options.along_momentum && options.scalar != Scalar::F32 {
            return Err(DeviceError::Contract {
                kernel: names.accumulate,
                what: "scalar of the momentum".into(),
                expected: "F32".into(),
                found: format!("{:?}", options.scalar),
            });
        }
        let rows: Vec<Segment> = segments.iter().map(|s| row(s, group(s).is_perturbed())).collect();
        let at = |index: usize| group(&segments[index]);
        let counts = |index: usize| at(index).counts_in_norm();
        let has_memory = |index: usize| !segments[index].memory.is_empty();
        let moves = |index: usize| at(index).is_perturbed() || (has_memory(index) && counts(index));
        let elements = segments.iter().enumerate().filter(|(index, _)| counts(*index));
        let scales: Vec<GroupScale> = groups.iter().map(scale_of).collect();
        let part = PART_BYTES as usize;
        let (step, buffers) = Buffers::built(device, |device, own| {
            let tables = Tables::new(device, own, &rows)?;
            let all = tables.pass(device, own, |_| true)?;
            Ok(Self {
                variant_kernels,
                base_kernels,
                form: options.form,
                scalar: options.scalar,
                checked: options.second != SecondGradient::Unchecked,
                along_momentum: options.along_momentum,
                counted: tables.pass(device, own, counts)?,
                uncounted: tables.pass(device, own, |i| at(i).is_perturbed() && !counts(i))?,
                moved: tables.pass(device, own, moves)?,
                all,
                counted_elements: elements.map(|(_, segment)| segment.len).sum(),
                parts: own.allocate(device, all.count().max(1) as usize * part)?,
                results: own.allocate(device, LEAVES as usize * part)?,
                counter: own.zeros(device, 1)?,
                control: own.upload(device, &[control])?,
                variant: own.upload(device, &rules.variant)?,
                groups: own.upload(device, &scales)?,
                group_count: groups.len() as u64,
                bases: own.upload(device, &rules.bases)?,
                buffers: Buffers::default(),
            })
        })?;
        Ok(Self { buffers, ..step })
    }

    /// Waits, and tells what the last step did.
    ///
    /// # Errors
    /// As [`Device::read`].
    pub fn report(&self, device: &mut impl Device) -> Result<StepReport<f32>, DeviceError> {
        let control = self.read_control(device)?;
        let norm = ScaledNorm { root: control.norm_root, class: control.norm_class };
        Ok(StepReport {
            ascent: Ascent { outcome: outcome_of(control.outcome), norm },
            second: outcome_of(control.second),
            descended: control.descends != 0,
        })
    }

    /// Waits, and tells the counters: what a checkpoint must hold besides the trainer's own buffers.
    ///
    /// # Errors
    /// As [`Device::read`].
    pub fn states(
        &self,
        device: &mut impl Device,
    ) -> Result<(RuleState<f32>, BaseState<f32>), DeviceError> {
        let control = self.read_control(device)?;
        Ok((control.rule_state, control.base_state))
    }

    /// Writes the counters of a checkpoint.
    ///
    /// # Errors
    /// As [`Device::write`].
    pub fn set_states(
        &self,
        device: &mut impl Device,
        rule: RuleState<f32>,
        base: BaseState<f32>,
    ) -> Result<(), DeviceError> {
        let at = |offset: usize| self.control + offset as u64;
        device.write(at(offset_of!(Control, rule_state)), &bytes_of(&[rule]))?;
        device.write(at(offset_of!(Control, base_state)), &bytes_of(&[base]))
    }

    /// The address of the [`Control`] block, for kernels of one's own.
    #[must_use]
    pub const fn control(&self) -> Address {
        self.control
    }

    fn read_control(&self, device: &mut impl Device) -> Result<Control, DeviceError> {
        let control = download(device, self.control, 1)?.into_iter().next();
        Ok(control.unwrap_or(Control::new(LengthRule::NORMALISED)))
    }

    /// Gives the step's own memory back; the trainer's buffers stay.
    ///
    /// # Errors
    /// As [`Device::free`].
    pub fn free(self, device: &mut impl Device) -> Result<(), DeviceError> {
        self.buffers.free(device)
    }
}

/// A variant and a base optimizer as kernels and words.
struct Rules {
    kernels: (VariantKernels, BaseKernels),
    variant: Vec<u32>,
    bases: Vec<u32>,
    learning_rate: f32,
}

fn outcome_of(number: u32) -> Outcome {
    match number {
        outcome::FINITE => Outcome::Finite,
        outcome::ZERO_NORM => Outcome::ZeroNorm,
        _ => Outcome::NonFinite,
    }
}

/// A segment's row; one that is not perturbed has no `out`.
fn row(segment: &View<'_>, is_perturbed: bool) -> Segment {
    let two = |planes: &[Address]| std::array::from_fn(|i| planes.get(i).copied().unwrap_or(0));
    let row = Segment {
        grads: segment.grads,
        params: segment.params,
        len: segment.len,
        group: segment.group as u32,
        flags: 0,
        memory: two(segment.memory),
        inputs: two(segment.inputs),
        out: if is_perturbed { segment.out } else { 0 },
        perturbed_grads: segment.perturbed_grads,
        state: two(segment.state),
    };
    let planes = [row.grads, row.params, row.out, row.perturbed_grads].into_iter();
    let planes = planes.chain(row.memory).chain(row.inputs).chain(row.state);
    let aligned = planes.into_iter().all(|plane| plane.is_multiple_of(16));
    Segment { flags: if aligned { ALIGNED } else { 0 }, ..row }
}
