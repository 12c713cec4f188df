//! [`Ready`]: a step that is made, and what its device was last told.

use presam::{
    AnyBase, AnyVariant, BaseState, Group, LengthRule, RuleState, SecondGradient, StepReport,
};
use presam_bridge::{Descent, Settings};
use presam_cuda::{
    Address, Device, DeviceError, DeviceSegment, DeviceStep, Flat, Form, Mixes, Options,
};

/// What a step is made with.
pub(crate) struct Rules {
    pub variant: AnyVariant<f32>,
    pub base: AnyBase<f32>,
    pub length: LengthRule<f32>,
    pub descent: Descent<f32>,
    pub along_momentum: bool,
}

impl Rules {
    /// Whether a descent looks at both gradients.
    pub const fn mixes(&self) -> bool {
        !matches!(self.descent, Descent::Plain)
    }
}

/// What is to hold for the half of a step that comes.
pub(crate) struct Wanted<'a> {
    pub groups: &'a [Settings<f32>],
    pub unscale: f32,
    /// `None` where only the second half needs it.
    pub max_norm: Option<f32>,
}

impl<'a> Wanted<'a> {
    /// Of a half that clips.
    pub fn whole(groups: &'a [Settings<f32>], unscale: f64, max_norm: Option<f64>) -> Self {
        let max_norm = Some(max_norm.map_or(f32::INFINITY, |norm| norm as f32));
        Self { groups, unscale: unscale as f32, max_norm }
    }
}

/// A step, and what was last written to the device.
pub(crate) struct Ready {
    step: DeviceStep,
    /// Where both gradients are looked at.
    mixes: Option<Mixes>,
    /// Where LookSAM writes the gradient of a step without a second one.
    scratch: Vec<Address>,
    descent: Descent<f32>,
    along_momentum: bool,
    /// What no step can change of them: who counts, who moves, whose operator is 1.
    own: Vec<Group<f32>>,
    /// Tensors whose planes are read 16 bytes at a time: their gradients must lie so too.
    wide: Vec<bool>,
    rhos: Vec<f32>,
    bases: Vec<AnyBase<f32>>,
    unscale: f32,
    max_norm: f32,
}

fn switches(group: &Group<f32>) -> [bool; 3] {
    [group.counts_in_norm(), group.is_perturbed(), group.operator()]
}

fn bases(groups: &[Settings<f32>]) -> Vec<AnyBase<f32>> {
    groups.iter().filter_map(|settings| settings.base).collect()
}

fn rhos(groups: &[Settings<f32>]) -> Vec<f32> {
    groups.iter().map(|settings| settings.group.rho()).collect()
}

/// Whether the kernels read a tensor 16 bytes at a time; those of a mix see parameters and gradients alone.
fn is_wide(segment: &DeviceSegment, mixes: bool) -> bool {
    let DeviceSegment { params, grads, out, memory, inputs, state, .. } = *segment;
    let seen = [params, out, grads];
    if mixes {
        return seen.iter().all(|plane| plane % 16 == 0);
    }
    seen.into_iter().chain(memory).chain(inputs).chain(state).all(|plane| plane % 16 == 0)
}

