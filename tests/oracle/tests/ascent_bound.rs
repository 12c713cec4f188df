//! The error bound of the ascent against real f32 arithmetic, in the order of summation of design.md, section 3.
//!
//! Never crossed, and reached to within a small factor: a bound that is never approached would hide a slip.

mod common;

use common::Random;
use presam_oracle::{Ascent, Format, LengthRule, Outcome, Rule, RuleState, Segment, ascend};

/// What an f32 implementation computes of one element.
struct Element {
    w: f32,
    g: f32,
    m: f32,
    v: f32,
    mean: f32,
    steps: i32,
}

/// How an average is written: the bound admits each.
#[derive(Clone, Copy)]
enum Form {
    Weighed,
    FromOld,
    FromNew,
}

const FORMS: [Form; 3] = [Form::Weighed, Form::FromOld, Form::FromNew];

/// Norm term, direction.
type Terms = fn(&Element, Form) -> (f32, f32);

fn average(form: Form, decay: f32, old: f32, new: f32) -> f32 {
    match form {
        Form::Weighed => decay * old + (1.0 - decay) * new,
        Form::FromOld => old + (1.0 - decay) * (new - old),
        Form::FromNew => new - decay * (new - old),
    }
}

/// The rules in f32; the oracle is given the settings that f32 holds.
fn implementations() -> Vec<(Rule, Terms)> {
    let info = Rule::InfoSam {
        mean_decay: 0.875,
        variance_decay: f64::from(0.99_f32),
        absolute_damping: 0.0,
        relative_damping: 1.0,
    };
    vec![
        (Rule::Sam, |e, _| (e.g, e.g)),
        (Rule::Asam { eta: 0.0078125 }, |e, _| {
            let d = e.w.abs() + 0.0078125;
            (d * e.g, d * d * e.g)
        }),
        (Rule::FisherSam { eta: 1.0 }, |e, _| {
            let f = 1.0 + e.g * e.g;
            (e.g / f.sqrt(), e.g / f)
        }),
        (Rule::Vasso { decay: 0.125 }, |e, form| {
            let d = average(form, 0.125, e.m, e.g);
            (d, d)
        }),
        (Rule::FriendlySam { sigma: 1.0, decay: 0.875 }, |e, _| (e.g - e.m, e.g - e.m)),
        (Rule::FriendlyAsam { sigma: 1.0, decay: 0.875 }, |e, _| {
            let s = e.g - e.m;
            (e.w.abs() * s, e.w.abs() * (e.w.abs() * s))
        }),
        (Rule::RawAsam, |e, _| (e.g, e.w.abs() * e.g)),
        (Rule::InfoSamDraft { decay: 0.875 }, |e, form| {
            let x = average(form, 0.875, e.m, e.g) - e.g;
            (e.g / (x * x), e.g / (x * x))
        }),
        (info, |e, form| {
            let v = average(form, 0.99, e.v, (e.m - e.g) * (e.m - e.g));
            let bias = 1.0 - 0.99_f32.powi(e.steps);
            let c = bias / (v + bias * e.mean);
            (c * e.g, c * e.g)
        }),
    ]
}

/// Chunks of 2048, 128 lanes, folds by halves, a binary tree.
fn norm_f32(segments: &[Vec<f32>]) -> f32 {
    let mut parts: Vec<f32> = segments.iter().flat_map(|s| s.chunks(2048)).map(chunk_sum).collect();
    while parts.len() > 1 {
        parts = parts.chunks(2).map(|pair| pair.iter().sum()).collect();
    }
    parts.first().copied().unwrap_or(0.0).sqrt()
}

