//! The golden vectors of the variants' reference through core, in `f64` to the last printed digit and
//! in `f32`.

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::{
    Answer, Backend, Base, Case, LengthRule, Options, Outcome, Rule, RuleState, Scalar, Segment,
};

const W: [f64; 5] = [1.0, -2.0, 0.5, 0.25, 0.0];
const G1: [f64; 5] = [0.3, -0.4, 1.2, 0.0, -0.05];
const G2: [f64; 5] = [0.1, -0.7, 1.6, 0.2, -0.15];
const RHO: f64 = 0.05;

/// A row of the table: how it is computed, and the perturbation printed there.
struct Row {
    name: &'static str,
    rule: Rule,
    length: LengthRule,
    /// One gradient a step.
    grads: Vec<[f64; 5]>,
    input: [f64; 5],
    operator_on_bias: bool,
    with_weight: bool,
    perturbation: [f64; 5],
}

impl Row {
    fn new(name: &'static str, rule: Rule, perturbation: [f64; 5]) -> Self {
        let length = LengthRule::NORMALISED;
        let (grads, input) = (vec![G1], [1.0; 5]);
        let (operator_on_bias, with_weight) = (true, true);
        Self { name, rule, length, grads, input, operator_on_bias, with_weight, perturbation }
    }

    fn case<R: Scalar>(&self) -> Case<R> {
        let plane = |values: &[f64]| values.iter().map(|x| R::from_f64(*x)).collect::<Vec<R>>();
        let segment = |range: std::ops::Range<usize>, options| Segment {
            options,
            params: plane(&W[range.clone()]),
            grads: plane(&[0.0; 5][range.clone()]),
            perturbed_grads: plane(&[0.0; 5][range.clone()]),
            memory: vec![plane(&[0.0; 5][range.clone()]); self.rule.memory()],
            inputs: vec![plane(&self.input[range]); self.rule.inputs()],
            state: vec![],
        };
        let options = Options::new(R::held(RHO));
        let weight =
            Options { counts_in_norm: self.with_weight, is_perturbed: self.with_weight, ..options };
        let bias = Options { operator_applies: self.operator_on_bias, ..options };
        Case {
            rule: self.rule.map_settings(|_, value| R::held(value)),
            length: self.length,
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
        for grads in &self.grads {
            let plane = |range: std::ops::Range<usize>| {
                grads[range].iter().map(|x| R::from_f64(*x)).collect::<Vec<R>>()
            };
            case = case.next(&answer, &[(plane(0..3), vec![]), (plane(3..5), vec![])]);
            answer = core.step(&case).unwrap_or_else(|reason| panic!("{}: {reason}", self.name));
        }
        (case, answer)
    }

    /// perturbed - w, all five.
    fn found<R: Scalar>(&self) -> Vec<f64>
    where
        Phases: Backend<R>,
    {
        let (_, answer) = self.run::<R>();
        assert_eq!(answer.outcome, Outcome::Perturbed, "{}", self.name);
        let perturbed = answer.segments.iter().flat_map(|s| &s.perturbed);
        perturbed.zip(W).map(|(perturbed, w)| perturbed.to_f64() - w).collect()
    }
}

const SAM: [f64; 5] = [0.0115299366304, -0.0153732488405, 0.0461197465214, 0.0, -0.00192165610506];

fn stateless() -> Vec<Row> {
    let weight_only = [0.0144891927957, -0.0765124828466, 0.0147775278744, 0.0, -0.00236728307612];
    let fisher = [0.0126166161576, -0.0165939473495, 0.0398873144363, 0.0, -0.00213954943336];
    let fisher_one = [0.0152608039777, -0.0191198578571, 0.0272693054683, 0.0, -0.00276546572496];
    let unified = [0.0132649683152, -0.0176866244202, 0.0530598732607, 0.0, -0.00221082805253];
    let asam = [0.0143673942783, -0.0766261028177, 0.0143673942783, 0.0, 0.0];
    vec![
        Row::new("SAM, g1", Rule::Sam, SAM),
        Row::new("ASAM all tensors, eta 0", Rule::Asam { eta: 0.0 }, asam),
        Row {
            operator_on_bias: false,
            ..Row::new("ASAM weight only, eta 0.01", Rule::Asam { eta: 0.01 }, weight_only)
        },
        Row::new("FisherSAM eta 0.2", Rule::FisherSam { eta: 0.2 }, fisher),
        Row::new("FisherSAM eta 1", Rule::FisherSam { eta: 1.0 }, fisher_one),
        Row {
            with_weight: false,
            ..Row::new("SAM-ON perturbing B only", Rule::Sam, [0.0, 0.0, 0.0, 0.0, -0.05])
        },
        Row {
            length: LengthRule::Unnormalised,
            ..Row::new("USAM", Rule::Sam, [0.015, -0.02, 0.06, 0.0, -0.0025])
        },
        Row {
            length: LengthRule::Mixed { lambda: 0.5, norm_guard: 0.0 },
            ..Row::new("unified lambda 0.5", Rule::Sam, unified)
        },
        Row::new("MSAM, v = g1", Rule::MomentumSam, SAM.map(|x| -x)),
    ]
}

fn with_inputs() -> Vec<Row> {
    let mask = [1.0, 0.0, 1.0, 0.0, 1.0];
    let adaptive = [0.0115299366304, -0.030746497681, 0.0230598732607, 0.0, 0.0];
    let strict = [0.0121168858758, 0.0, 0.0484675435033, 0.0, -0.00201948097931];
    let masked = [0.0115299366304, 0.0, 0.0461197465214, 0.0, -0.00192165610506];
    let damped =
        [0.00681800725596, -0.0244099463639, 0.0331327802467, 0.0136360145119, -0.0239571967668];
    // b of the draft after g1 and g2, which the reference prints.
    let c = [0.0324, 0.0729, 0.1296, 0.0324, 0.0081].map(|b| 1.0 / (b + 0.01));
    vec![
        // |w| g with the raw norm is SSAM's form with |w| for a mask.
        Row { input: W.map(f64::abs), ..Row::new("GSAM-JAX adaptive", Rule::Ssam, adaptive) },
        Row { input: mask, ..Row::new("SSAM code", Rule::Ssam, masked) },
        Row { input: mask, ..Row::new("strict OP with that mask", Rule::MaskedSam, strict) },
        Row {
            input: c,
            grads: vec![G2],
            ..Row::new("infoSAM draft, b + 0.01", Rule::ObjectivePreconditioner, damped)
        },
    ]
}

fn with_history() -> Vec<Row> {
    let second = |name, rule, perturbation| Row {
        grads: vec![G1, G2],
        ..Row::new(name, rule, perturbation)
    };
    let sam =
        [0.00282955917487, -0.0198069142241, 0.0452729467979, 0.00565911834974, -0.00424433876231];
    let vasso =
        [0.00349398654039, -0.0195080915172, 0.0454218250251, 0.00524097981059, -0.00407631763046];
    let friendly =
        [-0.0171498585143, -0.0257247877714, 0.0342997170285, 0.0171498585143, -0.00857492925713];
    let draft =
        [0.00612315742418, -0.0190498230975, 0.0244926296967, 0.0122463148484, -0.0367389445451];
    vec![
        second("SAM, g2", Rule::Sam, sam),
        second("VaSSO theta 0.9", Rule::Vasso { decay: 0.1 }, vasso),
        second("F-SAM sigma 1", Rule::FriendlySam { sigma: 1.0, decay: 0.9 }, friendly),
        second("infoSAM draft alpha 0.9", Rule::InfoSamDraft { decay: 0.9 }, draft),
    ]
}

fn rows() -> Vec<Row> {
    [stateless(), with_inputs(), with_history()].into_iter().flatten().collect()
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
fn all_seventeen_rows_in_f64() {
    let rows = rows();
    assert_eq!(rows.len(), 17);
    for row in &rows {
        // Half a unit of the twelfth digit, and the rounding of w + perturbation at |w| = 2.
        assert_eq!(missed(row, &row.found::<f64>(), 5e-12, 5e-16), None);
    }
}

#[test]
fn all_seventeen_rows_in_f32() {
    for row in &rows() {
        // Rounding of w + perturbation at |w| = 2, and a few units in the last place of the perturbation.
        assert_eq!(missed(row, &row.found::<f32>(), 4e-6, 1.2e-7), None);
    }
}

#[test]
fn each_row_rejects_what_another_rule_makes() {
    // SAM's own perturbation in place of each: only SAM's rows may accept it.
    for row in rows().iter().filter(|row| row.perturbation != SAM) {
        assert!(missed(row, &SAM, 5e-12, 5e-16).is_some(), "{}", row.name);
    }
}

/// The draft after the same gradient twice: b = 0, so 0/0 and 1/0.
fn trap<R: Scalar>()
where
    Phases: Backend<R>,
{
    // Halves, so that m is g exactly.
    let mut row = Row::new("trap", Rule::InfoSamDraft { decay: 0.5 }, SAM);
    row.grads = vec![G1, G1];
    let (case, answer) = row.run::<R>();
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
