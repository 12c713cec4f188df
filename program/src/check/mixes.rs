//! GSAM, WSAM, SANER, LookSAM and the measured distance: on the device and on the core.

use std::mem::offset_of;

use presam::{
    AnyBase, Cpu, GradientMix, Group, Gsam, LookSam, PartialNorm, Sam, Saner, ScaledNorm, Sgd, Wsam,
};
use presam_kernels::layout::{Control, outcome};

use super::Request;
use super::counted::Counted;
use super::difference::floats;
use super::random::Random;
use crate::error::Error;
use presam_cuda::{
    Address, Buffers, Device, DeviceError, DeviceSegment, DeviceStep, Flat, Mixes, Options,
    download,
};

const LENGTHS: &[usize] = &[1, 127, 128, 2048, 2049, 9610];
/// The learning rate of the model's group, and what a descent multiplies its gradient by.
const RATE: f32 = 0.1;
const FACTOR: f32 = 0.7;
const SCALES: &[f32] = &[1.0, 1.0, 1e-3, 1e-30, 1e25, 0.0];

/// Two gradients, w and the perturbed w.
struct Case {
    grads: Vec<f32>,
    perturbed_grads: Vec<f32>,
    params: Vec<f32>,
    perturbed: Vec<f32>,
    kept: Vec<f32>,
    told: String,
}

impl Case {
    fn draw(random: &mut Random) -> Self {
        let (len, scale) = (random.pick(LENGTHS), random.pick(SCALES));
        let mut plane = |scale: f32| (0..len).map(|_| random.unit() * scale).collect::<Vec<f32>>();
        Self {
            grads: plane(scale),
            perturbed_grads: plane(scale),
            params: plane(1.0),
            perturbed: plane(1.0),
            kept: plane(scale),
            told: format!("{len} elements of size {scale:e}"),
        }
    }
}

/// The check.
pub(super) fn check(device: &mut Counted, request: Request) -> Result<(), Error> {
    let mut random = Random::new(request.seed ^ 1);
    for _ in 0..request.cases {
        let case = Case::draw(&mut random);
        let alpha = random.pick(&[0.0, 0.1, 0.7]);
        one(device, &case, alpha)?;
    }
    Ok(())
}

fn one(device: &mut Counted, case: &Case, alpha: f32) -> Result<(), Error> {
    let mut buffers = Buffers::default();
    let flat = Flat {
        len: case.params.len(),
        group: 2,
        params: buffers.upload(device, &case.params)?,
        grads: buffers.upload(device, &case.grads)?,
        perturbed_grads: buffers.upload(device, &case.perturbed_grads)?,
        perturbed: buffers.upload(device, &case.perturbed)?,
        kept: buffers.upload(device, &case.kept)?,
    };
    let step = step_over(device, flat)?;
    let mixes = Mixes::new(device, &[flat], &step)?;
    let done = mixed(device, case, alpha, &mixes, (flat, step.control()));
    mixes.free(device)?;
    step.free(device)?;
    buffers.free(device)?;
    done
}

/// A step over the whole model as the third of three groups, as after a descent that has clipped its gradient.
fn step_over(device: &mut Counted, flat: Flat) -> Result<DeviceStep, Error> {
    let segment = DeviceSegment {
        len: flat.len as u64,
        group: flat.group,
        params: flat.params,
        grads: flat.grads,
        perturbed_grads: flat.perturbed_grads,
        out: flat.perturbed,
        ..DeviceSegment::default()
    };
    let (groups, options) =
        ([Group::new(0.05)?; 3], Options { loss_scale: 3.0, ..Options::default() });
    let [other, own] = [Sgd::new(0.3)?, Sgd::new(RATE)?].map(AnyBase::from);
    let step = DeviceStep::new(device, Sam::new().into(), other, &[segment], &groups, options)?;
    step.set_bases(device, &[other, other, own])?;
    let at = |offset: usize| step.control() + offset as u64;
    device.fill(at(offset_of!(Control, descends)), 1, 1)?;
    device.fill(at(offset_of!(Control, grad_factor)), FACTOR.to_bits(), 1)?;
    Ok(step)
}

