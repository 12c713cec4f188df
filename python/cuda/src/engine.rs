//! [`Engine`]: rules, counters and tensors of one optimizer on a device, and the two halves of a step.

use presam::{
    AnyBase, AnyVariant, BaseState, DynBase, DynVariant, LengthRule, Outcome, RuleState, Slope,
};
use presam_bridge::{Descent, Fault, Settings, length, variant};
use presam_cuda::{Address, DeviceError};

use crate::place::{self, Place};
use crate::ready::{Ready, Rules, Wanted};
use crate::refused::Refused;
use crate::row::Row;

/// What an engine is made of, as Python names it.
pub(crate) struct Made<'a> {
    pub variant: (&'a str, &'a [(String, f64)]),
    /// The name of a base optimizer of core, and the keys that groups set.
    pub base: (&'a str, Vec<String>),
    /// lambda and guard
    pub length: (f64, f64),
    /// Name and weight.
    pub descent: (&'a str, f64),
    pub place: &'a str,
}

/// What became of the last step.
pub(crate) struct Found {
    pub outcome: Outcome,
    pub norm: f64,
    pub began: Began,
}

/// Everything of one optimizer but the tensors' own memory.
pub(crate) struct Engine {
    pub place: Box<dyn Place>,
    rules: Rules,
    extra: Vec<String>,
    rows: Vec<Row>,
    groups: Vec<Settings<f32>>,
    /// Made by the first half of the first step, which knows where gradients are.
    ready: Option<Ready>,
    /// Of the first half, where the trainer has them: what a mix looks at once more.
    first: Vec<Address>,
    /// Those of a step that is to be made: the rule's, and each tensor's of the base optimizer.
    counters: (RuleState<f32>, Vec<BaseState>),
    /// The stream of the last call.
    stream: usize,
    perturbed: bool,
    /// Whether the first half of this step was recorded and not done.
    recorded: bool,
    /// Whether what is being recorded keeps LookSAM's part anew.
    splits: bool,
    /// How the last step began, where it came to its end.
    last: Option<Began>,
}

/// How a step began.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Began {
    Ascending,
    /// The base optimizer's alone.
    Alone,
    /// LookSAM's, between its second gradients.
    Reusing,
}

impl Engine {
    pub fn new(made: Made<'_>) -> Result<Self, Fault> {
        let variant: AnyVariant<f32> = variant(made.variant.0, made.variant.1)?;
        let base: AnyBase<f32> = AnyBase::by_name(made.base.0)?;
        let length: LengthRule<f32> = length(made.length.0, made.length.1)?;
        let descent = Descent::by_name(made.descent.0, made.descent.1)?;
        let along_momentum = variant.about().slope == Slope::Momentum;
        Ok(Self {
            place: place::named(made.place)?,
            rules: Rules { variant, base, length, descent, along_momentum },
            extra: made.base.1,
            rows: Vec::new(),
            groups: Vec::new(),
            ready: None,
            first: Vec::new(),
            counters: (RuleState::new(), Vec::new()),
            stream: 0,
            perturbed: false,
            recorded: false,
            splits: false,
            last: None,
        })
    }

    /// Planes of memory, inputs and state.
    pub fn planes(&self) -> [usize; 3] {
        let count = self.rules.variant.planes();
        [count.memory, count.inputs, self.rules.base.state_planes()]
    }

    /// The tensors from now on: length, group and addresses of each. Their counters begin anew.
    pub fn set_tensors(&mut self, list: &[(usize, usize, Vec<usize>)]) -> Result<(), Refused> {
        self.at_rest()?;
        let planes = self.planes();
        let rows = list.iter().map(|(len, group, at)| Row::new(*len, *group, at, planes));
        let rows = rows.collect::<Result<_, _>>()?;
        self.give_back()?;
        (self.rows, self.counters) = (rows, (RuleState::new(), Vec::new()));
        Ok(())
    }

    /// Brings the groups up to date; the device is told with the next half of a step.
    pub fn set_groups(&mut self, values: Vec<Vec<f64>>) -> Result<(), Fault> {
        Settings::renew(&mut self.groups, values, Some(self.rules.base), &self.extra)?;
        if self.groups.iter().any(|group| group.sign < 0.0) {
            return Err(Fault::new(
                "maximize: expected False on a GPU, found True: take the loss with its sign changed".into(),
            ));
        }
        Ok(())
    }

    /// The first half of a step.
    pub fn ascend(&mut self, stream: usize, grads: &[usize], unscale: f64) -> Result<(), Refused> {
        self.begin(stream)?;
        let first = grads.iter().map(|&at| at as Address).collect();
        let grads = self.placed(stream, grads)?;
        self.made_for(&grads)?;
        self.first = first;
        let Self { place, ready: Some(ready), groups, .. } = self else { return Ok(()) };
        let wanted = Wanted { groups, unscale: unscale as f32, max_norm: None };
        let mut recording = false;
        place.on(stream, &mut |device| {
            recording = device.is_recording()?;
            ready.ascend(device, &grads, &wanted)
        })?;
        (self.perturbed, self.recorded, self.last) = (true, recording, None);
        Ok(())
    }

