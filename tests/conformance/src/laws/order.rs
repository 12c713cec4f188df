//! Tensors permuted, cut and joined.

use super::yardstick::{answer, held};
use super::{Checked, Law, any_rule, any_scope, contract};
use crate::backend::Backend;
use crate::case::{Answer, Case, Segment, SegmentAnswer};
use crate::compare::same_answer;
use crate::generate::{CHUNK, Shape};
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![
        Law {
            name: "permuted-segments",
            statement: "the order of the tensors changes nothing but the rounding of the norm",
            rules: any_rule,
            needs: any_scope,
            shape: Shape::Free,
            check: permuted,
        },
        Law {
            name: "cut-anywhere",
            statement: "a tensor cut in two is perturbed as before: one norm for all, not one for each",
            rules: any_rule,
            needs: any_scope,
            shape: Shape::Free,
            check: cut_anywhere,
        },
        Law {
            name: "cut-at-a-chunk",
            statement: "cut at a chunk boundary, in every bit",
            rules: any_rule,
            needs: contract,
            shape: Shape::Long,
            check: cut_at_a_chunk,
        },
        Law {
            name: "empty-segment",
            statement: "a tensor without elements changes no bit",
            rules: any_rule,
            needs: contract,
            shape: Shape::Free,
            check: empty_segment,
        },
    ]
}

fn permuted<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let mut turned = case.clone();
    turned.segments.reverse();
    Ok(held(backend, &turned)?.map_or(Checked::PassedOver, |_| Checked::Judged))
}

/// Every segment longer than `at` in two, the first of `at(length)` elements.
fn cut<R: Scalar>(case: &Case<R>, at: impl Fn(usize) -> usize) -> Case<R> {
    let part =
        |plane: &Vec<R>, from: usize, to: usize| plane.get(from..to).unwrap_or_default().to_vec();
    let range = |s: &Segment<R>, from: usize, to: usize| {
        let planes = |list: &[Vec<R>]| list.iter().map(|plane| part(plane, from, to)).collect();
        Segment {
            options: s.options,
            params: part(&s.params, from, to),
            grads: part(&s.grads, from, to),
            perturbed_grads: part(&s.perturbed_grads, from, to),
            memory: planes(&s.memory),
            inputs: planes(&s.inputs),
            state: planes(&s.state),
        }
    };
    let halves = |s: &Segment<R>| {
        let (at, end) = (at(s.params.len()).min(s.params.len()), s.params.len());
        [range(s, 0, at), range(s, at, end)]
    };
    Case { segments: case.segments.iter().flat_map(halves).collect(), ..case.clone() }
}

/// Undoes a cut.
fn joined<R: Scalar>(answer: &Answer<R>) -> Answer<R> {
    let join = |pair: &[SegmentAnswer<R>]| {
        let mut parts = pair.iter().cloned();
        let first = parts.next();
        let mut whole = first.unwrap_or_else(|| SegmentAnswer {
            perturbed: vec![],
            memory: vec![],
            params: vec![],
            state: vec![],
        });
        for part in parts {
            whole.perturbed.extend(part.perturbed);
            whole.params.extend(part.params);
            for (to, from) in [(&mut whole.memory, part.memory), (&mut whole.state, part.state)] {
                to.iter_mut().zip(from).for_each(|(to, from)| to.extend(from));
            }
        }
        whole
    };
    Answer { segments: answer.segments.chunks(2).map(join).collect(), ..answer.clone() }
}

fn cut_anywhere<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let cut = cut(case, |length| length / 3);
    Ok(held(backend, &cut)?.map_or(Checked::PassedOver, |_| Checked::Judged))
}

fn cut_at_a_chunk<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let Some(whole) = held(backend, case)? else { return Ok(Checked::PassedOver) };
    let cut = answer(backend, &cut(case, |_| CHUNK))?;
    same_answer(&whole, &joined(&cut))?;
    Ok(Checked::Judged)
}

fn empty_segment<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let Some(whole) = held(backend, case)? else { return Ok(Checked::PassedOver) };
    // A cut at 0 puts an empty segment before each.
    let found = answer(backend, &cut(case, |_| 0))?;
    same_answer(&whole, &joined(&found))?;
    Ok(Checked::Judged)
}
