//! Every rule, scalar, form and base optimizer: two steps on the device and on the core.

use presam::{
    AdamW, BaseOptimizer, BaseState, Configure, Error as CoreError, LengthRule, RuleState, Sgd,
};
use presam_kernels::entries::{BaseEntries, VariantEntries};

use super::case::{Case, Tensor};
use super::counted::Counted;
use super::difference::{Difference, floats, text};
use super::random::Random;
use super::reference::{Machine, second, step};
use super::{Request, reference};
use crate::device::{
    Address, Device, DeviceError, DeviceSegment, DeviceStep, Form, Options, Scalar, download,
};
use crate::error::Error;

macro_rules! each_variant {
    (($check:ident) $($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        $(
            let variant = presam::$Variant::<f32>::default();
            if let Some(difference) = $check.variant::<_, $m, $i>(variant)? {
                return Ok(Some(difference));
            }
        )*
    };
}

/// The check over every variant.
pub(super) fn check(device: &mut Counted, request: Request) -> Result<Option<Difference>, Error> {
    let mut check = Check { device, request, random: Random::new(request.seed) };
    presam::for_each_variant!(each_variant(check));
    Ok(None)
}

struct Check<'d> {
    device: &'d mut Counted,
    request: Request,
    random: Random,
}

impl Check<'_> {
    /// Every scalar and form, over every base optimizer in turn.
    fn variant<V, const M: usize, const I: usize>(
        &mut self,
        variant: V,
    ) -> Result<Option<Difference>, Error>
    where
        V: VariantEntries<M, I> + Configure,
    {
        for scalar in [Scalar::F32, Scalar::Bf16, Scalar::F16] {
            for form in [Form::OutOfPlace, Form::InPlace] {
                for _ in 0..self.request.cases {
                    let kind = (form, scalar);
                    let sgd = Sgd::new(0.1)?.with_weight_decay(1e-3)?;
                    let difference = match self.random.below(4) {
                        0 => self.case::<V, _, M, I, 0>(variant, sgd, kind)?,
                        1 => self.case::<V, _, M, I, 1>(variant, sgd.with_momentum(0.9)?, kind)?,
                        2 => {
                            let nesterov = sgd.with_momentum(0.5)?.with_nesterov()?;
                            self.case::<V, _, M, I, 1>(variant, nesterov, kind)?
                        }
                        _ => self.case::<V, _, M, I, 2>(variant, AdamW::new(0.01)?, kind)?,
                    };
                    if difference.is_some() {
                        return Ok(difference);
                    }
                }
            }
        }
        Ok(None)
    }

    /// One case: the same two steps on both sides.
    fn case<V, B, const M: usize, const I: usize, const S: usize>(
        &mut self,
        variant: V,
        base: B,
        kind: (Form, Scalar),
    ) -> Result<Option<Difference>, Error>
    where
        V: VariantEntries<M, I>,
        B: BaseEntries<S>,
    {
        let mut case = Case::draw(&mut self.random, kind, [M, I, S])?;
        narrow(&mut case);
        let length = length(&mut self.random)?;
        let (rule_state, base_state) = (RuleState::new(), BaseState::new());
        let mut machine = Machine { variant, base, length, rule_state, base_state };
        let mut buffers = Vec::new();
        let result = self.two_steps::<V, B, M, I, S>(&mut machine, &mut case, &mut buffers);
        for address in buffers {
            self.device.free(address)?;
        }
        let difference = result?;
        if difference.is_none() {
            self.device.agreed();
        }
        Ok(difference)
    }

    fn two_steps<V, B, const M: usize, const I: usize, const S: usize>(
        &mut self,
        machine: &mut Machine<V, B>,
        case: &mut Case,
        buffers: &mut Vec<Address>,
    ) -> Result<Option<Difference>, Error>
    where
        V: VariantEntries<M, I>,
        B: BaseEntries<S>,
    {
        let segments = upload::<M, I, S>(self.device, case, buffers)?;
        let options = Options {
            form: case.form,
            scalar: case.scalar,
            length: machine.length,
            second: second(case),
            loss_scale: case.loss_scale,
            ..Options::default()
        };
        let (variant, base) = (machine.variant, machine.base);
        let groups = case.groups.clone();
        let on_device = DeviceStep::new(self.device, variant, base, &segments, &groups, options)?;
        on_device.set_base(self.device, base, &groups)?;
        let mut difference = None;
        for number in 1..=2 {
            if number == 2 {
                case.redraw(&mut self.random);
                narrow(case);
                write_gradients(self.device, case, &segments)?;
            }
            let told = format!("{} step {number}, {}", V::KERNELS.variant, case.told());
            let perturbed = ascend(self.device, &on_device, case, &segments)?;
            let answer = step::<V, B, M, I, S>(machine, case)?;
            difference = compare(
                self.device,
                machine,
                case,
                &segments,
                &on_device,
                (&answer, &perturbed),
                &told,
            )?;
            if difference.is_some() {
                break;
            }
        }
        on_device.free(self.device)?;
        Ok(difference)
    }
}

