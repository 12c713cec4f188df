//! Rules without their type take the step of the typed phases, bit for bit: every rule, base optimizer and
//! scalar of the lists, plain and wide, with groups and a loss scale, in place and out of place, by value, by
//! reference and by name. A rule has no part in the descent and a base optimizer none in the ascent, so each
//! rule meets one base optimizer and each of these one rule: every pair would be compiled for minutes.

use crate::common::{Random, bits};
use presam::{
    AdamW, AnyBase, AnyReal, AnyVariant, BaseOptimizer, BaseState, Cpu, DynBase, DynVariant, Error,
    Form, Group, LengthRule, MomentumSam, Outcome, PartialNorm, Planes, PlanesMut, Point, Real,
    RuleState, Scale, SegmentMut, Session, Sgd, Tensor, Unscaled, Variant, finish, for_each_base,
    for_each_variant,
};
use presam_backends::Layer;
use presam_conformance::Scalar;

const LENGTHS: [usize; 6] = [5, 640, 2049, 1, 0, 300];
const GROUPS: [usize; 6] = [0, 1, 2, 3, 0, 4];
const STEPS: usize = 4;

/// With the operator off and a decay of its own; not counted; counted only; neither.
fn groups<R: Real>() -> [Group<R>; 5] {
    let group = Group::new(R::from_f64(0.05)).unwrap();
    let decaying = group.with_weight_decay(R::from_f64(1e-3)).unwrap();
    [
        group,
        decaying.without_operator(),
        group.not_counted(),
        group.counted_only(),
        group.not_perturbed(),
    ]
}

/// A tensor with both gradients, and what they are made of.
struct Curved<R> {
    layer: Layer<R>,
    curvature: Vec<R>,
}

impl<R: Real> Curved<R> {
    /// Of any smooth function of `w`, or of the spare.
    fn gradient(&mut self, point: Point, form: Form, scale: R) {
        let out = point == Point::Perturbed && form == Form::OutOfPlace;
        let own = &mut self.layer.own;
        let from = if out { &self.layer.spare } else { &own.params };
        let to = match point {
            Point::Params => &mut own.grads,
            Point::Perturbed => &mut own.perturbed_grads,
        };
        for ((g, w), a) in to.iter_mut().zip(from).zip(&self.curvature) {
            *g = (*w * *a + *a * *a * *w * *w) * scale;
        }
    }
}

impl<R> Tensor<R> for Curved<R> {
    fn segment(&mut self) -> SegmentMut<'_, R> {
        self.layer.segment()
    }
}

fn model<R: Real + Scalar>(memory: usize, inputs: usize, state: usize) -> Vec<Curved<R>> {
    let mut random = Random(1);
    let curved = |(n, group)| {
        let (params, curvature) = (random.plane(n), random.plane(n));
        let inputs = (0..inputs).map(|_| random.plane(n)).collect();
        let layer = Layer::new(group, params, inputs, [memory, state]);
        Curved { layer: Layer { one_gradient: false, ..layer }, curvature }
    };
    LENGTHS.into_iter().zip(GROUPS).map(curved).collect()
}

fn all_bits<R: Real>(model: &[Curved<R>]) -> Vec<Vec<u64>> {
    let planes = |Curved { layer: Layer { own, .. }, .. }: &Curved<R>| -> Vec<Vec<u64>> {
        let planes = [&own.params].into_iter().chain(&own.memory).chain(&own.state);
        planes.map(|plane| bits(plane)).collect()
    };
    model.iter().flat_map(planes).collect()
}

fn read<R, const N: usize>(planes: &[Vec<R>]) -> [&[R]; N] {
    Planes::of(planes).array("planes").unwrap()
}

fn write<R, const N: usize>(planes: &mut [Vec<R>]) -> [&mut [R]; N] {
    PlanesMut::of(planes).array("planes").unwrap()
}

