//! [`Model`]: the planes of a run on the CPU, and what is done to its gradients between ascent and descent.

use std::collections::BTreeMap;
use std::ops::Range;

use presam::{
    Cpu, DynBase, DynVariant, Error, LookSam, Mark, PartialNorm, Planes, PlanesMut, ScaledNorm,
    SegmentMut, Segments,
};
use presam_model::Segment;

use super::state::{KEPT, PARAMS, base, memory};
use crate::config::Descent;

/// The planes of the whole model, as the network takes them, and those that are a tensor's own.
pub(super) struct Model {
    pub params: Vec<f32>,
    pub grads: Vec<f32>,
    pub perturbed: Vec<f32>,
    pub perturbed_grads: Vec<f32>,
    /// LookSAM's g_v; empty for the others.
    kept: Vec<f32>,
    tensors: Vec<Tensor>,
}

struct Tensor {
    range: Range<usize>,
    group: usize,
    memory: Vec<Vec<f32>>,
    state: Vec<Vec<f32>>,
    mark: Mark,
}

impl Tensor {
    /// Its planes that last from step to step, with the names of the model's.
    fn lasting(&mut self) -> impl Iterator<Item = (String, &mut Vec<f32>)> {
        let memories = self.memory.iter_mut().enumerate().map(|(k, plane)| (memory(k), plane));
        memories.chain(self.state.iter_mut().enumerate().map(|(k, plane)| (base(k), plane)))
    }
}

impl Model {
    /// At `params`, everything else zero; `keeps` says whether LookSAM's plane is there.
    pub fn new(
        segments: &[Segment],
        variant: &dyn DynVariant<f32>,
        base: &dyn DynBase<f32>,
        params: Vec<f32>,
        keeps: bool,
    ) -> Self {
        let plane = || vec![0.0; params.len()];
        let tensor = |segment: &Segment| Tensor {
            range: segment.range(),
            group: usize::from(segment.is_bias),
            memory: vec![vec![0.0; segment.len]; variant.planes().memory],
            state: vec![vec![0.0; segment.len]; base.state_planes()],
            mark: Mark::default(),
        };
        Self {
            grads: plane(),
            perturbed: plane(),
            perturbed_grads: plane(),
            kept: if keeps { plane() } else { Vec::new() },
            tensors: segments.iter().map(tensor).collect(),
            params,
        }
    }

    /// The planes that last from step to step, by name, flat.
    pub fn planes(&mut self) -> BTreeMap<String, Vec<f32>> {
        let len = self.params.len();
        let mut planes = BTreeMap::from([(PARAMS.to_owned(), self.params.clone())]);
        if !self.kept.is_empty() {
            planes.insert(KEPT.to_owned(), self.kept.clone());
        }
        for tensor in &mut self.tensors {
            let range = tensor.range.clone();
            for (name, plane) in tensor.lasting() {
                let flat = planes.entry(name).or_insert_with(|| vec![0.0; len]);
                flat[range.clone()].copy_from_slice(plane);
            }
        }
        planes
    }

    /// Writes such planes; those that are missing stay.
    pub fn set_planes(&mut self, planes: &BTreeMap<String, Vec<f32>>) {
        let own = [(PARAMS, &mut self.params), (KEPT, &mut self.kept)];
        for (name, plane) in own {
            if let Some(flat) = planes.get(name) {
                plane.clone_from(flat);
            }
        }
        for tensor in &mut self.tensors {
            let range = tensor.range.clone();
            for (name, plane) in tensor.lasting() {
                if let Some(flat) = planes.get(&name) {
                    plane.copy_from_slice(&flat[range.clone()]);
                }
            }
        }
    }

    /// What a rule remembers: LookSAM's g_v and the memory of every tensor.
    fn remembered(&mut self) -> impl Iterator<Item = &mut Vec<f32>> {
        let memories = self.tensors.iter_mut().flat_map(|tensor| tensor.memory.iter_mut());
        std::iter::once(&mut self.kept).chain(memories)
    }

    /// As many planes, before the first step.
    pub fn nothing_remembered(&mut self) -> Vec<Vec<f32>> {
        self.remembered().map(|plane| vec![0.0; plane.len()]).collect()
    }

    /// Exchanges what is remembered with such planes.
    pub fn exchange(&mut self, planes: &mut [Vec<f32>]) {
        for (own, other) in self.remembered().zip(planes) {
            std::mem::swap(own, other);
        }
    }

    /// || perturbed - params ||, by the norm contract over the flat model, so that a device measures the
    /// same bits.
    pub fn distance(&self, cpu: Cpu) -> Result<f64, Error> {
        let mut sums = PartialNorm::new();
        cpu.accumulate_difference(&self.perturbed, &self.params, &mut sums)?;
        Ok(ScaledNorm::of(sums.total()?).value().into())
    }

    /// What GSAM, WSAM and SANER do to the second gradient.
    pub fn mix(&mut self, cpu: Cpu, descent: Descent) -> Result<(), Error> {
        let Self { grads, perturbed_grads, .. } = self;
        let mut sums = PartialNorm::new();
        match descent {
            Descent::Plain => {}
            Descent::Gsam(gsam) => {
                cpu.accumulate_pair(perturbed_grads, grads, &mut sums)?;
                let (mix, _) = gsam.arm(&sums)?;
                cpu.mix_gradients(mix, grads, perturbed_grads)?;
            }
            Descent::Wsam(wsam) => cpu.mix_gradients(wsam, grads, perturbed_grads)?,
            Descent::Saner { mix, .. } => cpu.mix_gradients(mix, grads, perturbed_grads)?,
            // After the descent.
            Descent::LookSam { .. } => {}
        }
        Ok(())
    }

    /// What LookSAM keeps of a step that was taken.
    pub fn keep_sharp(&mut self, cpu: Cpu, descent: Descent) -> Result<(), Error> {
        let Descent::LookSam { look, .. } = descent else { return Ok(()) };
        let Self { grads, perturbed_grads, kept, .. } = self;
        let mut sums = PartialNorm::new();
        cpu.accumulate_pair(grads, perturbed_grads, &mut sums)?;
        kept.copy_from_slice(perturbed_grads);
        let (split, _) = look.split(&sums)?;
        cpu.mix_gradients(split, grads, kept)
    }

    /// LookSAM's gradient of a step without a second one, in place of the second.
    pub fn reuse(&mut self, cpu: Cpu, look: LookSam<f32>) -> Result<(), Error> {
        let Self { grads, perturbed_grads, kept, .. } = self;
        let (mut norm, mut kept_norm) = (PartialNorm::new(), PartialNorm::new());
        cpu.accumulate_gradient(1.0, grads, &mut norm)?;
        cpu.accumulate_gradient(1.0, kept, &mut kept_norm)?;
        let (mix, _) = look.reuse(&norm, &kept_norm)?;
        perturbed_grads.copy_from_slice(kept);
        cpu.mix_gradients(mix, grads, perturbed_grads)
    }
}

impl Segments<f32> for Model {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, f32>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { params, grads, perturbed, perturbed_grads, tensors, .. } = self;
        tensors.iter_mut().try_for_each(|Tensor { range, group, memory, state, mark }| {
            visitor(SegmentMut {
                group: *group,
                params: &mut params[range.clone()],
                grads: &grads[range.clone()],
                perturbed_grads: &perturbed_grads[range.clone()],
                spare: &mut perturbed[range.clone()],
                memory: PlanesMut::of(memory),
                inputs: Planes::none(),
                state: PlanesMut::of(state),
                mark,
            })
        })
    }
}
