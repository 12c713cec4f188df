//! GSAM, WSAM, SANER and LookSAM: sums over both gradients, what they arm, and the mix.

use core::mem::offset_of;

use presam::descent::Mixed;
use presam::pass::{Pair, Term};
use presam::{GradientMix, Gsam, LookSam, Outcome, Part, Wsam};

use crate::fold::{Tree, fold};
use crate::layout::{BASE_BYTES, BASE_RATE, Control, Segment, outcome};
use crate::piece::{Piece, Table};
use crate::plain::Plain;
use crate::reads::{F32, Planes};
use crate::team::Team;
use crate::{map, reduce};

/// ||first||^2 and <first, second> of the chunks, a part a block; the planes are at these offsets of a segment's row.
#[inline(always)]
pub fn accumulate_pair<W: Team>(
    team: &W,
    [chunks, count, segments, parts, first, second]: [u64; 6],
) {
    reduce::reduce::<W, _, F32, 2, 0, 0>(
        team,
        Table::new(chunks, count, segments),
        parts,
        |piece| {
            let planes = [first, second].map(|plane| piece.plane(team, plane as usize));
            let (memory, inputs) = (Planes::at([]), Planes::at([]));
            reduce::Work { term: Pair, reads: Planes::at(planes), last: F32, memory, inputs }
        },
    );
}

/// (second - first)^2
#[derive(Clone, Copy)]
struct Distance;

impl Term<f32, 2, 0, 0> for Distance {
    const STATISTIC: bool = false;

    #[inline(always)]
    fn term(self, [first, second]: [f32; 2], _: [f32; 0], _: [f32; 0]) -> f32 {
        second - first
    }

    #[inline(always)]
    fn statistic(self, _: [f32; 2], _: [f32; 0], _: [f32; 0]) -> f32 {
        0.0
    }
}

/// ||second - first||^2 of the chunks, a part a block: how far an ascent moved.
#[inline(always)]
pub fn accumulate_distance<W: Team>(
    team: &W,
    [chunks, count, segments, parts, first, second]: [u64; 6],
) {
    reduce::reduce::<W, _, F32, 2, 0, 0>(
        team,
        Table::new(chunks, count, segments),
        parts,
        |piece| {
            let planes = [first, second].map(|plane| piece.plane(team, plane as usize));
            let (memory, inputs) = (Planes::at([]), Planes::at([]));
            reduce::Work { term: Distance, reads: Planes::at(planes), last: F32, memory, inputs }
        },
    );
}

/// The root of a tree, as a value: into `out`.
#[inline(always)]
pub fn total<W: Team>(team: &W, [parts, count, results, counter, out]: [u64; 5]) {
    fold(team, Tree::new(parts, count, results, counter), |total| team.store(out, total));
}

/// GSAM's mix, from the sums of (g~, g).
#[inline(always)]
pub fn arm_gsam<W: Team>(team: &W, [parts, count, results, counter, out, gsam]: [u64; 6]) {
    fold(team, Tree::new(parts, count, results, counter), |total| {
        let (mix, _): (_, Outcome) = team.load::<Gsam<f32>>(gsam).arm_total(total);
        team.store(out, mix);
    });
}

/// LookSAM's split, from the sums of (g, g~).
#[inline(always)]
pub fn arm_split<W: Team>(team: &W, [parts, count, results, counter, out, look]: [u64; 6]) {
    fold(team, Tree::new(parts, count, results, counter), |total| {
        let (mix, _): (_, Outcome) = team.load::<LookSam<f32>>(look).split_total(total);
        team.store(out, mix);
    });
}

/// LookSAM's reuse, from the roots over g and over g_v, one after the other at `sums`.
#[inline(always)]
pub fn arm_reuse<W: Team>(team: &W, [sums, out, look]: [u64; 3]) {
    team.each(|thread| {
        if thread == 0 && team.block() == 0 {
            let [grads, kept]: [Part<f32>; 2] = team.load(sums);
            let (mix, _): (_, Outcome) = team.load::<LookSam<f32>>(look).reuse_total(grads, kept);
            team.store(out, mix);
        }
    });
}

/// `to` becomes mix(g, old): GSAM, WSAM and SANER write over g~, LookSAM keeps its part elsewhere. The planes are
/// at these offsets of a row. Before the descent: nothing after an ascent that was not finite. `DESCENDED`, after it:
/// nothing where it was not taken.
#[inline(always)]
pub fn mix<W: Team, Mix: GradientMix<f32> + Plain, const DESCENDED: bool>(
    team: &W,
    [chunks, count, segments, control, mix, grads, old, to]: [u64; 8],
) {
    team.each(|thread| {
        let Some(piece) = Piece::of::<F32>(team, Table::new(chunks, count, segments), thread)
        else {
            return;
        };
        let word = |offset: usize| team.word(control + offset as u64);
        let skipped = if DESCENDED {
            word(offset_of!(Control, descends)) == 0
        } else {
            word(offset_of!(Control, outcome)) == outcome::NON_FINITE
        };
        if skipped {
            return;
        }
        map::map::<W, _, F32, 1, 0, 0>(
            team,
            &piece,
            &map::Work {
                map: Mixed(team.load::<Mix>(mix)),
                old: Some(piece.plane(team, old as usize)),
                reads: Planes::at([piece.plane(team, grads as usize)]),
                last: F32,
                memory: Planes::at([]),
                inputs: Planes::at([]),
                out: piece.plane(team, to as usize),
                copy: 0,
                copy_as: F32,
                backup: 0,
                remember: false,
            },
        );
    });
}

/// Decoupled WSAM's correction of w after a descent with g, at the learning rate of the segment's group and by the
/// factor of that descent.
#[inline(always)]
pub fn correct<W: Team>(team: &W, [chunks, count, segments, control, bases, wsam]: [u64; 6]) {
    team.each(|thread| {
        let Some(piece) = Piece::of::<F32>(team, Table::new(chunks, count, segments), thread)
        else {
            return;
        };
        let word = |offset: usize| team.word(control + offset as u64);
        if word(offset_of!(Control, descends)) == 0 {
            return;
        }
        let factor = f32::from_bits(word(offset_of!(Control, grad_factor)));
        let rate = bases + BASE_BYTES * u64::from(piece.segment.group) + BASE_RATE;
        let rate = f32::from_bits(team.word(rate)) * factor;
        let wsam: Wsam<f32> = team.load(wsam);
        let second = piece.plane(team, offset_of!(Segment, perturbed_grads));
        map::map::<W, _, F32, 2, 0, 0>(
            team,
            &piece,
            &map::Work {
                map: wsam.correction(rate),
                old: Some(piece.segment.params),
                reads: Planes::at([piece.segment.grads, second]),
                last: F32,
                memory: Planes::at([]),
                inputs: Planes::at([]),
                out: piece.segment.params,
                copy: 0,
                copy_as: F32,
                backup: 0,
                remember: false,
            },
        );
    });
}
