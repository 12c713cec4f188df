//! [`Twin`]: a device beside the core, as a backend of the suite that answers with the core's bits or not at all.

use presam::Cpu;
use presam::SecondGradient::{Clipped, Unchecked};
use presam_backends::tensor::{Layout, copied, narrowed};
use presam_backends::{Devices, Extras, Phases, Stepped};
use presam_conformance::compare::{same_bits, same_planes};
use presam_conformance::{Answer, Backend, Case, Mismatch, Scope};
use presam_cuda::{Device, DeviceError, Form};

use super::counted::Counted;
use super::difference::{Difference, same_text};

/// How a case is put to the device, besides what it says: every manner comes in turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner(pub usize);

impl Manner {
    fn form(self) -> Form {
        [Form::OutOfPlace, Form::InPlace][self.0 % 2]
    }

    /// Bytes by which planes miss a multiple of 16.
    fn shift(self) -> u64 {
        [0, 4, 0, 8, 12][self.0 % 5]
    }

    fn layout(self) -> Layout {
        Layout { mixed: None, shift: self.shift() }
    }

    /// Form, scalars, and what else the step does, the second time.
    fn beyond(self) -> How {
        const CLIPPED: Extras = Extras { second: Clipped(0.5), ..Extras::NONE };
        const EXTRAS: [Extras; 4] = [
            CLIPPED,
            Extras { loss_scale: 1024.0, weight_decay: Some(0.01), ..Extras::NONE },
            Extras { loss_scale: 3.0, ..CLIPPED },
            Extras { second: Unchecked, ..Extras::NONE },
        ];
        const FORMS: [Form; 4] = [Form::Mixed, Form::InPlace, Form::Mixed, Form::OutOfPlace];
        let (form, mixed) = match self.0 / 2 % 3 {
            0 => (self.form(), None),
            _ => (FORMS[self.0 / 2 % 4], Some(self.0)),
        };
        // Each with each form.
        let extras = EXTRAS[(self.0 + self.0 / 2) % 4];
        How { form, layout: Layout { mixed, ..self.layout() }, extras }
    }
}

/// How steps are taken.
#[derive(Clone, Copy)]
struct How {
    form: Form,
    layout: Layout,
    extras: Extras,
}

/// Both, and how the next case is put.
pub(super) struct Twin {
    devices: Devices<Counted>,
    /// What the cases are drawn for.
    pub told: String,
    pub manner: Manner,
    /// What the device refused: more than a difference.
    pub refused: Option<DeviceError>,
    /// Steps asked for the case so far, and whether one differed: then its manner stays.
    asked: usize,
    differs: bool,
}

impl Twin {
    pub fn new(device: Counted) -> Self {
        let (form, layout) = (Form::default(), Layout::default());
        let devices = Devices { device, form, layout };
        let (told, manner) = (String::new(), Manner(0));
        Self { devices, told, manner, refused: None, asked: 0, differs: false }
    }

    /// Starts over with cases put in this manner and those after it.
    pub fn start(&mut self, manner: Manner) {
        (self.manner, self.differs) = (manner, false);
    }

    pub fn device(&mut self) -> &mut Counted {
        &mut self.devices.device
    }

    pub fn into_device(self) -> Counted {
        self.devices.device
    }

    /// The case with every tensor repeated until it has so many elements, put as any other.
    pub fn grown(&mut self, case: &Case<f32>, len: usize) {
        let mut case = case.clone();
        for segment in &mut case.segments {
            let own = [&mut segment.params, &mut segment.grads, &mut segment.perturbed_grads];
            let lists =
                segment.memory.iter_mut().chain(&mut segment.inputs).chain(&mut segment.state);
            own.into_iter().chain(lists).for_each(|plane| *plane = repeated(plane, len));
        }
        self.told = format!("{}, tensors of {len} elements", self.told);
        // What differs is in the device's book.
        let _ = self.step(&case);
    }

