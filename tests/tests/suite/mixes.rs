//! Decoupled WSAM and LookSAM in whole steps on a device, by [`DeviceStep`] and [`Mixes`]: the bits of the core's
//! passes, also where a gradient is not finite.

use presam::{
    AnyBase, AnyVariant, Armed, ArmedBase, BaseState, Cpu, DynBase, DynVariant, Group, LookSam,
    Outcome, PartialNorm, Planes, PlanesMut, RuleState, Wsam, clip_factor,
};
use presam_cuda::{
    Device, DeviceError, DeviceSegment, DeviceStep, Emulated, Flat, Form, Mixes, Options, Ptx,
    download, upload,
};

/// Tensors, the second of the group that is neither counted nor perturbed.
const LENGTHS: [usize; 3] = [5, 130, 2100];
const GROUPS: [usize; 3] = [0, 1, 0];
const SCALE: f32 = 8.0;

type Tensors = Vec<Vec<f32>>;

/// What a step meets.
#[derive(Clone, Copy, Debug)]
enum Meets {
    Numbers,
    /// A g that is not finite, in the tensor that no ascent looks at.
    First(f32),
    /// Such a g~.
    Second(f32),
}

/// The steps of a run; the later ones show what the earlier ones have left in state and kept part.
const STEPS: [Meets; 6] = [
    Meets::Numbers,
    Meets::Second(f32::NAN),
    Meets::First(f32::INFINITY),
    Meets::Second(f32::NEG_INFINITY),
    Meets::First(f32::NAN),
    Meets::Numbers,
];

fn numbers(seed: usize) -> Tensors {
    let number = |i: usize| ((i + 29 * seed) * 37 % 101) as f32 / 16.0 - 3.0;
    LENGTHS.map(|len| (len..2 * len).map(number).collect()).into()
}

/// g and g~ of a step.
fn gradients(step: usize, meets: Meets) -> [Tensors; 2] {
    let mut both = [numbers(2 * step + 3), numbers(3 * step + 7)];
    match meets {
        Meets::Numbers => {}
        Meets::First(value) => both[0][1][64] = value,
        Meets::Second(value) => both[1][2][2050] = value,
    }
    both
}

fn groups() -> [Group<f32>; 2] {
    [Group::new(0.1).unwrap(), Group::new(0.1).unwrap().not_perturbed()]
}

/// A base optimizer of each group.
fn bases() -> [AnyBase<f32>; 2] {
    [0.1, 0.3]
        .map(|rate| AnyBase::by_name("sgd-momentum").unwrap().set("learning_rate", rate).unwrap())
}

const RATES: [f32; 2] = [0.1, 0.3];

/// What a step may move.
#[derive(Clone, Debug)]
struct Model {
    params: Tensors,
    momentum: Tensors,
    kept: Tensors,
    base: BaseState,
}

impl Model {
    fn new() -> Self {
        let zeros: Tensors = LENGTHS.map(|len| vec![0.0; len]).into();
        let (momentum, kept) = (zeros.clone(), zeros);
        Self { params: numbers(0), momentum, kept, base: BaseState::new() }
    }

    fn bits(&self) -> (Vec<Vec<u32>>, u32) {
        let all = self.params.iter().chain(&self.momentum).chain(&self.kept);
        (all.map(|plane| plane.iter().map(|x| x.to_bits()).collect()).collect(), self.base.steps)
    }

    /// Whether a step along g may begin: judged by the norm of what counts, and in the rest.
    fn ascends(&self, g: &[Vec<f32>]) -> bool {
        let variant = AnyVariant::by_name("sam").unwrap();
        let armed = Armed { unscale: 1.0 / SCALE, ..Armed::new(Cpu::plain(), RuleState::new()) };
        let (mut sums, mut rest) = (PartialNorm::new(), PartialNorm::new());
        for (k, group) in GROUPS.into_iter().enumerate() {
            if groups()[group].counts_in_norm() {
                let (w, none) = (&self.params[k], Planes::none);
                variant.accumulate_norm(&armed, w, &g[k], none(), none(), &mut sums).unwrap();
            } else {
                Cpu::plain().accumulate_gradient(1.0 / SCALE, &g[k], &mut rest).unwrap();
            }
        }
        let ascent = variant.finish(&sums, &mut RuleState::new()).unwrap();
        ascent.outcome != Outcome::NonFinite && rest.total().unwrap().sum.is_finite()
    }

