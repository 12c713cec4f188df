//! Devices that do not do their work: each must be caught before a row is timed. And one whose memory is full.

use std::cell::RefCell;
use std::rc::Rc;

use presam_backends::Faulty;
use presam_cuda::{Choice, DeviceError, Emulated};
use presam_kernels::entries;

use super::{DeviceTarget, HostClock};
use crate::bench::{Asked, Request, Target, plan};
use crate::error::Error;
use crate::limited::{Limited, Room};

/// What is said of the first row of `filter` where `kernel` does nothing.
fn said(kernel: &'static str, filter: &str) -> Option<String> {
    let device = HostClock(Box::new(Faulty::without(&[kernel])));
    let mut target = DeviceTarget::new(device, 2).unwrap();
    let request = Request::new(&Asked {
        sizes: Some("5001".into()),
        filter: Some(filter.into()),
        device: Choice::Emulated,
        ..Asked::default()
    });
    let plan = plan(&target, &request.unwrap()).unwrap();
    target.prepare(&plan.rows[0]).err().map(|error| error.to_string())
}

#[test]
fn a_kernel_that_does_nothing_is_caught_by_the_plane_that_it_should_have_written() {
    let cases = [
        ("ascend_in_place_vasso_f32", "vasso on 5001: params in place[0]: expected "),
        ("restore", "vasso on 5001: perturbed[0]: expected "),
        ("ascend_vasso_f32", "vasso on 5001: perturbed[0]: expected "),
        ("descend_sgd_momentum", "vasso on 5001: params[0]: expected "),
    ];
    for (kernel, expected) in cases {
        let said = said(kernel, "^step/vasso/").unwrap_or_default();
        assert!(said.starts_with(expected), "{kernel}: {said}");
    }
    let said = said("descend_adamw", "^descend/adamw/").unwrap_or_default();
    assert!(said.starts_with("sam on 5001: params[0]: expected "), "{said}");
}

#[test]
fn a_norm_pass_that_does_nothing_is_caught() {
    let vasso = entries::variant("vasso").unwrap();
    for kernel in [vasso.accumulate[0].name, vasso.finish.name] {
        assert!(said(kernel, "^step/vasso/").is_some(), "{kernel}");
    }
    assert_eq!(said("none of them", "^step/vasso/"), None);
}

#[test]
fn a_row_without_room_leaves_the_memory_to_the_next_one() {
    let room = Rc::new(RefCell::new(Room { left: usize::MAX, ..Room::default() }));
    let device = Limited(Emulated::new(1), Rc::clone(&room));
    let mut target = DeviceTarget::new(HostClock(Box::new(device)), 1).unwrap();
    let request = Request::new(&Asked {
        sizes: Some("300".into()),
        filter: Some("^step/info-sam/".into()),
        device: Choice::Emulated,
        ..Asked::default()
    });
    let plan = plan(&target, &request.unwrap()).unwrap();
    let before = room.borrow().held.clone();
    let mut refused = 0;
    // Every allocation of a row is the one without room in turn; what it has of its own is given back.
    loop {
        room.borrow_mut().left = refused;
        let done = target.prepare(&plan.rows[0]).map(drop);
        room.borrow_mut().left = usize::MAX;
        if !matches!(done, Err(Error::Device(DeviceError::OutOfMemory { .. }))) {
            break done.unwrap();
        }
        target.clear().unwrap();
        assert_eq!(room.borrow().held, before, "after {refused} allocations");
        refused += 1;
    }
    assert!(refused > 40, "{refused}");
}
