//! A device whose memory is full at each allocation of a trainer in turn.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use presam_cuda::{Address, Device, DeviceError, Emulated, Layer};

use crate::config::{Config, Many, Options, SeedsOption, resolve};
use crate::error::Error;
use crate::train::run_on;

/// What is allocated, and how many more allocations there is room for.
#[derive(Default)]
struct Room {
    held: BTreeSet<Address>,
    left: usize,
}

struct Limited(Emulated, Rc<RefCell<Room>>);

impl Layer for Limited {
    fn below(&self) -> &dyn Device {
        &self.0
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut self.0
    }

    fn on_allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        let mut room = self.1.borrow_mut();
        room.left = room.left.checked_sub(1).ok_or(DeviceError::OutOfMemory { bytes })?;
        let address = self.0.allocate(bytes)?;
        room.held.insert(address);
        Ok(address)
    }

    fn on_free(&mut self, address: Address) -> Result<(), DeviceError> {
        self.1.borrow_mut().held.remove(&address);
        self.0.free(address)
    }
}

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
