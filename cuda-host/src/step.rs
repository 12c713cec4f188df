//! [`DeviceStep`]: a whole step over a trainer's own device buffers.

pub(crate) mod gradients;
mod phases;
mod rows;
mod settings;
mod stage;

use std::mem::offset_of;

use presam::{
    AnyBase, AnyVariant, Ascent, BaseState, DynBase, DynVariant, Group, LengthRule, Outcome,
    RuleState, ScaledNorm, SecondGradient, StepReport,
};
use presam_kernels::entries::{self, BaseKernels, VariantKernels};
use presam_kernels::fold::LEAVES;
use presam_kernels::layout::{BaseCounters, Control, GroupScale, PART_BYTES, Segment, outcome};
use presam_kernels::plain::bytes_of;

use crate::contract::{Names, Rules, check};
use crate::device::{Address, Device};
use crate::error::DeviceError;
use crate::memory::{Buffers, download};
use crate::options::{Form, Options};
use crate::segment::DeviceSegment;
use crate::table::{Planes, Tables};
use gradients::Rows;
use rows::{base_rows, bases_of, first_control, is_mixed, pick, row, scale_of};
use stage::{Arming, Stage};

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
/// In place the step remembers on the host what was queued, and no order of calls loses w: a second ascent, a norm or a
/// descent before `restore()` is [`DeviceError::Contract`] before a launch, and `restore()` at rest queues nothing. What
/// is recorded is not done, and is done again whenever it is replayed: from the first call within a recording on, the
/// order is the caller's.
///
/// Device memory beyond the trainer's w, g, g~ and the base optimizer's state: 1 float a parameter for the
/// perturbed ones (or the backup) and M for the rule's memory, which the trainer hands in; of the step's
/// own, up to 50 bytes for each chunk of 2048 parameters, 96 for each segment, 33 KiB.
#[derive(Clone, Debug)]
pub struct DeviceStep {
    variant_kernels: VariantKernels,
    base_kernels: BaseKernels,
    pub(crate) form: Form,
    stage: Stage,
    arming: Arming,
    is_mixed: bool,
    checked: bool,
    along_momentum: bool,
    counted: Planes,
    uncounted: Planes,
    moved: Planes,
    all: Planes,
    rows: Rows,
    counted_elements: u64,
    parts: Address,
    results: Address,
    counter: Address,
    control: Address,
    variant: Address,
    groups: Address,
    pub(crate) group_count: u64,
    /// A base optimizer of each group, as words: what the learning rate is written into.
    pub(crate) bases: Address,
    buffers: Buffers,
}

impl DeviceStep {
    /// Checks every address and writes the tables; the first step may follow.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for a null, misaligned or overlapping plane, another number of planes than the
    /// rule has, a scalar that the step does not take, too many elements or an unknown group, with the kernel that would have met it;
    /// [`DeviceError::OutOfMemory`]; [`DeviceError::Rule`] for a learning rate, decay or loss scale out of range.
    pub fn new(
        device: &mut dyn Device,
        variant: AnyVariant<f32>,
        base: AnyBase<f32>,
        segments: &[DeviceSegment],
        groups: &[Group<f32>],
        options: Options,
    ) -> Result<Self, DeviceError> {
        let variant_kernels = *entries::variant(variant.about().name)?;
        let base_kernels = *entries::base(base.about().name)?;
        let is_mixed = is_mixed(segments, options.form);
        let rules = Rules {
            kernels: Names {
                accumulate: pick(variant_kernels.accumulate, is_mixed).name,
                ascend: pick(variant_kernels.ascend, is_mixed).name,
                descend: pick(base_kernels.descend, is_mixed).name,
            },
            planes: variant.planes(),
            state: base.state_planes(),
        };
        check(&rules, segments, groups, &options)?;
        let control = first_control(&options)?;
        let bases = base_rows(&bases_of(base, groups)?);
        let scales: Vec<GroupScale> = groups.iter().map(scale_of).collect();
        let group = |segment: &DeviceSegment| &groups[segment.group];
        let rows = segments.iter().map(|s| row(s, group(s).is_perturbed(), options.form));
        let rows: Vec<Segment> = rows.collect();
        let at = |index: usize| group(&segments[index]);
        let counts = |index: usize| at(index).counts_in_norm();
        let remembers = rules.planes.memory > 0;
        let follows = |index: usize| at(index).is_perturbed() || options.descends_along_first;
        let moves = |index: usize| at(index).is_perturbed() || (remembers && counts(index));
        let counted = segments.iter().filter(|segment| group(segment).counts_in_norm());
        let part = PART_BYTES as usize;
        let (step, buffers) = Buffers::built(device, |device, own| {
            let tables = Tables::new(device, own, &rows)?;
            let all = tables.pass(device, own, |_| true)?;
            Ok(Self {
                variant_kernels,
                base_kernels,
                form: options.form,
                stage: Stage::new(&options),
                arming: Arming::default(),
                is_mixed,
                checked: options.second != SecondGradient::Unchecked,
                along_momentum: options.along_momentum,
                counted: tables.pass(device, own, counts)?,
                uncounted: tables.pass(device, own, |i| follows(i) && !counts(i))?,
                moved: tables.pass(device, own, moves)?,
                all,
                rows: Rows::new(all.segments(), &rows, segments),
                counted_elements: counted.map(|segment| segment.len).sum(),
                parts: own.allocate(device, all.parts().max(1) as usize * part)?,
                results: own.allocate(device, LEAVES as usize * part)?,
                counter: own.zeros(device, 1)?,
                control: own.upload(device, &[control])?,
                variant: own.upload(device, &entries::variant_words(&variant))?,
                groups: own.upload(device, &scales)?,
                group_count: groups.len() as u64,
                bases: own.upload(device, &bases)?,
                buffers: Buffers::default(),
            })
        })?;
        Ok(Self { buffers, ..step })
    }