    /// Before the first half of a step.
    fn begin(&mut self, stream: usize) -> Result<(), Refused> {
        if self.recorded && !self.is_recording(stream)? {
            // A capture that was given up: nothing of it was done.
            (self.perturbed, self.recorded) = (false, false);
        }
        Ok(self.at_rest()?)
    }

    /// A whole step of LookSAM without a second gradient.
    pub fn reuse(
        &mut self,
        stream: usize,
        grads: &[usize],
        unscale: f64,
        max_norm: Option<f64>,
    ) -> Result<(), Refused> {
        self.begin(stream)?;
        let grads = self.placed(stream, grads)?;
        self.made_for(&grads)?;
        let Self { place, ready: Some(ready), groups, splits, .. } = self else { return Ok(()) };
        let wanted = Wanted::whole(groups, unscale, max_norm);
        place.on(stream, &mut |device| {
            if device.is_recording()? && !*splits {
                return Err(DeviceError::Contract {
                    kernel: "capture",
                    what: "look-sam".into(),
                    expected: "a first step with a second gradient (each replay would reuse one part for ever)".into(),
                    found: "one without; capture `every` steps, from one with a second gradient on".into(),
                });
            }
            ready.reuse(device, &grads, &wanted)
        })?;
        self.last = Some(Began::Reusing);
        Ok(())
    }

    /// The second half; without a first one the base optimizer's step alone.
    pub fn descend(
        &mut self,
        stream: usize,
        grads: &[usize],
        unscale: f64,
        max_norm: Option<f64>,
    ) -> Result<(), Refused> {
        let grads = self.placed(stream, grads)?;
        self.made_for(&grads)?;
        let perturbed = self.perturbed;
        let Self { place, ready: Some(ready), groups, first, splits, .. } = self else {
            return Ok(());
        };
        let wanted = Wanted::whole(groups, unscale, max_norm);
        let first: Vec<_> = first.iter().map(|&at| place.address(at)).collect();
        let first = perturbed.then_some(&*first);
        place.on(stream, &mut |device| {
            ready.descend(device, first, &grads, &wanted)?;
            *splits = device.is_recording()?;
            Ok(())
        })?;
        let began = if perturbed { Began::Ascending } else { Began::Alone };
        (self.perturbed, self.recorded, self.last) = (false, false, Some(began));
        Ok(())
    }

    /// Tells the device what the groups hold now, for a captured step that is to be replayed.
    pub fn push(
        &mut self,
        stream: usize,
        unscale: f64,
        max_norm: Option<f64>,
    ) -> Result<(), Refused> {
        let Self { place, ready: Some(ready), groups, .. } = self else {
            return Ok(());
        };
        if !ready.switches_as(groups) {
            return Err(Fault::new(
                "push_settings: expected operator, counted and perturbed of each group as in the step that was captured, \
                 found others: capture it again"
                    .into(),
            )
            .into());
        }
        let wanted = Wanted::whole(groups, unscale, max_norm);
        Ok(place.apart(stream, &mut |device| ready.tell(device, &wanted))?)
    }

    /// Every perturbed tensor back from its backup. Returns how many. Of a first half that was recorded, in a capture that
    /// was given up since, nothing was done and nothing is to be brought back.
    pub fn restore(&mut self, stream: usize) -> Result<usize, Refused> {
        if !self.perturbed {
            return Ok(0);
        }
        let recorded = self.recorded;
        let mut count = 0;
        if !recorded || self.is_recording(stream)? {
            self.place.begin(&mut self.rows.iter().flat_map(Row::spans))?;
            let Self { place, ready: Some(ready), .. } = self else { return Ok(0) };
            let restored = place.on(stream, &mut |device| ready.restore(device));
            // A capture that an error has spoilt takes nothing more.
            if !recorded {
                restored?;
            }
            count = self.rows.len();
        }
        (self.perturbed, self.recorded, self.last) = (false, false, None);
        Ok(count)
    }

    fn is_recording(&mut self, stream: usize) -> Result<bool, Refused> {
        let mut recording = false;
        self.place.apart(stream, &mut |device| {
            recording = device.is_recording()?;
            Ok(())
        })?;
        Ok(recording)
    }

    /// Waits for the stream, and tells what the last step did; `None` before the first one.
    pub fn found(&mut self, stream: usize) -> Result<Option<Found>, Refused> {
        let Self { place, ready: Some(ready), last, .. } = self else { return Ok(None) };
        let mut found = None;
        place.apart(stream, &mut |device| {
            found = Some(ready.report(device)?);
            Ok(())
        })?;
        Ok(found.map(|report| {
            // Between the halves, and of a step that was given up, the second gradient is that of the step before.
            let refused = last.is_some() && report.second == Outcome::NonFinite;
            let began = last.unwrap_or(Began::Ascending);
            let ascended = began == Began::Ascending;
            let first = if ascended { report.ascent.outcome } else { Outcome::Finite };
            let outcome = if refused { Outcome::NonFinite } else { first };
            let norm = if ascended { f64::from(report.ascent.norm.value()) } else { f64::NAN };
            Found { outcome, norm, began }
        }))
    }

