//! The session: order, restoring, groups, and what each outcome leaves.

use crate::common::{Random, bits, layers};
use presam::{
    AdamW, BaseOptimizer, BaseState, Cpu, Error, Flat, Form, Group, InfoAsam, LengthRule, Outcome,
    PartialNorm, PlanesMut, Point, RuleState, Sam, Session, Sgd, SgdMomentum, Variant, Vasso,
    finish,
};
use presam_backends::Layer;
use presam_backends::layer::BROKEN;

mod fixed;
mod momentum;
mod second;

const LENGTHS: [usize; 3] = [5, 70, 3];

type Model = presam_backends::layer::Model<f32>;

/// For a rule with `memory` planes and a base optimizer with `state` planes.
fn drawn(seed: u64, memory: usize, state: usize) -> Model {
    let tensors = layers(seed, [0, 1, 0].into_iter().zip(LENGTHS), [memory, state]);
    Model { tensors, fails_after: None }
}

/// The gradient of |w|^4 / 4 + <w, noise>.
fn gradient(model: &mut Model) {
    for (i, tensor) in model.tensors.iter_mut().enumerate() {
        for (g, w) in tensor.own.grads.iter_mut().zip(&tensor.own.params) {
            *g = w * w * w + 0.25 * (i as f32 - 1.0);
        }
    }
}

fn groups() -> [Group<f32>; 2] {
    let weights = Group::new(0.25).unwrap().with_weight_decay(0.125).unwrap();
    [weights, Group::new(0.5).unwrap()]
}

fn sgd() -> Sgd<f32> {
    Sgd::new(0.125).unwrap()
}

fn momentum() -> SgdMomentum<f32> {
    sgd().with_momentum(0.5).unwrap()
}

#[test]
fn dropping_the_ascended_model_restores() {
    let (mut model, groups) = (drawn(1, 0, 0), groups());
    let before = model.params();
    let mut session = Session::new(Cpu::detect(), Sam::new(), sgd());
    let mut ascended = session.ascend(&groups, &mut model).unwrap();
    assert_ne!(ascended.model().params(), before, "it was perturbed");
    drop(ascended);
    assert_eq!(model.params(), before);
}

#[test]
fn an_error_of_the_closure_restores() {
    for failing_call in [1, 2] {
        let (mut model, groups) = (drawn(2, 0, 1), groups());
        let (before, planes) = (model.params(), model.planes());
        let mut session = Session::new(Cpu::detect(), Sam::new(), momentum());
        let mut calls = 0;
        let result = session.step(&groups, &mut model, |_, _| {
            calls += 1;
            if calls == failing_call { Err(BROKEN) } else { Ok(()) }
        });
        assert_eq!(result.unwrap_err(), BROKEN);
        assert_eq!((model.params(), model.planes()), (before, planes), "call {failing_call}");
    }
}

#[test]
fn a_panic_in_the_closure_restores() {
    let mut model = drawn(3, 0, 0);
    let before = model.params();
    let mut calls = 0;
    let step = std::panic::AssertUnwindSafe(|| {
        let groups = groups();
        let mut session = Session::new(Cpu::detect(), Sam::new(), sgd());
        session.step(&groups, &mut model, |_, _| -> Result<(), Error> {
            calls += 1;
            assert!(calls < 2, "the second gradient panics");
            Ok(())
        })
    });
    std::panic::catch_unwind(step).unwrap_err();
    assert_eq!(model.params(), before);
}

#[test]
fn an_error_in_the_middle_of_any_visit_leaves_the_parameters() {
    // Visits of a step: norm, ascent, restore, check, descent, of three tensors each. An error in the
    // descent, or in the restoring visit itself, is the trainer's own: nothing can be promised.
    for fails_after in 0..6 {
        let (mut model, groups) = (drawn(4, 0, 1), groups());
        let before = model.params();
        model.fails_after = Some(fails_after);
        let mut session = Session::new(Cpu::detect(), Sam::new(), momentum());
        let result = session.step(&groups, &mut model, |_, _| Ok::<(), Error>(()));
        assert_eq!(result.unwrap_err(), BROKEN, "{fails_after}");
        assert_eq!(model.params(), before, "{fails_after}");
        assert_eq!(session.base_state, BaseState::new());
    }
}