impl Ready {
    /// A step over these segments, from these counters on, or from where the `old` one is; with the `old` one's switches
    /// where that is `between` its halves.
    pub fn new(
        device: &mut dyn Device,
        rules: &Rules,
        segments: &[DeviceSegment],
        sharp: &[[Address; 2]],
        groups: &[Settings<f32>],
        counters: (RuleState<f32>, BaseState),
        old: Option<&Self>,
        between: bool,
    ) -> Result<Self, DeviceError> {
        let along_momentum = rules.along_momentum;
        let wide = segments.iter().map(|segment| is_wide(segment, rules.mixes())).collect();
        let options = Options {
            form: Form::InPlace,
            length: rules.length,
            second: SecondGradient::Checked,
            loss_scale: 1.0,
            along_momentum,
            descends_along_first: rules.descent.takes_first(),
            checks_order: true,
        };
        let own: Vec<Group<f32>> = match old {
            Some(old) if between => old.own.clone(),
            _ => groups.iter().map(|settings| settings.group).collect(),
        };
        let base = groups.first().and_then(|settings| settings.base).unwrap_or(rules.base);
        let made = |device: &mut dyn Device, segments: &[DeviceSegment]| {
            DeviceStep::new(device, rules.variant, base, segments, &own, options)
        };
        let step = if along_momentum {
            // The slope is the momentum, and where the one gradient is will be told before it is read.
            let longest = segments.iter().map(|segment| segment.len).max().unwrap_or(0);
            let spare = device.allocate(4 * longest as usize + 16)?;
            let along = |segment: &DeviceSegment| DeviceSegment {
                grads: segment.state[0],
                // As far past 16 bytes as the gradient, if that is it.
                perturbed_grads: spare + segment.grads % 16,
                ..*segment
            };
            let segments: Vec<_> = segments.iter().map(along).collect();
            let (step, freed) = (made(device, &segments), device.free(spare));
            let step = step?;
            if let Err(error) = freed {
                step.free(device)?;
                return Err(error);
            }
            step
        } else {
            made(device, segments)?
        };
        let bases = bases(groups);
        let begun = match old {
            Some(old) => step.go_on_from(device, &old.step),
            None => step.set_states(device, counters.0, counters.1),
        };
        let begun = begun.and_then(|()| step.set_bases(device, &bases));
        let mixes = begun.and_then(|()| match rules.mixes() {
            true => mixes_over(device, segments, sharp, &step).map(Some),
            false => Ok(None),
        });
        let mixes = match mixes {
            Ok(mixes) => mixes,
            Err(error) => {
                step.free(device)?;
                return Err(error);
            }
        };
        let (unscale, max_norm) =
            old.map_or((1.0, f32::INFINITY), |old| (old.unscale, old.max_norm));
        let rhos = own.iter().map(|group| group.rho()).collect();
        let (descent, scratch) =
            (rules.descent, sharp.iter().map(|[scratch, _]| *scratch).collect());
        Ok(Self {
            step,
            mixes,
            scratch,
            descent,
            along_momentum,
            own,
            wide,
            rhos,
            bases,
            unscale,
            max_norm,
        })
    }

    /// Whether gradients at these places can go with it.
    pub fn fits(&self, grads: &[Address]) -> bool {
        self.wide.iter().zip(grads).all(|(&wide, &grads)| !wide || grads % 16 == 0)
    }

    /// Whether it has these groups' switches.
    pub fn switches_as(&self, groups: &[Settings<f32>]) -> bool {
        let as_given = groups.iter().map(|settings| switches(&settings.group));
        self.own.iter().map(switches).eq(as_given)
    }

    /// Writes what is no longer as it was written.
    pub fn tell(
        &mut self,
        device: &mut dyn Device,
        wanted: &Wanted<'_>,
    ) -> Result<(), DeviceError> {
        let (rhos, bases) = (rhos(wanted.groups), bases(wanted.groups));
        let max_norm = wanted.max_norm.unwrap_or(self.max_norm);
        let same = (&rhos, &bases) == (&self.rhos, &self.bases)
            && (wanted.unscale, max_norm) == (self.unscale, self.max_norm);
        if same {
            return Ok(());
        }
        if device.is_recording()? {
            return Err(DeviceError::Contract {
                kernel: "capture",
                what: "what groups hold, loss_scale and max_norm".into(),
                expected: "them as in the step before (a captured change would be made again by every replay)".into(),
                found: "a change; push_settings() before the capture, or between replays, tells it".into(),
            });
        }
        for (group, &rho) in
            rhos.iter().enumerate().filter(|&(k, rho)| self.rhos.get(k) != Some(rho))
        {
            self.step.set_rho(device, group, rho)?;
        }
        self.rhos = rhos;
        if bases != self.bases {
            self.step.set_bases(device, &bases)?;
            self.bases = bases;
        }
        if wanted.unscale != self.unscale {
            self.step.set_unscale(device, wanted.unscale)?;
            self.unscale = wanted.unscale;
        }
        if max_norm != self.max_norm {
            self.step.set_max_norm(device, max_norm)?;
            self.max_norm = max_norm;
        }
        Ok(())
    }