fn chunk_sum(chunk: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 128];
    for (i, x) in chunk.iter().enumerate() {
        lanes[i % 128] += x * x;
    }
    let mut width = 64;
    while width > 0 {
        for l in 0..width {
            lanes[l] += lanes[l + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// The largest error over bound.
#[derive(Default)]
struct Worst {
    norm: f64,
    perturbation: f64,
    perturbed: f64,
}

impl Worst {
    fn and(self, other: Self) -> Self {
        Self {
            norm: self.norm.max(other.norm),
            perturbation: self.perturbation.max(other.perturbation),
            perturbed: self.perturbed.max(other.perturbed),
        }
    }
}

const STEPS: i32 = 5;
const MEAN: f32 = 0.5;
const RHO: f32 = 0.0625;

/// Random segments as the rule's fifth step finds them.
fn model(lengths: &[usize], seed: u64) -> Vec<Vec<Element>> {
    let mut random = Random(seed);
    let mut segment = |n: &usize| {
        let [w, g, m, v] = [0.5, 1.0, 1.0, 0.2].map(|spread| random.normals(*n, spread));
        let at = |i: usize| Element {
            w: w[i],
            g: g[i],
            m: m[i],
            v: v[i].abs(),
            mean: MEAN,
            steps: STEPS,
        };
        (0..*n).map(at).collect()
    };
    lengths.iter().map(&mut segment).collect()
}

fn oracle(rule: Rule, model: &[Vec<Element>]) -> Ascent {
    let plane = |elements: &[Element], f: fn(&Element) -> f32| -> Vec<f64> {
        elements.iter().map(|e| f64::from(f(e))).collect()
    };
    let segment = |elements: &Vec<Element>| {
        let (w, g) = (plane(elements, |e| e.w), plane(elements, |e| e.g));
        let memory = [plane(elements, |e| e.m), plane(elements, |e| e.v)];
        let mut segment = Segment::new(w, g, f64::from(RHO));
        segment.memory = memory.into_iter().take(rule.memory()).collect();
        segment
    };
    let segments: Vec<Segment> = model.iter().map(segment).collect();
    let state = RuleState { steps: STEPS as u64, mean_of_variance: f64::from(MEAN) };
    ascend(rule, LengthRule::NORMALISED, &segments, state, Format::F32).expect("the shapes fit")
}

fn compare(rule: Rule, terms: Terms, model: &[Vec<Element>]) -> Worst {
    let ascent = oracle(rule, model);
    assert_eq!(ascent.outcome, Outcome::Perturbed);
    let by = |form: &Form| compare_form(&ascent, |e| terms(e, *form), model);
    FORMS.iter().map(by).fold(Worst::default(), Worst::and)
}

fn compare_form(
    ascent: &Ascent,
    terms: impl Fn(&Element) -> (f32, f32),
    model: &[Vec<Element>],
) -> Worst {
    let ratio = |found: f32, value: f64, bound: f64| (f64::from(found) - value).abs() / bound;
    let norm_terms = |s: &Vec<Element>| s.iter().map(|e| terms(e).0).collect();
    let norm = norm_f32(&model.iter().map(norm_terms).collect::<Vec<_>>());
    let mut worst =
        Worst { norm: ratio(norm, ascent.norm.value, ascent.norm.bound), ..Worst::default() };
    for ((elements, p), q) in model.iter().zip(&ascent.perturbation).zip(&ascent.perturbed) {
        for (i, e) in elements.iter().enumerate() {
            let moved = terms(e).1 * (RHO / norm);
            let perturbation = ratio(moved, p.values[i], p.bounds[i]);
            let perturbed = ratio(e.w + moved, q.values[i], q.bounds[i]);
            worst = worst.and(Worst { norm: 0.0, perturbation, perturbed });
        }
    }
    worst
}

#[test]
fn f32_stays_within_the_bound_and_comes_near_it() {
    let shapes: [&[usize]; 5] =
        [&[1], &[3, 2], &[127, 128, 129], &[2047, 2049, 100], &[20000, 5000]];
    for (rule, terms) in implementations() {
        let runs = shapes.iter().flat_map(|lengths| (1..20).map(|seed| model(lengths, seed)));
        let all = runs.map(|model| compare(rule, terms, &model));
        let Worst { norm, perturbation, perturbed } = all.fold(Worst::default(), Worst::and);
        let found = format!(
            "{rule}: of its bound, norm {norm:.3}, perturbation {perturbation:.3}, perturbed {perturbed:.3}"
        );
        println!("{found}");
        assert!(norm <= 1.0 && perturbation <= 1.0 && perturbed <= 1.0, "crossed: {found}");
        // The worst case is rare: a dozen roundings would have to agree in sign. An eighth is near.
        assert!(perturbation > 0.125 && perturbed > 0.25, "loose: {found}");
    }
}

/// A product with a subnormal gradient has fewer digits, and the quotient by a norm as small shows it.
#[test]
fn f32_stays_within_the_bound_below_the_normal_range() {
    // What the sums are taken of, so that no square vanishes.
    let up = 2.0_f32.powi(120);
    let rounds_products = |rule: &Rule| matches!(rule, Rule::Asam { .. } | Rule::RawAsam);
    for (rule, terms) in implementations().into_iter().filter(|(rule, _)| rounds_products(rule)) {
        let mut all = Worst::default();
        for seed in 1..200 {
            let mut model = model(&[1, 3], seed);
            model.iter_mut().flatten().for_each(|e| e.g *= f32::MIN_POSITIVE / 8.0);
            let scaled = |e: &Element| {
                let (norm_term, direction) = terms(e, Form::Weighed);
                (norm_term * up, direction * up)
            };
            all = all.and(compare_form(&oracle(rule, &model), scaled, &model));
        }
        // The norm itself is not what was scaled.
        let Worst { perturbation, perturbed, .. } = all;
        let found = format!("{rule}: {perturbation:.3} {perturbed:.3}");
        println!("{found}");
        assert!(perturbation <= 1.0 && perturbed <= 1.0, "crossed: {found}");
        assert!(perturbation > 0.125, "loose: {found}");
    }
}

/// Two elements: any order of summation is the order. Subnormal ones too, of which the oracle rounds the norm itself.
#[test]
fn f64_stays_within_the_bound_and_comes_near_it() {
    for small in [1.0, f64::MIN_POSITIVE / 1024.0] {
        let mut random = Random(3);
        let mut worst = 0.0_f64;
        for _ in 0..1000 {
            let g = [0; 2].map(|_| f64::from(random.uniform()) / 3.0 * small);
            let segment = Segment::new(vec![0.0; 2], g.to_vec(), 0.1);
            let (rule, state) = (Rule::Sam, RuleState::default());
            let ascent = ascend(rule, LengthRule::NORMALISED, &[segment], state, Format::F64)
                .expect("the shapes fit");
            let g = g.map(|g| g / small);
            let scale = 0.1 / (g[0] * g[0] + g[1] * g[1]).sqrt();
            let p = &ascent.perturbation[0];
            for (i, g) in g.iter().enumerate() {
                worst = worst.max((g * scale - p.values[i]).abs() / p.bounds[i]);
            }
        }
        assert!(worst <= 1.0 && worst > 0.125, "{small}: {worst}");
    }
}
