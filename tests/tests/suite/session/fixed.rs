//! A whole optimizer with its buffers inside.

use super::momentum;
use crate::common::bits;
use presam::{Cpu, FixedSam, Form, Group, MomentumSam, Session, Vasso};

#[test]
fn a_fixed_optimizer_takes_each_gradient_where_its_session_says() {
    let start = [3.0_f32, -4.0, 0.5];
    let seen = |form| {
        let mut session = Session::new(Cpu::plain(), Vasso::default(), momentum());
        session.form = form;
        let mut sam: FixedSam<f32, _, _, 8, 1, 1> = FixedSam::new(session);
        let (mut w, mut points) = (start, Vec::new());
        for _ in 0..2 {
            let group = Group::new(0.25).unwrap();
            let report = sam.step(&mut w, group, |w, g| {
                points.push(bits(w));
                g.iter_mut().zip(w).for_each(|(g, w)| *g = w * w * w);
            });
            assert!(report.unwrap().descended);
        }
        let planes = [bits(sam.memory(3).unwrap()[0]), bits(sam.state(3).unwrap()[0])];
        (points, bits(&w), planes)
    };
    let in_place = seen(Form::InPlace);
    assert_eq!(in_place.0[0], bits(&start));
    assert_ne!(in_place.0[1], in_place.0[0], "the second gradient is taken elsewhere");
    assert_eq!(seen(Form::OutOfPlace), in_place);
}

#[test]
fn momentum_sam_takes_one_gradient_a_step() {
    let session = Session::new(Cpu::plain(), MomentumSam::new(), momentum());
    let mut sam: FixedSam<f32, _, _, 8, 0, 1> = FixedSam::new(session);
    let (mut w, mut calls) = ([3.0_f32, -4.0, 0.5], 0);
    for _ in 0..3 {
        let report = sam.step(&mut w, Group::new(0.25).unwrap(), |w, g| {
            calls += 1;
            g.iter_mut().zip(w).for_each(|(g, w)| *g = w * w * w);
        });
        assert!(report.unwrap().descended);
    }
    assert_eq!(calls, 3);
}
