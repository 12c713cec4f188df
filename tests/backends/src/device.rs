//! [`Devices`]: the kernels, by [`DeviceStep`] over buffers of a device.

use crate::settings::{base, base_state, length_rule, rule_state, variant};
use crate::stepped::{Extras, Stepped};
use crate::tensor::{Layout, read, upload, widened, write_gradients};
use presam_conformance::{Answer, Backend, Case, Scope};
use presam_cuda::{
    Buffers, Device, DeviceError, DeviceSegment, DeviceStep, Emulated, Form, Options, Recording,
    download, recorded,
};

/// The kernels on a device, f32.
pub struct Devices<D> {
    /// Where they run.
    pub device: D,
    /// Where the perturbed parameters go.
    pub form: Form,
    /// How the planes lie there.
    pub layout: Layout,
}

impl Devices<Emulated> {
    /// Blocks on the CPU, aligned.
    #[must_use]
    pub fn emulated(form: Form) -> Self {
        Self { device: Emulated::new(1), form, layout: Layout::default() }
    }
}

impl<D: Device> Backend<f32> for Devices<D> {
    fn scope(&self) -> Scope {
        Scope::full()
    }

    fn step(&mut self, case: &Case<f32>) -> Result<Answer<f32>, String> {
        let stepped = self.steps(std::slice::from_ref(case), Extras::NONE);
        let last = stepped.map_err(|error| error.to_string())?.pop();
        last.map(|stepped| stepped.answer).ok_or_else(|| "no step".to_owned())
    }
}

impl<D: Device> Devices<D> {
    /// Steps one after the other over the same buffers: the first case as a whole, of each later one the
    /// gradients. On a device that records, the later ones are replayed from recordings of both halves.
    ///
    /// # Errors
    /// What core or the device refuses.
    pub fn steps(
        &mut self,
        cases: &[Case<f32>],
        extras: Extras,
    ) -> Result<Vec<Stepped<f32>>, DeviceError> {
        let mut buffers = Buffers::default();
        let stepped = self.steps_in(&mut buffers, cases, extras);
        let freed = buffers.free(&mut self.device);
        stepped.and_then(|stepped| freed.map(|()| stepped))
    }

    fn steps_in(
        &mut self,
        buffers: &mut Buffers,
        cases: &[Case<f32>],
        extras: Extras,
    ) -> Result<Vec<Stepped<f32>>, DeviceError> {
        let Some(first) = cases.first() else { return Ok(Vec::new()) };
        let (form, layout, device) = (self.form, self.layout, &mut self.device);
        let segments = first.segments.iter().enumerate();
        let segments: Vec<DeviceSegment> = segments
            .map(|(group, segment)| upload(device, buffers, group, segment, (form, layout)))
            .collect::<Result<_, _>>()?;
        let groups = extras.groups(first)?;
        let options = Options {
            form,
            length: length_rule(first.length)?,
            second: extras.second(),
            loss_scale: extras.loss_scale as f32,
            ..Options::default()
        };
        let (variant, base) = (variant(first.rule)?, base(first.base)?);
        let step = DeviceStep::new(device, variant, base, &segments, &groups, options)?;
        step.set_base(device, base, &groups)?;
        step.set_states(device, rule_state(first), base_state(first))?;
        if form == Form::Mixed {
            step.restore(device)?;
        }
        let (mut stepped, mut halves) = (Vec::new(), None);
        for (number, case) in cases.iter().enumerate() {
            if number == 1 && device.records() {
                halves = Some([
                    recorded(device, |on| step.ascend(on))?,
                    recorded(device, |on| descend(on, &step, form))?,
                ]);
            }
            if number > 0 {
                for (at, segment) in segments.iter().zip(&case.segments) {
                    write_gradients(device, at, segment)?;
                }
            }
            stepped.push(one(device, (&step, halves.as_ref()), &segments, case, form)?);
        }
        step.free(device)?;
        Ok(stepped)
    }
}

/// The second half of a step. Mixed, the descent writes what a restore would.
fn descend(device: &mut dyn Device, step: &DeviceStep, form: Form) -> Result<(), DeviceError> {
    if form != Form::Mixed {
        step.restore(device)?;
    }
    step.descend(device)
}

/// One step, and everything that it left.
fn one(
    device: &mut dyn Device,
    (step, halves): (&DeviceStep, Option<&[Recording; 2]>),
    segments: &[DeviceSegment],
    case: &Case<f32>,
    form: Form,
) -> Result<Stepped<f32>, DeviceError> {
    let mut answer = Answer::unchanged(case);
    let before = read_by_model(device, segments, form)?;
    match halves {
        Some([ascent, _]) => device.replay(ascent)?,
        None => step.ascend(device)?,
    }
    for ((at, from), to) in segments.iter().zip(&case.segments).zip(&mut answer.segments) {
        let len = from.params.len();
        to.perturbed = match form {
            Form::Mixed => widened(device, at.out, len, at.scalars.out)?,
            Form::OutOfPlace if from.options.is_perturbed => download(device, at.out, len)?,
            Form::OutOfPlace | Form::InPlace => download(device, at.params, len)?,
        };
    }
    match halves {
        Some([_, descent]) => device.replay(descent)?,
        None => descend(device, step, form)?,
    }
    for (at, to) in segments.iter().zip(&mut answer.segments) {
        read(device, at, to)?;
    }
    let (report, states) = (step.report(device)?, step.states(device)?);
    let after = read_by_model(device, segments, form)?;
    let model = before.into_iter().zip(after).map(|(before, after)| [before, after]).collect();
    Ok(Stepped { model, ..Stepped::told(case, answer, report, states) })
}

/// What the model reads in the mixed form.
fn read_by_model(
    device: &mut dyn Device,
    segments: &[DeviceSegment],
    form: Form,
) -> Result<Vec<Vec<f32>>, DeviceError> {
    let segments = segments.iter().filter(|_| form == Form::Mixed);
    segments.map(|at| widened(device, at.out, at.len as usize, at.scalars.out)).collect()
}
