//! [`Case`]: rules on a shape, their counters, and their phases over a team.

use std::sync::Arc;

use presam::{BaseState, DynBase, DynVariant, LengthRule, Outcome, PartialNorm, RuleState, Scale};

use super::shard::{Order, Rules, rho};
use super::team::{Task, Team};
use crate::bench::{Phase, Shape};
use crate::error::Error;

/// Steps before anything is timed; they cover the first ones, which rules with memory treat apart.
const STEPS: usize = 3;
/// How far the norm, in f32 and by the contract's tree, may be from a plain sum in f64.
const TOLERANCE: f64 = 1e-5;

/// Rules on a shape, found right, in the middle of their training.
pub(super) struct Case {
    rules: Rules,
    shape: Arc<Shape>,
    rho: f32,
    rule_state: RuleState<f32>,
    base_state: BaseState,
    scale: Scale<f32>,
}

impl Case {
    /// Builds the planes, checks every phase on them and takes a few steps.
    pub fn new(team: &mut Team, rules: Rules, shape: &Arc<Shape>) -> Result<Self, Error> {
        team.build(rules, shape)?;
        let mut case = Self {
            rules,
            shape: Arc::clone(shape),
            rho: rho(shape),
            rule_state: RuleState::new(),
            base_state: BaseState::new(),
            scale: Scale { prescale: 1.0, scale: 0.0, remember: true },
        };
        case.verify(team).map_err(|error| match error {
            Error::Wrong(what) => {
                let rule = rules.variant.about().name;
                Error::Wrong(format!("{rule} on {}: {what}", shape.name))
            }
            other => other,
        })?;
        Ok(case)
    }

    /// Whether a row of these rules on `shape` can use it; of any variant where that does not matter.
    pub fn serves(&self, rules: Rules, any_variant: bool, shape: &Shape) -> bool {
        let variant = any_variant || self.rules.variant == rules.variant;
        variant && self.rules.base == rules.base && *self.shape == *shape
    }

    /// One run of `phase`.
    pub fn run(&mut self, team: &mut Team, phase: Phase) -> Result<(), Error> {
        let (state, scale) = (self.rule_state, self.scale);
        let order = match phase {
            Phase::Step => return self.step(team),
            Phase::Accumulate => Order::Accumulate(state),
            Phase::Ascend => Order::Ascend { state, scale, turn: true },
            Phase::AscendInPlace => Order::AscendInPlace { state, scale },
            Phase::Restore => Order::Restore,
            Phase::Descend => Order::Descend(self.base_state),
        };
        team.run(&Task::Order(order)).map(drop)
    }

    /// Norm, ascent and descent.
    fn step(&mut self, team: &mut Team) -> Result<(), Error> {
        let (state, norm) = (self.rule_state, self.norm(team)?);
        self.arm(&norm)?;
        let scale = self.scale;
        team.run(&Task::Order(Order::Ascend { state, scale, turn: false }))?;
        team.run(&Task::Order(Order::Descend(self.base_state))).map(drop)
    }

    fn norm(&self, team: &mut Team) -> Result<PartialNorm<f32>, Error> {
        Ok(team.run(&Task::Order(Order::Accumulate(self.rule_state)))?.norm)
    }

    /// Ends the norm pass; an outcome that would spare the ascent its work is an error.
    fn arm(&mut self, norm: &PartialNorm<f32>) -> Result<(), Error> {
        let ascent = self.rules.variant.finish(norm, &mut self.rule_state)?;
        if ascent.outcome != Outcome::Finite {
            let what = format!("the step did less than its work: {:?}", ascent.outcome);
            return Err(Error::Wrong(what));
        }
        self.scale = ascent.scale(self.rho, LengthRule::NORMALISED)?;
        Ok(())
    }

