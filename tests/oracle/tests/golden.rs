//! The golden vectors of variants.md, section 6, to their last printed digit.

mod common;

use common::numbers;
use presam_oracle::{Ascent, Claim, Format, LengthRule, Outcome, Rule, RuleState, Segment, ascend};

const W: [&[f64]; 2] = [&[1.0, -2.0, 0.5], &[0.25, 0.0]];
const G1: [&[f64]; 2] = [&[0.3, -0.4, 1.2], &[0.0, -0.05]];
const G2: [&[f64]; 2] = [&[0.1, -0.7, 1.6], &[0.2, -0.15]];
const RHO: f64 = 0.05;

/// One line of the table: how it is computed, and what is printed.
struct Row {
    name: &'static str,
    rule: Rule,
    length_rule: LengthRule,
    /// One gradient per step; the printed perturbation is that of the last.
    grads: Vec<[&'static [f64]; 2]>,
    inputs: [Vec<Vec<f64>>; 2],
    /// ASAM's operator on the bias.
    operator_on_bias: bool,
    /// Whether the weight counts and moves.
    includes_weight: bool,
    perturbation: [f64; 5],
    norm: f64,
}

impl Row {
    fn new(name: &'static str, rule: Rule, perturbation: &str, norm: f64) -> Self {
        Self {
            name,
            rule,
            length_rule: LengthRule::NORMALISED,
            grads: vec![G1],
            inputs: [vec![], vec![]],
            operator_on_bias: true,
            includes_weight: true,
            perturbation: numbers(perturbation),
            norm,
        }
    }

