//! A visitor that hides, repeats, reorders or resizes a tensor meets an error, and no weight is lost.

mod wild;

use crate::common::{bits, layers};
use presam::{
    Cpu, Error, Group, PlanesMut, Sam, SegmentMut, Segments, Session, Sgd, SgdMomentum, Tensor,
    Vasso,
};
use presam_backends::Layer;
use wild::cut;

const LENGTHS: [usize; 4] = [5, 70, 3, 5];
/// Of a step in place: measure, perturb, restore, judge, descend.
const VISITS: usize = 5;
const RESTORES: usize = 3;

/// What a visitor does to its list.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Hides,
    Repeats,
    /// Shows it last.
    Reorders,
    /// Shows it without its last element.
    Resizes,
    /// Shows it without memory and state, and keeps the session's error to itself.
    Swallows,
    Fails,
}

struct Model {
    tensors: Vec<Layer<f32>>,
    visits: usize,
    /// In which visit (from 1; in every one from then on if `forever`), of which tensor.
    fault: Option<(Fault, usize, usize)>,
    forever: bool,
}

impl Model {
    fn new(fault: Option<(Fault, usize, usize)>) -> Self {
        let tensors = layers(3, LENGTHS.map(|n| (0, n)), [1, 1]);
        Self { tensors, visits: 0, fault, forever: false }
    }

    fn params(&self) -> Vec<Vec<u64>> {
        self.tensors.iter().map(|t| bits(&t.own.params)).collect()
    }

    fn marks(&self) -> Vec<bool> {
        self.tensors.iter().map(|t| t.mark.is_perturbed()).collect()
    }
}

impl Segments<f32> for Model {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, f32>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.visits += 1;
        let (visits, forever) = (self.visits, self.forever);
        let now = self.fault.filter(|(_, at, _)| *at == visits || (forever && *at < visits));
        for (index, tensor) in self.tensors.iter_mut().enumerate() {
            let fault = now.filter(|(.., which)| *which == index).map(|(fault, ..)| fault);
            match fault {
                Some(Fault::Hides | Fault::Reorders) => {}
                Some(Fault::Fails) => return Err(Error::TooManyChunks),
                Some(Fault::Repeats) => {
                    visitor(tensor.segment())?;
                    visitor(tensor.segment())?;
                }
                Some(Fault::Swallows) => {
                    let mut segment = tensor.segment();
                    (segment.memory, segment.state) = (PlanesMut::none(), PlanesMut::none());
                    let _ = visitor(segment);
                }
                Some(Fault::Resizes) => {
                    let n = tensor.own.params.len() - 1;
                    visitor(cut(tensor, n))?;
                }
                None => visitor(tensor.segment())?,
            }
        }
        match now {
            Some((Fault::Reorders, _, which)) => visitor(self.tensors[which].segment()),
            _ => Ok(()),
        }
    }
}

fn session() -> Session<f32, Vasso<f32>, SgdMomentum<f32>> {
    let base = Sgd::new(0.125).unwrap().with_momentum(0.5).unwrap();
    Session::new(Cpu::plain(), Vasso::default(), base)
}

fn groups() -> [Group<f32>; 1] {
    [Group::new(0.5).unwrap()]
}

/// The place that the error names: the first at which a later visit differs from the first one.
fn place(fault: Fault, which: usize, visit: usize) -> usize {
    match fault {
        // In the first visit the second showing counts, so that the next visit meets it too early.
        Fault::Repeats if visit > 1 => which + 1,
        _ => which,
    }
}

#[test]
fn every_fault_in_every_visit_is_an_error() {
    for fault in [Fault::Hides, Fault::Repeats, Fault::Reorders, Fault::Fails] {
        for (which, visit) in (0..LENGTHS.len()).flat_map(|t| (1..=VISITS).map(move |v| (t, v))) {
            // The last one is last anyway; a restore may come in any order.
            let harmless = fault == Fault::Reorders && (which == 3 || visit == RESTORES)
                || fault == Fault::Repeats && visit == RESTORES;
            let mut model = Model::new(Some((fault, visit, which)));
            let (before, mut session) = (model.params(), session());
            let result = session.step(&groups(), &mut model, |_, _| Ok::<(), Error>(()));
            let what = format!("{fault:?} {which} in visit {visit}: {result:?}");
            assert_eq!(model.marks(), [false; 4], "{what}");
            if harmless {
                assert!(result.unwrap().descended, "{what}");
                continue;
            }
            match result.unwrap_err() {
                Error::StillPerturbed { first, count: 1 } if visit == RESTORES => {
                    assert_eq!(first, which, "{what}");
                }
                Error::Visit { segment } => {
                    assert_eq!(segment, place(fault, which, visit), "{what}")
                }
                Error::TooManyChunks => assert_eq!(fault, Fault::Fails),
                other => panic!("{what}: {other}"),
            }
            // Whatever visit it was, a tensor is where it was or has taken its step.
            if visit < VISITS {
                assert_eq!(model.params(), before, "{what}");
            }
            assert_eq!(session.base_state.steps, 0, "{what}");
            assert_eq!(session.rule_state.steps, u32::from(visit > 2), "{what}");
        }
    }
}

