//! Base optimizers: five steps of a session against the oracle, and rho = 0 against the base
//! optimizer alone in bits.

use crate::common::{Random, assert_within, bits, widened};
use presam::{
    AdamW, ArmedBase, BaseOptimizer, BaseState, Cpu, DescentRule, DynBase, Flat, Group, InfoSam,
    Outcome, PlanesMut, Real, RuleState, Sam, Session, Sgd, Variant,
};
use presam_oracle::{Base, BaseState as OracleState, Format, descend};

const N: usize = 70;
const STEPS: usize = 5;

/// A gradient of the moment: any function of the parameters does.
fn gradient<R: Real>(params: &[R], noise: &[R], grads: &mut [R]) {
    for ((g, w), noise) in grads.iter_mut().zip(params).zip(noise) {
        *g = *w + *w * *w * *noise + *noise;
    }
}

/// Five steps of SAM over `base`; the oracle takes each from where core stands.
fn five_steps<R: Real>(base: impl DynBase<R>, oracle: Base, format: Format) {
    let mut random = Random(11);
    let (mut w, noise) = (random.plane::<R>(N), random.plane::<R>(N));
    let (mut g, mut spare) = (vec![R::ZERO; N], vec![R::ZERO; N]);
    let mut state = vec![vec![R::ZERO; N]; base.state_planes()];
    let mut session = Session::new(Cpu::detect(), Sam::new(), base);
    let groups = [Group::new(R::from_f64(0.125)).unwrap()];
    for step in 0..STEPS {
        let before = widened(&w);
        let planes = state.iter().map(|plane| widened(plane)).collect();
        let counted = OracleState { steps: step as u64, planes: vec![planes] };
        let mut model =
            Flat { state: PlanesMut::of(&mut state), ..Flat::new(&mut w, &mut g, &mut spare) };
        let report = session.step(&groups, &mut model, |m, _| {
            gradient(m.params, &noise, m.grads);
            Ok::<(), presam::Error>(())
        });
        assert!(report.unwrap().descended);
        let expected = descend(oracle, &[before], &[widened(&g)], 1.0, &counted, format).unwrap();
        assert_within(&format!("step {step}: params"), &w, &expected.params[0]);
        for (found, expected) in state.iter().zip(&expected.planes[0]) {
            assert_within(&format!("step {step}: state"), found, expected);
        }
    }
}

/// Steps with rho = 0, and the same steps without any ascent: every bit is the same.
fn rho_zero<R: Real>(base: impl DynBase<R>) {
    let mut random = Random(12);
    let (start, noise) = (random.plane::<R>(N), random.plane::<R>(N));
    let zeros = || vec![vec![R::ZERO; N]; base.state_planes()];
    let (mut w, mut g, mut spare, mut state) =
        (start.clone(), vec![R::ZERO; N], vec![R::ZERO; N], zeros());
    let mut session = Session::new(Cpu::detect(), Sam::new(), &base);
    let (mut alone, mut alone_grads, mut alone_state) = (start, vec![R::ZERO; N], zeros());
    let mut counters = BaseState::new();
    for _ in 0..STEPS {
        let mut model =
            Flat { state: PlanesMut::of(&mut state), ..Flat::new(&mut w, &mut g, &mut spare) };
        let report = session.step(&[Group::new(R::ZERO).unwrap()], &mut model, |m, _| {
            gradient(m.params, &noise, m.grads);
            Ok::<(), presam::Error>(())
        });
        assert_eq!(report.unwrap().ascent.outcome, Outcome::Finite);
        gradient(&alone, &noise, &mut alone_grads);
        let planes = PlanesMut::of(&mut alone_state);
        let at = ArmedBase::new(Cpu::plain(), counters);
        base.descend(&at, R::ONE, &mut alone, &alone_grads, planes).unwrap();
        counters = base.advance(&counters);
        let all = |planes: &[Vec<R>]| planes.iter().map(|plane| bits(plane)).collect::<Vec<_>>();
        assert_eq!((bits(&w), all(&state)), (bits(&alone), all(&alone_state)));
    }
}

const LEARNING_RATE: f64 = 0.125;
const WEIGHT_DECAY: f64 = 0.0625;

/// Every setting here is exact in `f32`.
fn momentum(dampening: f64, nesterov: bool) -> Base {
    let (learning_rate, weight_decay, momentum) = (LEARNING_RATE, WEIGHT_DECAY, 0.875);
    Base::SgdMomentum { learning_rate, weight_decay, momentum, dampening, nesterov }
}

