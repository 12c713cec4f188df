//! The bodies of C's functions, for both types: addresses are checked, then the step does its part.
//!
//! What every function here asks of its caller: each address is null or holds what its type says, planes hold
//! `len` elements, and nobody else uses meanwhile what is written.

#![allow(unsafe_code, reason = "C hands over addresses")]

use crate::count::{Count, Room};
use crate::extent::{Extent, check_apart};
use crate::layout::{Config, Mark, PlaneCount, Report, Tensor};
use crate::mark::{PERTURBED, is_perturbed, restore as back};
use crate::memory::{View, headed, held, named, view, view_restored};
use crate::norm::{Norm, Pass};
use crate::segment::Writing;
use crate::settings::Settings;
use crate::state::{State, magic};
use crate::status::{Argument, Code, Fault, Status, check};
use presam::AnyReal;

pub(crate) type Done = Result<(), Fault>;

/// What a call answers.
pub(crate) fn said(done: Done) -> Status {
    done.map_or_else(Fault::status, |()| Status::OK)
}

pub(crate) unsafe fn state<R: AnyReal>(at: *const State<R>) -> Result<State<R>, Fault> {
    // SAFETY: a state's first word is its magic only once `init` has written it.
    unsafe { held(at, magic::<R>(), Argument::State) }
}

const fn in_room<R>(at: *const State<R>) -> *const Room<State<R>> {
    at.cast()
}

pub(crate) fn extent<R>(at: *const State<R>) -> Result<Extent, Fault> {
    Extent::of(in_room(at), 1, true, Argument::State)
}

pub(crate) unsafe fn checked<R: AnyReal>(
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

/// A half of a step writes into the planes of a tensor, which takes the mark that comes of it and is counted by it.
pub(crate) unsafe fn written<R: AnyReal>(
    at: *const State<R>,
    view: &View<R>,
    half: impl FnOnce(Writing<'_, R>, Mark) -> Result<Mark, Fault>,
) -> Done {
    // SAFETY: the caller's word, and the planes are apart.
    let mark = half(unsafe { view.writing() }, view.mark())?;
    // SAFETY: the caller's word.
    unsafe { marked(at, view, mark) };
    Ok(())
}

unsafe fn marked<R: AnyReal>(at: *const State<R>, view: &View<R>, mark: Mark) {
    let [was, is] = [view.mark(), mark].map(|mark| mark.stage == PERTURBED);
    if was != is {
        // SAFETY: a state was read from there.
        unsafe { Count::of(at) }.moves(is);
    }
    // SAFETY: the caller's word.
    unsafe { view.set_mark(mark) };
}

pub(crate) unsafe fn init<R: AnyReal>(
    at: *mut State<R>,
    (room, whole): (usize, usize),
    config: *const Config,
) -> Done {
    extent(at)?;
    check(room >= whole, Code::StructSize, Argument::State)?;
    check_apart((in_room(at), Argument::State), (config, Argument::Config))?;
    // SAFETY: the caller's word.
    let config = unsafe { headed(config) }?;
    // SAFETY: the caller's word.
    let settings = Settings::of(&config, &unsafe { named(&config) })?;
    // SAFETY: not null, aligned, with room for a state.
    unsafe {
        at.write(State::new(settings));
        Count::of(at).begin();
    }
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
    let skipped = |now: &mut State<R>| {
        now.skip()?;
        // SAFETY: a state was read from there.
        unsafe { Count::of(at) }.check_rest(Argument::State)
    };
    // SAFETY: the caller's word.
    unsafe { changed(at, skipped) }
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
    check_apart((in_room(at), Argument::State), (norm, Argument::Norm))?;
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
    check_apart((in_room(at), Argument::State), (norm, Argument::Norm))?;
    // SAFETY: not null, aligned, apart from the state; every bit pattern is a norm.
    let norm = unsafe { &*norm };
    let finished = |now: &mut State<R>| {
        now.finish(norm)?;
        // SAFETY: a state was read from there.
        unsafe { Count::of(at) }.check_rest(Argument::State)
    };
    // SAFETY: the caller's word.
    unsafe { changed(at, finished) }
}

pub(crate) unsafe fn judge<R: AnyReal>(at: *mut State<R>, norm: *const Norm<R>) -> Done {
    let norm = if norm.is_null() {
        None
    } else {
        check_apart((in_room(at), Argument::State), (norm, Argument::Norm))?;
        // SAFETY: as in `finish`.
        Some(unsafe { &*norm })
    };
    // SAFETY: the caller's word.
    unsafe { changed(at, |now| now.judge(norm)) }
}

pub(crate) unsafe fn ascend<R: AnyReal>(at: *mut State<R>, tensor: *mut Tensor<R>) -> Done {
    // SAFETY: the caller's word.
    let now = unsafe { state(at) }?;
    // SAFETY: the caller's word.
    let view = unsafe { checked(&now, tensor, &[extent(at)?]) }?;
    // SAFETY: the caller's word.
    unsafe {
        written(at, &view, |planes, mark| {
            now.check_ascends(mark)?;
            now.ascend(planes)
        })
    }
}

pub(crate) unsafe fn restore<R: AnyReal>(at: *mut State<R>, tensor: *mut Tensor<R>) -> Done {
    // SAFETY: the caller's word.
    unsafe { state(at) }?;
    // SAFETY: the caller's word.
    let mark = unsafe { headed(tensor.cast_const()) }?.mark;
    if !is_perturbed(mark)? {
        return Ok(());
    }
    // SAFETY: the caller's word.
    let view = unsafe { view_restored(tensor, &[extent(at)?]) }?;
    // SAFETY: the caller's word, and both are apart.
    let (params, backup) = unsafe { view.restoring() };
    let mark = back(params, backup, mark)?;
    // SAFETY: the caller's word.
    unsafe { marked(at, &view, mark) };
    Ok(())
}

pub(crate) unsafe fn descend<R: AnyReal>(at: *const State<R>, tensor: *mut Tensor<R>) -> Done {
    // SAFETY: the caller's word.
    let now = unsafe { state(at) }?;
    // SAFETY: the caller's word.
    let view = unsafe { checked(&now, tensor, &[extent(at)?]) }?;
    // SAFETY: the caller's word.
    unsafe { written(at, &view, |planes, mark| now.descend(planes, mark)) }
}

pub(crate) unsafe fn report<R: AnyReal>(at: *const State<R>, out: *mut Report) -> Done {
    check_apart((in_room(at), Argument::State), (out, Argument::Out))?;
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
