//! C's step has the bits of the core's session: every rule, every base optimizer, both types; by tensor, all at
//! once, and with the norm cut into parts.

#![allow(unsafe_code, clippy::unwrap_used, reason = "C's functions; a test fails by panicking")]

mod common;

use common::{Api, Held, Planes, Seeded, group, report};
use presam::{
    AnyBase, AnyReal, AnyVariant, Cpu, LengthRule, Planes as Inputs, PlanesMut, SecondGradient,
    SegmentMut, Session, Tensor as _,
};
use presam_capi::*;

impl<R: AnyReal> presam::Tensor<R> for Planes<R> {
    fn segment(&mut self) -> SegmentMut<'_, R> {
        SegmentMut {
            group: self.group,
            params: &mut self.params,
            grads: &self.grads,
            perturbed_grads: &self.grads,
            spare: &mut self.backup,
            memory: PlanesMut::of(&mut self.memory),
            inputs: Inputs::of(&self.inputs),
            state: PlanesMut::of(&mut self.state),
            mark: &mut self.mark,
        }
    }
}

/// How C is called.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    All,
    ByTensor,
    /// By tensor, each a norm of its own, merged from the left.
    InParts,
}

const LENGTHS: [(usize, usize); 7] =
    [(0, 5), (1, 640), (2, 1), (3, 2049), (4, 7), (0, 0), (1, 3000)];

fn groups() -> [Group; 5] {
    [
        group(0.05, 0, 0.0),
        group(0.5, PRESAM_GROUP_NO_OPERATOR | PRESAM_GROUP_OWN_WEIGHT_DECAY, 0.02),
        group(0.25, PRESAM_GROUP_NOT_COUNTED, 0.0),
        group(0.05, PRESAM_GROUP_NOT_PERTURBED, 0.0),
        group(0.05, PRESAM_GROUP_NOT_COUNTED | PRESAM_GROUP_NOT_PERTURBED, 0.0),
    ]
}

fn core_groups<R: AnyReal>() -> [presam::Group<R>; 5] {
    let of = |rho| presam::Group::new(R::from_f64(rho)).unwrap();
    [
        of(0.05),
        of(0.5).without_operator().with_weight_decay(R::from_f64(0.02)).unwrap(),
        of(0.25).not_counted(),
        of(0.05).counted_only(),
        of(0.05).not_perturbed(),
    ]
}

/// Settings beside rule and base: unnormalised share, largest norm, loss scale, unchecked.
#[derive(Clone, Copy, Debug)]
struct Extras {
    unnormalised: f64,
    max_norm: f64,
    loss_scale: f64,
    unchecked: bool,
}

const EXTRAS: [Extras; 3] = [
    Extras { unnormalised: 0.0, max_norm: 0.0, loss_scale: 1.0, unchecked: false },
    Extras { unnormalised: 0.25, max_norm: 0.5, loss_scale: 3.0, unchecked: false },
    Extras { unnormalised: 1.0, max_norm: 0.0, loss_scale: 1.0, unchecked: true },
];

/// Steps whose first or second gradient is made so.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Usual,
    Zero,
    FirstNan,
    SecondInfinite,
    Plain,
    UncountedNan,
}

const STEPS: [Kind; 8] = [
    Kind::Usual,
    Kind::Usual,
    Kind::Zero,
    Kind::FirstNan,
    Kind::Usual,
    Kind::SecondInfinite,
    Kind::Plain,
    Kind::UncountedNan,
];

fn gradients<R: AnyReal>(tensors: &mut [Planes<R>], seed: u64, kind: Kind, second: bool) {
    let mut seeded = Seeded(seed);
    for tensor in tensors {
        let len = tensor.grads.len();
        tensor.grads.copy_from_slice(&seeded.plane::<R>(len));
        let special = match (kind, second, tensor.group) {
            (Kind::Zero, false, _) => Some(R::ZERO),
            (Kind::FirstNan, false, 1) | (Kind::UncountedNan, false, 2) => {
                Some(R::from_f64(f64::NAN))
            }
            (Kind::SecondInfinite, true, 0) => Some(R::INFINITY),
            _ => None,
        };
        if let Some(special) = special {
            tensor.grads.fill(special);
        }
    }
}

struct C<R: Api> {
    state: R::State,
    tensors: Vec<Tensor<R>>,
    how: How,
    unchecked: bool,
}

