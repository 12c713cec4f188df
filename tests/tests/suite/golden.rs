//! The golden vectors of the variants' reference through core, in `f64` to the last printed digit and
//! in `f32`.

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::{
    Answer, Backend, Base, Case, LengthRule, Options, Outcome, Rule, RuleState, Scalar, Segment,
};

#[path = "../../vectors/golden.rs"]
mod table;
use table::{G1, RHO, ROWS, Row, W};

/// A row as the suite runs it.
struct Golden<'r>(&'r Row);

impl Golden<'_> {
    fn rule(&self) -> Rule {
        let rule = Rule::from_name(self.0.rule).expect("a rule of the oracle");
        let own = |key| self.0.settings.iter().find(|(name, _)| *name == key);
        rule.map_settings(|key, value| own(key).map_or(value, |(_, own)| *own))
    }

    fn length(&self) -> LengthRule {
        match self.0.lambda {
            0.0 => LengthRule::Unnormalised,
            1.0 => LengthRule::NORMALISED,
            lambda => LengthRule::Mixed { lambda, norm_guard: 0.0 },
        }
    }

    fn case<R: Scalar>(&self) -> Case<R> {
        let (row, rule) = (self.0, self.rule());
        let plane = |values: &[f64]| values.iter().map(|x| R::from_f64(*x)).collect::<Vec<R>>();
        let segment = |range: std::ops::Range<usize>, options| Segment {
            options,
            params: plane(&W[range.clone()]),
            grads: plane(&[0.0; 5][range.clone()]),
            perturbed_grads: plane(&[0.0; 5][range.clone()]),
            memory: vec![plane(&[0.0; 5][range.clone()]); rule.memory()],
            inputs: vec![plane(&row.input[range]); rule.inputs()],
            state: vec![],
        };
        let options = Options::new(R::held(RHO));
        let weight =
            Options { counts_in_norm: row.with_weight, is_perturbed: row.with_weight, ..options };
        let bias = Options { operator_applies: row.operator_on_bias, ..options };
        Case {
            rule: rule.map_settings(|_, value| R::held(value)),
            length: self.length(),
            segments: vec![segment(0..3, weight), segment(3..5, bias)],
            rule_state: RuleState::default(),
            base: Base::Sgd { learning_rate: 0.0, weight_decay: 0.0 },
            base_steps: 0,
        }
    }

    /// The case of the last step, and core's answer.
    fn run<R: Scalar>(&self) -> (Case<R>, Answer<R>)
    where
        Phases: Backend<R>,
    {
        let mut core = Phases(Cpu::detect());
        let mut case = self.case::<R>();
        let mut answer = Answer::unchanged(&case);
        for grads in self.0.grads {
            let plane = |range: std::ops::Range<usize>| {
                grads[range].iter().map(|x| R::from_f64(*x)).collect::<Vec<R>>()
            };
            case = case.next(&answer, &[(plane(0..3), vec![]), (plane(3..5), vec![])]);
            answer = core.step(&case).unwrap_or_else(|reason| panic!("{}: {reason}", self.0.name));
        }
        (case, answer)
    }

    /// perturbed - w, all five.
    fn found<R: Scalar>(&self) -> Vec<f64>
    where
        Phases: Backend<R>,
    {
        let (_, answer) = self.run::<R>();
        assert_eq!(answer.outcome, Outcome::Perturbed, "{}", self.0.name);
        let perturbed = answer.segments.iter().flat_map(|s| &s.perturbed);
        perturbed.zip(W).map(|(perturbed, w)| perturbed.to_f64() - w).collect()
    }
}

/// The first number further from the printed one than `relative` of it and `absolute`.
fn missed(row: &Row, found: &[f64], relative: f64, absolute: f64) -> Option<String> {
    let pairs = row.perturbation.iter().zip(found).enumerate();
    let off = |(expected, found): (&f64, &f64)| {
        (expected - found).abs() > relative * expected.abs() + absolute
    };
    pairs
        .filter(|(_, (expected, found))| off((expected, found)))
        .map(|(i, (expected, found))| {
            format!("{}[{i}]: expected {expected}, found {found}", row.name)
        })
        .next()
}

#[test]
fn all_rows_in_f64() {
    assert_eq!(ROWS.len(), 18);
    for row in ROWS {
        // Half a unit of the twelfth digit, and the rounding of w + perturbation at |w| = 2.
        assert_eq!(missed(row, &Golden(row).found::<f64>(), 5e-12, 5e-16), None);
    }
}

#[test]
fn all_rows_in_f32() {
    for row in ROWS {
        // Rounding of w + perturbation at |w| = 2, and a few units in the last place of the perturbation.
        assert_eq!(missed(row, &Golden(row).found::<f32>(), 4e-6, 1.2e-7), None);
    }
}

#[test]
fn each_row_rejects_what_another_rule_makes() {
    // SAM's own perturbation in place of each: only SAM's rows may accept it.
    let sam = ROWS[0].perturbation;
    for row in ROWS.iter().filter(|row| row.perturbation != sam) {
        assert!(missed(row, &sam, 5e-12, 5e-16).is_some(), "{}", row.name);
    }
}

/// The draft after the same gradient twice: b = 0, so 0/0 and 1/0.
fn trap<R: Scalar>()
where
    Phases: Backend<R>,
{
    // Halves, so that m is g exactly.
    let draft = ROWS.iter().find(|row| row.rule == "info-sam-draft").expect("a row of the draft");
    let row = Row { settings: &[("decay", 0.5)], grads: &[G1, G1], ..draft.clone() };
    let (case, answer) = Golden(&row).run::<R>();
    assert_eq!(answer.outcome, Outcome::NonFinite);
    let unchanged =
        Answer { outcome: Outcome::NonFinite, norm: answer.norm, ..Answer::unchanged(&case) };
    presam_conformance::compare::same_answer(&unchanged, &answer).unwrap();
}

#[test]
fn the_trap_vector_is_an_outcome() {
    trap::<f32>();
    trap::<f64>();
}