    /// Judges one gradient and steps along another; the factor of the step that was taken.
    fn descends(&mut self, judged: &[Vec<f32>], along: &[Vec<f32>]) -> Option<f32> {
        let (factor, outcome) = clip_factor(&norm(1.0 / SCALE, judged), f32::INFINITY).unwrap();
        if outcome == Outcome::NonFinite {
            return None;
        }
        let factor = factor / SCALE;
        let at = ArmedBase::new(Cpu::plain(), self.base);
        for (k, group) in GROUPS.into_iter().enumerate() {
            let state = PlanesMut::from([&mut self.momentum[k][..]]);
            let (base, w) = (bases()[group], &mut self.params[k]);
            base.descend(&at, factor, w, &along[k], state).unwrap();
        }
        self.base = bases()[0].advance(&self.base);
        Some(factor)
    }

    fn decoupled(&mut self, wsam: Wsam<f32>, [g, second]: &[Tensors; 2]) -> bool {
        let taken = self.ascends(g).then(|| self.descends(second, g)).flatten();
        for (k, group) in GROUPS.into_iter().enumerate().filter(|_| taken.is_some()) {
            let correction = wsam.correction(RATES[group] * taken.unwrap_or_default());
            Cpu::plain().correct(correction, &mut self.params[k], &g[k], &second[k]).unwrap();
        }
        taken.is_some()
    }

    fn look_sam(&mut self, look: LookSam<f32>, [g, second]: &[Tensors; 2]) -> bool {
        if !self.ascends(g) || self.descends(second, second).is_none() {
            return false;
        }
        let mut sums = PartialNorm::new();
        for (g, second) in g.iter().zip(second) {
            Cpu::plain().accumulate_pair(g, second, &mut sums).unwrap();
        }
        let split = look.split(&sums).unwrap().0;
        self.kept.clone_from(second);
        for (g, kept) in g.iter().zip(&mut self.kept) {
            Cpu::plain().mix_gradients(split, g, kept).unwrap();
        }
        true
    }

    fn reuse(&mut self, look: LookSam<f32>, g: &[Vec<f32>]) -> bool {
        let reuse = look.reuse(&norm(1.0, g), &norm(1.0, &self.kept)).unwrap().0;
        let mut gradient = self.kept.clone();
        for (g, mixed) in g.iter().zip(&mut gradient) {
            Cpu::plain().mix_gradients(reuse, g, mixed).unwrap();
        }
        self.descends(&gradient, &gradient).is_some()
    }
}

fn norm(factor: f32, grads: &[Vec<f32>]) -> PartialNorm<f32> {
    let mut sums = PartialNorm::new();
    for grads in grads {
        Cpu::plain().accumulate_gradient(factor, grads, &mut sums).unwrap();
    }
    sums
}

/// The same on a device.
struct Trainer<D> {
    device: D,
    segments: Vec<DeviceSegment>,
    kept: Vec<u64>,
    step: DeviceStep,
    mixes: Mixes,
}

impl<D: Device> Trainer<D> {
    fn new(mut device: D, form: Form) -> Self {
        let model = Model::new();
        let mut plane = |values: &[f32]| upload(&mut device, values).unwrap();
        let mut segments = Vec::new();
        for (k, group) in GROUPS.into_iter().enumerate() {
            let zeros = &model.kept[k];
            segments.push(DeviceSegment {
                len: LENGTHS[k] as u64,
                group,
                params: plane(&model.params[k]),
                grads: plane(zeros),
                perturbed_grads: plane(zeros),
                out: plane(zeros),
                state: [plane(zeros), 0],
                ..DeviceSegment::default()
            });
        }
        let kept: Vec<u64> = model.kept.iter().map(|zeros| plane(zeros)).collect();
        let flat = |(at, &kept): (&DeviceSegment, &u64)| Flat {
            len: at.len as usize,
            group: at.group,
            params: at.params,
            grads: at.grads,
            perturbed_grads: at.perturbed_grads,
            perturbed: 0,
            kept,
        };
        let pieces: Vec<Flat> = segments.iter().zip(&kept).map(flat).collect();
        let options =
            Options { form, loss_scale: SCALE, descends_along_first: true, ..Options::default() };
        let (sam, [base, _]) = (AnyVariant::by_name("sam").unwrap(), bases());
        let step = DeviceStep::new(&mut device, sam, base, &segments, &groups(), options).unwrap();
        step.set_bases(&mut device, &bases()).unwrap();
        let mixes = Mixes::new(&mut device, &pieces, &step).unwrap();
        Self { device, segments, kept, step, mixes }
    }

    fn write(&mut self, which: fn(&DeviceSegment) -> u64, values: &[Vec<f32>]) {
        for (at, values) in self.segments.iter().zip(values) {
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            self.device.write(which(at), &bytes).unwrap();
        }
    }

    /// Up, g~ there, and back.
    fn around(&mut self, [g, second]: &[Tensors; 2]) -> Result<(), DeviceError> {
        self.write(|at| at.grads, g);
        self.step.ascend(&mut self.device)?;
        self.write(|at| at.perturbed_grads, second);
        self.step.restore(&mut self.device)
    }

