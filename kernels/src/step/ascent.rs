//! Phases 1 and 2: norm, finish, ascent, restore.

use core::mem::offset_of;

use presam::pass::{Ascend, Copied, ElementMap, NormTerm, Remember, Scaled, Term};
use presam::{
    Ascent, AscentRule, LengthRule, Outcome, Part, RuleState, Scale, ScaledNorm, Unscaled, Variant,
    finish_total,
};

use crate::fold::{Tree, fold};
use crate::layout::{BaseCounters, COPIED, Control, GroupScale, STILL, Segment, outcome, scalar};
use crate::piece::{Piece, Table};
use crate::plain::Plain;
use crate::reads::{F32, Mixed, Planes, Scalar};
use crate::team::Team;
use crate::{map, reduce};

/// Bytes of a row of the group table.
const GROUP_BYTES: u64 = size_of::<GroupScale>() as u64;

/// The variant armed for a chunk's group, with the counters at `state`.
#[inline(always)]
fn armed<W: Team, V, const M: usize, const I: usize>(
    team: &W,
    control: u64,
    state: usize,
    variant: u64,
    group: u64,
) -> Unscaled<V::Rule, f32>
where
    V: Variant<f32, M, I> + Plain,
{
    let variant: V = team.load(variant);
    let operator = team.word(group + offset_of!(GroupScale, operator) as u64) != 0;
    let state: RuleState<f32> = team.load(control + state as u64);
    let unscale = team.word(control + offset_of!(Control, unscale) as u64);
    Unscaled::new(variant.with_operator(operator).arm(&state), f32::from_bits(unscale))
}

/// Phase 1: the parts of the counted chunks, one a block. Reads w, g, memory and inputs.
#[inline(always)]
pub fn accumulate<W: Team, V, G: Scalar, const M: usize, const I: usize>(
    team: &W,
    [chunks, count, segments, parts, control, variant, groups]: [u64; 7],
) where
    V: Variant<f32, M, I> + Plain,
{
    reduce::reduce::<W, _, G, 2, M, I>(team, Table::new(chunks, count, segments), parts, |piece| {
        let group = groups + GROUP_BYTES * u64::from(piece.segment.group);
        let before = offset_of!(Control, rule_state);
        reduce::Work {
            term: NormTerm(armed::<W, V, M, I>(team, control, before, variant, group)),
            reads: Planes::at([piece.segment.params, piece.segment.grads]),
            last: piece.scalar::<G>(scalar::GRADS),
            memory: Planes::at(piece.planes(team, offset_of!(Segment, memory))),
            inputs: Planes::at(piece.planes(team, offset_of!(Segment, inputs))),
        }
    });
}

/// (factor * g)^2, g being the second plane: the one that may have another scalar.
#[derive(Clone, Copy)]
struct Gradient(Scaled<f32>);

impl Term<f32, 2, 0, 0> for Gradient {
    const STATISTIC: bool = false;

    #[inline(always)]
    fn term(self, [_, grad]: [f32; 2], memory: [f32; 0], inputs: [f32; 0]) -> f32 {
        self.0.term([grad], memory, inputs)
    }

    #[inline(always)]
    fn statistic(self, _: [f32; 2], _: [f32; 0], _: [f32; 0]) -> f32 {
        0.0
    }
}

/// The parts of one gradient's chunks, one a block: the one at `plane` of the segment's row, times the factor
/// at `factor`.
#[inline(always)]
pub fn accumulate_gradient<W: Team, G: Scalar>(
    team: &W,
    [chunks, count, segments, parts, factor, plane]: [u64; 6],
) {
    let is_second = plane == offset_of!(Segment, perturbed_grads) as u64;
    let bit = if is_second { scalar::PERTURBED_GRADS } else { scalar::GRADS };
    reduce::reduce::<W, _, G, 2, 0, 0>(team, Table::new(chunks, count, segments), parts, |piece| {
        reduce::Work {
            term: Gradient(Scaled(f32::from_bits(team.word(factor)))),
            reads: Planes::at([piece.segment.params, piece.plane(team, plane as usize)]),
            last: piece.scalar::<G>(bit),
            memory: Planes::at([]),
            inputs: Planes::at([]),
        }
    });
}

