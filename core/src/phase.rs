//! The phases of a step over slices, one segment at a time. The only public loops over parameters.

use crate::base::DescentRule;
use crate::cpu::{Cpu, SMALL};
use crate::element::AscentRule;
use crate::error::{Error, check_length};
use crate::length::Scale;
use crate::norm::{CHUNK, PartialNorm};
use crate::pass::{Ascend, Copied, Descend, NormTerm, Remember};
use crate::real::{Real, written};
use crate::slices::{Reads, Writes, copy_chunk, cut_mut};

/// Checks `planes` by name against `len`.
#[inline]
fn check_planes<'a, R: 'a>(
    slice: &'static str,
    len: usize,
    planes: impl IntoIterator<Item = &'a [R]>,
) -> Result<(), Error> {
    for plane in planes {
        check_length(slice, len, plane.len())?;
    }
    Ok(())
}

written! {
    Restore(cpu: Cpu, params: &'a mut [R], backup: &'a [R]) -> () {
        cpu.copy(params, backup);
    }
}

impl Cpu {
    /// Phase 1, once per counted segment, read-only: adds the segment's sum of squares of
    /// [`norm_term`](AscentRule::norm_term) (and its statistic) to `norm`.
    ///
    /// | slice | length | access |
    /// | --- | --- | --- |
    /// | `params` w, `grads` g | n | read |
    /// | `memory` (M planes), `inputs` (I planes) | n | read |
    ///
    /// Units: those of the rule; for SAM the gradient's. An empty segment adds no chunk. Infinite
    /// and NaN terms end as [`Outcome::NonFinite`](crate::Outcome) in [`finish`](crate::finish).
    /// Cost: one pass over the planes the rule reads (SAM: 4 bytes a parameter in `f32`), no extra floats.
    ///
    /// ```
    /// use presam::{Cpu, PartialNorm, RuleState, Sam, Variant};
    ///
    /// let (w, g) = ([1.0f32, 2.0], [3.0, 4.0]);
    /// let mut norm = PartialNorm::new();
    /// Cpu::plain().accumulate_norm(Sam::new().arm(&RuleState::new()), &w, &g, [], [], &mut norm)?;
    /// assert_eq!(norm.total()?.sum, 25.0);
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] where a slice is not as long as `params`; `norm` is unchanged.
    /// [`Error::TooManyChunks`] past the capacity of a partial norm.
    pub fn accumulate_norm<R: Real, Rule, const M: usize, const I: usize>(
        self,
        rule: Rule,
        params: &[R],
        grads: &[R],
        memory: [&[R]; M],
        inputs: [&[R]; I],
        norm: &mut PartialNorm<R>,
    ) -> Result<(), Error>
    where
        Rule: AscentRule<R, M, I>,
    {
        let len = params.len();
        check_length("grads", len, grads.len())?;
        check_planes("memory", len, memory)?;
        check_planes("inputs", len, inputs)?;
        self.reduce(NormTerm(rule), Reads { reads: [params, grads], memory, inputs }, norm)
    }

    /// Phase 2, once per perturbed segment: writes `perturbed` and the new memory; `params` stay.
    ///
    /// ```text
    /// perturbed = params + (direction * prescale) * scale
    /// ```
    ///
    /// | slice | length | access |
    /// | --- | --- | --- |
    /// | `params` w, `grads` g, `inputs` | n | read |
    /// | `memory` | n | read and written |
    /// | `perturbed` | n | written |
    ///
    /// A zero scale copies, bit for bit. Where the direction leaves the range of the type (each rule
    /// states its own) the perturbed point is infinite there, and the second gradient shows it:
    /// [`accumulate_gradient`](Cpu::accumulate_gradient) finds it, `Session` looks by itself. Memory below the smallest normal number is stored as +0.0.
    /// Cost: one pass (SAM: 12 bytes a parameter in `f32`), one extra float per parameter: `perturbed`.
    /// Then take the second gradient at `perturbed`, and [`descend`](Cpu::descend) on `params`.
    ///
    /// ```
    /// use presam::{Cpu, LengthRule, PartialNorm, RuleState, Sam, Variant, finish};
    ///
    /// let (w, g) = ([1.0f64, 2.0], [3.0, 4.0]);
    /// let (cpu, sam, mut state) = (Cpu::plain(), Sam::new(), RuleState::new());
    /// let rule = sam.arm(&state);
    /// let mut norm = PartialNorm::new();
    /// cpu.accumulate_norm(rule, &w, &g, [], [], &mut norm)?;
    /// let ascent = finish(sam, &norm, &mut state)?;
    /// let mut perturbed = [0.0; 2];
    /// cpu.ascend(rule, ascent.scale(0.5, LengthRule::NORMALISED)?, &w, &g, [], [], &mut perturbed)?;
    /// assert_eq!(perturbed, [1.0 + 0.3, 2.0 + 0.4]);
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] where a slice is not as long as `params`; nothing is written.
    pub fn ascend<R: Real, Rule, const M: usize, const I: usize>(
        self,
        rule: Rule,
        scale: Scale<R>,
        params: &[R],
        grads: &[R],
        memory: [&mut [R]; M],
        inputs: [&[R]; I],
        perturbed: &mut [R],
    ) -> Result<(), Error>
    where
        Rule: AscentRule<R, M, I>,
    {
        let len = params.len();
        check_length("grads", len, grads.len())?;
        check_planes("memory", len, memory.iter().map(|plane| &**plane))?;
        check_planes("inputs", len, inputs)?;
        check_length("perturbed", len, perturbed.len())?;
        if scale.scale != R::ZERO && scale.remember {
            let planes = Writes { out: perturbed, reads: [params, grads], memory, inputs };
            self.map(Ascend::new(rule, scale), planes);
        } else if scale.remember && M > 0 {
            let planes = Writes { out: perturbed, reads: [params, grads], memory, inputs };
            self.map(Remember(rule), planes);
        } else {
            self.copy(perturbed, params);
        }
        Ok(())
    }

    /// Phase 2 for trainers that own one copy of the parameters: perturbs `params` and keeps them in
    /// `backup`; [`restore`](Cpu::restore) brings them back. The same bits as [`ascend`](Cpu::ascend).
    ///
    /// | slice | length | access |
    /// | --- | --- | --- |
    /// | `params` w | n | read and written |
    /// | `grads` g, `inputs` | n | read |
    /// | `memory` | n | read and written |
    /// | `backup` | n | written |
    ///
    /// Cost: one pass (SAM: 16 bytes a parameter in `f32`), one extra float per parameter: `backup`.
    ///
    /// ```
    /// use presam::{Cpu, LengthRule, PartialNorm, RuleState, Sam, Variant, finish};
    ///
    /// let (mut w, g) = ([1.0f32, 2.0], [3.0, 4.0]);
    /// let (cpu, sam, mut state) = (Cpu::plain(), Sam::new(), RuleState::new());
    /// let rule = sam.arm(&state);
    /// let mut norm = PartialNorm::new();
    /// cpu.accumulate_norm(rule, &w, &g, [], [], &mut norm)?;
    /// let scale = finish(sam, &norm, &mut state)?.scale(0.5, LengthRule::NORMALISED)?;
    /// let mut backup = [0.0; 2];
    /// cpu.ascend_in_place(rule, scale, &mut w, &g, [], [], &mut backup)?;
    /// assert!(w != [1.0, 2.0]);
    /// cpu.restore(&mut w, &backup)?;
    /// assert_eq!(w, [1.0, 2.0]);
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] where a slice is not as long as `params`; nothing is written.
    pub fn ascend_in_place<R: Real, Rule, const M: usize, const I: usize>(
        self,
        rule: Rule,
        scale: Scale<R>,
        params: &mut [R],
        grads: &[R],
        memory: [&mut [R]; M],
        inputs: [&[R]; I],
        backup: &mut [R],
    ) -> Result<(), Error>
    where
        Rule: AscentRule<R, M, I>,
    {
        let len = params.len();
        check_length("grads", len, grads.len())?;
        check_planes("memory", len, memory.iter().map(|plane| &**plane))?;
        check_planes("inputs", len, inputs)?;
        check_length("backup", len, backup.len())?;
        // Over threads and where there is no cache, one pass after the other.
        if SMALL || self.splits(len) {
            self.copy(backup, params);
            return self.ascend(rule, scale, backup, grads, memory, inputs, params);
        }
        // Chunk by chunk, so that the copy is still in cache when the chunk is perturbed.
        let mut rest = Writes { out: params, reads: [grads], memory, inputs };
        let mut backup = backup;
        while !rest.out.is_empty() {
            let (chunk, next) = rest.split_at(CHUNK);
            let (kept, later) = cut_mut(backup, CHUNK);
            let Writes { out: params, reads: [grads], memory, inputs } = chunk;
            copy_chunk(kept, params);
            self.ascend(rule, scale, kept, grads, memory, inputs, params)?;
            (rest, backup) = (next, later);
        }
        Ok(())
    }

    /// Brings the parameters back after [`ascend_in_place`](Cpu::ascend_in_place): a copy, so exact.
    ///
    /// | slice | length | access |
    /// | --- | --- | --- |
    /// | `params` | n | written |
    /// | `backup` | n | read |
    ///
    /// # Errors
    /// [`Error::Length`] where the lengths differ; nothing is written.
    pub fn restore<R: Real>(self, params: &mut [R], backup: &[R]) -> Result<(), Error> {
        check_length("backup", params.len(), backup.len())?;
        R::written::<Restore>((self, params, backup));
        Ok(())
    }

    /// `to` and `from` are of one length.
    fn copy<R: Real>(self, to: &mut [R], from: &[R]) {
        let (reads, memory, inputs) = ([from], [], []);
        self.map(Copied, Writes { out: to, reads, memory, inputs });
    }

    /// Phase 3, once per segment: the base optimizer's step on the *restored* parameters with the
    /// gradient taken at the perturbed ones, in one fused pass.
    ///
    /// `grad_factor` multiplies every gradient entry first: the factor of
    /// [`clip`](crate::clip_factor), the inverse of a loss scale, or 1, which changes no bit.
    ///
    /// | slice | length | access |
    /// | --- | --- | --- |
    /// | `params` w | n | read and written |
    /// | `perturbed_grads` g~ | n | read |
    /// | `state` (S planes) | n | read and written |
    ///
    /// Cost: one pass (SGD with momentum: 20 bytes a parameter in `f32`).
    ///
    /// ```
    /// use presam::{BaseOptimizer, BaseState, Cpu, Sgd};
    ///
    /// let (mut w, perturbed_grads) = ([1.0f32, 2.0], [0.5, -0.5]);
    /// let sgd = Sgd::new(0.5)?;
    /// Cpu::plain().descend(sgd.arm(&BaseState::new()), 1.0, &mut w, &perturbed_grads, [])?;
    /// assert_eq!(w, [0.75, 2.25]);
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] where a slice is not as long as `params`; nothing is written.
    pub fn descend<R: Real, Rule, const S: usize>(
        self,
        rule: Rule,
        grad_factor: R,
        params: &mut [R],
        perturbed_grads: &[R],
        state: [&mut [R]; S],
    ) -> Result<(), Error>
    where
        Rule: DescentRule<R, S>,
    {
        let len = params.len();
        check_length("perturbed_grads", len, perturbed_grads.len())?;
        check_planes("state", len, state.iter().map(|plane| &**plane))?;
        let planes = Writes { out: params, reads: [perturbed_grads], memory: state, inputs: [] };
        self.map(Descend { rule, grad_factor }, planes);
        Ok(())
    }
}
