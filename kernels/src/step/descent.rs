//! Phase 3: the second gradient's outcome, and the base optimizer's step.

use core::mem::offset_of;

use presam::pass::Descend;
use presam::{BaseOptimizer, Outcome, clip_factor_of};

use super::ascent::number;
use crate::fold::{Tree, fold};
use crate::layout::{BASE_BYTES, BaseCounters, Control, Segment, outcome};
use crate::map;
use crate::piece::{Piece, Table};
use crate::plain::Plain;
use crate::reads::{F32, Planes};
use crate::team::Team;

/// Judges the second gradient by the tree over its chunks (`checked` 0: it is taken as it is), arms the
/// descent and advances the base optimizer's counters if there is one.
#[inline(always)]
pub fn second<W: Team, B, const S: usize>(
    team: &W,
    [parts, count, results, counter, control, base, checked]: [u64; 7],
) where
    B: BaseOptimizer<f32, S> + Plain,
{
    fold(team, Tree::new(parts, count, results, counter), |total| {
        let at = |offset: usize| control + offset as u64;
        let real = |offset: usize| f32::from_bits(team.word(at(offset)));
        let base: B = team.load(base);
        let (factor, second) = clip_factor_of(total, real(offset_of!(Control, max_norm)));
        // Without an ascent there was no second gradient to judge.
        let skipped = team.word(at(offset_of!(Control, outcome))) == outcome::NON_FINITE;
        let second = if skipped || checked == 0 { Outcome::Finite } else { second };
        let descends = !skipped && second != Outcome::NonFinite;
        let grad_factor = real(offset_of!(Control, unscale_second)) * factor;
        let before: BaseCounters = team.load(at(offset_of!(Control, base_state)));
        team.store(at(offset_of!(Control, base_before)), before);
        if descends {
            let after = BaseCounters::of(base.advance(&before.state()));
            team.store(at(offset_of!(Control, base_state)), after);
        }
        team.set_word(at(offset_of!(Control, second)), number(second));
        team.set_word(at(offset_of!(Control, descends)), u32::from(descends));
        team.set_word(at(offset_of!(Control, grad_factor)), grad_factor.to_bits());
    });
}

/// The base optimizer's step on w with g~, its configuration from the table of groups; nothing where `second` found no reason to step.
#[inline(always)]
pub fn descend<W: Team, B, const S: usize>(
    team: &W,
    [chunks, count, segments, control, bases]: [u64; 5],
) where
    B: BaseOptimizer<f32, S> + Plain,
{
    team.each(|thread| {
        let Some(piece) = Piece::of(team, Table::new(chunks, count, segments), thread) else {
            return;
        };
        let number = |offset: usize| team.word(control + offset as u64);
        if number(offset_of!(Control, descends)) == 0 {
            return;
        }
        let base: B = team.load(bases + BASE_BYTES * u64::from(piece.segment.group));
        let before: BaseCounters = team.load(control + offset_of!(Control, base_before) as u64);
        let grad_factor = f32::from_bits(number(offset_of!(Control, grad_factor)));
        map::map::<W, _, F32, 1, S, 0>(
            team,
            &piece,
            &map::Work {
                map: Descend { rule: base.arm(&before.state()), grad_factor },
                old: Some(piece.segment.params),
                reads: Planes::at([piece.plane(team, offset_of!(Segment, perturbed_grads))]),
                memory: Planes::at(piece.planes(team, offset_of!(Segment, state))),
                inputs: Planes::at([]),
                out: piece.segment.params,
                backup: 0,
                remember: true,
            },
        );
    });
}
