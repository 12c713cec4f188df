//! A device whose memory is full at each allocation of a trainer in turn.

use std::cell::RefCell;
use std::rc::Rc;

use presam_cuda::{Device, DeviceError, Emulated};

use crate::config::{Config, Many, Options, SeedsOption, resolve};
use crate::error::Error;
use crate::limited::{Limited, Room};
use crate::train::run_on;

/// A short run of one method on a small network.
fn config(method: &str) -> Config {
    resolve(Options {
        epochs: Some(1),
        batch: Some(500),
        hidden: Some(Many::List(vec![4])),
        seeds: Some(SeedsOption::Count(1)),
        methods: Some(Many::List(vec![method.to_owned()])),
        ..Options::default()
    })
    .unwrap()
}

#[test]
fn a_trainer_without_room_gives_back_what_it_had() {
    // A plane that LookSAM keeps; two of memory; none.
    for method in ["look-sam", "info-asam", "sgd"] {
        let (config, room) = (config(method), Rc::new(RefCell::new(Room::default())));
        let mut device: Box<dyn Device> = Box::new(Limited(Emulated::new(1), Rc::clone(&room)));
        let mut refused = 0;
        loop {
            room.borrow_mut().left = refused;
            let done = run_on(&config, &|_| (), Some(&mut device));
            let held = room.borrow().held.len();
            assert_eq!(held, 0, "{method}: still held after {refused} allocations");
            match done {
                Ok(_) => break,
                Err(Error::Device(DeviceError::OutOfMemory { .. })) => refused += 1,
                Err(other) => panic!("{method}: {other}"),
            }
        }
        assert!(refused > 25, "{method}: {refused} allocations in all");
    }
}
