//! [`Case`]: a rule on a shape, its counters, and its phases over a team.

use std::sync::Arc;

use presam::{AdamW, BaseOptimizer, BaseState, LengthRule, Outcome, PartialNorm, RuleState, Scale};

use super::rules::{Entry, entry};
use super::shard::{Order, rho};
use super::team::{Task, Team};
use crate::bench::{Base, BenchError, Phase, Shape};
use crate::config::ConfigError;

/// Steps before anything is timed; they cover the first ones, which rules with memory treat apart.
const STEPS: usize = 3;
/// How far the norm, in f32 and by the contract's tree, may be from a plain sum in f64.
const TOLERANCE: f64 = 1e-5;

/// A rule on a shape, found right, in the middle of its training.
pub(super) struct Case {
    entry: Entry,
    shape: Arc<Shape>,
    rho: f32,
    rule_state: RuleState<f32>,
    base_state: BaseState<f32>,
    scale: Scale<f32>,
    /// Whether AdamW has been checked here, and its planes hold its moments.
    adamw: bool,
}

impl Case {
    /// Builds the planes, checks every phase on them and takes a few steps.
    pub fn new(team: &mut Team, rule: &str, shape: &Arc<Shape>) -> Result<Self, BenchError> {
        let unknown = || ConfigError::new("rule", "a name from `presam methods`", rule);
        let entry = entry(rule).ok_or_else(unknown)?;
        team.build(entry, shape)?;
        let mut case = Self {
            entry,
            shape: Arc::clone(shape),
            rho: rho(shape),
            rule_state: RuleState::new(),
            base_state: BaseState::new(),
            scale: Scale { prescale: 1.0, scale: 0.0, remember: true },
            adamw: false,
        };
        case.verify(team).map_err(|error| match error {
            BenchError::Wrong(what) => {
                BenchError::Wrong(format!("{rule} on {}: {what}", shape.name))
            }
            other => other,
        })?;
        Ok(case)
    }

    /// Whether a row of `rule` (`None`: any) on `shape` can use it.
    pub fn serves(&self, rule: Option<&str>, shape: &Shape) -> bool {
        rule.is_none_or(|rule| rule == self.entry.info.name) && *self.shape == *shape
    }

    /// AdamW's descent, which no step takes, is checked before its first row.
    pub fn verify_base(&mut self, team: &mut Team, base: Base) -> Result<(), BenchError> {
        if base == Base::AdamW && !self.adamw {
            team.run(&Task::Order(Order::CheckFirstDescent { base }))?;
            self.adamw = true;
        }
        Ok(())
    }

    /// One run of `phase`.
    pub fn run(&mut self, team: &mut Team, phase: Phase, base: Base) -> Result<(), BenchError> {
        let (state, scale) = (self.rule_state, self.scale);
        let order = match phase {
            Phase::Step => return self.step(team),
            Phase::Accumulate => Order::Accumulate(state),
            Phase::Ascend => Order::Ascend { state, scale, turn: true },
            Phase::AscendInPlace => Order::AscendInPlace { state, scale },
            Phase::Restore => Order::Restore,
            Phase::Descend => return self.descend(team, base),
        };
        team.run(&Task::Order(order)).map(drop)
    }

    /// Norm, ascent and descent.
    fn step(&mut self, team: &mut Team) -> Result<(), BenchError> {
        let (state, norm) = (self.rule_state, self.norm(team)?);
        self.arm(&norm)?;
        let scale = self.scale;
        team.run(&Task::Order(Order::Ascend { state, scale, turn: false }))?;
        self.descend(team, Base::SgdMomentum)
    }

    fn descend(&mut self, team: &mut Team, base: Base) -> Result<(), BenchError> {
        let state = match base {
            Base::SgdMomentum => self.base_state,
            // Always the second step: counting on would run its bias corrections to 1 within the benchmark.
            Base::AdamW => AdamW::new(1e-3)?.advance(&BaseState::new()),
        };
        team.run(&Task::Order(Order::Descend { base, state }))?;
        if base == Base::SgdMomentum {
            self.base_state.steps = self.base_state.steps.saturating_add(1);
        }
        Ok(())
    }