fn ok(status: Status) {
    assert_eq!(status, Status::OK, "code {} argument {}", status.code(), status.argument());
}

impl<R: Api> C<R> {
    fn ascend(&mut self) {
        let (state, tensors) = (&raw mut self.state, &mut self.tensors);
        // SAFETY: the planes live as long as the test.
        unsafe {
            if self.how == How::All {
                return ok(R::ascend_all(state, tensors.as_mut_ptr(), tensors.len()));
            }
            let mut norm = R::ZERO_NORM;
            ok(R::norm_begin(state, &mut norm, 0));
            let mut chunk = 0;
            for tensor in tensors.iter() {
                if self.how == How::ByTensor {
                    ok(R::norm_add(state, tensor, &mut norm));
                    continue;
                }
                let mut part = R::ZERO_NORM;
                ok(R::norm_begin(state, &mut part, chunk));
                ok(R::norm_add(state, tensor, &mut part));
                ok(R::norm_merge(&mut norm, &part));
                let counts = (*tensor.group).flags & PRESAM_GROUP_NOT_COUNTED == 0;
                chunk += if counts { tensor.len.div_ceil(PRESAM_CHUNK) as u64 } else { 0 };
            }
            ok(R::norm_finish(state, &norm));
            tensors.iter_mut().for_each(|tensor| ok(R::ascend(state, tensor)));
        }
    }

    fn descend(&mut self) {
        let (state, tensors) = (&raw mut self.state, &mut self.tensors);
        // SAFETY: as above.
        unsafe {
            if self.how == How::All {
                return ok(R::descend_all(state, tensors.as_mut_ptr(), tensors.len()));
            }
            tensors.iter_mut().for_each(|tensor| ok(R::restore(state, tensor)));
            let mut norm = R::ZERO_NORM;
            if self.unchecked {
                ok(R::second_finish(state, std::ptr::null()));
            } else {
                ok(R::second_begin(state, &mut norm, 0));
                tensors.iter().for_each(|tensor| ok(R::second_add(state, tensor, &mut norm)));
                ok(R::second_finish(state, &norm));
            }
            tensors.iter_mut().for_each(|tensor| ok(R::descend(state, tensor)));
        }
    }
}

fn same<R: AnyReal>(core: &[Planes<R>], c: &[Planes<R>], what: &str) {
    for (index, (core, c)) in core.iter().zip(c).enumerate() {
        assert!(core.bits() == c.bits(), "{what}: tensor {index} differs");
    }
}

