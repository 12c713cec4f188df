//! Momentum-SAM: one gradient a step, by type and by name.

use super::{Model, drawn, gradient, groups, momentum, sgd};
use presam::{AnyVariant, Cpu, Error, MomentumSam, Outcome, Point, Session, Vasso};

#[test]
fn momentum_sam_takes_one_gradient_against_the_momentum() {
    let (mut model, groups) = (drawn(11, 0, 1), groups());
    let mut session = Session::new(Cpu::detect(), MomentumSam::new(), momentum());
    let start = model.params();
    // No momentum yet, whatever the plane holds: a zero norm, so the gradient is taken at w.
    model.tensors.iter_mut().for_each(|t| t.own.state[0].fill(f32::NAN));
    let report = session.step_with_momentum(&groups, &mut model, |m, _| {
        assert_eq!(m.params(), start);
        gradient(m);
        Ok::<(), Error>(())
    });
    let report = report.unwrap();
    assert_eq!((report.ascent.outcome, report.descended), (Outcome::ZeroNorm, true));
    let before: Vec<_> = model.tensors.clone();
    let report = session.step_with_momentum(&groups, &mut model, |m, _| {
        for (now, before) in m.tensors.iter().zip(&before) {
            let moved = now.own.params.iter().zip(&before.own.params).zip(&before.own.state[0]);
            moved.for_each(|((now, before), v)| assert!((now - before) * v <= 0.0, "along -v"));
        }
        assert!(
            m.tensors.iter().zip(&before).any(|(now, before)| now.own.params != before.own.params)
        );
        gradient(m);
        Ok::<(), Error>(())
    });
    assert_eq!(report.unwrap().ascent.outcome, Outcome::Finite);
}

#[test]
fn momentum_sam_needs_a_momentum() {
    let (mut model, groups) = (drawn(12, 0, 0), groups());
    let mut session = Session::new(Cpu::detect(), MomentumSam::new(), sgd());
    let result = session.step_with_momentum(&groups, &mut model, |_, _| Ok::<(), Error>(()));
    assert_eq!(result.unwrap_err(), Error::Planes { planes: "state", expected: 1, found: 0 });
}

#[test]
fn momentum_sam_by_name_takes_one_gradient_in_any_step() {
    let run = |own: bool| {
        let (mut model, groups, mut points) = (drawn(11, 0, 1), groups(), Vec::new());
        let by_name = AnyVariant::by_name("momentum-sam").unwrap();
        let mut session = Session::new(Cpu::detect(), by_name, momentum());
        for _ in 0..3 {
            let mut gradient = |m: &mut Model, point| {
                points.push(point);
                gradient(m);
                Ok::<(), Error>(())
            };
            let report = match own {
                true => session.step_with_momentum(&groups, &mut model, gradient),
                false => session.step(&groups, &mut model, &mut gradient),
            };
            assert!(report.unwrap().descended);
        }
        (model.params(), model.planes(), points)
    };
    assert_eq!(run(false), run(true));
    assert_eq!(run(false).2, [Point::Perturbed; 3]);
}

#[test]
fn before_there_is_a_momentum_nothing_is_remembered_of_it() {
    let (mut model, groups) = (drawn(14, 1, 1), groups());
    model.tensors.iter_mut().for_each(|t| t.own.memory[0].fill(7.0));
    let mut session = Session::new(Cpu::detect(), Vasso::default(), momentum());
    for remembers in [false, true] {
        let report = session.step_with_momentum(&groups, &mut model, |m, _| {
            gradient(m);
            Ok::<(), Error>(())
        });
        assert!(report.unwrap().descended);
        let stays = model.tensors.iter().all(|t| t.own.memory[0].iter().all(|m| *m == 7.0));
        assert_eq!(stays, !remembers);
    }
}
