//! [`Devices`]: the kernels, by [`DeviceStep`] over buffers of a device.

use crate::settings::{
    adamw, base_state, group, keys, length_rule, oracle_state, outcome, rule_state, sgd,
    sgd_momentum,
};
use presam::{AnyBase, AnyVariant, Group};
use presam_conformance::{Answer, Backend, Base, Case, Scope, Segment};
use presam_cuda::{
    Address, Device, DeviceError, DeviceSegment, DeviceStep, Emulated, Form, Options, download,
};

/// The kernels on a device, f32. Buffers lie on 16 bytes, or 4 bytes past that where `misaligned`.
pub struct Devices<D> {
    /// Where they run.
    pub device: D,
    /// Where the perturbed parameters go.
    pub form: Form,
    /// Whether buffers miss the alignment of wide access.
    pub misaligned: bool,
}

impl Devices<Emulated> {
    /// Blocks on the CPU, aligned.
    #[must_use]
    pub fn emulated(form: Form) -> Self {
        Self { device: Emulated::new(1), form, misaligned: false }
    }
}

/// The buffers of one segment.
struct Buffers {
    params: Address,
    grads: Address,
    perturbed_grads: Address,
    out: Address,
    memory: Vec<Address>,
    inputs: Vec<Address>,
    state: Vec<Address>,
    owned: Vec<Address>,
}

impl<D: Device> Backend<f32> for Devices<D> {
    fn scope(&self) -> Scope {
        Scope::full()
    }

    fn step(&mut self, case: &Case<f32>) -> Result<Answer<f32>, String> {
        self.step_of(case).map_err(|error| error.to_string())
    }
}

impl<D: Device> Devices<D> {
    fn step_of(&mut self, case: &Case<f32>) -> Result<Answer<f32>, DeviceError> {
        let variant = AnyVariant::by_name(case.rule.name())?;
        let variant = keys(case.rule)
            .into_iter()
            .try_fold(variant, |rule, (key, value)| rule.set(key, value))?;
        let base: AnyBase<f32> = match case.base {
            Base::Sgd { .. } => sgd(case)?.into(),
            Base::SgdMomentum { .. } => sgd_momentum(case)?.into(),
            Base::AdamW { .. } => adamw(case)?.into(),
        };
        let groups: Vec<Group<f32>> =
            case.segments.iter().map(|s| group(s.options)).collect::<Result<_, _>>()?;
        let buffers: Vec<Buffers> =
            case.segments.iter().map(|segment| self.upload(segment)).collect::<Result<_, _>>()?;
        let options = Options { form: self.form, length: length_rule(case)?, ..Options::default() };
        let device = &mut self.device;
        let pairs = buffers.iter().zip(&case.segments).enumerate();
        let segments: Vec<DeviceSegment> = pairs.map(segment).collect();
        let step = DeviceStep::new(device, variant, base, &segments, &groups, options)?;
        step.set_base(device, base, &groups)?;
        step.set_states(device, rule_state(case), base_state(case))?;
        let mut answer = Answer::unchanged(case);
        step.ascend(device)?;
        for ((s, from), to) in buffers.iter().zip(&case.segments).zip(&mut answer.segments) {
            if from.options.is_perturbed {
                let perturbed = if self.form == Form::InPlace { s.params } else { s.out };
                to.perturbed = download(device, perturbed, from.params.len())?;
            }
        }
        step.restore(device)?;
        step.descend(device)?;
        let report = step.report(device)?;
        let (rule, base) = step.states(device)?;
        answer.outcome = outcome(report.ascent.outcome);
        answer.rule_state = oracle_state(rule, case.rule);
        answer.base_steps = u64::from(base.steps);
        for ((s, from), to) in buffers.iter().zip(&case.segments).zip(&mut answer.segments) {
            let len = from.params.len();
            to.params = download(device, s.params, len)?;
            to.memory =
                s.memory.iter().map(|&m| download(device, m, len)).collect::<Result<_, _>>()?;
            to.state =
                s.state.iter().map(|&p| download(device, p, len)).collect::<Result<_, _>>()?;
        }
        step.free(device)?;
        for address in buffers.into_iter().flat_map(|buffers| buffers.owned) {
            device.free(address)?;
        }
        Ok(answer)
    }

    fn upload(&mut self, segment: &Segment<f32>) -> Result<Buffers, DeviceError> {
        let mut owned = Vec::new();
        let shift = if self.misaligned { 4 } else { 0 };
        let device = &mut self.device;
        let mut plane = |values: &[f32]| {
            let address = device.allocate(4 * segment.params.len() + 4)?;
            owned.push(address);
            if !values.is_empty() {
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                device.write(address + shift, &bytes)?;
            }
            Ok::<_, DeviceError>(address + shift)
        };
        let mut list = |planes: &[Vec<f32>]| {
            planes.iter().map(|values| plane(values)).collect::<Result<Vec<_>, _>>()
        };
        let (memory, inputs) = (list(&segment.memory)?, list(&segment.inputs)?);
        let state = list(&segment.state)?;
        Ok(Buffers {
            memory,
            inputs,
            state,
            params: plane(&segment.params)?,
            grads: plane(&segment.grads)?,
            perturbed_grads: plane(&segment.perturbed_grads)?,
            out: plane(&[])?,
            owned,
        })
    }
}

/// The segment of this number, which is its group, with as many planes as the rule and the base optimizer have.
fn segment((index, (at, from)): (usize, (&Buffers, &Segment<f32>))) -> DeviceSegment {
    let two = |planes: &[Address]| std::array::from_fn(|i| planes.get(i).copied().unwrap_or(0));
    DeviceSegment {
        len: from.params.len() as u64,
        group: index,
        params: at.params,
        grads: at.grads,
        perturbed_grads: at.perturbed_grads,
        out: at.out,
        memory: two(&at.memory),
        inputs: two(&at.inputs),
        state: two(&at.state),
    }
}
