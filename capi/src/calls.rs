//! The bodies of C's functions, for both types: addresses are checked, then the step does its part.
//!
//! What every function here asks of its caller: each address is null or holds what its type says, planes hold
//! `len` elements, and nobody else uses meanwhile what is written.

#![allow(unsafe_code, reason = "C hands over addresses")]

use crate::extent::{Extent, check_apart};
use crate::layout::{Config, Mark, PlaneCount, Report, Tensor};
use crate::mark::{PERTURBED, is_perturbed, restore as back};
use crate::memory::{View, headed, held, named, place, view, view_restored};
use crate::norm::{Norm, Pass};
use crate::segment::Writing;
use crate::settings::Settings;
use crate::state::{State, magic};
use crate::status::{Argument, Code, Fault, Status, check};
use presam::AnyReal;

type Done = Result<(), Fault>;

/// What a call answers.
pub(crate) fn said(done: Done) -> Status {
    done.map_or_else(Fault::status, |()| Status::OK)
}

unsafe fn state<R: AnyReal>(at: *const State<R>) -> Result<State<R>, Fault> {
    // SAFETY: a state's first word is its magic only once `init` has written it.
    unsafe { held(at, magic::<R>(), Argument::State) }
}

fn extent<R>(at: *const State<R>) -> Result<Extent, Fault> {
    Extent::of(at, 1, true, Argument::State)
}

unsafe fn checked<R: AnyReal>(
    now: &State<R>,
    tensor: *mut Tensor<R>,
    others: &[Extent],
) -> Result<View<R>, Fault> {
    // A group may change within a step: what is perturbed comes back all the same.
    let backup =
        |group: &presam::Group<R>, mark: Mark| mark.stage == PERTURBED || now.needs_backup(group);
    // SAFETY: the caller's word.
    unsafe { view(tensor, now.settings.counts(), backup, others) }
}

/// A change of the state that leaves it as it was where it is refused.
unsafe fn changed<R: AnyReal>(
    at: *mut State<R>,
    change: impl FnOnce(&mut State<R>) -> Done,
) -> Done {
    // SAFETY: the caller's word.
    let mut now = unsafe { state(at) }?;
    change(&mut now)?;
    // SAFETY: a state was read from there.
    unsafe { at.write(now) };
    Ok(())
}