fn both<R: Real>(format: Format) {
    let real = R::from_f64;
    let sgd = Sgd::new(real(LEARNING_RATE)).unwrap().with_weight_decay(real(WEIGHT_DECAY)).unwrap();
    let plain = Base::Sgd { learning_rate: LEARNING_RATE, weight_decay: WEIGHT_DECAY };
    five_steps(sgd, plain, format);
    rho_zero(sgd);

    let heavy = sgd.with_momentum(real(0.875)).unwrap();
    let damped = heavy.with_dampening(real(0.25)).unwrap();
    let nesterov = heavy.with_nesterov().unwrap();
    for (base, oracle) in [
        (heavy, momentum(0.0, false)),
        (damped, momentum(0.25, false)),
        (nesterov, momentum(0.0, true)),
    ] {
        five_steps(base, oracle, format);
        rho_zero(base);
    }

    let adamw =
        AdamW::new(real(LEARNING_RATE)).unwrap().with_weight_decay(real(WEIGHT_DECAY)).unwrap();
    let adamw = adamw.with_decays(real(0.875), real(0.96875)).unwrap();
    let adamw = adamw.with_denominator_guard(real(0.0009765625)).unwrap();
    let oracle = Base::AdamW {
        learning_rate: LEARNING_RATE,
        weight_decay: WEIGHT_DECAY,
        mean_decay: 0.875,
        square_decay: 0.96875,
        denominator_guard: 0.0009765625,
    };
    five_steps(adamw, oracle, format);
    rho_zero(adamw);
}

#[test]
fn in_f32() {
    both::<f32>(Format::F32);
}

#[test]
fn in_f64() {
    both::<f64>(Format::F64);
}

/// Decays as `R` holds them, at which a power in `f32` would lose its difference from 1.
const DECAYS: [f64; 4] = [0.9, 0.99, 0.999, 0.9999];

/// How far 1 - power is from the closed form, in ulp of 1 in `f64`.
fn off(power: f64, decay: f64, steps: i32) -> f64 {
    ((1.0 - power) - (1.0 - decay.powf(f64::from(steps)))).abs() / f64::EPSILON
}

/// 1 - decay^t of AdamW and info-sam: the running product against the closed form.
fn powers<R: Real>() {
    for decay in DECAYS.map(R::from_f64) {
        let info = InfoSam::new(decay, decay, R::ZERO, R::ONE).unwrap();
        let adamw = AdamW::new(R::ONE).unwrap().with_decays(decay, decay).unwrap();
        let (mut base, mut rule) = (BaseState::new(), RuleState::new());
        rule = info.advance(&rule, R::ONE); // observes nothing
        for t in 1..=5000 {
            (base, rule) = (adamw.advance(&base), info.advance(&rule, R::ONE));
            assert_eq!(base.decay_powers, [rule.decay_power; 2]);
            let (off, most) =
                (off(rule.decay_power, decay.to_f64(), t), if t <= 64 { 2.0 } else { 32.0 });
            assert!(off <= most, "{decay:?}^{t}: off by {off} ulp");
            let mean = R::ONE.to_f64() / (1.0 - decay.to_f64().powf(f64::from(t)));
            let error = (rule.mean.to_f64() / mean - 1.0).abs();
            assert!(
                size_of::<R>() == 8 || error <= 1.5 * f64::from(f32::EPSILON),
                "{decay:?}^{t}: {error}"
            );
        }
    }
}

#[test]
fn the_bias_of_an_average_is_that_of_the_closed_form() {
    powers::<f32>();
    powers::<f64>();
}

#[test]
fn adamw_in_f32_is_within_4_ulp_of_the_formula_at_any_decay() {
    for (mean, square) in [(0.9f32, 0.999f32), (0.999, 0.9999), (0.9999, 0.99999)] {
        let adamw = AdamW::new(0.5f32).unwrap().with_weight_decay(0.0).unwrap();
        let adamw = adamw.with_decays(mean, square).unwrap().with_denominator_guard(0.0).unwrap();
        let mut state = BaseState::new();
        for t in 1..=2000 {
            let (found, [m, v]) = adamw.arm(&state).update(0.0, 0.75, [0.25, 0.5]);
            let bias = |decay: f32| 1.0 - f64::from(decay).powf(f64::from(t));
            let (m, v) = (f64::from(m) / bias(mean), f64::from(v) / bias(square));
            let expected = -0.5 * m / v.sqrt();
            let ulp = f64::from(f32::EPSILON) * expected.abs().log2().floor().exp2();
            let off = (f64::from(found) - expected).abs() / ulp;
            assert!(off <= 4.0, "decays {mean}, {square}, step {t}: off by {off} ulp");
            state = adamw.advance(&state);
        }
    }
}