    /// So many steps in a row on both sides; the core's first answer.
    fn both(&mut self, case: &Case<f32>, steps: usize, how: How) -> Result<Answer<f32>, String> {
        let (cases, expected) = by_core(case, steps, how)?;
        let How { form, layout, extras } = how;
        (self.devices.form, self.devices.layout) = (form, layout);
        // Until it is known to agree: what panics is asked again, in the manner in which it did.
        let differed = std::mem::replace(&mut self.differs, true);
        let found = self.devices.steps(&cases, extras).map_err(|error| {
            let reason = error.to_string();
            self.refused.get_or_insert(error);
            reason
        })?;
        let pairs = expected.iter().zip(&found).enumerate();
        let mismatch = { pairs }
            .find_map(|(n, (expected, found))| Some((n + 1, same(expected, found).err()?)));
        let difference = mismatch.map(|(number, mismatch)| {
            let (told, Layout { mixed, shift }) = (&self.told, layout);
            let scalars =
                mixed.map_or("f32".to_owned(), |_| format!("{:?}...", layout.scalars(0, form)));
            let case = format!(
                "{told}, step {number}, {form:?}, {scalars}, {shift} bytes off 16, {extras:?}"
            );
            Difference::new(case, mismatch)
        });
        let said = difference.as_ref().map(ToString::to_string);
        self.devices.device.judged(difference);
        match (said, expected.into_iter().next()) {
            (None, Some(first)) => {
                self.differs = differed;
                Ok(first.answer)
            }
            (said, _) => Err(said.unwrap_or_default()),
        }
    }
}

impl Backend<f32> for Twin {
    fn scope(&self) -> Scope {
        Scope::full()
    }

    fn begins(&mut self, _: &Case<f32>) {
        self.asked = 0;
        if !self.differs {
            self.manner.0 += 1;
        }
    }

    fn step(&mut self, case: &Case<f32>) -> Result<Answer<f32>, String> {
        // A law that takes steps by the thousand is about the case alone.
        const FEW: usize = 8;
        self.asked += 1;
        let manner = self.manner;
        let plain = How { form: manner.form(), layout: manner.layout(), extras: Extras::NONE };
        if self.asked > FEW {
            return self.both(case, 1, plain);
        }
        let answer = self.both(case, 1, plain)?;
        // Where steps after the first are replayed, a recording serves twice.
        let steps = if self.devices.device.records() { 3 } else { 2 };
        self.both(case, steps, manner.beyond())?;
        Ok(answer)
    }
}

/// The core, which keeps the first case that it perturbs.
pub(super) struct Keeps(pub Option<Case<f32>>);

impl Backend<f32> for Keeps {
    fn scope(&self) -> Scope {
        Scope::full()
    }

    fn step(&mut self, case: &Case<f32>) -> Result<Answer<f32>, String> {
        let answer = Phases(Cpu::plain()).step(case)?;
        let mut pairs = answer.segments.iter().zip(&case.segments);
        if pairs.any(|(to, from)| to.perturbed != from.params) {
            self.0.get_or_insert_with(|| case.clone());
        }
        Ok(answer)
    }
}

/// Cases, and what a step made of each.
type Steps = (Vec<Case<f32>>, Vec<Stepped<f32>>);

/// The cases of steps in a row, each with the gradients of the one before exchanged, and the core's steps.
fn by_core(
    case: &Case<f32>,
    steps: usize,
    How { form, layout, extras }: How,
) -> Result<Steps, String> {
    let first = narrowed(case, form, layout);
    let (mut cases, mut stepped) = (vec![first], Vec::<Stepped<f32>>::new());
    while let Some(case) = cases.last() {
        let mut step = Phases(Cpu::plain()).step_with(case, extras).map_err(|e| e.to_string())?;
        let exchanged: Vec<_> =
            case.segments.iter().map(|s| (s.perturbed_grads.clone(), s.grads.clone())).collect();
        let next = narrowed(&case.next(&step.answer, &exchanged), form, layout);
        if form == Form::Mixed {
            copied(case, &mut step, layout);
        }
        stepped.push(step);
        if stepped.len() == steps {
            break;
        }
        cases.push(next);
    }
    Ok((cases, stepped))
}

fn repeated(plane: &[f32], len: usize) -> Vec<f32> {
    plane.iter().copied().cycle().take(len).collect()
}

/// Everything that a step left and told.
fn same(expected: &Stepped<f32>, found: &Stepped<f32>) -> Result<(), Mismatch> {
    // A norm that is not finite is a class; its root is a NaN of any kind.
    same_text("report", &expected.report, &found.report)?;
    same_text("counters of the rule", &expected.rule_state, &found.rule_state)?;
    same_text("counters of the base optimizer", &expected.base_state, &found.base_state)?;
    same_planes(&expected.answer, &found.answer)?;
    for (index, (expected, found)) in expected.model.iter().zip(&found.model).enumerate() {
        for (place, (expected, found)) in expected.iter().zip(found).enumerate() {
            let when = ["before", "after"][place];
            same_bits(&format!("segment {index}: read by the model {when}"), expected, found)?;
        }
    }
    Ok(())
}
