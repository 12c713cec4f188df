//! Base optimizers against values computed apart: 40-digit decimals, PyTorch's documented algorithms, three steps.

use presam_oracle::{Base, BaseState, Descent, Format, descend};

const W: [f64; 3] = [1.0, -2.0, 0.5];
const GRADS: [[f64; 3]; 3] = [[0.3, -0.4, 1.2], [0.1, -0.7, 1.6], [-0.2, 0.9, -0.3]];

/// Three steps of two segments; `scale` multiplies the gradients, `factor` takes it off again.
fn three_steps(base: Base, scale: f64) -> Descent {
    let mut params = vec![W[..1].to_vec(), W[1..].to_vec()];
    let mut state = BaseState::new(base, &params);
    let mut last = None;
    for grads in GRADS {
        let grads: Vec<f64> = grads.iter().map(|g| g * scale).collect();
        let grads = [grads[..1].to_vec(), grads[1..].to_vec()];
        let descent = descend(base, &params, &grads, 1.0 / scale, &state, Format::F64)
            .expect("the shapes fit");
        params = descent.params.iter().map(|p| p.values.clone()).collect();
        state = descent.state.clone();
        last = Some(descent);
    }
    last.expect("there were steps")
}

fn assert_close(found: impl Iterator<Item = f64>, expected: [f64; 3], what: &str) {
    let found: Vec<f64> = found.collect();
    assert_eq!(found.len(), 3, "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-15 * expected.abs().max(1.0),
            "{what}: {found} is not {expected}"
        );
    }
}

fn check(base: Base, params: [f64; 3], planes: &[[f64; 3]]) {
    for scale in [1.0, 1024.0] {
        let descent = three_steps(base, scale);
        assert!(descent.is_finite);
        assert_eq!(descent.state.steps, 3);
        assert_close(descent.params.iter().flat_map(|p| p.values.clone()), params, base.name());
        assert_eq!(base.planes(), planes.len());
        for (p, plane) in planes.iter().enumerate() {
            assert_close(
                descent.planes.iter().flat_map(|s| s[p].values.clone()),
                *plane,
                base.name(),
            );
        }
    }
}

const SGD: Base = Base::Sgd { learning_rate: 0.1, weight_decay: 0.01 };
const MOMENTUM: Base = Base::SgdMomentum {
    learning_rate: 0.1,
    weight_decay: 0.01,
    momentum: 0.9,
    dampening: 0.25,
    nesterov: false,
};
const ADAMW: Base = Base::AdamW {
    learning_rate: 0.1,
    weight_decay: 0.5,
    mean_decay: 0.9,
    square_decay: 0.999,
    denominator_guard: 1e-3,
};

#[test]
fn sgd() {
    check(SGD, [0.977072969, -1.974155958, 0.2489013795], &[]);
}

#[test]
fn sgd_momentum_with_dampening() {
    check(
        MOMENTUM,
        [0.9146595200625, -1.849740176375, -0.03270886153125],
        &[[0.182137299375, -0.16491323625, 1.8347423653125]],
    );
}

#[test]
fn sgd_momentum_with_nesterov() {
    check(
        Base::SgdMomentum {
            learning_rate: 0.1,
            weight_decay: 0.01,
            momentum: 0.9,
            dampening: 0.0,
            nesterov: true,
        },
        [0.900039735371, -1.828334147922, -0.2914850125095],
        &[[0.1585219191, -0.1049771162, 2.11717875005]],
    );
}

#[test]
fn adamw() {
    check(
        ADAMW,
        [0.6624244549805759, -1.5290798566135375, 0.17713427416408017],
        &[[0.0133, -0.0054, 0.2112], [0.00013981009, 0.00145919016, 0.00408456144]],
    );
}

#[test]
fn a_non_finite_second_gradient_changes_nothing() {
    let params = vec![W.to_vec()];
    for base in [SGD, MOMENTUM, ADAMW] {
        let state = BaseState::new(base, &params);
        let state =
            descend(base, &params, &[GRADS[0].to_vec()], 1.0, &state, Format::F64).unwrap().state;
        for (bad, factor) in
            [(f64::NAN, 1.0), (f64::INFINITY, 1.0), (f64::NEG_INFINITY, 0.5), (1.0, f64::NAN)]
        {
            let descent =
                descend(base, &params, &[vec![0.1, bad, 0.2]], factor, &state, Format::F64)
                    .unwrap();
            assert!(!descent.is_finite);
            assert_eq!(descent.params[0].values, W);
            assert_eq!(descent.state, state);
        }
    }
}

/// 0.1 of -2.8125 and 0.9 of 0.3125: old + 0.9 (new - old) leaves 2^-54.
#[test]
fn an_average_that_cancels_to_zero_keeps_the_error_of_its_terms() {
    let base = Base::AdamW {
        learning_rate: 0.5,
        weight_decay: 0.0,
        mean_decay: 0.1,
        square_decay: 0.75,
        denominator_guard: 0.001,
    };
    let state = BaseState { steps: 1, planes: vec![vec![vec![-2.8125], vec![0.0]]] };
    let found = descend(base, &[vec![0.0]], &[vec![0.3125]], 1.0, &state, Format::F64).unwrap();
    let mean = &found.planes[0][0];
    assert_eq!(mean.values, [0.0]);
    assert!(8.0 * mean.bounds[0] > 5.6e-17, "{:?}", mean.bounds);
}

#[test]
fn state_below_the_smallest_normal_is_stored_as_zero() {
    let smallest = f64::from(f32::MIN_POSITIVE);
    let params = vec![vec![0.0; 3]];
    let base = Base::SgdMomentum {
        learning_rate: 0.5,
        weight_decay: 0.0,
        momentum: 0.9,
        dampening: 0.0,
        nesterov: false,
    };
    let grads = [vec![smallest, smallest / 2.0, -smallest / 2.0]];
    let descent =
        descend(base, &params, &grads, 1.0, &BaseState::new(base, &params), Format::F32).unwrap();
    let buffer = &descent.state.planes[0][0];
    assert_eq!(buffer[0], smallest);
    assert_eq!([buffer[1].to_bits(), buffer[2].to_bits()], [0, 0]);
    // Stored, not computed: the step itself still sees them.
    assert_eq!(descent.params[0].values[1], -smallest / 4.0);
}

#[test]
fn a_wrong_shape_is_named() {
    let params = vec![W.to_vec(), W.to_vec()];
    let state = BaseState::new(ADAMW, &params);
    let error =
        descend(ADAMW, &params, &[W.to_vec(), vec![1.0]], 1.0, &state, Format::F64).unwrap_err();
    assert_eq!(error.to_string(), "segment 1: perturbed_grads should have length 3, found 1");
    let error = descend(SGD, &params, &params, 1.0, &state, Format::F64).unwrap_err();
    assert_eq!((error.slice, error.expected, error.found), ("state planes", 0, 2));
}
