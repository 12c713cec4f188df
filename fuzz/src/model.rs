//! A trainer's tensors that a target can spoil, and the step that they should take.

use crate::draw::{Draw, Kind};
use crate::same;
use presam::{
    Ascent, BaseOptimizer, Cpu, Error, Group, Mark, Outcome, PartialNorm, Planes, PlanesMut, Scale,
    ScaledNorm, SecondGradient, SegmentMut, Segments, Session, StepReport, Unscaled, Variant,
    clip_factor, finish,
};

/// One tensor.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of SegmentMut")]
pub struct Tensor<const M: usize, const I: usize, const S: usize> {
    pub group: usize,
    pub params: Vec<f32>,
    pub grads: Vec<f32>,
    pub spare: Vec<f32>,
    pub memory: [Vec<f32>; M],
    pub inputs: [Vec<f32>; I],
    pub state: [Vec<f32>; S],
    pub mark: Mark,
}

/// Tensors, and a visit that fails before one of them.
#[derive(Clone, Debug)]
pub struct Model<const M: usize, const I: usize, const S: usize> {
    /// In the order of the norm.
    pub tensors: Vec<Tensor<M, I, S>>,
    /// The visits to tensors that still succeed before one fails, once.
    pub fails_after: Option<usize>,
}

/// What a visit fails with.
pub const BROKEN: Error = Error::Capacity { expected: 1, found: 2 };

impl<const M: usize, const I: usize, const S: usize> Segments<f32> for Model<M, I, S> {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, f32>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for t in &mut self.tensors {
            match self.fails_after {
                Some(0) => {
                    self.fails_after = None;
                    return Err(BROKEN);
                }
                left => self.fails_after = left.map(|left| left - 1),
            }
            visitor(SegmentMut {
                group: t.group,
                params: &mut t.params,
                grads: &t.grads,
                perturbed_grads: &t.grads,
                spare: &mut t.spare,
                memory: PlanesMut::of(&mut t.memory),
                inputs: Planes::of(&t.inputs),
                state: PlanesMut::of(&mut t.state),
                mark: &mut t.mark,
            })?;
        }
        Ok(())
    }
}

impl<const M: usize, const I: usize, const S: usize> Model<M, I, S> {
    /// One to four tensors of the two groups; state and memory are zero, as before a first step.
    pub fn new(draw: &mut Draw<'_>) -> Self {
        let tensor = |draw: &mut Draw<'_>| {
            let n = draw.length();
            let zeros = || vec![0.0; n];
            Tensor {
                group: draw.below(2),
                params: draw.plane(n, Kind::Tame),
                grads: zeros(),
                spare: zeros(),
                memory: std::array::from_fn(|_| zeros()),
                inputs: std::array::from_fn(|_| draw.plane(n, Kind::Tame)),
                state: std::array::from_fn(|_| zeros()),
                mark: Mark::default(),
            }
        };
        let tensors = (0..=draw.below(4)).map(|_| tensor(draw)).collect();
        Self { tensors, fails_after: None }
    }

    /// A gradient for each tensor.
    pub fn gradient(&self, draw: &mut Draw<'_>) -> Vec<Vec<f32>> {
        let kind = if draw.rarely(4) { Kind::Any } else { Kind::Tame };
        self.tensors.iter().map(|t| draw.plane(t.params.len(), kind)).collect()
    }

    /// Writes a gradient.
    pub fn set_gradient(&mut self, gradient: &[Vec<f32>]) {
        self.tensors.iter_mut().zip(gradient).for_each(|(t, g)| t.grads.clone_from(g));
    }

    /// Whether all parameters are those of `other`.
    pub fn same_params(&self, other: &Self) -> bool {
        self.tensors.iter().zip(&other.tensors).all(|(a, b)| same(&a.params, &b.params))
    }

    /// Whether parameters, memory and state are those of `other`.
    pub fn same_planes(&self, other: &Self) -> bool {
        let planes = |t: &Tensor<M, I, S>| -> Vec<Vec<f32>> {
            t.memory.iter().chain(&t.state).cloned().collect()
        };
        let pairs = self.tensors.iter().zip(&other.tensors);
        self.same_params(other)
            && pairs
                .flat_map(|(a, b)| planes(a).into_iter().zip(planes(b)))
                .all(|(a, b)| same(&a, &b))
    }
}