#[test]
fn a_resized_tensor_is_an_error() {
    for visit in 1..=VISITS {
        let mut model = Model::new(Some((Fault::Resizes, visit, 1)));
        let before = model.params();
        let result = session().step(&groups(), &mut model, |_, _| Ok::<(), Error>(()));
        let told = match result {
            Err(Error::Length { slice: "params", expected: 70, found: 69 }) => visit == RESTORES,
            Err(Error::Visit { segment: 1 }) => visit != RESTORES,
            _ => false,
        };
        assert!(told, "visit {visit}: {result:?}");
        assert!(visit == VISITS || model.params() == before, "visit {visit}");
    }
}

#[test]
fn an_error_that_the_visitor_keeps_to_itself_is_told() {
    for (visit, forever) in (1..=VISITS).flat_map(|v| [(v, false), (v, true)]) {
        let mut model = Model::new(Some((Fault::Swallows, visit, 1)));
        model.forever = forever;
        let (before, mut session) = (model.params(), session());
        let result = session.step(&groups(), &mut model, |_, _| Ok::<(), Error>(()));
        let what = format!("visit {visit}: {result:?}");
        // A restore asks for neither.
        if visit == RESTORES && !forever {
            assert!(result.unwrap().descended, "{what}");
            continue;
        }
        assert!(matches!(result, Err(Error::Planes { expected: 1, found: 0, .. })), "{what}");
        assert!(visit == VISITS || model.params() == before, "{what}");
        assert_eq!((model.marks(), session.base_state.steps), (vec![false; 4], 0), "{what}");
    }
}

#[test]
fn a_tensor_hidden_for_good_stops_the_next_step_and_is_restored_when_it_is_back() {
    let mut model = Model::new(Some((Fault::Hides, RESTORES, 2)));
    model.forever = true;
    let (before, mut session) = (model.params(), session());
    let error = session.step(&groups(), &mut model, |_, _| Ok::<(), Error>(())).unwrap_err();
    assert_eq!(error, Error::StillPerturbed { first: 2, count: 1 });
    assert_eq!(model.marks(), [false, false, true, false]);

    // Hidden or shown, no step begins.
    let perturbed = model.params();
    let error = session.step(&groups(), &mut model, |_, _| Ok::<(), Error>(())).unwrap_err();
    assert_eq!(error, Error::StillPerturbed { first: 2, count: 1 });
    assert_eq!(model.params(), perturbed);
    model.fault = None;
    for result in [
        session.ascend(&groups(), &mut model).map(drop),
        session.descend(&groups(), &mut model).map(drop),
    ] {
        assert_eq!(result.unwrap_err(), Error::StillPerturbed { first: 2, count: 1 });
    }
    assert_eq!(session.restore(&mut model).unwrap(), 1);
    assert_eq!(model.params(), before);
    assert!(session.step(&groups(), &mut model, |_, _| Ok::<(), Error>(())).unwrap().descended);
}

#[test]
fn a_forgotten_ascent_is_found() {
    let (mut model, groups) = (Model::new(None), groups());
    let before = model.params();
    let base = Sgd::new(0.125).unwrap().with_momentum(0.5).unwrap();
    let mut session = Session::new(Cpu::plain(), Sam::new(), base);
    model.tensors.iter_mut().for_each(|t| t.own.memory[0].clear());
    let error = session.ascend(&groups, &mut model).map(drop).unwrap_err();
    assert_eq!(error, Error::Planes { planes: "memory", expected: 0, found: 1 });

    let mut model = Model::new(None);
    let mut session = self::session();
    std::mem::forget(session.ascend(&groups, &mut model).unwrap());
    // By the tensors' marks alone, too: a session that did not perturb them.
    for session in [&mut self::session(), &mut session] {
        let error = session.ascend(&groups, &mut model).map(drop).unwrap_err();
        assert_eq!(error, Error::StillPerturbed { first: 0, count: 4 });
        let error = session.descend(&groups, &mut model).map(drop).unwrap_err();
        assert_eq!(error, Error::StillPerturbed { first: 0, count: 4 });
    }
    assert_eq!((session.restore(&mut model).unwrap(), model.params()), (4, before));
}