/// A half of a step writes into the planes of a tensor, which takes the mark that comes of it.
unsafe fn written<R: AnyReal>(
    view: &View<R>,
    half: impl FnOnce(Writing<'_, R>, Mark) -> Result<Mark, Fault>,
) -> Done {
    // SAFETY: the caller's word, and the planes are apart.
    let mark = half(unsafe { view.writing() }, view.mark())?;
    // SAFETY: the caller's word.
    unsafe { view.set_mark(mark) };
    Ok(())
}

pub(crate) unsafe fn init<R: AnyReal>(
    at: *mut State<R>,
    (room, whole): (usize, usize),
    config: *const Config,
) -> Done {
    extent(at)?;
    check(room >= whole, Code::StructSize, Argument::State)?;
    check_apart((at, Argument::State), (config, Argument::Config))?;
    // SAFETY: the caller's word.
    let config = unsafe { headed(config) }?;
    // SAFETY: the caller's word.
    let settings = Settings::of(&config, &unsafe { named(&config) })?;
    // SAFETY: not null, aligned, with room for a state.
    unsafe { at.write(State::new(settings)) };
    Ok(())
}

pub(crate) unsafe fn set_learning_rate<R: AnyReal>(at: *mut State<R>, rate: f64) -> Done {
    // SAFETY: the caller's word.
    unsafe { changed(at, |now| now.set_learning_rate(rate)) }
}

pub(crate) unsafe fn set_loss_scale<R: AnyReal>(at: *mut State<R>, scale: f64) -> Done {
    // SAFETY: the caller's word.
    unsafe { changed(at, |now| now.set_loss_scale(scale)) }
}

pub(crate) unsafe fn skip<R: AnyReal>(at: *mut State<R>) -> Done {
    // SAFETY: the caller's word.
    unsafe { changed(at, State::skip) }
}

pub(crate) unsafe fn cancel<R: AnyReal>(at: *mut State<R>) -> Done {
    let done = |now: &mut State<R>| {
        now.cancel();
        Ok(())
    };
    // SAFETY: the caller's word.
    unsafe { changed(at, done) }
}

pub(crate) unsafe fn begin<R: AnyReal>(
    at: *const State<R>,
    norm: *mut Norm<R>,
    pass: Pass,
    first_chunk: u64,
) -> Done {
    check_apart((at, Argument::State), (norm, Argument::Norm))?;
    // SAFETY: the caller's word.
    let begun = unsafe { state(at) }?.begin(pass, first_chunk)?;
    // SAFETY: not null, aligned; it overwrites whatever was there.
    unsafe { norm.write(begun) };
    Ok(())
}

pub(crate) unsafe fn add<R: AnyReal>(
    at: *const State<R>,
    tensor: *const Tensor<R>,
    norm: *mut Norm<R>,
    pass: Pass,
) -> Done {
    // SAFETY: the caller's word.
    let now = unsafe { state(at) }?;
    let others = [extent(at)?, Extent::of(norm, 1, true, Argument::Norm)?];
    // SAFETY: the caller's word; the tensor is not written below.
    let view = unsafe { checked(&now, tensor.cast_mut(), &others) }?;
    // SAFETY: every bit pattern is a norm, and no plane lies in it.
    let norm = unsafe { &mut *norm };
    // SAFETY: the caller's word.
    let planes = unsafe { view.reading() };
    match pass {
        Pass::First => {
            State::<R>::check_rest(view.mark())?;
            now.measure(&planes, norm)
        }
        Pass::Second => now.look(&planes, view.mark(), norm),
    }
}

pub(crate) unsafe fn merge<R: AnyReal>(norm: *mut Norm<R>, next: *const Norm<R>) -> Done {
    check_apart((norm, Argument::Norm), (next, Argument::Next))?;
    // SAFETY: not null, aligned, apart; every bit pattern is a norm.
    let (norm, next) = unsafe { (&mut *norm, &*next) };
    norm.merge(next)
}

pub(crate) unsafe fn finish<R: AnyReal>(at: *mut State<R>, norm: *const Norm<R>) -> Done {
    check_apart((at, Argument::State), (norm, Argument::Norm))?;
    // SAFETY: not null, aligned, apart from the state; every bit pattern is a norm.
    let norm = unsafe { &*norm };
    // SAFETY: the caller's word.
    unsafe { changed(at, |now| now.finish(norm)) }
}

pub(crate) unsafe fn judge<R: AnyReal>(at: *mut State<R>, norm: *const Norm<R>) -> Done {
    let norm = if norm.is_null() {
        None
    } else {
        check_apart((at, Argument::State), (norm, Argument::Norm))?;
        // SAFETY: as in `finish`.
        Some(unsafe { &*norm })
    };
    // SAFETY: the caller's word.
    unsafe { changed(at, |now| now.judge(norm)) }
}

pub(crate) unsafe fn ascend<R: AnyReal>(at: *const State<R>, tensor: *mut Tensor<R>) -> Done {
    // SAFETY: the caller's word.
    let now = unsafe { state(at) }?;
    // SAFETY: the caller's word.
    let view = unsafe { checked(&now, tensor, &[extent(at)?]) }?;
    // SAFETY: the caller's word.
    unsafe {
        written(&view, |planes, mark| {
            now.check_ascends(mark)?;
            now.ascend(planes)
        })
    }
}

pub(crate) unsafe fn restore<R: AnyReal>(tensor: *mut Tensor<R>) -> Done {
    // SAFETY: the caller's word.
    let mark = unsafe { headed(tensor.cast_const()) }?.mark;
    if !is_perturbed(mark)? {
        return Ok(());
    }
    // SAFETY: the caller's word.
    let view = unsafe { view_restored(tensor) }?;
    // SAFETY: the caller's word, and both are apart.
    let (params, backup) = unsafe { view.restoring() };
    let mark = back(params, backup, mark)?;
    // SAFETY: the caller's word.
    unsafe { view.set_mark(mark) };
    Ok(())
}

pub(crate) unsafe fn descend<R: AnyReal>(at: *const State<R>, tensor: *mut Tensor<R>) -> Done {
    // SAFETY: the caller's word.
    let now = unsafe { state(at) }?;
    // SAFETY: the caller's word.
    let view = unsafe { checked(&now, tensor, &[extent(at)?]) }?;
    // SAFETY: the caller's word.
    unsafe { written(&view, |planes, mark| now.descend(planes, mark)) }
}

/// An array of tensors and the state beside it.
struct All<R> {
    tensors: *mut Tensor<R>,
    count: usize,
    others: [Extent; 1],
}

impl<R: AnyReal> All<R> {
    fn of(at: *const State<R>, tensors: *mut Tensor<R>, count: usize) -> Result<Self, Fault> {
        let others = [extent(at)?];
        if count > 0 {
            let array = Extent::of(tensors, count, true, Argument::Tensors)?;
            others.iter().try_for_each(|other| other.check_apart(&array))?;
        }
        Ok(Self { tensors, count, others })
    }

    /// Each tensor, checked, in its turn; a fault has its index.
    unsafe fn each(&self, now: &State<R>, mut visit: impl FnMut(&View<R>) -> Done) -> Done {
        for index in 0..self.count {
            let tensor = place(self.tensors, index);
            // SAFETY: the caller's word.
            let view = unsafe { checked(now, tensor, &self.others) };
            let done = view.and_then(|view| {
                self.check_outside(&view, index)?;
                visit(&view)
            });
            done.map_err(|fault| fault.at(index))?;
        }
        Ok(())
    }

    /// No plane lies in another struct of the array.
    fn check_outside(&self, view: &View<R>, index: usize) -> Done {
        let before = Extent::of(self.tensors, index, true, Argument::Tensors)?;
        let rest = self.count.saturating_sub(index).saturating_sub(1);
        let after = place(self.tensors, index.saturating_add(1));
        let after = Extent::of(after, rest, true, Argument::Tensors)?;
        view.extents.check_outside(&[before, after])
    }
}

pub(crate) unsafe fn ascend_all<R: AnyReal>(
    at: *mut State<R>,
    tensors: *mut Tensor<R>,
    count: usize,
) -> Done {
    // SAFETY: the caller's word.
    let mut now = unsafe { state(at) }?;
    let all = All::of(at, tensors, count)?;
    let mut norm = now.begin(Pass::First, 0)?;
    let measured = |view: &View<R>| {
        State::<R>::check_rest(view.mark())?;
        // SAFETY: the caller's word.
        now.measure(&unsafe { view.reading() }, &mut norm)
    };
    // SAFETY: the caller's word.
    unsafe { all.each(&now, measured) }?;
    now.finish(&norm)?;
    // SAFETY: a state was read from there.
    unsafe { at.write(now) };
    let ascended = |view: &View<R>| {
        // SAFETY: the caller's word. All are at rest; which step left them there does not matter.
        unsafe { written(view, |planes, _| now.ascend(planes)) }
    };
    // SAFETY: the caller's word.
    given_up_unless(unsafe { all.each(&now, ascended) }, at, now)
}

/// What a visit leaves half done is not counted.
fn given_up_unless<R: AnyReal>(done: Done, at: *mut State<R>, mut now: State<R>) -> Done {
    if done.is_err() {
        now.give_up();
        // SAFETY: a state was written there.
        unsafe { at.write(now) };
    }
    done
}

pub(crate) unsafe fn descend_all<R: AnyReal>(
    at: *mut State<R>,
    tensors: *mut Tensor<R>,
    count: usize,
) -> Done {
    // SAFETY: the caller's word.
    let mut now = unsafe { state(at) }?;
    let all = All::of(at, tensors, count)?;
    let mut norm = now.begin(Pass::Second, 0)?;
    let looked = |view: &View<R>| {
        now.check_ascended(view.mark())?;
        // SAFETY: the caller's word.
        let planes = unsafe { view.reading() };
        let len = planes.params.len();
        let stays = !is_perturbed(view.mark())? || view.mark().len == len;
        check(stays, Code::LengthChanged, Argument::Len)?;
        if now.is_checked() { now.look(&planes, view.mark(), &mut norm) } else { Ok(()) }
    };
    // SAFETY: the caller's word.
    unsafe { all.each(&now, looked) }?;
    now.judge(Some(&norm))?;
    let stepped = |view: &View<R>| {
        let half = |planes: Writing<'_, R>, mark| {
            let mark = back(planes.params, planes.backup, mark)?;
            now.descend(planes, mark)
        };
        // SAFETY: the caller's word.
        unsafe { written(view, half) }
    };
    // SAFETY: a state was read from there.
    unsafe { at.write(now) };
    // SAFETY: the caller's word.
    given_up_unless(unsafe { all.each(&now, stepped) }, at, now)
}