    fn over(self, grads: &[[&'static [f64]; 2]]) -> Self {
        Self { grads: grads.to_vec(), ..self }
    }

    fn length(self, length_rule: LengthRule) -> Self {
        Self { length_rule, ..self }
    }

    fn input(self, weight: &[f64], bias: &[f64]) -> Self {
        Self { inputs: [vec![weight.to_vec()], vec![bias.to_vec()]], ..self }
    }

    fn segments(&self) -> Vec<Segment> {
        let mut segments: Vec<Segment> = W
            .iter()
            .zip(&self.inputs)
            .map(|(w, inputs)| {
                Segment::new(w.to_vec(), vec![], RHO)
                    .with_memory_for(self.rule)
                    .with_inputs(inputs.clone())
            })
            .collect();
        segments[0].counts_in_norm = self.includes_weight;
        segments[0].is_perturbed = self.includes_weight;
        segments[1].operator_applies = self.operator_on_bias;
        segments
    }

    /// All steps with the given ascent; the last perturbation, and the segments after it.
    fn run(
        &self,
        ascend: impl Fn(&[Segment], RuleState) -> Vec<Ascent>,
    ) -> (Vec<f64>, Vec<Segment>) {
        let (mut segments, mut state) = (self.segments(), RuleState::default());
        let mut perturbation = Vec::new();
        for grads in &self.grads {
            for (segment, grads) in segments.iter_mut().zip(grads) {
                segment.grads = grads.to_vec();
            }
            let ascents = ascend(&segments, state);
            let parts = segments.chunks_mut(if ascents.len() == 1 { 2 } else { 1 });
            for (ascent, part) in ascents.iter().zip(parts) {
                ascent.store_memory(part);
            }
            state = ascents[0].state;
            perturbation = ascents
                .iter()
                .flat_map(|a| &a.perturbation)
                .flat_map(|p| p.values.clone())
                .collect();
        }
        (perturbation, segments)
    }

    fn global(&self, segments: &[Segment], state: RuleState) -> Vec<Ascent> {
        vec![
            ascend(self.rule, self.length_rule, segments, state, Format::F64)
                .expect("the shapes fit"),
        ]
    }

    /// A slip of the hand: a norm for each tensor.
    fn per_tensor(&self, segments: &[Segment], state: RuleState) -> Vec<Ascent> {
        let one = |segment: &Segment| {
            ascend(self.rule, self.length_rule, std::slice::from_ref(segment), state, Format::F64)
        };
        segments.iter().map(|segment| one(segment).expect("the shapes fit")).collect()
    }

    /// The first printed number that is missed.
    fn check(&self, found: &[f64]) -> Result<(), String> {
        let norm = found.iter().map(|x| x * x).sum::<f64>().sqrt();
        let expected = self.perturbation.iter().chain([&self.norm]);
        for (i, (expected, found)) in expected.zip(found.iter().chain([&norm])).enumerate() {
            if !agrees_as_printed(*expected, *found) {
                return Err(format!(
                    "{}, number {i}: expected {expected}, found {found}",
                    self.name
                ));
            }
        }
        Ok(())
    }
}

/// Equal when printed with 12 significant digits.
fn agrees_as_printed(expected: f64, found: f64) -> bool {
    if expected == 0.0 {
        found == 0.0
    } else {
        format!("{expected:.11e}") == format!("{found:.11e}")
    }
}

const SAM: &str = "0.0115299366304, -0.0153732488405, 0.0461197465214 | 0, -0.00192165610506";
const MINUS_SAM: &str = "-0.0115299366304, 0.0153732488405, -0.0461197465214 | 0, 0.00192165610506";

/// The seventeen rows that one rule gives; the eighteenth needs the draft's m.
fn rows() -> Vec<Row> {
    [preconditioned(), masked(), other_lengths(), with_history()].into_iter().flatten().collect()
}

fn preconditioned() -> Vec<Row> {
    vec![
        Row::new("SAM, g1", Rule::Sam, SAM, 0.05),
        Row::new(
            "ASAM all tensors, eta 0",
            Rule::Asam { eta: 0.0 },
            "0.0143673942783, -0.0766261028177, 0.0143673942783 | 0, 0",
            0.079274230805,
        ),
        Row {
            operator_on_bias: false,
            ..Row::new(
                "ASAM weight only, eta 0.01",
                Rule::Asam { eta: 0.01 },
                "0.0144891927957, -0.0765124828466, 0.0147775278744 | 0, -0.00236728307612",
                0.0792973902374,
            )
        },
        Row::new(
            "FisherSAM eta 0.2",
            Rule::FisherSam { eta: 0.2 },
            "0.0126166161576, -0.0165939473495, 0.0398873144363 | 0, -0.00213954943336",
            0.0450567821379,
        ),
        Row::new(
            "FisherSAM eta 1",
            Rule::FisherSam { eta: 1.0 },
            "0.0152608039777, -0.0191198578571, 0.0272693054683 | 0, -0.00276546572496",
            0.03673858903,
        ),
    ]
}

fn masked() -> Vec<Row> {
    vec![
        Row::new(
            "GSAM-JAX adaptive",
            Rule::RawAsam,
            "0.0115299366304, -0.030746497681, 0.0230598732607 | 0, 0",
            0.0401253574831,
        ),
        Row::new(
            "SSAM code",
            Rule::Ssam,
            "0.0115299366304, 0, 0.0461197465214 | 0, -0.00192165610506",
            0.047577969903,
        )
        .input(&[1.0, 0.0, 1.0], &[0.0, 1.0]),
        Row::new(
            "strict OP with that mask",
            Rule::MaskedSam,
            "0.0121168858758, 0, 0.0484675435033 | 0, -0.00201948097931",
            0.05,
        )
        .input(&[1.0, 0.0, 1.0], &[0.0, 1.0]),
    ]
}

fn other_lengths() -> Vec<Row> {
    vec![
        Row {
            includes_weight: false,
            ..Row::new("SAM-ON perturbing B only", Rule::Sam, "0, 0, 0 | 0, -0.05", 0.05)
        },
        Row::new("USAM", Rule::Sam, "0.015, -0.02, 0.06 | 0, -0.0025", 0.0650480591563)
            .length(LengthRule::Unnormalised),
        Row::new(
            "unified lambda 0.5",
            Rule::Sam,
            "0.0132649683152, -0.0176866244202, 0.0530598732607 | 0, -0.00221082805253",
            0.0575240295781,
        )
        .length(LengthRule::Mixed { lambda: 0.5, norm_guard: 0.0 }),
        Row::new("MSAM, v = g1", Rule::MomentumSam, MINUS_SAM, 0.05),
    ]
}

fn with_history() -> Vec<Row> {
    vec![
        Row::new(
            "SAM, g2",
            Rule::Sam,
            "0.00282955917487, -0.0198069142241, 0.0452729467979 | 0.00565911834974, -0.00424433876231",
            0.05,
        )
        .over(&[G2]),
        Row::new(
            "VaSSO theta 0.9",
            Rule::Vasso { decay: 0.1 },
            "0.00349398654039, -0.0195080915172, 0.0454218250251 | 0.00524097981059, -0.00407631763046",
            0.05,
        )
        .over(&[G1, G2]),
        Row::new(
            "F-SAM sigma 1",
            Rule::FriendlySam {
                sigma: 1.0,
                decay: 0.9,
            },
            "-0.0171498585143, -0.0257247877714, 0.0342997170285 | 0.0171498585143, -0.00857492925713",
            0.05,
        )
        .over(&[G1, G2]),
        Row::new(
            "F-SAM adaptive, sigma 1",
            Rule::FriendlyAsam {
                sigma: 1.0,
                decay: 0.9,
            },
            "-0.0150329205601, -0.0901975233603, 0.00751646028003 | 0.000939557535004, 0",
            0.0917549010375,
        )
        .over(&[G1, G2]),
        Row::new(
            "infoSAM draft alpha 0.9",
            Rule::InfoSamDraft { decay: 0.9 },
            "0.00612315742418, -0.0190498230975, 0.0244926296967 | 0.0122463148484, -0.0367389445451",
            0.05,
        )
        .over(&[G1, G2]),
    ]
}

#[test]
fn every_row_is_met_to_the_last_printed_digit() {
    let rows = rows();
    assert_eq!(rows.len(), 17);
    for row in rows {
        let (found, _) = row.run(|segments, state| row.global(segments, state));
        row.check(&found).unwrap();
    }
}

#[test]
fn the_first_of_two_steps_is_sam() {
    let starts_as_sam = |row: &Row| row.rule.claims().contains(&Claim::FirstStepIsSam);
    for mut row in rows().into_iter().filter(|row| row.grads.len() == 2 && starts_as_sam(row)) {
        row.grads.pop();
        row.perturbation = numbers(SAM);
        row.norm = 0.05;
        row.check(&row.run(|segments, state| row.global(segments, state)).0).unwrap();
    }
}

#[test]
fn a_norm_per_tensor_is_rejected() {
    // The only rows that cannot tell: USAM has no norm, SAM-ON's other tensor is not in it, and with eta = 0 the bias
    // adds nothing to ASAM's.
    let blind = ["USAM", "SAM-ON perturbing B only", "ASAM all tensors, eta 0"];
    for row in rows().iter().filter(|row| !blind.contains(&row.name)) {
        let (found, _) = row.run(|segments, state| row.per_tensor(segments, state));
        assert!(row.check(&found).is_err(), "{} accepts a norm per tensor", row.name);
    }
}

/// m and b after g1 and g2, from the memory the draft keeps.
fn draft_intermediates() -> (Vec<f64>, Vec<f64>) {
    let row = rows().pop().expect("there are rows");
    let (_, segments) = row.run(|segments, state| row.global(segments, state));
    let m: Vec<f64> = segments.iter().flat_map(|segment| segment.memory[0].clone()).collect();
    let b = m.iter().zip(G2.concat()).map(|(m, g)| (m - g) * (m - g)).collect();
    (m, b)
}

#[test]
fn the_draft_keeps_the_printed_intermediates() {
    let (m, b) = draft_intermediates();
    for (found, expected) in m.iter().zip(numbers("0.28, -0.43, 1.24 | 0.02, -0.06")) {
        assert!((found - expected).abs() < 1e-15, "m: expected {expected}, found {found}");
    }
    for (found, expected) in b.iter().zip(numbers("0.0324, 0.0729, 0.1296 | 0.0324, 0.0081")) {
        assert!((found - expected).abs() < 1e-15, "b: expected {expected}, found {found}");
    }
}

#[test]
fn the_damped_draft_row_is_met_with_c_from_outside() {
    let (_, b) = draft_intermediates();
    let c: Vec<f64> = b.iter().map(|b| 1.0 / (b + 0.01)).collect();
    let row = Row::new(
        "infoSAM draft, b + 0.01",
        Rule::ObjectivePreconditioner,
        "0.00681800725596, -0.0244099463639, 0.0331327802467 | 0.0136360145119, -0.0239571967668",
        0.05,
    )
    .over(&[G2])
    .input(&c[..3], &c[3..]);
    row.check(&row.run(|segments, state| row.global(segments, state)).0).unwrap();
}

#[test]
fn the_trap_vector_is_an_outcome() {
    let row = rows().pop().expect("there are rows");
    let mut segments = row.segments();
    for (segment, grads) in segments.iter_mut().zip(G1) {
        segment.grads = grads.to_vec();
    }
    let first = row.global(&segments, RuleState::default()).remove(0);
    first.store_memory(&mut segments);
    let second = row.global(&segments, first.state).remove(0);
    assert_eq!(second.outcome, Outcome::NonFinite);
    assert_eq!(second.state, first.state);
    for ((segment, perturbed), planes) in segments.iter().zip(&second.perturbed).zip(&second.memory)
    {
        assert_eq!(segment.params, perturbed.values);
        assert_eq!(segment.memory[0], planes[0].values);
    }
}
