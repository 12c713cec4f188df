//! Captures, graphs and times.

use presam_cuda::{Device, DeviceError, recorded};
use presam_kernels::entries;

use crate::{alone, count, open};

#[test]
fn a_capture_records_and_refuses_what_waits() {
    let Some(calls) = alone("graph::a_capture_records_and_refuses_what_waits", &[], || {
        let mut cuda = open();
        let place = cuda.allocate(8).unwrap();
        cuda.load(&entries::restore).unwrap();
        cuda.set(place, &[3, 4]).unwrap();
        let graph = cuda
            .capture(|cuda| {
                cuda.launch(&entries::restore, 1, &[1, 2, 3])?;
                cuda.fill(place, 5, 2)?;
                cuda.set(place, &[6, 7])?;
                let refused = [
                    ("reading", cuda.read(place, &mut [0; 8])),
                    ("writing from the host", cuda.write(place, &[0; 8])),
                    ("synchronizing", cuda.synchronize()),
                    ("freeing", cuda.free(place)),
                    ("allocating", cuda.allocate(8).map(drop)),
                    ("marking a time", cuda.mark().map(drop)),
                    ("another capture", cuda.capture(|_| Ok(())).map(drop)),
                    ("compiling a text", cuda.launch(entries::VARIANTS[0].finish, 1, &[0; 9])),
                ];
                for (what, done) in refused {
                    let expected = format!(
                        "capture: {what}: expected it before or after the capture, found it within"
                    );
                    assert_eq!(done.unwrap_err().to_string(), expected);
                }
                Ok(())
            })
            .unwrap();
        graph.launch(&mut cuda).unwrap();
        graph.launch(&mut cuda).unwrap();
        let mut other = open();
        assert!(graph.launch(&mut other).unwrap_err().to_string().starts_with("graph: device"));
        drop(cuda);
        // A graph may outlive its stream: it holds the context.
        drop(graph);
    }) else {
        return;
    };
    let at = |call: &str| calls.iter().position(|line| line == call).unwrap();
    let recorded = &calls[at("cuStreamBeginCapture_v2")..at("cuStreamEndCapture")];
    for waits in ["cuStreamSynchronize", "cuMemAlloc_v2", "cuMemFree_v2", "cuModuleLoadDataEx"] {
        assert_eq!(count(recorded, waits), 0, "{waits}");
    }
    // Words by value: one staged copy outside, and within fills, which hold theirs.
    assert_eq!(count(&calls, "cuMemcpyHtoDAsync_v2"), 1);
    assert_eq!(count(recorded, "cuMemsetD32Async"), 3);
    assert_eq!(count(&calls, "cuGraphLaunch"), 2);
    for gone in ["cuGraphDestroy", "cuGraphExecDestroy"] {
        assert_eq!(count(&calls, gone), 1, "{gone}");
    }
    assert_eq!(count(&calls, "cuDevicePrimaryCtxRelease_v2"), 2);
}

#[test]
fn a_recording_is_a_captured_graph_of_its_device() {
    let Some(calls) = alone("graph::a_recording_is_a_captured_graph_of_its_device", &[], || {
        let mut cuda = open();
        cuda.launch(&entries::restore, 1, &[1, 2, 3]).unwrap();
        let device: &mut dyn Device = &mut cuda;
        assert!(device.records() && device.end_recording().is_err());
        let recording = recorded(device, |on| on.launch(&entries::restore, 1, &[1, 2, 3])).unwrap();
        device.replay(&recording).unwrap();
        device.replay(&recording).unwrap();
        let mut other = open();
        assert!(other.replay(&recording).unwrap_err().to_string().starts_with("graph: device"));
        let failed = recorded(device, |device| device.synchronize()).unwrap_err();
        assert!(failed.to_string().starts_with("capture: synchronizing"), "{failed}");
        device.synchronize().unwrap();
    }) else {
        return;
    };
    assert_eq!(count(&calls, "cuGraphLaunch"), 2);
}

