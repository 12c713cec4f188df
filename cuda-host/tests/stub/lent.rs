//! A trainer's own streams, in the primary context.

#![allow(unsafe_code, reason = "a stream of another owner is a promise of the caller")]

use std::ptr::null_mut;

use presam_cuda::cuda::{Cuda, as_guest, beside_captures};
use presam_cuda::{Device, recorded};
use presam_kernels::entries;

use crate::{alone, count, open};

#[test]
fn a_step_follows_a_trainer_from_stream_to_stream() {
    let Some(calls) = alone("lent::a_step_follows_a_trainer_from_stream_to_stream", &[], || {
        let (one, other) = (open(), open());
        // SAFETY: both streams are of the primary context, and outlive what is made on them.
        let mut lent = unsafe { Cuda::open_on(0, one.stream()) }.unwrap();
        lent.launch(&entries::restore, 1, &[1, 2, 3]).unwrap();
        for stream in [other.stream(), one.stream(), one.stream(), null_mut()] {
            // SAFETY: as above.
            unsafe { lent.set_stream(stream) }.unwrap();
            assert_eq!(lent.stream(), stream);
            lent.launch(&entries::restore, 1, &[1, 2, 3]).unwrap();
        }
        // SAFETY: as above.
        unsafe { lent.set_stream(other.stream()) }.unwrap();
        assert!(!lent.is_recording().unwrap());
        let recording = recorded(&mut lent, |lent| {
            assert!(lent.is_recording()?);
            // SAFETY: as above.
            let refused = unsafe { lent.set_stream(one.stream()) }.unwrap_err().to_string();
            let words = "expected one on a trainer's stream, found a recording under way";
            assert!(refused.ends_with(words), "{refused}");
            lent.launch(&entries::restore, 1, &[1, 2, 3])
        });
        lent.replay(&recording.unwrap()).unwrap();
        let mut own = one;
        // SAFETY: as above.
        let refused = unsafe { own.set_stream(other.stream()) }.unwrap_err().to_string();
        assert!(refused.ends_with("found a stream of its own"), "{refused}");
        // The trainer's streams are not the lent device's to destroy.
        drop(lent);
        own.synchronize().unwrap();
    }) else {
        return;
    };
    assert_eq!((count(&calls, "cuStreamCreate"), count(&calls, "cuStreamDestroy_v2")), (2, 2));
    assert_eq!(count(&calls, "cuModuleLoadDataEx"), 1);
    // Asked where a stream is another one than before, and is no default stream.
    assert_eq!(count(&calls, "cuStreamGetCtx"), 4);
}

#[test]
fn a_stream_that_is_none_is_refused_and_the_one_before_stays() {
    alone("lent::a_stream_that_is_none_is_refused_and_the_one_before_stays", &[], || {
        let one = open();
        let gone = open();
        let stream = gone.stream();
        // SAFETY: the stream is alive until `gone` is dropped, and the stub knows of one that was.
        let mut lent = unsafe { Cuda::open_on(0, one.stream()) }.unwrap();
        drop(gone);
        // SAFETY: as above.
        let refused = unsafe { lent.set_stream(stream) }.unwrap_err().to_string();
        assert!(refused.contains("from cuStreamGetCtx"), "{refused}");
        assert_eq!(lent.stream(), one.stream());
        // SAFETY: as above.
        let absent = unsafe { Cuda::open_on(7, null_mut()) }.unwrap_err().to_string();
        assert_eq!(absent, "device cuda:7: expected one, found only cuda:0");
    });
}

#[test]
fn what_ends_within_a_trainer_s_capture_leaves_it_alone() {
    let name = "lent::what_ends_within_a_trainer_s_capture_leaves_it_alone";
    let Some(calls) = alone(name, &[], || {
        let mut trainer = open();
        // SAFETY: the stream outlives what is made on it.
        let mut lent = unsafe { Cuda::open_on(0, trainer.stream()) }.unwrap();
        let place = lent.allocate(8).unwrap();
        lent.set(place, &[1]).unwrap();
        trainer.begin_recording().unwrap();
        drop(lent);
        trainer.end_recording().unwrap();
        trainer.synchronize().unwrap();
    }) else {
        return;
    };
    let at = |call: &str| calls.iter().position(|line| line == call).unwrap();
    let within = &calls[at("cuStreamBeginCapture_v2")..at("cuStreamEndCapture")];
    for spoils in ["cuStreamSynchronize", "cuMemFree_v2", "cuMemFreeHost", "cuEventDestroy_v2"] {
        assert_eq!(count(within, spoils), 0, "{spoils}");
    }
}

#[test]
fn what_a_trainer_s_capture_records_was_not_launched() {
    let fail = [("PRESAM_STUB_FAIL", "cuStreamSynchronize:700")];
    alone("lent::what_a_trainer_s_capture_records_was_not_launched", &fail, || {
        let mut trainer = open();
        // SAFETY: the stream outlives what is made on it.
        let mut lent = unsafe { Cuda::open_on(0, trainer.stream()) }.unwrap();
        lent.load(&entries::restore).unwrap();
        trainer.begin_recording().unwrap();
        lent.launch(&entries::restore, 1, &[1, 2, 3]).unwrap();
        trainer.end_recording().unwrap();
        let lost = lent.synchronize().unwrap_err().to_string();
        assert!(lost.starts_with("device lost: ") && !lost.contains("restore"), "{lost}");
    });
}

#[test]
fn a_guest_leaves_the_thread_as_it_found_it() {
    let name = "lent::a_guest_leaves_the_thread_as_it_found_it";
    let Some(calls) = alone(name, &[], || {
        let cuda = open();
        as_guest(|| drop(open()));
        beside_captures(|| ());
        drop(cuda);
    }) else {
        return;
    };
    let at = |call: &str| calls.iter().position(|line| line == call).unwrap();
    let guest = &calls[at("cuCtxGetCurrent")..at("cuThreadExchangeStreamCaptureMode")];
    assert_eq!(guest.last().unwrap(), "cuCtxSetCurrent");
    assert_eq!(count(&calls, "cuThreadExchangeStreamCaptureMode"), 2);
}
