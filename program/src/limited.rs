//! For tests: a device whose memory is full after so many allocations.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use presam_cuda::{Address, Device, DeviceError, Emulated, Layer};

/// What is held of a device's memory, and how many allocations there is room for.
#[derive(Default)]
pub struct Room {
    pub held: BTreeMap<Address, usize>,
    pub left: usize,
}

/// A device without room after so many allocations.
pub struct Limited(pub Emulated, pub Rc<RefCell<Room>>);

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
        room.held.insert(address, bytes);
        Ok(address)
    }

    fn on_free(&mut self, address: Address) -> Result<(), DeviceError> {
        self.1.borrow_mut().held.remove(&address);
        self.0.free(address)
    }
}