#[test]
fn a_capture_ends_with_an_error_or_a_panic_within() {
    let Some(calls) = alone("graph::a_capture_ends_with_an_error_or_a_panic_within", &[], || {
        let mut cuda = open();
        let error = cuda.capture(|cuda| cuda.fill(0, 0, 1)).unwrap_err();
        assert!(matches!(error, DeviceError::Address { .. }), "{error:?}");
        cuda.synchronize().unwrap();
        let within = std::panic::AssertUnwindSafe(|| cuda.capture(|_| panic!("on purpose")));
        assert!(std::panic::catch_unwind(within).is_err());
        cuda.synchronize().unwrap();
        cuda.capture(|_| Ok(())).unwrap();
    }) else {
        return;
    };
    for call in ["cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphDestroy"] {
        assert_eq!(count(&calls, call), 3, "{call}");
    }
}

#[test]
fn a_recording_that_nobody_ends_ends_with_its_device() {
    let name = "graph::a_recording_that_nobody_ends_ends_with_its_device";
    let Some(calls) = alone(name, &[], || {
        let mut cuda = open();
        let place = cuda.allocate(8).unwrap();
        cuda.set(place, &[1]).unwrap();
        cuda.begin_recording().unwrap();
    }) else {
        return;
    };
    for (made, given_back) in [
        ("cuStreamBeginCapture_v2", "cuStreamEndCapture"),
        ("cuStreamEndCapture", "cuGraphDestroy"),
        ("cuMemHostAlloc", "cuMemFreeHost"),
    ] {
        assert_eq!((count(&calls, made), count(&calls, given_back)), (1, 1), "{given_back}");
    }
    let at = |call: &str| calls.iter().position(|line| line == call).unwrap();
    assert!(at("cuStreamEndCapture") < at("cuStreamSynchronize"));
}

#[test]
fn a_graph_whose_memory_was_freed_is_refused_by_its_address() {
    let name = "graph::a_graph_whose_memory_was_freed_is_refused_by_its_address";
    let Some(calls) = alone(name, &[], || {
        let mut cuda = open();
        cuda.load(&entries::restore).unwrap();
        for freed in 0..3 {
            let places = [0; 4].map(|_| cuda.allocate(64).unwrap());
            let [table, filled, copied, apart] = places;
            let graph = cuda.capture(|cuda| {
                cuda.launch(&entries::restore, 1, &[table + 16, 2, 3])?;
                cuda.fill(filled + 60, 5, 1)?;
                cuda.copy(filled, copied, 8)
            });
            let graph = graph.unwrap();
            cuda.free(apart).unwrap();
            graph.launch(&mut cuda).unwrap();
            let place = places[freed];
            cuda.free(place).unwrap();
            let line = format!(
                "graph: memory at {place:#x}: expected that of the capture, found it freed"
            );
            assert_eq!(graph.launch(&mut cuda).unwrap_err().to_string(), line);
        }
    }) else {
        return;
    };
    assert_eq!(count(&calls, "cuGraphLaunch"), 3);
}

#[test]
fn a_graph_that_the_driver_refuses_is_an_error() {
    let fail = [("PRESAM_STUB_FAIL", "cuGraphInstantiate_v2:801")];
    let Some(calls) = alone("graph::a_graph_that_the_driver_refuses_is_an_error", &fail, || {
        let mut cuda = open();
        let error = cuda.capture(|_| Ok(())).map(drop).unwrap_err();
        assert!(error.to_string().contains("CUDA_ERROR_NOT_SUPPORTED (801)"), "{error}");
        cuda.synchronize().unwrap();
    }) else {
        return;
    };
    assert_eq!(count(&calls, "cuGraphDestroy"), 1);
}

#[test]
fn time_is_the_device_s_between_two_marks() {
    let Some(calls) = alone("graph::time_is_the_device_s_between_two_marks", &[], || {
        let mut cuda = open();
        let mut worked = false;
        let taken = cuda.timed(|cuda| {
            worked = true;
            cuda.launch(&entries::restore, 1, &[1, 2, 3])
        });
        assert_eq!((taken, worked), (Ok(0.5), true));
        let failed = cuda.timed(|cuda| cuda.launch(&entries::restore, 1, &[]));
        assert!(matches!(failed, Err(DeviceError::Arguments { .. })));
    }) else {
        return;
    };
    let order: Vec<&String> = calls
        .iter()
        .filter(|call| {
            ["cuEventRecord", "cuLaunchKernel", "cuEventElapsedTime"].contains(&call.as_str())
        })
        .collect();
    let whole = ["cuEventRecord", "cuLaunchKernel", "cuEventRecord", "cuEventElapsedTime"];
    assert_eq!(order[..4], whole);
}
