//! Where a tensor of torch lies, through the table of C functions that its type carries
//! (`__dlpack_c_exchange_api__`, DLPack 1.2 and newer): address, type, shape and strides in one call.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::slice::from_raw_parts;

use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods};

/// What the functions below were written against; another major version lies otherwise in memory.
const MAJOR: u32 = 1;

/// A device as DLPack names it: its kind and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Where(c_int, c_int);

impl Where {
    /// The memory of the CPU.
    pub const CPU: Self = Self(1, 0);

    /// The memory of a GPU of NVIDIA's.
    #[must_use]
    pub const fn cuda(number: u32) -> Self {
        Self(2, number as c_int)
    }
}

/// `DLTensor`: borrowed from the tensor, until somebody writes the tensor's metadata.
#[repr(C)]
struct Lent {
    data: *mut c_void,
    device: Where,
    dimensions: c_int,
    /// Code, bits and lanes.
    scalar: (u8, u8, u16),
    shape: *const i64,
    strides: *const i64,
    offset: u64,
}

type Lend = unsafe extern "C" fn(*mut c_void, *mut Lent) -> c_int;

/// `DLPackExchangeAPI` as far as it is read.
#[repr(C)]
struct Table {
    version: (u32, u32),
    previous: *const Self,
    unused: [*const c_void; 3],
    lend: Option<Lend>,
}

/// Where a tensor lies and how.
#[derive(PartialEq, Eq)]
pub(crate) struct Place {
    pub address: usize,
    scalar: (u8, u8, u16),
    shape: Vec<i64>,
    strides: Vec<i64>,
}

impl Place {
    /// Whether it is one number, which has every stride: a view of a conjugate's imaginary part too, whose sign stands in
    /// a bit that the table does not tell.
    pub fn is_single(&self) -> bool {
        self.shape.iter().all(|&length| length == 1)
    }
}

/// Torch's function.
#[derive(Clone, Copy)]
pub(crate) struct Exchange {
    lend: Lend,
    on: Where,
}

impl Exchange {
    /// From the attribute `__dlpack_c_exchange_api__`; `None` where it is of a version that is not known here.
    pub fn of(on: Where, table: &Bound<'_, PyCapsule>) -> PyResult<Option<Self>> {
        let table = table.pointer_checked(Some(c"dlpack_exchange_api"))?.cast::<Table>();
        // SAFETY: a capsule of this name holds such a table, alive as long as the process; its version lies
        // first in every version, and nothing else is read where it is another one.
        let (version, lend) =
            unsafe { ((*table.as_ptr()).version, &raw const (*table.as_ptr()).lend) };
        if version.0 != MAJOR {
            return Ok(None);
        }
        // SAFETY: as above, and the version is the one of `Table`.
        Ok(unsafe { *lend }.map(|lend| Self { lend, on }))
    }

    /// Where the tensor lies; `None` for one that lies on another device, or none that can be described.
    pub fn place(self, tensor: &Bound<'_, PyAny>) -> Option<Place> {
        self.look(tensor, |address, lent, shape, strides| {
            let (shape, strides) = (shape.to_vec(), strides.to_vec());
            Place { address, scalar: lent.scalar, shape, strides }
        })
    }

    /// The tensor's address, if type, shape and strides are those of `place`.
    pub fn alike(self, tensor: &Bound<'_, PyAny>, place: &Place) -> Option<usize> {
        let found = self.look(tensor, |address, lent, shape, strides| {
            let same =
                lent.scalar == place.scalar && shape == place.shape && strides == place.strides;
            same.then_some(address)
        });
        found.flatten()
    }

    /// `tensor` is one of torch's, whose type carries the table.
    fn look<T>(
        self,
        tensor: &Bound<'_, PyAny>,
        seen: impl FnOnce(usize, &Lent, &[i64], &[i64]) -> T,
    ) -> Option<T> {
        let nothing = std::ptr::null();
        let mut lent = Lent {
            data: std::ptr::null_mut(),
            device: Where(0, 0),
            dimensions: 0,
            scalar: (0, 0, 0),
            shape: nothing,
            strides: nothing,
            offset: 0,
        };
        // SAFETY: the function belongs to the type of `tensor`, which is alive, and fills a `DLTensor`.
        if unsafe { (self.lend)(tensor.as_ptr().cast(), &raw mut lent) } != 0 {
            // It has raised, which says only that such a tensor is to be looked at by other means.
            drop(PyErr::take(tensor.py()));
            return None;
        }
        let dimensions = usize::try_from(lent.dimensions).ok()?;
        let unknown = lent.shape.is_null() || lent.strides.is_null();
        if lent.device != self.on || lent.data.is_null() || (dimensions > 0 && unknown) {
            return None;
        }
        let address = lent.data.addr().checked_add(usize::try_from(lent.offset).ok()?)?;
        let list = |of: *const i64| {
            if dimensions == 0 {
                return &[][..];
            }
            // SAFETY: so many numbers, owned by the tensor; no code of Python runs while `seen` reads them.
            unsafe { from_raw_parts(of, dimensions) }
        };
        Some(seen(address, &lent, list(lent.shape), list(lent.strides)))
    }
}
