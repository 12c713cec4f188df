//! Phase 3: the second gradient's outcome, and the base optimizer's step.

use core::mem::offset_of;

use presam::pass::{Descend, ElementMap};
use presam::{BaseOptimizer, DescentRule, Outcome, clip_factor_of};

use super::ascent::number;
use crate::fold::{Tree, fold};
use crate::layout::{BASE_BYTES, BaseCounters, COPIED, Control, Segment, outcome, scalar};
use crate::map;
use crate::piece::{Piece, Table};
use crate::plain::Plain;
use crate::reads::{Planes, Scalar};
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

/// A step that stays where it is unless `moves`.
#[derive(Clone, Copy)]
struct Gated<Rule> {
    moves: bool,
    descend: Descend<f32, Rule>,
}

impl<Rule: DescentRule<f32, S>, const S: usize> ElementMap<f32, 1, S, 0> for Gated<Rule> {
    #[inline(always)]
    fn apply(
        self,
        param: f32,
        grad: [f32; 1],
        state: [f32; S],
        inputs: [f32; 0],
    ) -> (f32, [f32; S]) {
        let moved = self.descend.apply(param, grad, state, inputs);
        if self.moves { moved } else { (param, state) }
    }
}

/// The base optimizer's step on w with g~, its configuration from the table of groups; nothing where `second`
/// found no reason to step. Mixed, what the model reads becomes the new w, rounded: also where no step was taken,
/// since the ascent has written there.
#[inline(always)]
pub fn descend<W: Team, B, G: Scalar, const S: usize>(
    team: &W,
    [chunks, count, segments, control, bases]: [u64; 5],
) where
    B: BaseOptimizer<f32, S> + Plain,
{
    team.each(|thread| {
        let Some(piece) = Piece::of::<G>(team, Table::new(chunks, count, segments), thread) else {
            return;
        };
        let number = |offset: usize| team.word(control + offset as u64);
        let moves = number(offset_of!(Control, descends)) != 0;
        let copy = if G::MIXED && piece.flags & COPIED != 0 {
            piece.plane(team, offset_of!(Segment, out))
        } else {
            0
        };
        if !moves && copy == 0 {
            return;
        }
        let counts = number(offset_of!(Control, unchecked)) != 0 && moves;
        let base: B = team.load(bases + BASE_BYTES * u64::from(piece.segment.group));
        let before: BaseCounters = team.load(control + offset_of!(Control, base_before) as u64);
        if counts && team.block() == 0 && thread == 0 {
            let after = BaseCounters::of(base.advance(&before.state()));
            team.store(control + offset_of!(Control, base_state) as u64, after);
        }
        let grad_factor = f32::from_bits(number(offset_of!(Control, grad_factor)));
        map::map::<W, _, G, 1, S, 0>(
            team,
            &piece,
            &map::Work {
                map: Gated {
                    moves: !G::MIXED || moves,
                    descend: Descend { rule: base.arm(&before.state()), grad_factor },
                },
                old: Some(piece.segment.params),
                reads: Planes::at([piece.plane(team, offset_of!(Segment, perturbed_grads))]),
                last: piece.scalar::<G>(scalar::PERTURBED_GRADS),
                memory: Planes::at(piece.planes(team, offset_of!(Segment, state))),
                inputs: Planes::at([]),
                out: piece.segment.params,
                copy,
                copy_as: piece.scalar::<G>(scalar::OUT),
                backup: 0,
                remember: true,
            },
        );
    });
}
