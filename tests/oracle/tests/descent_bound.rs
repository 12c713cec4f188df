//! The error bound of the descent against real f32 arithmetic: never crossed, and reached to within a small factor.

mod common;

use common::{Random, widened};
use presam_oracle::{Base, BaseState, Format, descend};

// All exact in f32.
const RATE: f32 = 1.0 / 128.0;
const WEIGHT_DECAY: f32 = 1.0 / 1024.0;
const DECAY: f32 = 0.875;
const SQUARE_DECAY: f32 = 1.0 - 1.0 / 1024.0;
const GUARD: f32 = 1.0 / 1024.0;
const STEPS: u64 = 3;

/// New parameter from w, g and the two planes of state.
type Step = fn(f32, f32, f32, f32) -> f32;

fn sgd(w: f32, g: f32, _: f32, _: f32) -> f32 {
    w - RATE * (g + WEIGHT_DECAY * w)
}

fn nesterov(w: f32, g: f32, b: f32, _: f32) -> f32 {
    let d = g + WEIGHT_DECAY * w;
    let b = DECAY * b + d;
    w - RATE * (d + DECAY * b)
}

fn adamw(w: f32, g: f32, m: f32, v: f32) -> f32 {
    let m = DECAY * m + (1.0 - DECAY) * g;
    let v = SQUARE_DECAY * v + (1.0 - SQUARE_DECAY) * (g * g);
    let (mut power1, mut power2) = (DECAY, SQUARE_DECAY);
    for _ in 0..STEPS {
        (power1, power2) = (power1 * DECAY, power2 * SQUARE_DECAY);
    }
    let w = w * (1.0 - RATE * WEIGHT_DECAY);
    w - RATE / (1.0 - power1) * (m / (v.sqrt() / (1.0 - power2).sqrt() + GUARD))
}

fn worst(base: Base, step: Step) -> f64 {
    let mut random = Random(7);
    let n = 20000;
    // Small parameters: else the last rounding hides the others.
    let [w, g, m, mut v] = [0.002, 1.0, 0.3, 0.01].map(|spread| random.normals(n, spread));
    v.iter_mut().for_each(|v| *v = v.abs());
    let planes = [widened(&m), widened(&v)].into_iter().take(base.planes()).collect();
    let state = BaseState { steps: STEPS, planes: vec![planes] };
    let descent = descend(base, &[widened(&w)], &[widened(&g)], 1.0, &state, Format::F32)
        .expect("the shapes fit");
    let new = &descent.params[0];
    let error = |i: usize| (f64::from(step(w[i], g[i], m[i], v[i])) - new.values[i]).abs();
    (0..n).map(|i| error(i) / new.bounds[i]).fold(0.0, f64::max)
}

#[test]
fn f32_stays_within_the_bound_and_comes_near_it() {
    let (learning_rate, weight_decay) = (f64::from(RATE), f64::from(WEIGHT_DECAY));
    let (decay, square_decay) = (f64::from(DECAY), f64::from(SQUARE_DECAY));
    let momentum = Base::SgdMomentum {
        learning_rate,
        weight_decay,
        momentum: decay,
        dampening: 0.0,
        nesterov: true,
    };
    let with_moments = Base::AdamW {
        learning_rate,
        weight_decay,
        mean_decay: decay,
        square_decay,
        denominator_guard: f64::from(GUARD),
    };
    let plain = Base::Sgd { learning_rate, weight_decay };
    for (base, step) in [(plain, sgd as Step), (momentum, nesterov), (with_moments, adamw)] {
        let worst = worst(base, step);
        println!("{}: {worst:.3} of the bound", base.name());
        assert!(worst <= 1.0 && worst > 0.125, "{}: {worst}", base.name());
    }
}