pub(crate) unsafe fn check_all<R: AnyReal>(
    at: *const State<R>,
    tensors: *const Tensor<R>,
    count: usize,
) -> Done {
    // SAFETY: the caller's word.
    let now = unsafe { state(at) }?;
    let all = All::of(at, tensors.cast_mut(), count)?;
    let mut index = 0_usize;
    let apart = |view: &View<R>| {
        index = index.saturating_add(1);
        State::<R>::check_rest(view.mark())?;
        let rest = All { tensors: all.tensors, count: index.saturating_sub(1), others: all.others };
        // SAFETY: the caller's word.
        unsafe { rest.each(&now, |before| before.extents.check_apart(&view.extents)) }
    };
    // SAFETY: the caller's word; nothing is written.
    unsafe { all.each(&now, apart) }
}

pub(crate) unsafe fn report<R: AnyReal>(at: *const State<R>, out: *mut Report) -> Done {
    check_apart((at, Argument::State), (out, Argument::Out))?;
    // SAFETY: the caller's word.
    let now = unsafe { state(at) }?;
    // SAFETY: the caller's word.
    let asked = unsafe { headed(out.cast_const()) }?;
    // SAFETY: a report was read from there.
    unsafe { out.write(now.report(asked)) };
    Ok(())
}

pub(crate) unsafe fn plane_count(config: *const Config, out: *mut PlaneCount) -> Done {
    check_apart((config, Argument::Config), (out, Argument::Out))?;
    // SAFETY: the caller's word.
    let config = unsafe { headed(config) }?;
    // SAFETY: the caller's word.
    let asked = unsafe { headed(out.cast_const()) }?;
    // SAFETY: the caller's word.
    let counts = Settings::<f32>::of(&config, &unsafe { named(&config) })?.counts();
    let count = |planes: usize| u32::try_from(planes).unwrap_or(u32::MAX);
    let (memory, inputs, state) = (count(counts.memory), count(counts.inputs), count(counts.state));
    // SAFETY: a count was read from there.
    unsafe { out.write(PlaneCount { memory, inputs, state, ..asked }) };
    Ok(())
}