    /// The first half.
    pub fn ascend(
        &mut self,
        device: &mut dyn Device,
        grads: &[Address],
        wanted: &Wanted<'_>,
    ) -> Result<(), DeviceError> {
        self.tell(device, wanted)?;
        if !self.along_momentum {
            self.step.set_gradients(device, grads)?;
        }
        self.step.ascend(device)
    }

    /// The second half, at the perturbed parameters, or without a first one, whose gradients are `None` then.
    pub fn descend(
        &mut self,
        device: &mut dyn Device,
        first: Option<&[Address]>,
        grads: &[Address],
        wanted: &Wanted<'_>,
    ) -> Result<(), DeviceError> {
        self.tell(device, wanted)?;
        self.step.set_second_gradients(device, grads)?;
        let Some(first) = first else {
            self.step.skip_ascent(device)?;
            return self.step.descend(device);
        };
        if let Some(mixes) = &mut self.mixes {
            mixes.set_gradients(device, first, grads)?;
            match self.descent {
                Descent::Gsam(gsam) => mixes.gsam(device, gsam)?,
                Descent::Wsam(wsam) => mixes.wsam(device, wsam)?,
                Descent::Saner(saner) => mixes.saner(device, saner)?,
                Descent::Plain | Descent::Decoupled(_) | Descent::LookSam(_) => {}
            }
        }
        self.step.restore(device)?;
        match (self.descent, &self.mixes) {
            (Descent::Decoupled(wsam), Some(mixes)) => {
                self.step.judge(device)?;
                if let Err(refused) = self.step.set_second_gradients(device, first) {
                    self.step.uncount(device)?;
                    return Err(refused);
                }
                self.step.take(device)?;
                mixes.wsam_decoupled(device, wsam)
            }
            (Descent::LookSam(look), Some(mixes)) => {
                self.step.descend(device)?;
                mixes.look_sam_split(device, look)
            }
            _ => self.step.descend(device),
        }
    }

    /// A whole step of LookSAM without a second gradient.
    pub fn reuse(
        &mut self,
        device: &mut dyn Device,
        grads: &[Address],
        wanted: &Wanted<'_>,
    ) -> Result<(), DeviceError> {
        self.tell(device, wanted)?;
        let (Descent::LookSam(look), Some(mixes)) = (self.descent, &mut self.mixes) else {
            return Ok(());
        };
        mixes.set_gradients(device, grads, &self.scratch)?;
        self.step.skip_ascent(device)?;
        mixes.look_sam_reuse(device, look)?;
        self.step.set_second_gradients(device, &self.scratch)?;
        self.step.descend(device)
    }

    pub fn restore(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.step.restore(device)
    }

    pub fn report(&self, device: &mut dyn Device) -> Result<StepReport<f32>, DeviceError> {
        self.step.report(device)
    }

    pub fn states(
        &self,
        device: &mut dyn Device,
    ) -> Result<(RuleState<f32>, BaseState), DeviceError> {
        self.step.states(device)
    }

    /// Gives its own memory back, but for what a graph may still use.
    pub fn free(self, device: &mut dyn Device) -> Result<(), DeviceError> {
        if self.step.was_recorded() {
            return Ok(());
        }
        let mixes = self.mixes.map_or(Ok(()), |mixes| mixes.free(device));
        self.step.free(device).and(mixes)
    }
}

/// A mix over the tensors; of the second gradients nothing is known yet but that they lie elsewhere than the first.
fn mixes_over(
    device: &mut dyn Device,
    segments: &[DeviceSegment],
    sharp: &[[Address; 2]],
    step: &DeviceStep,
) -> Result<Mixes, DeviceError> {
    let piece = |(segment, &[_, kept]): (&DeviceSegment, &[Address; 2])| Flat {
        len: segment.len as usize,
        group: segment.group,
        params: segment.params,
        grads: segment.grads,
        // Until they are told: memory that no half of a step reads as a gradient.
        perturbed_grads: segment.out,
        perturbed: 0,
        kept,
    };
    let pieces: Vec<_> = segments.iter().zip(sharp).map(piece).collect();
    Mixes::new(device, &pieces, step)
}