/// What an ascent should leave: the perturbed model, and the session's counters in `session`.
///
/// # Errors
/// The core's; a model and settings that the session took have none.
pub fn ascended<V, B, const M: usize, const I: usize, const S: usize>(
    session: &mut Session<f32, V, B>,
    groups: &[Group<f32>],
    model: &mut Model<M, I, S>,
    along_momentum: bool,
) -> Result<Ascent<f32>, Error>
where
    V: Variant<f32, M, I>,
{
    let (cpu, before) = (Cpu::plain(), session.rule_state);
    let unscale = if along_momentum { 1.0 } else { 1.0 / session.loss_scale };
    let variant = session.variant;
    let armed = |group: &Group<f32>| {
        Unscaled::new(variant.with_operator(group.operator()).arm(&before), unscale)
    };
    let slope = |t: &Tensor<M, I, S>| match t.state.first() {
        Some(momentum) if along_momentum => momentum.clone(),
        _ => t.grads.clone(),
    };
    let (mut counted, mut hidden) = (PartialNorm::new(), PartialNorm::new());
    for t in &model.tensors {
        let (group, grads) = (&groups[t.group], slope(t));
        if group.counts_in_norm() {
            let (memory, inputs) = (t.memory.each_ref(), t.inputs.each_ref());
            let (memory, inputs) = (memory.map(Vec::as_slice), inputs.map(Vec::as_slice));
            cpu.accumulate_norm(armed(group), &t.params, &grads, memory, inputs, &mut counted)?;
        } else if group.is_perturbed() {
            cpu.accumulate_gradient(unscale, &grads, &mut hidden)?;
        }
    }
    if !hidden.total()?.sum.is_finite() {
        let norm = ScaledNorm::of(counted.total()?);
        return Ok(Ascent { outcome: Outcome::NonFinite, norm });
    }
    let mut ascent = finish(variant, &counted, &mut session.rule_state)?;
    if along_momentum && session.base_state.steps == 0 && ascent.outcome == Outcome::Finite {
        ascent.outcome = Outcome::ZeroNorm;
    }
    for t in &mut model.tensors {
        let (group, grads, params) = (&groups[t.group], slope(t), t.params.clone());
        let mut scale = ascent.scale(group.rho(), session.length)?;
        if !group.is_perturbed() {
            scale =
                Scale { scale: 0.0, remember: scale.remember && group.counts_in_norm(), ..scale };
        }
        let memory = t.memory.each_mut().map(Vec::as_mut_slice);
        let inputs = t.inputs.each_ref().map(Vec::as_slice);
        cpu.ascend(armed(group), scale, &params, &grads, memory, inputs, &mut t.params)?;
    }
    Ok(ascent)
}

/// What the descent should leave, `model` being restored and holding the second gradient.
///
/// # Errors
/// As [`ascended`].
pub fn descended<V, B, const M: usize, const I: usize, const S: usize>(
    session: &mut Session<f32, V, B>,
    groups: &[Group<f32>],
    model: &mut Model<M, I, S>,
    ascent: Ascent<f32>,
) -> Result<StepReport<f32>, Error>
where
    B: BaseOptimizer<f32, S>,
{
    let skipped = StepReport { ascent, second: Outcome::Finite, descended: false };
    if ascent.outcome == Outcome::NonFinite {
        return Ok(skipped);
    }
    let (cpu, unscale) = (Cpu::plain(), 1.0 / session.loss_scale);
    let mut norm = PartialNorm::new();
    for t in &model.tensors {
        cpu.accumulate_gradient(unscale, &t.grads, &mut norm)?;
    }
    let (factor, second) = match session.second {
        SecondGradient::Unchecked => (1.0, Outcome::Finite),
        SecondGradient::Checked => clip_factor(&norm, f32::INFINITY)?,
        SecondGradient::Clipped(most) => clip_factor(&norm, most)?,
    };
    if second == Outcome::NonFinite {
        return Ok(StepReport { second, ..skipped });
    }
    let before = session.base_state;
    for t in &mut model.tensors {
        let base = match groups[t.group].weight_decay() {
            Some(weight_decay) => session.base.with_weight_decay(weight_decay)?,
            None => session.base,
        };
        let state = t.state.each_mut().map(Vec::as_mut_slice);
        cpu.descend(base.arm(&before), unscale * factor, &mut t.params, &t.grads, state)?;
    }
    session.base_state = session.base.advance(&before);
    Ok(StepReport { ascent, second, descended: true })
}