/// Compares a plane, then writes what it was before the mix.
fn compared(
    device: &mut Counted,
    case: &Case,
    name: &str,
    (address, before): (Address, &[f32]),
    expected: &[f32],
) -> Result<(), DeviceError> {
    let found = download(device, address, expected.len())?;
    let bytes: Vec<u8> = before.iter().flat_map(|value| value.to_le_bytes()).collect();
    device.write(address, &bytes)?;
    device.judged(floats(|| format!("{name}, {}", case.told), "gradient", expected, &found));
    Ok(())
}

fn mixed(
    device: &mut Counted,
    case: &Case,
    alpha: f32,
    mixes: &Mixes,
    (flat, control): (Flat, Address),
) -> Result<(), Error> {
    let (gsam, look) = (Gsam::new(alpha)?, LookSam::new(alpha)?);
    let (wsam, saner) = (Wsam::new(alpha)?, Saner::new(alpha)?);
    let Case { grads, perturbed_grads, kept, .. } = case;
    let second = (flat.perturbed_grads, &perturbed_grads[..]);

    mixes.gsam(device, gsam)?;
    let expected = over(gsam.arm(&pair(perturbed_grads, grads)?)?.0, grads, perturbed_grads);
    compared(device, case, "gsam", second, &expected)?;

    mixes.wsam(device, wsam)?;
    let expected = over(wsam, grads, perturbed_grads);
    compared(device, case, "wsam", second, &expected)?;

    mixes.saner(device, saner)?;
    let expected = over(saner, grads, perturbed_grads);
    compared(device, case, "saner", second, &expected)?;

    let descends = control + offset_of!(Control, descends) as u64;
    mixes.look_sam_split(device, look)?;
    let expected = over(look.split(&pair(grads, perturbed_grads)?)?.0, grads, perturbed_grads);
    compared(device, case, "look-sam split", (flat.kept, kept), &expected)?;
    device.fill(descends, 0, 1)?;
    mixes.look_sam_split(device, look)?;
    compared(device, case, "look-sam split after no descent", (flat.kept, kept), kept)?;
    device.fill(descends, 1, 1)?;

    mixes.look_sam_reuse(device, look)?;
    let expected = over(look.reuse(&gradient(grads)?, &gradient(kept)?)?.0, grads, kept);
    compared(device, case, "look-sam reuse", second, &expected)?;

    // The decoupled form corrects w itself.
    mixes.wsam_decoupled(device, wsam)?;
    let mut expected = case.params.clone();
    Cpu::plain().correct(wsam.correction(RATE * FACTOR), &mut expected, grads, perturbed_grads)?;
    let params = (flat.params, &case.params[..]);
    compared(device, case, "wsam decoupled", params, &expected)?;

    // After an ascent that was not finite nothing is mixed.
    let skipped = control + offset_of!(Control, outcome) as u64;
    device.fill(skipped, outcome::NON_FINITE, 1)?;
    mixes.wsam(device, wsam)?;
    compared(device, case, "wsam skipped", second, perturbed_grads)?;
    device.fill(skipped, outcome::FINITE, 1)?;

    let distance = mixes.distance(device)?;
    let found = download::<presam::Part<f32>>(device, distance, 1)?;
    let moved: Vec<f32> = case.perturbed.iter().zip(&case.params).map(|(p, w)| p - w).collect();
    let expected = ScaledNorm::of(gradient(&moved)?.total()?).value();
    let found: Vec<f32> = found.into_iter().map(|part| ScaledNorm::of(part).value()).collect();
    let told = || format!("distance, {}", case.told);
    device.judged(floats(told, "length", &[expected], &found));
    Ok(())
}

fn over(mix: impl GradientMix<f32>, grads: &[f32], old: &[f32]) -> Vec<f32> {
    grads.iter().zip(old).map(|(&grad, &old)| mix.mix(grad, old)).collect()
}

fn pair(first: &[f32], second: &[f32]) -> Result<PartialNorm<f32>, presam::Error> {
    let mut sums = PartialNorm::new();
    Cpu::plain().accumulate_pair(first, second, &mut sums)?;
    Ok(sums)
}

fn gradient(grads: &[f32]) -> Result<PartialNorm<f32>, presam::Error> {
    let mut sums = PartialNorm::new();
    Cpu::plain().accumulate_gradient(1.0, grads, &mut sums)?;
    Ok(sums)
}