/// Ends the norm pass: the tree, the outcome, the counters, and the scale of every group.
#[inline(always)]
pub fn finish<W: Team, V, const M: usize, const I: usize>(
    team: &W,
    [parts, count, results, counter, control, variant, groups, group_count, counted]: [u64; 9],
) where
    V: Variant<f32, M, I> + Plain,
{
    fold(team, Tree::new(parts, count, results, counter), |total| {
        let variant: V = team.load(variant);
        let at = |offset: usize| control + offset as u64;
        let length: LengthRule<f32> = team.load(at(offset_of!(Control, length)));
        let ascent = conclude(team, control, variant, total, counted);
        if team.word(at(offset_of!(Control, unchecked))) != 0 {
            arm_descent(team, control, ascent.outcome);
        }
        let mut group = groups;
        while group < groups + GROUP_BYTES * group_count {
            let rho = f32::from_bits(team.word(group + offset_of!(GroupScale, rho) as u64));
            // The host lets no radius through that is refused here.
            let scale = ascent.scale(rho, length).unwrap_or(Scale {
                prescale: 1.0,
                scale: 0.0,
                remember: false,
            });
            team.store(group, [scale.prescale, scale.scale]);
            let remember = group + offset_of!(GroupScale, remember) as u64;
            team.set_word(remember, u32::from(scale.remember && !unmoved(team, control)));
            group += GROUP_BYTES;
        }
    });
}

/// What `second` leaves for the descent, where nobody looks at the second gradient: the descent counts itself, so that an
/// ascent that none follows is no step.
#[inline(always)]
fn arm_descent<W: Team>(team: &W, control: u64, ascent: Outcome) {
    let at = |offset: usize| control + offset as u64;
    let counters: BaseCounters = team.load(at(offset_of!(Control, base_state)));
    team.store(at(offset_of!(Control, base_before)), counters);
    let descends = u32::from(ascent != Outcome::NonFinite);
    team.set_word(at(offset_of!(Control, descends)), descends);
    team.set_word(at(offset_of!(Control, second)), outcome::FINITE);
    let factor = team.word(at(offset_of!(Control, unscale_second)));
    team.set_word(at(offset_of!(Control, grad_factor)), factor);
}

/// What the sums of all counted segments mean for this step.
#[inline(always)]
fn conclude<W: Team, V, const M: usize, const I: usize>(
    team: &W,
    control: u64,
    variant: V,
    total: Part<f32>,
    counted: u64,
) -> Ascent<f32>
where
    V: Variant<f32, M, I>,
{
    let at = |offset: usize| control + offset as u64;
    let mut state: RuleState<f32> = team.load(at(offset_of!(Control, rule_state)));
    team.store(at(offset_of!(Control, rule_before)), state);
    // Perturbed and not counted: their memory must not meet a gradient that is not finite either.
    let uncounted: Part<f32> = team.load(at(offset_of!(Control, uncounted)));
    let ascent = if unmoved(team, control) {
        Ascent { outcome: Outcome::ZeroNorm, norm: ScaledNorm::of(Part::ZERO) }
    } else if uncounted.sum.is_finite() {
        finish_total(variant, total, counted, &mut state)
    } else {
        Ascent { outcome: Outcome::NonFinite, norm: ScaledNorm::of(total) }
    };
    team.store(at(offset_of!(Control, rule_state)), state);
    team.set_word(at(offset_of!(Control, outcome)), number(ascent.outcome));
    team.set_word(at(offset_of!(Control, norm_root)), ascent.norm.root.to_bits());
    team.set_word(at(offset_of!(Control, norm_class)), ascent.norm.class.cast_unsigned());
    ascent
}

/// Before the base optimizer's first step there is no momentum, whatever the plane holds: no ascent, and
/// nothing to remember.
#[inline(always)]
fn unmoved<W: Team>(team: &W, control: u64) -> bool {
    let base: BaseCounters = team.load(control + offset_of!(Control, base_state) as u64);
    team.word(control + offset_of!(Control, along_momentum) as u64) != 0 && base.steps == 0
}

/// An outcome as memory holds it.
#[inline(always)]
pub(super) const fn number(of: Outcome) -> u32 {
    match of {
        Outcome::Finite => outcome::FINITE,
        Outcome::ZeroNorm => outcome::ZERO_NORM,
        Outcome::NonFinite => outcome::NON_FINITE,
    }
}

/// An ascent that is a copy where the scale is zero.
#[derive(Clone, Copy)]
struct Gated<Rule> {
    moves: bool,
    ascend: Ascend<f32, Rule>,
    stay: Remember<Rule>,
}

