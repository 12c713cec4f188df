//! Planes of any lengths to every function that takes some: the first that does not fit is named, and nothing is
//! written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam::{Cpu, Error, FixedSam, Group, Session, Sgd, Vasso};
use presam_fuzz::draw::{Draw, Kind};
use presam_fuzz::same;
use presam_model::Mlp;
use presam_tests::shapes::{CALLS, Planes, check};

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    let call = draw.below(CALLS + 2);
    let cpu = draw.pick(&[Cpu::plain(), Cpu::detect(), Cpu::detect().parallel()]);
    let length = draw.length();
    // Of one length, but for some.
    let mut planes = Planes::new(|| {
        let length = if draw.rarely(8) { draw.length() } else { length };
        draw.plane(length, Kind::Any)
    });
    match call.checked_sub(CALLS) {
        None => check(call, cpu, &mut planes),
        Some(0) => fixed(cpu, &mut draw),
        Some(_) => network(&mut draw, planes),
    }
});

/// An optimizer of a fixed capacity, for models whose length changes.
fn fixed(cpu: Cpu, draw: &mut Draw<'_>) {
    const CAPACITY: usize = 16;
    let (Ok(sgd), Ok(group)) = (Sgd::new(0.1), Group::new(0.5)) else {
        unreachable!("within their ranges")
    };
    let mut sam: FixedSam<f32, _, _, CAPACITY, 1, 0> =
        FixedSam::new(Session::new(cpu, Vasso::default(), sgd));
    let mut held = 0;
    for _ in 0..4 {
        let length = draw.below(CAPACITY + 4);
        let mut params: Vec<f32> = draw.plane(length, Kind::Tame);
        let before = params.clone();
        let found = sam.step(&mut params, group, |w, g| g.copy_from_slice(w)).map(drop);
        let expected = if held != 0 && held != length {
            Err(Error::Length { slice: "params", expected: held, found: length })
        } else if length > CAPACITY {
            Err(Error::Capacity { expected: CAPACITY, found: length })
        } else {
            held = length;
            Ok(())
        };
        assert_eq!(found, expected);
        assert!(found.is_ok() || same(&params, &before));
        assert_eq!(sam.memory(held).map(|[plane]| plane.len()), Ok(held));
    }
}

/// The network: whatever does not fit its widths.
fn network(draw: &mut Draw<'_>, mut p: Planes) {
    let widths: Vec<usize> = (0..draw.below(5)).map(|_| draw.below(6)).collect();
    let mlp = Mlp::new(&widths);
    let is_right = widths.len() >= 2 && !widths.contains(&0);
    assert_eq!(mlp.is_ok(), is_right, "{widths:?}");
    let Ok(mlp) = mlp else { return };
    let batch = draw.below(4);
    if draw.flag() {
        p.params.resize(mlp.param_count(), 0.5);
        p.grads.resize(mlp.param_count(), 0.5);
        p.out.resize(mlp.scratch_len(batch), 0.5);
        p.inputs[0].resize(mlp.inputs() * batch, 0.5);
    }
    let labels: Vec<u8> = (0..batch + draw.below(2)).map(|_| draw.below(6) as u8).collect();
    let before = p.bits();
    let fits = p.params.len() == mlp.param_count()
        && p.inputs[0].len() == mlp.inputs() * batch
        && p.grads.len() == mlp.param_count()
        && p.out.len() >= mlp.scratch_len(batch)
        && labels.len() == batch
        && batch > 0
        && labels.iter().all(|&label| usize::from(label) < mlp.classes());
    let (inputs, scratch) = (&p.inputs[0], &mut p.out);
    let loss = mlp.loss_and_gradient(&p.params, inputs, &labels, batch, &mut p.grads, scratch);
    assert_eq!(loss.is_ok(), fits, "{loss:?}");
    assert!(fits || p.bits() == before, "written");
}
