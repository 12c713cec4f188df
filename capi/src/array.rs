//! The calls for an array of tensors, for both types: all are looked at before the first is written.
//!
//! What they ask of their caller is what `calls.rs` says.

#![allow(unsafe_code, reason = "C hands over addresses")]

use crate::calls::{Done, checked, extent, state, written};
use crate::count::Count;
use crate::extent::Extent;
use crate::layout::Tensor;
use crate::mark::{is_perturbed, restore as back};
use crate::memory::{View, params_of, place};
use crate::norm::Pass;
use crate::segment::Writing;
use crate::state::State;
use crate::status::{Argument, Code, Fault, check};
use presam::AnyReal;

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

    /// As [`each`](All::each), of tensors that come once: the backup of one that comes twice would be of what its first
    /// place has perturbed. Addresses that rise are compared with the last alone.
    unsafe fn each_once(&self, now: &State<R>, mut visit: impl FnMut(&View<R>) -> Done) -> Done {
        let (mut index, mut end) = (0_usize, 0_usize);
        let once = |view: &View<R>| {
            let params = view.params();
            if params.start < end {
                // SAFETY: tensors before this one, which were read.
                let before = |k| unsafe { params_of(&place(self.tensors, k).read()) };
                let apart = (0..index)
                    .map(before)
                    .all(|other| params.end.min(other.end) <= params.start.max(other.start));
                check(apart, Code::Overlap, Argument::Params)?;
            }
            (index, end) = (index.saturating_add(1), end.max(params.end));
            visit(view)
        };
        // SAFETY: the caller's word.
        unsafe { self.each(now, once) }
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
    unsafe { all.each_once(&now, measured) }?;
    now.finish(&norm)?;
    now.together = count;
    // SAFETY: a state was read from there.
    unsafe { Count::of(at) }.check_rest(Argument::Tensors)?;
    // SAFETY: a state was read from there.
    unsafe { at.write(now) };
    let ascended = |view: &View<R>| {
        // SAFETY: the caller's word. All are at rest; which step left them there does not matter.
        unsafe { written(at, view, |planes, _| now.ascend(planes)) }
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
    let mut perturbed = 0_u32;
    let looked = |view: &View<R>| {
        now.check_ascended(view.mark())?;
        // SAFETY: the caller's word.
        let planes = unsafe { view.reading() };
        let len = planes.params.len();
        let stays = !is_perturbed(view.mark())? || view.mark().len == len;
        check(stays, Code::LengthChanged, Argument::Len)?;
        perturbed = perturbed.saturating_add(u32::from(is_perturbed(view.mark())?));
        if now.is_checked() { now.look(&planes, view.mark(), &mut norm) } else { Ok(()) }
    };
    // SAFETY: the caller's word.
    unsafe { all.each_once(&now, looked) }?;
    let whole = now.together == 0 || now.together == count;
    check(whole, Code::LengthChanged, Argument::Tensors)?;
    // SAFETY: a state was read from there.
    let left = unsafe { Count::of(at) }.get();
    check(perturbed >= left, Code::StillPerturbed, Argument::Tensors)?;
    now.judge(Some(&norm))?;
    let stepped = |view: &View<R>| {
        let half = |planes: Writing<'_, R>, mark| {
            let mark = back(planes.params, planes.backup, mark)?;
            now.descend(planes, mark)
        };
        // SAFETY: the caller's word.
        unsafe { written(at, view, half) }
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