    fn norm(&self, team: &mut Team) -> Result<PartialNorm<f32>, BenchError> {
        Ok(team.run(&Task::Order(Order::Accumulate(self.rule_state)))?.norm)
    }

    /// Ends the norm pass; an outcome that would spare the ascent its work is an error.
    fn arm(&mut self, norm: &PartialNorm<f32>) -> Result<(), BenchError> {
        let ascent = (self.entry.finish)(norm, &mut self.rule_state)?;
        if ascent.outcome != Outcome::Finite {
            let what = format!("the step did less than its work: {:?}", ascent.outcome);
            return Err(BenchError::Wrong(what));
        }
        self.scale = ascent.scale(self.rho, LengthRule::NORMALISED)?;
        Ok(())
    }

    /// A first step whose every answer is checked, then more, unchecked but for their outcome.
    fn verify(&mut self, team: &mut Team) -> Result<(), BenchError> {
        let (state, norm) = (self.rule_state, self.norm(team)?);
        let plain = team.run(&Task::Order(Order::SumPlainly(state)))?.sum;
        let total = norm.total()?;
        let found = f64::from(total.sum) * 2f64.powi(192 * total.class);
        let close = (found / plain - 1.0).abs() <= TOLERANCE;
        if !close {
            let what = format!("sum of squares: expected about {plain:e}, found {found:e}");
            return Err(BenchError::Wrong(what));
        }
        self.arm(&norm)?;
        let scale = self.scale;
        for order in [
            Order::Ascend { state, scale, turn: false },
            Order::CheckFirstAscent { state, scale },
            Order::CheckFirstDescent { base: Base::SgdMomentum },
        ] {
            team.run(&Task::Order(order))?;
        }
        self.base_state.steps = 1;
        for _ in 0..STEPS {
            self.step(team)?;
        }
        let (state, scale) = (self.rule_state, self.scale);
        team.run(&Task::Order(Order::CheckInPlace { state, scale })).map(drop)
    }

    /// Whether the runs left finite numbers behind.
    pub fn check_finite(&self, team: &mut Team) -> Result<(), BenchError> {
        team.run(&Task::Order(Order::CheckFinite)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::entries;
    use super::*;

    fn shape(tensors: Vec<usize>) -> Arc<Shape> {
        Arc::new(Shape { name: "test".into(), tensors })
    }

    #[test]
    fn every_rule_is_right_in_every_phase_and_runs_on_and_on() {
        let shape = shape(vec![3000, 1, 129]);
        let mut team = Team::new(1, 1 << 16);
        for entry in entries() {
            let mut case = Case::new(&mut team, entry.info.name, &shape).unwrap();
            for base in Base::ALL {
                case.verify_base(&mut team, base).unwrap();
                for phase in Phase::ALL {
                    for _ in 0..50 {
                        case.run(&mut team, phase, base).unwrap();
                    }
                }
            }
            case.check_finite(&mut team).unwrap();
        }
    }

    #[test]
    fn the_norm_has_the_same_bits_on_any_number_of_threads() {
        // Long enough to be shared, and cut within tensors.
        let shape = shape(vec![100_000, 77, 70_001]);
        let norm = |threads: usize| {
            let mut team = Team::new(threads, 1 << 16);
            let mut case = Case::new(&mut team, "info-asam", &shape).unwrap();
            case.step(&mut team).unwrap();
            let total = case.norm(&mut team).unwrap().total().unwrap();
            (total.sum.to_bits(), total.class)
        };
        let one = norm(1);
        assert!([2, 3, 8].map(norm).iter().all(|found| *found == one));
    }

    #[test]
    fn a_case_serves_its_own_shape_and_rule_and_rows_of_any_rule() {
        let (small, other) = (shape(vec![10]), shape(vec![11]));
        let mut team = Team::new(1, 1 << 16);
        let case = Case::new(&mut team, "sam", &small).unwrap();
        assert!(case.serves(Some("sam"), &small) && case.serves(None, &small));
        assert!(!case.serves(Some("asam"), &small) && !case.serves(None, &other));
        let unknown = Case::new(&mut team, "salm", &small).err().unwrap();
        assert_eq!(unknown.exit_code(), 2);
    }
}
