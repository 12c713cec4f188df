//! What a device says of itself.

use std::ffi::c_int;

use cust::sys::{CUdevice, CUdevice_attribute_enum as Attribute};

use super::Cuda;
use super::driver::{Failure, call, cuda_version};
use super::open::{count, device, driver_version, name, text};
use crate::error::DeviceError;

/// What a device is. Clocks, width and cache are 0 where the driver does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its number in the driver's count: `cuda:0`.
    pub ordinal: u32,
    /// NVIDIA's name for it.
    pub name: String,
    /// Its place on the bus, by which other tools know it too: `0000:3B:00.0`.
    pub bus: String,
    /// The newest CUDA that the driver serves: `12.4`.
    pub driver: String,
    /// Major and minor number of its instruction set: 9 and 0 for sm_90.
    pub compute_capability: (u32, u32),
    /// Multiprocessors.
    pub multiprocessors: u32,
    /// Bytes of its memory.
    pub memory_bytes: u64,
    /// Bytes of its last cache.
    pub l2_bytes: u64,
    /// Highest clock of the cores in kHz.
    pub core_khz: u32,
    /// Highest clock of the memory in kHz.
    pub memory_khz: u32,
    /// Width of the memory's bus in bits.
    pub bus_bits: u32,
}

/// Every device, none where the driver finds none.
///
/// # Errors
/// [`DeviceError::Absent`] where the driver does not start, [`DeviceError::DriverTooOld`].
pub fn devices() -> Result<Vec<Facts>, DeviceError> {
    (0..count("cuda")?).map(|number| facts(device(number)?, number)).collect()
}

impl Cuda {
    /// What this device is.
    ///
    /// # Errors
    /// A refusal of the driver.
    pub fn facts(&self) -> Result<Facts, DeviceError> {
        facts(self.context.device, c_int::try_from(self.ordinal).unwrap_or(0))
            .map_err(|error| self.told(error))
    }

    /// Bytes of its memory that nobody uses at this moment.
    ///
    /// # Errors
    /// [`DeviceError::Lost`].
    pub fn free_bytes(&self) -> Result<u64, DeviceError> {
        self.bind()?;
        let (mut free, mut all) = (0, 0);
        // SAFETY: a context is current; places for two numbers.
        unsafe { call!(cuMemGetInfo_v2(&raw mut free, &raw mut all)) }
            .map_err(|failure| self.told(failure))?;
        Ok(free as u64)
    }
}

fn facts(device: CUdevice, number: c_int) -> Result<Facts, DeviceError> {
    let needed = |attribute| asked(device, attribute);
    // What only describes is no reason to fail.
    let told = |attribute| asked(device, attribute).unwrap_or(0);
    let mut memory_bytes = 0;
    // SAFETY: a device of the driver's, and a place for one number.
    unsafe { call!(cuDeviceTotalMem_v2(&raw mut memory_bytes, device)) }?;
    Ok(Facts {
        ordinal: u32::try_from(number).unwrap_or(0),
        name: name(device)?,
        // SAFETY: the driver writes at most `length` bytes and a zero among them.
        bus: text(|start, length| unsafe { call!(cuDeviceGetPCIBusId(start, length, device)) })?,
        driver: cuda_version(driver_version()?),
        compute_capability: (
            needed(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            needed(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        ),
        multiprocessors: needed(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
        memory_bytes: memory_bytes as u64,
        l2_bytes: u64::from(told(Attribute::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE)),
        core_khz: told(Attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE),
        memory_khz: told(Attribute::CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE),
        bus_bits: told(Attribute::CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH),
    })
}

fn asked(device: CUdevice, attribute: Attribute) -> Result<u32, Failure> {
    let mut value = 0;
    // SAFETY: a device of the driver's, and a place for one number.
    unsafe { call!(cuDeviceGetAttribute(&raw mut value, attribute, device)) }?;
    Ok(u32::try_from(value).unwrap_or(0))
}
