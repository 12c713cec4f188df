//! What a session makes of a second gradient: refused, clipped, taken as it is, scaled.

use super::{Model, drawn, gradient, groups, momentum, sgd};
use presam::{
    AdamW, BaseState, Cpu, DynVariant, Error, FisherSam, Group, InfoSam, Outcome, Point, RuleState,
    Sam, SecondGradient, Session, Vasso,
};

#[test]
fn a_second_gradient_that_is_not_finite_takes_no_step() {
    for value in [f32::NAN, f32::INFINITY] {
        let (mut model, groups) = (drawn(8, 0, 2), groups());
        let (before, planes) = (model.params(), model.planes());
        let mut session = Session::new(Cpu::detect(), Sam::new(), AdamW::new(0.125).unwrap());
        let mut ascended = session.ascend(&groups, &mut model).unwrap();
        ascended.model().tensors[1].own.grads[3] = value;
        let report = ascended.descend().unwrap();
        assert_eq!((report.second, report.descended), (Outcome::NonFinite, false));
        assert_eq!((model.params(), model.planes()), (before, planes));
        assert_eq!(session.base_state, BaseState::new());
    }
}

#[test]
fn a_setting_outside_its_range_is_refused_before_a_tensor_is_visited() {
    let refused = |scale: f32, second: SecondGradient<f32>, setting: &str| {
        let (mut model, groups) = (drawn(8, 0, 1), groups());
        model.fails_after = Some(0);
        let mut session = Session::new(Cpu::detect(), Sam::new(), momentum());
        (session.loss_scale, session.second) = (scale, second);
        let error = session.ascend(&groups, &mut model).map(drop).unwrap_err();
        let named = matches!(error, Error::Hyperparameter { name, .. } if name == setting);
        assert!(named, "{scale} {second:?}: {error:?}");
    };
    for max_norm in [0.0, -1.0, f32::NAN] {
        refused(1.0, SecondGradient::Clipped(max_norm), "max_norm");
    }
    for scale in [0.0, 1e-39, -1.0, f32::INFINITY, f32::NAN] {
        refused(scale, SecondGradient::Checked, "loss_scale");
    }
}

#[test]
fn a_first_gradient_that_is_not_finite_asks_for_no_second() {
    let (mut model, groups) = (drawn(9, 1, 1), groups());
    model.tensors[0].own.grads[0] = f32::NAN;
    let (before, planes) = (model.params(), model.planes());
    let mut session = Session::new(Cpu::detect(), Vasso::default(), momentum());
    let mut calls = Vec::new();
    let report = session.step(&groups, &mut model, |_, point| {
        calls.push(point);
        Ok::<(), Error>(())
    });
    let report = report.unwrap();
    assert_eq!(
        (calls, report.ascent.outcome, report.descended),
        (vec![Point::Params], Outcome::NonFinite, false)
    );
    assert_eq!((model.params(), model.planes()), (before, planes));
    assert_eq!((session.rule_state, session.base_state), (RuleState::new(), BaseState::new()));
}

/// The largest change of a parameter in one step of plain descent, and the step's report.
fn step_with(second: SecondGradient<f32>, loss_scale: f32) -> Model {
    let (mut model, groups) = (drawn(10, 0, 0), [Group::new(0.25).unwrap(); 2]);
    let mut session = Session::new(Cpu::detect(), Sam::new(), sgd());
    (session.second, session.loss_scale) = (second, loss_scale);
    session
        .step(&groups, &mut model, |m, _| {
            gradient(m);
            m.tensors.iter_mut().flat_map(|t| &mut t.own.grads).for_each(|g| *g *= loss_scale);
            Ok::<(), Error>(())
        })
        .unwrap();
    model
}

/// || w - w_before || / learning rate: the norm of the gradient that was descended.
fn descended_norm(model: &Model) -> f64 {
    let before = drawn(10, 0, 0);
    let pairs = model.tensors.iter().zip(&before.tensors);
    let moved = pairs
        .flat_map(|(a, b)| a.own.params.iter().zip(&b.own.params))
        .map(|(a, b)| f64::from(a - b));
    moved.map(|x| x * x).sum::<f64>().sqrt() / 0.125
}

#[test]
fn clipping_brings_the_second_gradient_to_its_norm() {
    let free = descended_norm(&step_with(SecondGradient::Checked, 1.0));
    assert!(free > 1.0, "{free}");
    let clipped = descended_norm(&step_with(SecondGradient::Clipped(0.5), 1.0));
    assert!((clipped - 0.5).abs() < 1e-5, "{clipped}");
    let within = step_with(SecondGradient::Clipped(1000.0), 1.0);
    assert_eq!(within.params(), step_with(SecondGradient::Checked, 1.0).params(), "every bit kept");
}

#[test]
fn an_unchecked_second_gradient_is_taken_as_it_is() {
    let unchecked = step_with(SecondGradient::Unchecked, 1.0);
    assert_eq!(unchecked.params(), step_with(SecondGradient::Checked, 1.0).params());
}

#[test]
fn a_loss_scale_that_is_a_power_of_two_changes_no_bit() {
    for second in [SecondGradient::Checked, SecondGradient::Clipped(0.5)] {
        assert_eq!(step_with(second, 1024.0).params(), step_with(second, 1.0).params());
    }
}

/// Two steps of a rule that sees the gradient's own size, with all that it keeps.
fn kept_by<V: DynVariant<f32>>(variant: V, memory: usize, loss_scale: f32) -> [Vec<Vec<u64>>; 2] {
    let (mut model, groups) = (drawn(13, memory, 0), [Group::new(0.25).unwrap(); 2]);
    let mut session = Session::new(Cpu::detect(), variant, sgd());
    session.loss_scale = loss_scale;
    for _ in 0..2 {
        let report = session.step(&groups, &mut model, |m, _| {
            gradient(m);
            m.tensors.iter_mut().flat_map(|t| &mut t.own.grads).for_each(|g| *g *= loss_scale);
            Ok::<(), Error>(())
        });
        assert!(report.unwrap().descended);
    }
    [model.params(), model.planes()]
}

#[test]
fn rules_that_see_the_gradients_size_see_that_of_the_loss_without_its_scale() {
    let fisher = |scale| kept_by(FisherSam::default(), 0, scale);
    assert_eq!(fisher(1024.0), fisher(1.0));
    let info = |scale| kept_by(InfoSam::default(), 2, scale);
    assert_eq!(info(1024.0), info(1.0));
}