#[test]
fn a_wrong_number_of_planes_is_found_before_anything_is_written() {
    let (mut model, groups) = (drawn(5, 1, 1), groups());
    model.tensors[2].own.memory.clear();
    let (before, planes) = (model.params(), model.planes());
    let mut session = Session::new(Cpu::detect(), Vasso::default(), momentum());
    let error = session.step(&groups, &mut model, |_, _| Ok::<(), Error>(())).unwrap_err();
    assert_eq!(error, Error::Planes { planes: "memory", expected: 1, found: 0 });
    assert_eq!((model.params(), model.planes()), (before, planes));
}

#[test]
fn out_of_place_the_parameters_stay_and_the_spares_are_the_point() {
    let groups = [Group::new(0.25).unwrap(), Group::new(0.5).unwrap().not_perturbed()];
    let (mut model, mut in_place) = (drawn(14, 0, 1), drawn(14, 0, 1));
    let before = model.params();
    let mut session = Session::new(Cpu::detect(), Sam::new(), momentum());
    let mut other = session.clone();
    session.form = Form::OutOfPlace;
    let mut ascended = session.ascend(&groups, &mut model).unwrap();
    let mut perturbed = other.ascend(&groups, &mut in_place).unwrap();
    let spares = ascended.model().tensors.iter().map(|t| bits(&t.spare)).collect::<Vec<_>>();
    assert_eq!((ascended.model().params(), spares), (before, perturbed.model().params()));
    ascended.descend().unwrap();
    perturbed.descend().unwrap();
    assert_eq!((model.params(), model.planes()), (in_place.params(), in_place.planes()));
}

/// What does not move needs no spare out of place, and has none that is written in place.
#[test]
fn a_tensor_that_stays_leaves_its_spare() {
    let groups = [Group::new(0.25).unwrap(), Group::new(0.5).unwrap().not_perturbed()];
    for (form, length) in [(Form::OutOfPlace, 0), (Form::InPlace, LENGTHS[1])] {
        let mut model = drawn(14, 0, 1);
        model.tensors[1].spare.truncate(length);
        let spare = model.tensors[1].spare.clone();
        let mut session = Session::new(Cpu::detect(), Sam::new(), momentum());
        session.form = form;
        session.ascend(&groups, &mut model).unwrap().descend().unwrap();
        assert_eq!(model.tensors[1].spare, spare, "{form:?}");
    }
}

/// Only memory is a reason to write the spare of a tensor that is counted and stays.
#[test]
fn a_tensor_that_is_only_counted_needs_no_spare() {
    let groups = [Group::new(0.25).unwrap(), Group::new(0.5).unwrap().counted_only()];
    for form in [Form::OutOfPlace, Form::InPlace] {
        let mut model = drawn(14, 0, 1);
        model.tensors[1].spare.clear();
        let mut session = Session::new(Cpu::detect(), Sam::new(), momentum());
        session.form = form;
        session.ascend(&groups, &mut model).unwrap().descend().unwrap();
    }
}

#[test]
fn descend_alone_is_the_base_optimizer() {
    let (mut model, mut by_hand) = (drawn(15, 0, 1), drawn(15, 0, 1));
    let groups = [Group::new(0.25).unwrap(); 2];
    let mut session = Session::new(Cpu::detect(), Sam::new(), momentum());
    session.learning_rate = Some(0.5);
    assert_eq!(session.descend(&groups, &mut model).unwrap(), Outcome::Finite);
    assert_eq!((session.base_state.steps, session.rule_state.steps), (1, 0));
    let rule = momentum().with_learning_rate(0.5).unwrap().arm(&BaseState::new());
    for t in &mut by_hand.tensors {
        Cpu::plain()
            .descend(rule, 1.0, &mut t.own.params, &t.own.grads, [&mut t.own.state[0]])
            .unwrap();
    }
    assert_eq!((model.params(), model.planes()), (by_hand.params(), by_hand.planes()));

    model.tensors[1].own.grads[3] = f32::NAN;
    assert_eq!(session.descend(&groups, &mut model).unwrap(), Outcome::NonFinite);
    assert_eq!((model.params(), session.base_state.steps), (by_hand.params(), 1));
}

