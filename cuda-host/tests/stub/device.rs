//! The way to a device, and what it says of itself.

use presam_cuda::cuda::{Cuda, devices};
use presam_cuda::{Device, DeviceError};

use crate::{alone, open};

#[test]
fn no_device_is_absent_and_an_empty_list() {
    alone("device::no_device_is_absent_and_an_empty_list", &[("PRESAM_STUB_CUDA", "")], || {
        assert_eq!(devices().unwrap(), []);
        let message = Cuda::open(0).unwrap_err().to_string();
        assert_eq!(message, "device cuda:0: expected one, found no CUDA device");
    });
}

#[test]
fn a_device_beyond_the_last_one_is_absent() {
    alone("device::a_device_beyond_the_last_one_is_absent", &[], || {
        let message = Cuda::open(7).unwrap_err().to_string();
        assert_eq!(message, "device cuda:7: expected one, found only cuda:0");
        assert!(matches!(Cuda::open(u32::MAX), Err(DeviceError::Absent { .. })));
    });
}

#[test]
fn a_driver_that_does_not_start_says_why() {
    let fail = [("PRESAM_STUB_FAIL", "cuInit:803")];
    alone("device::a_driver_that_does_not_start_says_why", &fail, || {
        let message = Cuda::open(0).unwrap_err().to_string();
        assert!(message.contains("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)"), "{message}");
        assert!(matches!(devices(), Err(DeviceError::Absent { .. })));
    });
}

#[test]
fn a_code_that_the_bindings_lack_is_an_error_like_any() {
    let fail = [("PRESAM_STUB_FAIL", "cuDevicePrimaryCtxRetain:46")];
    alone("device::a_code_that_the_bindings_lack_is_an_error_like_any", &fail, || {
        let message = Cuda::open(0).unwrap_err().to_string();
        assert!(
            message.contains("a code of a newer driver (46), from cuDevicePrimaryCtxRetain"),
            "{message}"
        );
    });
}

#[test]
fn a_driver_too_old_is_told_with_both_versions() {
    let version = [("PRESAM_STUB_VERSION", "10020")];
    alone("device::a_driver_too_old_is_told_with_both_versions", &version, || {
        let error = Cuda::open(0).unwrap_err();
        let (expected, found) = ("11.0".to_owned(), "10.2".to_owned());
        assert_eq!(error, DeviceError::DriverTooOld { expected, found });
    });
}

#[test]
fn a_device_tells_its_facts() {
    alone("device::a_device_tells_its_facts", &[], || {
        let cuda = open();
        assert_eq!(cuda.name(), "cuda:0 Stub GPU");
        let facts = cuda.facts().unwrap();
        assert_eq!(devices().unwrap(), std::slice::from_ref(&facts));
        assert_eq!((facts.driver.as_str(), facts.bus.as_str()), ("12.4", "0000:3B:00.0"));
        assert_eq!((facts.compute_capability, facts.multiprocessors), ((9, 0), 132));
        assert_eq!((facts.memory_bytes, facts.l2_bytes), (80 << 30, 52_428_800));
        assert_eq!(
            (facts.core_khz, facts.memory_khz, facts.bus_bits),
            (1_980_000, 2_619_000, 5120)
        );
    });
}
