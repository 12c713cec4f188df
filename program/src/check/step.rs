//! Every rule, scalar, form and base optimizer: two steps on the device and on the core.

use presam::{
    AdamW, AnyBase, AnyVariant, BaseOptimizer, BaseState, Configure, Error as CoreError,
    LengthRule, RuleState, Sgd, Variant,
};

use super::case::{Case, Tensor};
use super::counted::Counted;
use super::difference::{Difference, floats, text};
use super::random::Random;
use super::reference::{Core, Machine, second};
use super::{Request, reference};
use crate::error::Error;
use presam_cuda::{
    Address, Device, DeviceError, DeviceSegment, DeviceStep, Form, Options, Scalar, download,
};

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
        V: Variant<f32, M, I> + Into<AnyVariant<f32>> + Configure,
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
        V: Variant<f32, M, I> + Into<AnyVariant<f32>>,
        B: BaseOptimizer<f32, S> + Into<AnyBase<f32>>,
    {
        let mut case = Case::draw(&mut self.random, kind, [M, I, S])?;
        narrow(&mut case);
        let length = length(&mut self.random)?;
        let (rule_state, base_state) = (RuleState::new(), BaseState::new());
        let mut core = Machine::<V, B, M, I, S> { variant, base, length, rule_state, base_state };
        let mut buffers = Vec::new();
        let any: AnyVariant<f32> = variant.into();
        let made = |device: &mut Counted, case: &Case, tensors: &[Addresses], options| {
            let segments: Vec<_> = tensors.iter().zip(&case.tensors).map(segment).collect();
            let step = DeviceStep::new(device, any, base.into(), &segments, &case.groups, options)?;
            step.set_base(device, base.into(), &case.groups)?;
            Ok(step)
        };
        let rule = any.about().name;
        let result = self.two_steps(rule, &mut core, &made, &mut case, &mut buffers);
        for address in buffers {
            self.device.free(address)?;
        }
        let difference = result?;
        if difference.is_none() {
            self.device.agreed();
        }
        Ok(difference)
    }

    /// What is compiled once and not per rule.
    fn two_steps(
        &mut self,
        rule: &str,
        core: &mut dyn Core,
        made: &Made<'_>,
        case: &mut Case,
        buffers: &mut Vec<Address>,
    ) -> Result<Option<Difference>, Error> {
        let tensors = upload(self.device, case, buffers)?;
        let options = Options {
            form: case.form,
            scalar: case.scalar,
            length: core.length(),
            second: second(case),
            loss_scale: case.loss_scale,
            ..Options::default()
        };
        let on_device = made(self.device, case, &tensors, options)?;
        let mut difference = None;
        for number in 1..=2 {
            if number == 2 {
                case.redraw(&mut self.random);
                narrow(case);
                write_gradients(self.device, case, &tensors)?;
            }
            let told = format!("{rule} step {number}, {}", case.told());
            let perturbed = ascend(self.device, &on_device, case, &tensors)?;
            let answer = core.step(case)?;
            let states = core.states();
            let both = (&answer, &perturbed[..]);
            difference = compare(self.device, states, case, &tensors, &on_device, both, &told)?;
            if difference.is_some() {
                break;
            }
        }
        on_device.free(self.device)?;
        Ok(difference)
    }
}

/// What makes the step of a rule and a base optimizer over a case's tensors.
type Made<'a> =
    dyn Fn(&mut Counted, &Case, &[Addresses], Options) -> Result<DeviceStep, DeviceError> + 'a;

/// Where a tensor's planes are.
struct Addresses {
    params: Address,
    grads: Address,
    perturbed_grads: Address,
    out: Address,
    memory: Vec<Address>,
    inputs: Vec<Address>,
    state: Vec<Address>,
}