/// Gives one plane of a tensor the wrong length.
type Spoil = fn(&mut Layer<f32>);

#[test]
fn wrong_shapes_are_found_before_anything_is_written() {
    let wrong: [(&str, Spoil); 4] = [
        ("grads", |t| t.own.grads.push(0.0)),
        ("spare", |t| t.spare.truncate(2)),
        ("memory", |t| t.own.memory[0].push(0.0)),
        ("state", |t| t.own.state[0].truncate(2)),
    ];
    for (name, spoil) in wrong {
        let (mut model, groups) = (drawn(5, 1, 1), groups());
        spoil(model.tensors.last_mut().unwrap());
        let (before, planes) = (model.params(), model.planes());
        let mut session = Session::new(Cpu::detect(), Vasso::default(), momentum());
        let error = session.step(&groups, &mut model, |_, _| Ok::<(), Error>(())).unwrap_err();
        let names = matches!(error, Error::Length { slice, expected: 3, .. } if slice == name);
        assert!(names, "{name}: {error}");
        assert_eq!((model.params(), model.planes()), (before, planes), "{name}");
        assert_eq!(session.rule_state, RuleState::new());
    }
}

/// Of a rule without memory too, whose other tensors would have been perturbed before it.
#[test]
fn a_spare_that_is_too_short_is_found_before_another_is_written() {
    let (mut model, groups) = (drawn(5, 0, 1), groups());
    model.tensors[2].spare.truncate(2);
    let spare = bits(&model.tensors[0].spare);
    let mut session = Session::new(Cpu::detect(), Sam::new(), momentum());
    let error = session.ascend(&groups, &mut model).map(drop).unwrap_err();
    assert_eq!(error, Error::Length { slice: "spare", expected: 3, found: 2 });
    assert_eq!(bits(&model.tensors[0].spare), spare);
}

#[test]
fn an_unknown_group_is_refused() {
    let mut model = drawn(6, 0, 0);
    let before = model.params();
    let groups = [Group::new(0.5).unwrap()];
    let mut session = Session::new(Cpu::detect(), Sam::new(), sgd());
    let result = session.step(&groups, &mut model, |_, _| Ok::<(), Error>(()));
    assert_eq!(result.unwrap_err(), Error::UnknownGroup { expected: 1, found: 1 });
    assert_eq!(model.params(), before);
}

#[test]
fn a_step_is_its_phases_with_each_groups_options() {
    let (mut model, groups) = (drawn(7, 0, 1), groups());
    let mut by_hand = drawn(7, 0, 1);
    let mut session = Session::new(Cpu::detect(), Sam::new(), momentum());
    session
        .step(&groups, &mut model, |m, _| {
            gradient(m);
            Ok::<(), Error>(())
        })
        .unwrap();

    let cpu = Cpu::plain();
    gradient(&mut by_hand);
    let mut norm = PartialNorm::new();
    let (mut state, base) = (RuleState::new(), BaseState::new());
    let rule = Sam::new().arm(&state);
    for t in &by_hand.tensors {
        cpu.accumulate_norm(rule, &t.own.params, &t.own.grads, [], [], &mut norm).unwrap();
    }
    let ascent = finish(Sam::new(), &norm, &mut state).unwrap();
    let start: Vec<Vec<f32>> = by_hand.tensors.iter().map(|t| t.own.params.clone()).collect();
    for t in &mut by_hand.tensors {
        let scale = ascent.scale(groups[t.group].rho(), LengthRule::NORMALISED).unwrap();
        let from = t.own.params.clone();
        cpu.ascend(rule, scale, &from, &t.own.grads, [], [], &mut t.own.params).unwrap();
    }
    gradient(&mut by_hand);
    for (t, start) in by_hand.tensors.iter_mut().zip(start) {
        t.own.params = start;
        // Group 0 has a weight decay of its own.
        let weight_decay = groups[t.group].weight_decay().unwrap_or(0.0);
        let rule = momentum().with_weight_decay(weight_decay).unwrap().arm(&base);
        cpu.descend(rule, 1.0, &mut t.own.params, &t.own.grads, [&mut t.own.state[0]]).unwrap();
    }
    assert_eq!((model.params(), model.planes()), (by_hand.params(), by_hand.planes()));
}

