//! Bytes there and back, and addresses that are none.

use presam_cuda::{Device, DeviceError};

use crate::{alone, count, open};

#[test]
fn bytes_go_there_and_back() {
    let Some(calls) = alone("memory::bytes_go_there_and_back", &[], || {
        let mut cuda = open();
        for length in [1, 4095, 4096, 4097, 100_000] {
            let sent: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let (from, to) = (cuda.allocate(length).unwrap(), cuda.allocate(length).unwrap());
            cuda.write(from, &sent).unwrap();
            cuda.copy(to, from, length).unwrap();
            let mut back = vec![0; length];
            cuda.read(to, &mut back).unwrap();
            assert!(back == sent, "{length} bytes");
            cuda.free(from).unwrap();
        }
        let words = cuda.allocate(16).unwrap();
        cuda.fill(words + 4, 0x0102_0304, 2).unwrap();
        let mut back = [9; 8];
        cuda.read(words + 4, &mut back).unwrap();
        assert_eq!(back, [4, 3, 2, 1, 4, 3, 2, 1]);
        // 0 bytes are an address that can be freed, and nothing to copy.
        let nothing = cuda.allocate(0).unwrap();
        cuda.write(nothing, &[]).unwrap();
        cuda.free(nothing).unwrap();
    }) else {
        return;
    };
    for (made, given_back) in [
        ("cuMemAlloc_v2", "cuMemFree_v2"),
        ("cuMemHostAlloc", "cuMemFreeHost"),
        ("cuEventCreate", "cuEventDestroy_v2"),
        ("cuStreamCreate", "cuStreamDestroy_v2"),
        ("cuDevicePrimaryCtxRetain", "cuDevicePrimaryCtxRelease_v2"),
    ] {
        assert!(count(&calls, made) > 0, "{made}");
        assert_eq!(count(&calls, made), count(&calls, given_back), "{made}");
    }
    // The stream does not wait for the default stream of other libraries.
    assert!(calls.contains(&" flags 1".to_owned()));
}

#[test]
fn free_memory_is_what_nobody_has() {
    alone("memory::free_memory_is_what_nobody_has", &[], || {
        let mut cuda = open();
        let before = cuda.free_bytes().unwrap();
        let place = cuda.allocate(1 << 20).unwrap();
        assert_eq!(before - cuda.free_bytes().unwrap(), 1 << 20);
        cuda.free(place).unwrap();
        assert_eq!(cuda.free_bytes().unwrap(), before);
    });
}

#[test]
fn small_writes_wait_for_nothing_and_keep_their_order() {
    let Some(calls) =
        alone("memory::small_writes_wait_for_nothing_and_keep_their_order", &[], || {
            let mut cuda = open();
            let place = cuda.allocate(4 * 200).unwrap();
            for turn in 0..200_u32 {
                cuda.write(place + 4 * u64::from(turn), &turn.to_le_bytes()).unwrap();
            }
            let mut back = [0; 4 * 200];
            cuda.read(place, &mut back).unwrap();
            let words: Vec<u32> = back
                .chunks_exact(4)
                .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
                .collect();
            assert!(words.into_iter().eq(0..200));
        })
    else {
        return;
    };
    // The stub puts these copies off until it is waited for: 64 are under way, the others wait for the
    // oldest. One wait is for the read, one for the end.
    assert_eq!(count(&calls, " waited"), 200 - 64);
    assert_eq!(
        (count(&calls, "cuMemcpyHtoDAsync_v2"), count(&calls, "cuStreamSynchronize")),
        (200, 2)
    );
}

#[test]
fn memory_is_given_back_when_nothing_uses_it() {
    let name = "memory::memory_is_given_back_when_nothing_uses_it";
    let Some(calls) = alone(name, &[], || {
        let mut cuda = open();
        let place = cuda.allocate(8).unwrap();
        cuda.fill(place, 0, 2).unwrap();
        cuda.free(place).unwrap();
    }) else {
        return;
    };
    let asked: Vec<&String> = calls.iter().filter(|call| *call != "cuCtxSetCurrent").collect();
    let filled = asked.iter().position(|call| *call == "cuMemsetD32Async").unwrap();
    assert_eq!(asked[filled + 1..filled + 3], ["cuStreamSynchronize", "cuMemFree_v2"]);
}

#[test]
fn a_long_write_waits_until_its_bytes_were_read() {
    let Some(calls) = alone("memory::a_long_write_waits_until_its_bytes_were_read", &[], || {
        let mut cuda = open();
        let place = cuda.allocate(5000).unwrap();
        cuda.write(place, &[1; 5000]).unwrap();
        cuda.fill(place, 0, 1).unwrap();
    }) else {
        return;
    };
    let asked: Vec<&String> = calls.iter().filter(|call| *call != "cuCtxSetCurrent").collect();
    let copied = asked.iter().position(|call| *call == "cuMemcpyHtoDAsync_v2").unwrap();
    assert_eq!(asked[copied + 1..copied + 3], ["cuStreamSynchronize", "cuMemsetD32Async"]);
}

#[test]
fn wrong_addresses_are_refused_before_the_driver_sees_them() {
    let Some(calls) =
        alone("memory::wrong_addresses_are_refused_before_the_driver_sees_them", &[], || {
            let mut cuda = open();
            let place = cuda.allocate(64).unwrap();
            let refused = |done: Result<(), DeviceError>| {
                assert!(matches!(done, Err(DeviceError::Address { .. })), "{done:?}");
            };
            refused(cuda.write(0, &[1]));
            refused(cuda.write(place + 60, &[0; 5]));
            refused(cuda.write(place, &[0; 5000]));
            refused(cuda.read(place + 1, &mut [0; 64]));
            refused(cuda.fill(place, 0, 17));
            refused(cuda.fill(place + 2, 0, 1));
            refused(cuda.fill(place, 0, usize::MAX));
            refused(cuda.copy(place, place, 65));
            refused(cuda.free(place + 1));
            cuda.free(place).unwrap();
            refused(cuda.free(place));
        })
    else {
        return;
    };
    assert!(!calls.iter().any(|call| call.starts_with("cuMemcpy") || call.starts_with("cuMemset")));
}

#[test]
fn what_the_table_does_not_know_is_the_driver_s_to_judge() {
    let Some(calls) =
        alone("memory::what_the_table_does_not_know_is_the_driver_s_to_judge", &[], || {
            let mut owner = open();
            let place = owner.allocate(64).unwrap();
            // A trainer's memory: another one's here.
            let mut cuda = open();
            cuda.write(place, &[7; 64]).unwrap();
            let done = cuda.write(place, &[7; 65]);
            assert!(
                matches!(done, Err(DeviceError::Address { what: "write", bytes: 65, .. })),
                "{done:?}"
            );
        })
    else {
        return;
    };
    assert_eq!(count(&calls, "cuMemcpyHtoDAsync_v2"), 2);
}

#[test]
fn too_much_memory_is_told_in_bytes() {
    alone("memory::too_much_memory_is_told_in_bytes", &[], || {
        let error = open().allocate(1 << 40).unwrap_err();
        assert_eq!(error, DeviceError::OutOfMemory { bytes: 1 << 40 });
    });
}