/// The steps by the typed phases. Never inlined: a function that holds them for every rule takes a compiler long.
#[inline(never)]
fn typed<R: Real + Scalar, V, B, const M: usize, const I: usize, const S: usize>(
    cpu: Cpu,
    variant: V,
    base: B,
    loss_scale: R,
) -> Vec<Vec<u64>>
where
    V: Variant<R, M, I>,
    B: BaseOptimizer<R, S>,
{
    let (mut model, groups) = (model::<R>(M, I, S), groups::<R>());
    let (mut state, mut base_state) = (RuleState::new(), BaseState::new());
    let unscale = R::ONE / loss_scale;
    for _ in 0..STEPS {
        model.iter_mut().for_each(|t| t.gradient(Point::Params, Form::OutOfPlace, loss_scale));
        let before = state;
        let rule = |group: &Group<R>| {
            Unscaled::new(variant.with_operator(group.operator()).arm(&before), unscale)
        };
        let mut norm = PartialNorm::new();
        for t in model.iter().map(|t| &t.layer).filter(|t| groups[t.group].counts_in_norm()) {
            let (rule, memory) = (rule(&groups[t.group]), read(&t.own.memory));
            let (inputs, own) = (read(&t.own.inputs), &t.own);
            cpu.accumulate_norm(rule, &own.params, &own.grads, memory, inputs, &mut norm).unwrap();
        }
        let ascent = finish(variant, &norm, &mut state).unwrap();
        assert_eq!(ascent.outcome, Outcome::Finite);
        for t in &mut model {
            let group = groups[t.layer.group];
            let mut scale = ascent.scale(group.rho(), LengthRule::NORMALISED).unwrap();
            if !group.is_perturbed() {
                scale = Scale { scale: R::ZERO, remember: group.counts_in_norm(), ..scale };
            }
            let (own, spare) = (&mut t.layer.own, &mut t.layer.spare);
            let (memory, inputs) = (write(&mut own.memory), read(&own.inputs));
            cpu.ascend(rule(&group), scale, &own.params, &own.grads, memory, inputs, spare)
                .unwrap();
            t.gradient(Point::Perturbed, Form::OutOfPlace, loss_scale);
        }
        for t in &mut model {
            let base = match groups[t.layer.group].weight_decay() {
                Some(decay) => base.with_weight_decay(decay).unwrap(),
                None => base,
            };
            let (rule, own) = (base.arm(&base_state), &mut t.layer.own);
            let state = write(&mut own.state);
            cpu.descend(rule, unscale, &mut own.params, &own.perturbed_grads, state).unwrap();
        }
        base_state = base.advance(&base_state);
    }
    all_bits(&model)
}

/// The same steps by a session.
fn by_session<R: Real + Scalar>(
    (cpu, form, loss_scale): (Cpu, Form, R),
    variant: impl DynVariant<R>,
    base: impl DynBase<R>,
) -> Vec<Vec<u64>> {
    let planes = variant.planes();
    let mut model = model::<R>(planes.memory, planes.inputs, base.state_planes());
    let mut session = Session::new(cpu, variant, base);
    (session.form, session.loss_scale) = (form, loss_scale);
    for _ in 0..STEPS {
        // By halves: a whole step of momentum-sam would follow the momentum, as the phases do not.
        model.iter_mut().for_each(|t| t.gradient(Point::Params, form, loss_scale));
        let (groups, model) = (groups(), &mut model[..]);
        let mut ascended = session.ascend(&groups, model).unwrap();
        let at = ascended.model().iter_mut();
        at.for_each(|t| t.gradient(Point::Perturbed, form, loss_scale));
        assert!(ascended.descend().unwrap().descended);
    }
    assert!(model.iter().all(|t| !t.layer.mark.is_perturbed()));
    all_bits(&model)
}

/// A pair of rules in every form that a caller may hold them in, against their typed phases.
fn check<R: AnyReal + Scalar, V, B, const M: usize, const I: usize, const S: usize>(
    variant: V,
    base: B,
) where
    V: Variant<R, M, I> + DynVariant<R> + Into<AnyVariant<R>>,
    B: BaseOptimizer<R, S> + DynBase<R> + Into<AnyBase<R>>,
{
    let (any_variant, any_base) = (variant.into(), base.into());
    for cpu in [Cpu::plain(), Cpu::detect()] {
        for loss_scale in [1.0, 3.0].map(<R as Real>::from_f64) {
            let expected = typed(cpu, variant, base, loss_scale);
            for form in [Form::InPlace, Form::OutOfPlace] {
                let at = (cpu, form, loss_scale);
                let what =
                    format!("{} {} {form:?}", any_variant.about().name, any_base.about().name);
                assert!(by_session(at, variant, base) == expected, "{what}, by value");
                let dynamic: (&dyn DynVariant<R>, &dyn DynBase<R>) = (&variant, &base);
                assert!(by_session(at, dynamic.0, dynamic.1) == expected, "{what}, by reference");
                assert!(by_session(at, any_variant, any_base) == expected, "{what}, by name");
            }
        }
    }
}

struct Bases<R> {
    sgd: Sgd<R>,
    sgd_momentum: presam::SgdMomentum<R>,
    adamw: AdamW<R>,
}