#[test]
fn a_resumed_checkpoint_runs_side_by_side() {
    let groups = groups();
    let new = || Session::new(Cpu::detect(), Vasso::default(), AdamW::new(0.125).unwrap());
    let (mut session, mut model) = (new(), drawn(13, 1, 2));
    let step = |session: &mut Session<f32, Vasso<f32>, AdamW<f32>>, model: &mut Model| {
        let report = session.step(&groups, model, |m, _| {
            gradient(m);
            Ok::<(), Error>(())
        });
        assert!(report.unwrap().descended);
    };
    (0..3).for_each(|_| step(&mut session, &mut model));

    // The counters through serde, the planes as they are.
    let counters = serde_json::to_string(&(session.rule_state, session.base_state)).unwrap();
    let mut resumed = new();
    (resumed.rule_state, resumed.base_state) = serde_json::from_str(&counters).unwrap();
    let mut copy = model.clone();
    // Spares and gradients are no part of a checkpoint.
    for tensor in &mut copy.tensors {
        tensor.spare.fill(f32::NAN);
        tensor.own.grads.fill(f32::NAN);
    }
    for _ in 0..4 {
        step(&mut session, &mut model);
        step(&mut resumed, &mut copy);
        assert_eq!((model.params(), model.planes()), (copy.params(), copy.planes()));
    }
    // And forgetting the counters would be seen.
    let mut forgetful = new();
    let mut copy = model.clone();
    step(&mut session, &mut model);
    step(&mut forgetful, &mut copy);
    assert_ne!(model.params(), copy.params());
}

#[test]
fn a_tensor_that_is_split_over_threads_has_the_bits_of_one_that_is_not() {
    let stepped = |cpu| {
        let (mut random, n) = (Random(21), (1 << 17) + 2049);
        let [mut w, mut g, mut spare]: [Vec<f32>; 3] = std::array::from_fn(|_| random.plane(n));
        let (mut memory, mut state) = ([vec![0.0; n], vec![0.0; n]], [vec![0.0; n]]);
        let mut session = Session::new(cpu, InfoAsam::default(), momentum());
        for _ in 0..2 {
            let mut model = Flat {
                memory: PlanesMut::of(&mut memory),
                state: PlanesMut::of(&mut state),
                ..Flat::new(&mut w, &mut g, &mut spare)
            };
            let group = [Group::new(0.25).unwrap()];
            let report = session.step(&group, &mut model, |m, _| {
                m.grads.iter_mut().zip(&*m.params).for_each(|(g, w)| *g = w * w * w);
                Ok::<(), Error>(())
            });
            assert!(report.unwrap().descended);
        }
        [&w, &memory[0], &memory[1], &state[0]].map(|plane| bits(plane))
    };
    let threads = stepped(Cpu::detect().parallel());
    assert!(threads == stepped(Cpu::plain()));
}

#[test]
fn out_of_place_a_tensor_that_is_only_counted_is_read_where_it_is() {
    let (mut model, weights) = (drawn(15, 1, 0), Group::new(0.25).unwrap());
    let groups = [weights, weights.counted_only()];
    let mut session = Session::new(Cpu::detect(), Vasso::default(), sgd());
    session.form = Form::OutOfPlace;
    let report = session.step(&groups, &mut model, |m, point| {
        if point == Point::Perturbed {
            let [moves, stays, _] = &m.tensors[..] else { unreachable!("three tensors") };
            assert_eq!(bits(&stays.spare), bits(&stays.own.params));
            assert_ne!(bits(&moves.spare), bits(&moves.own.params));
        }
        gradient(m);
        Ok::<(), Error>(())
    });
    assert!(report.unwrap().descended);
}