impl<Rule: AscentRule<f32, M, I>, const M: usize, const I: usize> ElementMap<f32, 2, M, I>
    for Gated<Rule>
{
    #[inline(always)]
    fn apply(
        self,
        old: f32,
        reads: [f32; 2],
        memory: [f32; M],
        inputs: [f32; I],
    ) -> (f32, [f32; M]) {
        let (moved, remembered) = self.ascend.apply(old, reads, memory, inputs);
        let (stayed, _) = self.stay.apply(old, reads, memory, inputs);
        (if self.moves { moved } else { stayed }, remembered)
    }
}

/// Phase 2: out of place writes `out`, in its scalar; in place writes w and keeps the old one in `out`. Renews
/// the memory. A segment without `out` only renews its memory. Chunks from the last to the first: the norm pass
/// left the planes of the last ones in the cache.
#[inline(always)]
pub fn ascend<W: Team, V, G: Scalar, const M: usize, const I: usize>(
    team: &W,
    in_place: bool,
    [chunks, count, segments, control, variant, groups]: [u64; 6],
) where
    V: Variant<f32, M, I> + Plain,
{
    team.each(|thread| {
        let Some(piece) = Piece::from_end::<G>(team, Table::new(chunks, count, segments), thread)
        else {
            return;
        };
        let group = groups + GROUP_BYTES * u64::from(piece.segment.group);
        let before = offset_of!(Control, rule_before);
        let rule = armed::<W, V, M, I>(team, control, before, variant, group);
        let [prescale, scale]: [f32; 2] = team.load(group);
        let remember = team.word(group + offset_of!(GroupScale, remember) as u64) != 0;
        let scale = Scale { prescale, scale, remember };
        let is_still = G::MIXED && piece.flags & STILL != 0;
        let out = if is_still { 0 } else { piece.plane(team, offset_of!(Segment, out)) };
        let params = if out == 0 { 0 } else { piece.segment.params };
        let map = Gated {
            moves: scale.scale != 0.0 && remember,
            ascend: Ascend::new(rule, scale),
            stay: Remember(rule),
        };
        map::map::<W, _, G, 2, M, I>(
            team,
            &piece,
            &map::Work {
                map,
                old: None,
                reads: Planes::at([piece.segment.params, piece.segment.grads]),
                last: piece.scalar::<G>(scalar::GRADS),
                memory: Planes::at(piece.planes(team, offset_of!(Segment, memory))),
                inputs: Planes::at(piece.planes(team, offset_of!(Segment, inputs))),
                out: match in_place {
                    true => params,
                    false if G::MIXED => 0,
                    false => out,
                },
                copy: if G::MIXED && !in_place { out } else { 0 },
                copy_as: piece.scalar::<G>(scalar::OUT),
                backup: if in_place { out } else { 0 },
                remember: remember && M > 0,
            },
        );
    });
}

/// Brings the parameters back after an ascent in place.
#[inline(always)]
pub fn restore<W: Team>(team: &W, [chunks, count, segments]: [u64; 3]) {
    team.each(|thread| {
        let Some(piece) = Piece::of::<F32>(team, Table::new(chunks, count, segments), thread)
        else {
            return;
        };
        let backup = piece.plane(team, offset_of!(Segment, out));
        if backup == 0 {
            return;
        }
        map::map::<W, _, F32, 1, 0, 0>(
            team,
            &piece,
            &map::Work {
                map: Copied,
                old: None,
                reads: Planes::at([backup]),
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

/// The same for chunks with flags; where `out` is what the model reads, that becomes w, rounded.
#[inline(always)]
pub fn restore_mixed<W: Team>(team: &W, [chunks, count, segments]: [u64; 3]) {
    team.each(|thread| {
        let Some(piece) = Piece::of::<Mixed>(team, Table::new(chunks, count, segments), thread)
        else {
            return;
        };
        let out = piece.plane(team, offset_of!(Segment, out));
        if out == 0 {
            return;
        }
        let (params, in_place) = (piece.segment.params, piece.flags & COPIED == 0);
        let rounded = if in_place { scalar::F32 } else { piece.flags >> scalar::OUT & 3 };
        map::map::<W, _, Mixed, 1, 0, 0>(
            team,
            &piece,
            &map::Work {
                map: Copied,
                old: None,
                reads: Planes::at([if in_place { out } else { params }]),
                last: Mixed::of(scalar::F32),
                memory: Planes::at([]),
                inputs: Planes::at([]),
                out: 0,
                copy: if in_place { params } else { out },
                copy_as: Mixed::of(rounded),
                backup: 0,
                remember: false,
            },
        );
    });
}