fn bases<R: Real>() -> Bases<R> {
    let sgd = Sgd::new(R::from_f64(0.02)).unwrap().with_weight_decay(R::from_f64(1e-2)).unwrap();
    let sgd_momentum = sgd.with_momentum(R::from_f64(0.9)).unwrap();
    Bases { sgd, sgd_momentum, adamw: AdamW::new(R::from_f64(0.01)).unwrap() }
}

macro_rules! with_bases {
    ($R:ident; $($module:ident: $Base:ident, state $s:literal;)*) => {
        $(check::<$R, _, _, 0, 0, $s>(presam::Sam::<$R>::default(), bases::<$R>().$module);)*
    };
}

macro_rules! with_variants {
    ($R:ident; $($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        $(check::<$R, _, _, $m, $i, 1>(presam::$Variant::<$R>::default(), bases::<$R>().sgd_momentum);)*
    };
}

#[test]
fn every_rule_has_the_bits_of_its_typed_phases() {
    for_each_variant!(with_variants f32;);
    for_each_variant!(with_variants f64;);
}

#[test]
fn every_base_optimizer_has_the_bits_of_its_typed_phases() {
    for_each_base!(with_bases f32;);
    for_each_base!(with_bases f64;);
}

#[test]
fn names_keys_and_information_are_those_of_the_lists() {
    for info in presam::variants::ALL {
        for name in [info.name].iter().chain(info.aliases) {
            let rule = AnyVariant::<f32>::by_name(name).unwrap();
            assert_eq!(rule.about().name, info.name);
            let planes = rule.planes();
            assert_eq!((planes.memory, planes.inputs), (info.memory, info.inputs));
            for key in info.keys {
                assert_eq!(rule.set(key.name, key.default).unwrap(), rule, "{name}: {}", key.name);
            }
            assert!(
                matches!(rule.set("", 0.0), Err(Error::UnknownKey { rule, .. }) if rule == info.name)
            );
        }
    }
    for info in presam::base::ALL {
        let base = AnyBase::<f64>::by_name(info.name).unwrap();
        assert_eq!((base.about().name, base.state_planes()), (info.name, info.state));
        for key in info.keys {
            assert_eq!(
                base.set(key.name, key.default).unwrap(),
                base,
                "{}: {}",
                info.name,
                key.name
            );
            assert!(base.set(key.name, f64::NAN).is_err(), "{}: {}", info.name, key.name);
            let moved = base.set(key.name, if key.default == 1.0 { 0.5 } else { 1.0 });
            assert!(moved.is_err() || moved.unwrap() != base, "{}: {}", info.name, key.name);
        }
        let error = base.set("", 0.0).unwrap_err();
        let names: Vec<&str> = info.keys.iter().map(|key| key.name).collect();
        assert_eq!(error, Error::UnknownKey { rule: info.name, expected: names.join(", ").leak() });
    }
    let error = AnyVariant::<f32>::by_name("sma").unwrap_err().to_string();
    let names: Vec<&str> = presam::variants::ALL.iter().map(|info| info.name).collect();
    assert_eq!(error, format!("no variant has that name; expected one of: {}", names.join(", ")));
}

#[test]
fn lists_of_planes_say_how_many_they_have() {
    let [mut a, mut b] = [[1.0, 2.0], [3.0, 4.0]];
    let (none, both) = (Planes::<f64>::none(), Planes::from([&a, &b]));
    assert_eq!((none.len(), none.is_empty(), both.len(), both.is_empty()), (0, true, 2, false));
    assert_eq!(both.array("planes"), Ok([&[1.0, 2.0][..], &[3.0, 4.0]]));
    let (none, both) = (PlanesMut::<f64>::none(), PlanesMut::from([&mut a, &mut b]));
    assert_eq!((none.len(), none.is_empty(), both.len(), both.is_empty()), (0, true, 2, false));
    assert_eq!(both.read().array("planes"), Ok([&[1.0, 2.0][..], &[3.0, 4.0]]));
}

#[test]
fn momentum_sam_by_name_is_the_typed_one() {
    let run = |variant: &dyn DynVariant<f32>| {
        let mut model = model::<f32>(0, 0, 1);
        let mut session = Session::new(Cpu::detect(), variant, bases().sgd_momentum);
        for _ in 0..STEPS {
            let report = session.step_with_momentum(&groups(), &mut model[..], |model, point| {
                model.iter_mut().for_each(|t| t.gradient(point, Form::InPlace, 1.0));
                Ok::<(), Error>(())
            });
            assert!(report.unwrap().descended);
        }
        all_bits(&model)
    };
    assert_eq!(run(&MomentumSam::new()), run(&AnyVariant::by_name("msam").unwrap()));
}