    /// A first step whose every answer is checked, then more, unchecked but for their outcome.
    fn verify(&mut self, team: &mut Team) -> Result<(), Error> {
        let norm = self.norm(team)?;
        let plain = team.run(&Task::Order(Order::SumPlainly))?.sum;
        let total = norm.total()?;
        let found = f64::from(total.sum) * 2f64.powi(192 * total.class);
        let close = (found / plain - 1.0).abs() <= TOLERANCE;
        if !close {
            let what = format!("sum of squares: expected about {plain:e}, found {found:e}");
            return Err(Error::Wrong(what));
        }
        self.step(team)?;
        team.run(&Task::Order(Order::CheckFirst(self.scale)))?;
        // From here on always the second step: counting on would run AdamW's bias corrections to 1
        // within the benchmark.
        self.base_state = self.rules.base.advance(&BaseState::new());
        for _ in 0..STEPS {
            self.step(team)?;
        }
        let (state, scale) = (self.rule_state, self.scale);
        team.run(&Task::Order(Order::CheckInPlace { state, scale })).map(drop)
    }

    /// Whether the runs left finite numbers behind.
    pub fn check_finite(&self, team: &mut Team) -> Result<(), Error> {
        team.run(&Task::Order(Order::CheckFinite)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Base;

    fn shape(tensors: Vec<usize>) -> Arc<Shape> {
        Arc::new(Shape { name: "test".into(), tensors })
    }

    fn rules(name: &str) -> Rules {
        Rules::new(name, Base::SgdMomentum).unwrap()
    }

    #[test]
    fn every_rule_is_right_in_every_phase_and_runs_on_and_on() {
        let shape = shape(vec![3000, 1, 129]);
        let mut team = Team::new(1, 1 << 16);
        for info in presam::variants::ALL {
            for base in Base::ALL {
                let rules = Rules::new(info.name, base).unwrap();
                let mut case = Case::new(&mut team, rules, &shape).unwrap();
                for phase in Phase::ALL {
                    for _ in 0..50 {
                        case.run(&mut team, phase).unwrap();
                    }
                }
                case.check_finite(&mut team).unwrap();
            }
        }
    }

    #[test]
    fn ascents_in_place_begin_at_the_same_parameters_however_many_there_are() {
        let shape = shape(vec![9]);
        let mut team = Team::new(1, 1 << 16);
        for info in presam::variants::ALL {
            let mut case = Case::new(&mut team, rules(info.name), &shape).unwrap();
            for _ in 0..100_000 {
                case.run(&mut team, Phase::AscendInPlace).unwrap();
            }
            case.check_finite(&mut team).unwrap_or_else(|error| panic!("{}: {error}", info.name));
        }
    }

    #[test]
    fn the_norm_has_the_same_bits_on_any_number_of_threads() {
        // Long enough to be shared, and cut within tensors.
        let shape = shape(vec![100_000, 77, 70_001]);
        let norm = |threads: usize| {
            let mut team = Team::new(threads, 1 << 16);
            let mut case = Case::new(&mut team, rules("info-asam"), &shape).unwrap();
            case.step(&mut team).unwrap();
            let total = case.norm(&mut team).unwrap().total().unwrap();
            (total.sum.to_bits(), total.class)
        };
        let one = norm(1);
        assert!([2, 3, 8].map(norm).iter().all(|found| *found == one));
    }

    #[test]
    fn a_case_serves_its_own_shape_and_rules_and_rows_of_any_variant() {
        let (small, other) = (shape(vec![10]), shape(vec![11]));
        let mut team = Team::new(1, 1 << 16);
        let case = Case::new(&mut team, rules("sam"), &small).unwrap();
        assert!(
            case.serves(rules("sam"), false, &small) && case.serves(rules("asam"), true, &small)
        );
        assert!(!case.serves(rules("asam"), false, &small));
        assert!(!case.serves(rules("sam"), true, &other));
        let adamw = Rules::new("sam", Base::AdamW).unwrap();
        assert!(!case.serves(adamw, true, &small));
    }
}