/// A tensor of a rule's and a base optimizer's numbers of planes.
fn segment((at, tensor): (&Addresses, &Tensor)) -> DeviceSegment {
    let few = |planes: &[Address]| std::array::from_fn(|i| planes.get(i).copied().unwrap_or(0));
    DeviceSegment {
        len: tensor.params.len() as u64,
        group: tensor.group,
        params: at.params,
        grads: at.grads,
        perturbed_grads: at.perturbed_grads,
        out: at.out,
        memory: few(&at.memory),
        inputs: few(&at.inputs),
        state: few(&at.state),
    }
}

/// A whole step on the device; the parameters at which the second gradient is taken.
fn ascend(
    device: &mut Counted,
    step: &DeviceStep,
    case: &Case,
    tensors: &[Addresses],
) -> Result<Vec<Vec<f32>>, DeviceError> {
    step.ascend(device)?;
    let mut perturbed = Vec::new();
    for (at, tensor) in tensors.iter().zip(&case.tensors) {
        let moved = case.groups[tensor.group].is_perturbed() && case.form == Form::OutOfPlace;
        let from = if moved { at.out } else { at.params };
        perturbed.push(download(device, from, tensor.params.len())?);
    }
    step.restore(device)?;
    step.descend(device)?;
    Ok(perturbed)
}

/// Everything that both sides left.
fn compare(
    device: &mut Counted,
    expected: (RuleState<f32>, BaseState<f32>),
    case: &Case,
    tensors: &[Addresses],
    step: &DeviceStep,
    (answer, perturbed): (&reference::Answer, &[Vec<f32>]),
    told: &str,
) -> Result<Option<Difference>, DeviceError> {
    let told = || told.to_owned();
    let report = step.report(device)?;
    let states = step.states(device)?;
    // A norm that is not finite is a class; its root is a NaN of any kind.
    let difference = text(told, "report", &answer.report, &report)
        .or_else(|| text(told, "counters", &expected, &states));
    if difference.is_some() {
        return Ok(difference);
    }
    for (index, (at, tensor)) in tensors.iter().zip(&case.tensors).enumerate() {
        let len = tensor.params.len();
        let place = |name: &str| format!("tensor {index} {name}");
        let moved = floats(told, &place("perturbed"), &answer.perturbed[index], &perturbed[index]);
        let params = download(device, at.params, len)?;
        let mut difference =
            moved.or_else(|| floats(told, &place("params"), &tensor.params, &params));
        let memory = at.memory.iter().zip(&tensor.memory).map(|pair| ("memory", pair));
        let state = at.state.iter().zip(&tensor.state).map(|pair| ("state", pair));
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
fn upload(
    device: &mut Counted,
    case: &Case,
    buffers: &mut Vec<Address>,
) -> Result<Vec<Addresses>, DeviceError> {
    let mut tensors = Vec::new();
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
        let Tensor { params, grads, perturbed_grads, memory, inputs, state, shift, .. } = tensor;
        let mut list = |planes: &[Vec<f32>]| {
            planes.iter().map(|values| plane(bytes(values), *shift)).collect::<Result<Vec<_>, _>>()
        };
        let (memory, inputs, state) = (list(memory)?, list(inputs)?, list(state)?);
        tensors.push(Addresses {
            params: plane(bytes(params), *shift)?,
            grads: plane(gradient_bytes(case.scalar, grads), *shift * case.scalar.bytes() / 4)?,
            perturbed_grads: plane(bytes(perturbed_grads), *shift)?,
            out: plane(vec![0; 4 * params.len()], *shift)?,
            memory,
            inputs,
            state,
        });
    }
    Ok(tensors)
}

fn write_gradients(
    device: &mut Counted,
    case: &Case,
    tensors: &[Addresses],
) -> Result<(), DeviceError> {
    let pairs = tensors.iter().zip(&case.tensors);
    for (at, tensor) in pairs.filter(|(_, tensor)| !tensor.params.is_empty()) {
        device.write(at.grads, &gradient_bytes(case.scalar, &tensor.grads))?;
        let second = gradient_bytes(Scalar::F32, &tensor.perturbed_grads);
        device.write(at.perturbed_grads, &second)?;
    }
    Ok(())
}