    /// Waits for the stream, and tells the counters: the rule's, and each tensor's of the base optimizer.
    pub fn counters(&mut self, stream: usize) -> Result<(RuleState<f32>, Vec<BaseState>), Refused> {
        let Self { place, ready: Some(ready), .. } = self else {
            let (rule, mut base) = self.counters.clone();
            base.resize(self.rows.len(), BaseState::new());
            return Ok((rule, base));
        };
        let mut states = None;
        place.apart(stream, &mut |device| {
            states = Some(ready.states(device)?);
            Ok(())
        })?;
        let (rule, base) = states.unwrap_or((RuleState::new(), BaseState::new()));
        Ok((rule, vec![base; self.rows.len()]))
    }

    /// The counters of a step that is to be made.
    pub fn set_counters(&mut self, rule: RuleState<f32>, base: Vec<BaseState>) {
        self.counters = (rule, base);
    }

    /// The one count of steps of a step that is to be made, the largest; refused where tensors have taken other numbers of
    /// steps and the base optimizer looks at them.
    fn count(&self) -> Result<BaseState, Fault> {
        let (_, base) = &self.counters;
        let steps = || base.iter().map(|state| state.steps);
        let (least, most) = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
        let dampened = |settings: &Settings<f32>| {
            let base = settings.base.unwrap_or(self.rules.base);
            base.set("dampening", 0.0).is_ok_and(|plain| plain != base)
        };
        let looks = self.rules.base.about().name == "adamw" || self.groups.iter().any(dampened);
        if looks && least != most {
            return Err(Fault::new(format!(
                "parameters: expected all to have taken as many steps, since AdamW and a dampened momentum on a GPU take one count \
                 for all, found {least} and {most}; an optimizer made anew begins at 0 for all"
            )));
        }
        Ok(base.iter().copied().max_by_key(|state| state.steps).unwrap_or(BaseState::new()))
    }

    /// The device's own addresses of the gradients.
    fn placed(&mut self, stream: usize, grads: &[usize]) -> Result<Vec<Address>, Refused> {
        self.stream = stream;
        if grads.len() != self.rows.len() {
            let (expected, found) = (self.rows.len(), grads.len());
            let line = format!("gradients: expected {expected} addresses, found {found}");
            return Err(Fault::new(line).into());
        }
        let absent = grads.iter().filter(|&&at| at == 0).count();
        if absent > 0 {
            return Err(Fault::new(format!(
                "gradients: expected one of each parameter that has had one, since on a GPU all share one count of steps, \
                 found none of {absent}; zeros in .grad are a gradient"
            ))
            .into());
        }
        let grads = grads.iter().map(|&at| at as Address);
        let firsts = if self.perturbed && self.rules.mixes() { &*self.first } else { &[] };
        let both =
            self.rows.iter().zip(grads.clone()).chain(self.rows.iter().zip(firsts.iter().copied()));
        let both = both.map(|(row, at)| (at, row.bytes()));
        self.place.begin(&mut self.rows.iter().flat_map(Row::spans).chain(both))?;
        Ok(grads.map(|at| self.place.address(at)).collect())
    }

    /// Makes the step, or makes it anew where the layout of a gradient or, in a new step, a switch of a group is another
    /// one; after an error the one before is there.
    fn made_for(&mut self, grads: &[Address]) -> Result<(), Refused> {
        let between = self.perturbed;
        if let Some(ready) = &self.ready
            && ready.fits(grads)
            && (between || ready.switches_as(&self.groups))
        {
            return Ok(());
        }
        let begun =
            (self.counters.0, if self.ready.is_none() { self.count()? } else { BaseState::new() });
        let Self { place, rules, rows, groups, ready, stream, .. } = self;
        let at = |(row, &grads): (&Row, &Address)| row.segment(&**place, grads);
        let segments: Vec<_> = rows.iter().zip(grads).map(at).collect();
        let sharp: Vec<_> = rows.iter().map(|row| row.sharp(&**place)).collect();
        let mut made = None;
        place.beside(*stream, &mut |device| {
            let old = ready.as_ref();
            made = Some(Ready::new(device, rules, &segments, &sharp, groups, begun, old, between)?);
            Ok(())
        })?;
        let old = std::mem::replace(ready, made);
        freed(&mut **place, *stream, old)
    }

    /// `Ok` where no tensor is perturbed.
    fn at_rest(&self) -> Result<(), Fault> {
        if self.perturbed {
            return Err(Fault::new(
                "the parameters are perturbed: the second half of the step, or a restore, comes first".into(),
            ));
        }
        Ok(())
    }

    /// The step's own memory.
    fn give_back(&mut self) -> Result<(), Refused> {
        freed(&mut *self.place, self.stream, self.ready.take())
    }
}

/// Gives a step's own memory back.
fn freed(place: &mut dyn Place, stream: usize, mut step: Option<Ready>) -> Result<(), Refused> {
    if step.is_none() {
        return Ok(());
    }
    Ok(place.beside(stream, &mut |device| step.take().map_or(Ok(()), |step| step.free(device)))?)
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Refused within a capture, say: the memory is then the process's.
        let _ = self.give_back();
    }
}