/// A whole step on the device; the parameters at which the second gradient is taken.
fn ascend<const M: usize, const I: usize, const S: usize>(
    device: &mut Counted,
    step: &DeviceStep,
    case: &Case,
    segments: &[DeviceSegment<M, I, S>],
) -> Result<Vec<Vec<f32>>, DeviceError> {
    step.ascend(device)?;
    let mut perturbed = Vec::new();
    for (segment, tensor) in segments.iter().zip(&case.tensors) {
        let moved = case.groups[tensor.group].is_perturbed() && case.form == Form::OutOfPlace;
        let from = if moved { segment.out } else { segment.params };
        perturbed.push(download(device, from, tensor.params.len())?);
    }
    step.restore(device)?;
    step.descend(device)?;
    Ok(perturbed)
}

/// Everything that both sides left.
fn compare<V, B, const M: usize, const I: usize, const S: usize>(
    device: &mut Counted,
    machine: &Machine<V, B>,
    case: &Case,
    segments: &[DeviceSegment<M, I, S>],
    step: &DeviceStep,
    (answer, perturbed): (&reference::Answer, &[Vec<f32>]),
    told: &str,
) -> Result<Option<Difference>, DeviceError> {
    let told = || told.to_owned();
    let report = step.report(device)?;
    let states = step.states(device)?;
    // A norm that is not finite is a class; its root is a NaN of any kind.
    let expected = (machine.rule_state, machine.base_state);
    let difference = text(told, "report", &answer.report, &report)
        .or_else(|| text(told, "counters", &expected, &states));
    if difference.is_some() {
        return Ok(difference);
    }
    for (index, (segment, tensor)) in segments.iter().zip(&case.tensors).enumerate() {
        let len = tensor.params.len();
        let place = |name: &str| format!("tensor {index} {name}");
        let moved = floats(told, &place("perturbed"), &answer.perturbed[index], &perturbed[index]);
        let params = download(device, segment.params, len)?;
        let mut difference =
            moved.or_else(|| floats(told, &place("params"), &tensor.params, &params));
        let memory = segment.memory.iter().zip(&tensor.memory).map(|pair| ("memory", pair));
        let state = segment.state.iter().zip(&tensor.state).map(|pair| ("state", pair));
        for (name, (&address, expected)) in memory.chain(state) {
            let found = download(device, address, len)?;
            difference = difference.or_else(|| floats(told, &place(name), expected, &found));
        }
        if difference.is_some() {
            return Ok(difference);
        }
    }
    Ok(None)
}

/// One of the length rules.
fn length(random: &mut Random) -> Result<LengthRule<f32>, CoreError> {
    match random.below(4) {
        0 => LengthRule::mixed(0.5, 0.0),
        1 => Ok(LengthRule::UNNORMALISED),
        2 => LengthRule::normalised(1e-12),
        _ => Ok(LengthRule::NORMALISED),
    }
}