    fn decoupled(&mut self, wsam: Wsam<f32>, both: &[Tensors; 2]) -> Result<bool, DeviceError> {
        let places = |of: fn(&DeviceSegment) -> u64| self.segments.iter().map(of).collect();
        let [first, second]: [Vec<u64>; 2] =
            [places(|at| at.grads), places(|at| at.perturbed_grads)];
        self.around(both)?;
        let Self { device, step, mixes, .. } = self;
        step.set_second_gradients(device, &second)?;
        step.judge(device)?;
        step.set_second_gradients(device, &first)?;
        step.take(device)?;
        mixes.wsam_decoupled(device, wsam)?;
        Ok(step.report(device)?.descended)
    }

    fn look_sam(&mut self, look: LookSam<f32>, both: &[Tensors; 2]) -> Result<bool, DeviceError> {
        self.around(both)?;
        self.step.descend(&mut self.device)?;
        self.mixes.look_sam_split(&mut self.device, look)?;
        Ok(self.step.report(&mut self.device)?.descended)
    }

    fn reuse(&mut self, look: LookSam<f32>, g: &[Vec<f32>]) -> Result<bool, DeviceError> {
        self.write(|at| at.grads, g);
        let Self { device, step, mixes, .. } = self;
        step.skip_ascent(device)?;
        mixes.look_sam_reuse(device, look)?;
        step.descend(device)?;
        Ok(step.report(device)?.descended)
    }

    fn model(&mut self) -> Model {
        let Self { device, segments, kept, step, .. } = self;
        let mut planes = |list: Vec<u64>| -> Tensors {
            let pairs = list.into_iter().zip(LENGTHS);
            pairs.map(|(at, len)| download(device, at, len).unwrap()).collect()
        };
        let params = planes(segments.iter().map(|at| at.params).collect());
        let momentum = planes(segments.iter().map(|at| at.state[0]).collect());
        let kept = planes(kept.clone());
        Model { params, momentum, kept, base: step.states(device).unwrap().1 }
    }
}

/// Takes the steps on both sides; a step that was not taken has moved and kept nothing.
fn agree<D: Device>(
    mut trainer: Trainer<D>,
    steps: impl Iterator<Item = Meets>,
    finite: impl Fn(usize, &[Tensors; 2]) -> bool,
    mut on_core: impl FnMut(&mut Model, usize, &[Tensors; 2]) -> bool,
    mut on_device: impl FnMut(&mut Trainer<D>, usize, &[Tensors; 2]) -> Result<bool, DeviceError>,
) {
    let mut model = Model::new();
    for (number, meets) in steps.enumerate() {
        let (both, before) = (gradients(number, meets), model.bits());
        let taken = on_core(&mut model, number, &both);
        assert_eq!(on_device(&mut trainer, number, &both).unwrap(), taken, "{number}: {meets:?}");
        assert_eq!(trainer.model().bits(), model.bits(), "step {number}: {meets:?}");
        assert_eq!(model.bits() == before, !taken, "step {number}: {meets:?}");
        assert_eq!(taken, finite(number, &both), "step {number}: {meets:?}");
    }
}

fn decoupled_wsam(device: impl Device, form: Form) {
    let wsam = Wsam::new(0.75).unwrap();
    agree(
        Trainer::new(device, form),
        STEPS.into_iter(),
        |_, both| both.iter().all(is_finite),
        |model, _, both| model.decoupled(wsam, both),
        |trainer, _, both| trainer.decoupled(wsam, both),
    );
}

fn is_finite(grads: &Tensors) -> bool {
    grads.iter().flatten().all(|x| x.is_finite())
}

/// Two gradients in every second step; in the others the one is all that is looked at.
fn look_sam(device: impl Device, form: Form) {
    let look = LookSam::new(0.7).unwrap();
    agree(
        Trainer::new(device, form),
        STEPS.into_iter().flat_map(|meets| [meets, Meets::Numbers, meets]),
        |number, both| is_finite(&both[0]) && (number % 3 > 0 || is_finite(&both[1])),
        |model, number, both| match number % 3 {
            0 => model.look_sam(look, both),
            _ => model.reuse(look, &both[0]),
        },
        |trainer, number, both| match number % 3 {
            0 => trainer.look_sam(look, both),
            _ => trainer.reuse(look, &both[0]),
        },
    );
}

#[test]
fn decoupled_wsam_gives_the_bits_of_core() {
    decoupled_wsam(Emulated::new(3), Form::InPlace);
    decoupled_wsam(Emulated::new(1), Form::OutOfPlace);
    decoupled_wsam(Ptx::new(5), Form::InPlace);
}

#[test]
fn look_sam_gives_the_bits_of_core() {
    look_sam(Emulated::new(3), Form::InPlace);
    look_sam(Emulated::new(1), Form::OutOfPlace);
    look_sam(Ptx::new(5), Form::InPlace);
}