fn steps<R: Api>(variant: &str, base: &str, extras: Extras, how: How) {
    let what = format!("{variant} {base} {extras:?} {how:?}");
    let rule = AnyVariant::<R>::by_name(variant).unwrap();
    let optimizer = AnyBase::<R>::by_name(base).unwrap().set("learning_rate", 0.05).unwrap();
    let mut session = Session::new(Cpu::plain(), rule, optimizer);
    session.loss_scale = R::from_f64(extras.loss_scale);
    session.length =
        LengthRule::mixed(R::from_f64(1.0 - extras.unnormalised), R::from_f64(1e-3)).unwrap();
    session.second = match (extras.unchecked, extras.max_norm) {
        (true, _) => SecondGradient::Unchecked,
        (_, 0.0) => SecondGradient::Checked,
        (_, most) => SecondGradient::Clipped(R::from_f64(most)),
    };
    let mut seeded = Seeded(7);
    let made = LENGTHS.iter().map(|&place| Planes::new(place, &rule, &optimizer, &mut seeded));
    let mut core: Vec<Planes<R>> = made.collect();
    let mut planes = core.clone();
    let (core_groups, groups) = (core_groups(), groups());
    let mut held = Held::new(variant, base, &[], &[("learning_rate", 0.05)]);
    held.config.unnormalised = extras.unnormalised;
    held.config.norm_guard = 1e-3;
    held.config.max_norm = extras.max_norm;
    held.config.flags = if extras.unchecked { PRESAM_CONFIG_UNCHECKED } else { 0 };
    let tensors = planes.iter_mut().map(|tensor| tensor.c(&groups)).collect();
    let mut c = C { state: R::ZERO_STATE, tensors, how, unchecked: extras.unchecked };
    let size = size_of::<R::State>();
    // SAFETY: all that is pointed to lives.
    unsafe {
        ok(R::init(&mut c.state, size, &held.config));
        ok(R::loss_scale(&mut c.state, extras.loss_scale));
        ok(R::check(&c.state, c.tensors.as_ptr(), c.tensors.len()));
    }
    let along = variant == "momentum-sam";
    for (step, kind) in STEPS.into_iter().enumerate() {
        let seed = 100 + 2 * step as u64;
        if extras.unchecked && kind == Kind::SecondInfinite {
            continue;
        }
        let rate = 0.05 / (1.0 + step as f64);
        session.learning_rate = Some(R::from_f64(rate));
        // SAFETY: as above.
        ok(unsafe { R::learning_rate(&mut c.state, rate) });
        let mut told = report();
        if kind == Kind::Plain {
            gradients(&mut core, seed, kind, true);
            gradients(&mut planes, seed, kind, true);
            session.descend(&core_groups, &mut core[..]).unwrap();
            // SAFETY: as above.
            ok(unsafe { R::skip(&mut c.state) });
            c.descend();
            same(&core, &planes, &format!("{what}: plain step {step}"));
            continue;
        }
        gradients(&mut core, seed, kind, false);
        gradients(&mut planes, seed, kind, false);
        let mut ascended = if along {
            session.ascend_with_momentum(&core_groups, &mut core[..]).unwrap()
        } else {
            session.ascend(&core_groups, &mut core[..]).unwrap()
        };
        c.ascend();
        same(ascended.model(), &planes, &format!("{what}: ascent {step}"));
        gradients(ascended.model(), seed + 1, kind, true);
        gradients(&mut planes, seed + 1, kind, true);
        let done = ascended.descend().unwrap();
        c.descend();
        same(&core, &planes, &format!("{what}: descent {step}"));
        // SAFETY: as above.
        ok(unsafe { R::report(&c.state, &mut told) });
        let outcomes = (done.ascent.outcome as u32, done.second as u32, u32::from(done.descended));
        assert_eq!((told.outcome, told.second, told.descends), outcomes, "{what}: step {step}");
        assert_eq!(told.steps, session.base_state.steps);
    }
}

fn every_rule<R: Api>() {
    for variant in presam::variants::ALL {
        for base in presam::base::ALL {
            if variant.name == "momentum-sam" && base.state == 0 {
                continue;
            }
            for (extras, how) in EXTRAS.into_iter().zip([How::All, How::ByTensor, How::InParts]) {
                steps::<R>(variant.name, base.name, extras, how);
            }
            steps::<R>(variant.name, base.name, EXTRAS[1], How::All);
        }
    }
}

#[test]
fn every_rule_and_base_in_single_precision() {
    every_rule::<f32>();
}

#[test]
fn every_rule_and_base_in_double_precision() {
    every_rule::<f64>();
}

#[test]
fn a_tag_and_a_name_are_one_rule() {
    let mut held = Held::new("info-asam", "adamw", &[("eta", 0.5)], &[("mean_decay", 0.5)]);
    let mut states = [f32::ZERO_STATE; 2];
    // SAFETY: both live.
    unsafe {
        ok(f32::init(&mut states[0], size_of_val(&states[0]), &held.config));
        held.config.variant = Variant::InfoAsam as u32;
        held.config.base = Base::Adamw as u32;
        (held.config.variant_name, held.config.base_name) = (std::ptr::null(), std::ptr::null());
        ok(f32::init(&mut states[1], size_of_val(&states[1]), &held.config));
    }
    let mut seeded = Seeded(3);
    let rule = AnyVariant::<f32>::by_name("info-asam").unwrap();
    let base = AnyBase::<f32>::by_name("adamw").unwrap();
    let mut planes = [0, 1].map(|_| Planes::new((0, 50), &rule, &base, &mut Seeded(1)));
    let groups = groups();
    for (state, planes) in states.iter_mut().zip(&mut planes) {
        let mut tensor = planes.c(&groups);
        for _ in 0..3 {
            planes.grads.copy_from_slice(&Seeded(5).plane::<f32>(50));
            // SAFETY: both live.
            unsafe {
                ok(f32::ascend_all(state, &mut tensor, 1));
                ok(f32::descend_all(state, &mut tensor, 1));
            }
        }
    }
    assert!(planes[0].bits() == planes[1].bits());
    assert_ne!(planes[0].params, seeded.plane::<f32>(50));
    let _ = planes[0].segment();
}