/// Rounds the first gradient to its scalar: what the core is handed is what the device widens.
fn narrow(case: &mut Case) {
    let scalar = case.scalar;
    let grads = case.tensors.iter_mut().flat_map(|tensor| &mut tensor.grads);
    grads.for_each(|grad| *grad = widened(scalar, halved(scalar, *grad)));
}

/// The bits of a number in its scalar, rounded to nearest.
fn halved(scalar: Scalar, value: f32) -> u32 {
    match scalar {
        Scalar::F32 => value.to_bits(),
        Scalar::Bf16 => half::bf16::from_f32(value).to_bits().into(),
        Scalar::F16 => half::f16::from_f32(value).to_bits().into(),
    }
}

fn widened(scalar: Scalar, bits: u32) -> f32 {
    match scalar {
        Scalar::F32 => f32::from_bits(bits),
        Scalar::Bf16 => half::bf16::from_bits(bits as u16).to_f32(),
        Scalar::F16 => half::f16::from_bits(bits as u16).to_f32(),
    }
}

/// The gradient's bytes in its scalar.
fn gradient_bytes(scalar: Scalar, grads: &[f32]) -> Vec<u8> {
    let bytes = |&grad: &f32| halved(scalar, grad).to_le_bytes();
    grads.iter().flat_map(|grad| bytes(grad).into_iter().take(scalar.bytes() as usize)).collect()
}

/// The planes of every tensor, each in a buffer of its own, as far from a multiple of 16 as the case says.
fn upload<const M: usize, const I: usize, const S: usize>(
    device: &mut Counted,
    case: &Case,
    buffers: &mut Vec<Address>,
) -> Result<Vec<DeviceSegment<M, I, S>>, DeviceError> {
    let mut segments = Vec::new();
    for tensor in &case.tensors {
        let mut plane = |bytes: Vec<u8>, shift: u64| {
            let address = device.allocate(bytes.len() + 16)?;
            buffers.push(address);
            if !bytes.is_empty() {
                device.write(address + shift, &bytes)?;
            }
            Ok::<_, DeviceError>(address + shift)
        };
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let Tensor { params, grads, perturbed_grads, memory, inputs, state, group, shift } = tensor;
        let mut list = |planes: &[Vec<f32>]| {
            planes.iter().map(|values| plane(bytes(values), *shift)).collect::<Result<Vec<_>, _>>()
        };
        let (memory, inputs, state) = (list(memory)?, list(inputs)?, list(state)?);
        segments.push(DeviceSegment {
            len: params.len() as u64,
            group: *group,
            params: plane(bytes(params), *shift)?,
            grads: plane(gradient_bytes(case.scalar, grads), *shift * case.scalar.bytes() / 4)?,
            perturbed_grads: plane(bytes(perturbed_grads), *shift)?,
            out: plane(vec![0; 4 * params.len()], *shift)?,
            memory: std::array::from_fn(|i| memory.get(i).copied().unwrap_or(0)),
            inputs: std::array::from_fn(|i| inputs.get(i).copied().unwrap_or(0)),
            state: std::array::from_fn(|i| state.get(i).copied().unwrap_or(0)),
        });
    }
    Ok(segments)
}

fn write_gradients<const M: usize, const I: usize, const S: usize>(
    device: &mut Counted,
    case: &Case,
    segments: &[DeviceSegment<M, I, S>],
) -> Result<(), DeviceError> {
    for (segment, tensor) in segments.iter().zip(&case.tensors).filter(|(s, _)| s.len > 0) {
        device.write(segment.grads, &gradient_bytes(case.scalar, &tensor.grads))?;
        device.write(
            segment.perturbed_grads,
            &gradient_bytes(Scalar::F32, &tensor.perturbed_grads),
        )?;
    }
    Ok(())
}