    /// Waits, and tells what the last step did.
    ///
    /// # Errors
    /// As [`Device::read`].
    pub fn report(&self, device: &mut dyn Device) -> Result<StepReport<f32>, DeviceError> {
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
        device: &mut dyn Device,
    ) -> Result<(RuleState<f32>, BaseState), DeviceError> {
        let control = self.read_control(device)?;
        Ok((control.rule_state, control.base_state.state()))
    }

    /// Writes the counters of a checkpoint. w is the trainer's to write, at rest: after an ascent in place, restore first.
    ///
    /// # Errors
    /// As [`Device::write`].
    pub fn set_states(
        &self,
        device: &mut dyn Device,
        rule: RuleState<f32>,
        base: BaseState,
    ) -> Result<(), DeviceError> {
        let at = |offset: usize| self.control + offset as u64;
        device.write(at(offset_of!(Control, rule_state)), bytes_of(&[rule]))?;
        let counters = [BaseCounters::of(base)];
        device.write(at(offset_of!(Control, base_state)), bytes_of(&counters))?;
        // Of a descent that is armed already too.
        device.write(at(offset_of!(Control, base_before)), bytes_of(&counters))
    }

    /// Queues the counters, the outcome and what else lies in the [`Control`] block of another step of the same rules: this
    /// one goes on where that one is, also between the halves of a step, and what a restore would bring back it can too.
    /// Nothing waits. Both know the same w then: with one of them alone is it safe to go on.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for another form, slope or care for the second gradient; as [`Device::copy`].
    pub fn go_on_from(&self, device: &mut dyn Device, other: &Self) -> Result<(), DeviceError> {
        let (own, others) = (self.ways(), other.ways());
        if own != others {
            return Err(DeviceError::Contract {
                kernel: self.variant_kernels.finish.name,
                what: "the step to go on from".into(),
                expected: own,
                found: others,
            });
        }
        device.copy(self.control, other.control, size_of::<Control>())?;
        self.stage.go_on_from(&other.stage, device)?;
        self.arming.go_on_from(&other.arming);
        if self.uncounted.count() > 0 {
            return Ok(());
        }
        // Nobody writes these sums anew where every group whose first gradient is followed is counted.
        let uncounted = self.control + offset_of!(Control, uncounted) as u64;
        device.fill(uncounted, 0, size_of::<presam::Part<f32>>() / 4)
    }

    /// What of the options a control block rests on.
    fn ways(&self) -> String {
        let second = if self.checked { "looked at" } else { "not looked at" };
        let slope = if self.along_momentum { "momentum" } else { "gradient" };
        format!("{:?}, along the {slope}, g~ {second}", self.form)
    }

    /// Whether places of gradients were told within a recording: what the step allocated must then stay for as long as
    /// that may be replayed.
    #[must_use]
    pub const fn was_recorded(&self) -> bool {
        self.rows.was_recorded()
    }

    /// The address of the [`Control`] block, for kernels of one's own.
    #[must_use]
    pub const fn control(&self) -> Address {
        self.control
    }

    fn read_control(&self, device: &mut dyn Device) -> Result<Control, DeviceError> {
        let control = download(device, self.control, 1)?.into_iter().next();
        Ok(control.unwrap_or(Control::new(LengthRule::NORMALISED)))
    }

    /// Gives the step's own memory back; the trainer's buffers stay.
    ///
    /// # Errors
    /// As [`Device::free`].
    pub fn free(self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.buffers.free(device)
    }
}

fn outcome_of(number: u32) -> Outcome {
    match number {
        outcome::FINITE => Outcome::Finite,
        outcome::ZERO_NORM => Outcome::ZeroNorm,
        _ => Outcome::NonFinite,
    }
}
