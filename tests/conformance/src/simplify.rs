//! [`simplest`]: the last part of the search for a smallest case, on the case itself.
//!
//! What a strategy draws from a seed does not shrink, and what it shrinks halves its way down number by number. Here
//! segments and elements are left out, and each number becomes 0, 1, or the nearest sixteenth, as long as the
//! case still fails.

use crate::case::{Case, Segment};
use crate::scalar::Scalar;
use presam_oracle::Rule;

/// A case that still `fails`, as simple as `asks` questions can make it; of more than 64 elements one counts as several.
pub fn simplest<R: Scalar>(
    case: Case<R>,
    asks: u32,
    fails: impl FnMut(&Case<R>) -> bool,
) -> Case<R> {
    let mut search = Search { case, asks, fails, improves: true };
    while search.improves {
        search.improves = false;
        search.drop_segments();
        search.drop_elements();
        search.round_numbers();
    }
    search.case
}

/// As how many questions one counts in the search for a smallest case: one of more than 64 elements as several.
pub(crate) fn cost(elements: usize) -> u32 {
    u32::try_from(1 + elements / 64).unwrap_or(u32::MAX)
}

struct Search<R, F> {
    case: Case<R>,
    asks: u32,
    fails: F,
    /// Whether this round has taken anything.
    improves: bool,
}

impl<R: Scalar, F: FnMut(&Case<R>) -> bool> Search<R, F> {
    /// Takes the case without `fewer` of its elements, as `change` makes it, if it still fails. A long tensor is asked
    /// less often: each question of it takes as long as many.
    fn takes(&mut self, fewer: usize, change: impl FnOnce(&mut Case<R>)) -> bool {
        let Some(left) = self.asks.checked_sub(self.cost(fewer)) else { return false };
        let mut case = self.case.clone();
        change(&mut case);
        self.asks = left;
        let fails = (self.fails)(&case);
        if fails {
            self.case = case;
            self.improves = true;
        }
        fails
    }

    fn cost(&self, fewer: usize) -> u32 {
        cost(self.case.elements().saturating_sub(fewer))
    }

    /// All but one: much code refuses to step over nothing, which would hide what is wrong.
    fn drop_segments(&mut self) {
        for index in (0..self.case.segments.len()).rev() {
            if self.case.segments.len() == 1 {
                return;
            }
            self.takes(self.length(index), |case| drop(case.segments.remove(index)));
        }
    }

    /// Runs of elements, of half the segment, then of a quarter, down to single ones.
    fn drop_elements(&mut self) {
        for index in 0..self.case.segments.len() {
            let mut run = self.length(index).div_ceil(2);
            while run > 0 {
                let mut at = 0;
                while at < self.length(index) {
                    let fewer = run.min(self.length(index) - at);
                    let taken = self.takes(fewer, |case| {
                        let segments = case.segments.iter_mut().skip(index).take(1);
                        segments.for_each(|segment| cut(segment, at, run));
                    });
                    // What follows has moved to where the run was.
                    at += if taken { 0 } else { run };
                }
                run /= 2;
            }
        }
    }

    fn length(&self, index: usize) -> usize {
        self.case.segments.get(index).map_or(0, |segment| segment.params.len())
    }

    fn round_numbers(&mut self) {
        let mut index = 0;
        while self.asks >= self.cost(0)
            && let Some(value) = number_at(&mut self.case, index).map(|x| x.to_f64())
        {
            let sixteenth = (value * 16.0).round() / 16.0;
            let simpler = [0.0, 1.0, sixteenth].into_iter().filter(|x| rank(*x) < rank(value));
            for candidate in simpler {
                let taken = self.takes(0, |case| {
                    let number = number_at(case, index).into_iter();
                    number.for_each(|x| *x = R::from_f64(candidate));
                });
                if taken {
                    break;
                }
            }
            index += 1;
        }
    }
}

fn number_at<R: Scalar>(case: &mut Case<R>, index: usize) -> Option<&mut R> {
    numbers(case).nth(index)
}

/// 0 before 1 before sixteenths before the rest.
fn rank(value: f64) -> u8 {
    if value == 0.0 {
        0
    } else if value == 1.0 {
        1
    } else if (value * 16.0).fract() == 0.0 && value.abs() < 1024.0 {
        2
    } else {
        3
    }
}

fn planes<R>(segment: &mut Segment<R>) -> impl Iterator<Item = &mut Vec<R>> {
    let Segment { params, grads, perturbed_grads, memory, inputs, state, .. } = segment;
    [params, grads, perturbed_grads].into_iter().chain(memory).chain(inputs).chain(state)
}

fn cut<R: Scalar>(segment: &mut Segment<R>, at: usize, run: usize) {
    for plane in planes(segment) {
        let end = plane.len().min(at + run);
        plane.drain(at.min(end)..end);
    }
}

/// Every number that may become another: not those inputs that must stay positive.
fn numbers<R: Scalar>(case: &mut Case<R>) -> impl Iterator<Item = &mut R> {
    let is_bound = matches!(case.rule, Rule::ConstraintPreconditioner | Rule::PreSam);
    case.segments.iter_mut().flat_map(move |segment| {
        let Segment { params, grads, perturbed_grads, memory, inputs, state, .. } = segment;
        let free = inputs.iter_mut().filter(move |_| !is_bound);
        let planes = [params, grads, perturbed_grads].into_iter().chain(memory).chain(free);
        planes.chain(state).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::simplest;
    use crate::case::{Case, Options, Segment};
    use presam_oracle::{Base, LengthRule, Rule, RuleState};

    fn case(lengths: &[usize]) -> Case<f64> {
        let segment = |n: &usize| {
            let plane: Vec<f64> = (0..*n).map(|i| 0.3 + 0.7 * i as f64).collect();
            let (params, grads, perturbed_grads) = (plane.clone(), plane.clone(), plane);
            let (memory, inputs, state) = (vec![], vec![], vec![]);
            let options = Options::new(0.5);
            Segment { options, params, grads, perturbed_grads, memory, inputs, state }
        };
        Case {
            rule: Rule::Sam,
            length: LengthRule::NORMALISED,
            segments: lengths.iter().map(segment).collect(),
            rule_state: RuleState::default(),
            base: Base::Sgd { learning_rate: 0.1, weight_decay: 0.0 },
            base_steps: 0,
        }
    }

    #[test]
    fn a_needle_is_all_that_is_left() {
        // It fails where a gradient is above 100 in a case of two segments or more.
        let fails = |case: &Case<f64>| {
            case.segments.len() > 1
                && case.segments.iter().flat_map(|s| &s.grads).any(|g| *g > 100.0)
        };
        let found = simplest(case(&[40, 300, 7]), 10_000, fails);
        assert!(fails(&found));
        assert_eq!((found.segments.len(), found.elements()), (2, 1));
        let needle = found.segments.iter().find(|s| !s.params.is_empty()).unwrap();
        assert_eq!((needle.params[0], needle.perturbed_grads[0]), (0.0, 0.0));
        assert!(needle.grads[0] > 100.0 && (needle.grads[0] * 16.0).fract() == 0.0);
    }

    #[test]
    fn one_segment_stays() {
        let found = simplest(case(&[3, 2]), 1000, |_| true);
        assert_eq!((found.segments.len(), found.elements()), (1, 0));
    }

    #[test]
    fn it_asks_no_more_than_it_may() {
        let mut asked = 0;
        let same = simplest(case(&[60]), 9, |_| {
            asked += 1;
            false
        });
        assert_eq!((asked, same), (9, case(&[60])));
    }
}
