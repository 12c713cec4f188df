//! Texts, entries, launches, and a context that is lost.

use presam_cuda::cuda::Cuda;
use presam_cuda::{Device, DeviceError};
use presam_kernels::entries;

use crate::{alone, count, open};

#[test]
fn all_texts_are_loaded_at_once_and_none_again() {
    let Some(calls) = alone("launch::all_texts_are_loaded_at_once_and_none_again", &[], || {
        let mut cuda = open();
        cuda.load_all().unwrap();
        cuda.load_all().unwrap();
        cuda.launch(&entries::restore, 1, &[1, 2, 3]).unwrap();
        cuda.launch(&entries::mean_loss, 1, &[1, 2, 3]).unwrap();
    }) else {
        return;
    };
    let texts = presam_kernels::ptx::TEXTS.len();
    assert_eq!(count(&calls, "cuModuleLoadDataEx"), texts);
    assert_eq!(count(&calls, "cuModuleUnload"), texts);
}

#[test]
fn a_launch_hands_over_its_arguments() {
    let Some(calls) = alone("launch::a_launch_hands_over_its_arguments", &[], || {
        let mut cuda = open();
        cuda.launch(&entries::restore, 7, &[11, 22, 1 << 40]).unwrap();
        cuda.launch(&entries::restore, 1, &[1, 2, 3]).unwrap();
        cuda.launch(&entries::restore, 0, &[1, 2, 3]).unwrap();
    }) else {
        return;
    };
    let launches: Vec<&String> = calls.iter().filter(|line| line.starts_with(" restore")).collect();
    assert_eq!(launches, [" restore 7x256 11 22 1099511627776", " restore 1x256 1 2 3"]);
    assert_eq!((count(&calls, "cuModuleLoadDataEx"), count(&calls, "cuModuleGetFunction")), (1, 1));
    assert_eq!(count(&calls, "cuModuleUnload"), 1);
}

#[test]
fn every_kernel_is_in_its_text_with_its_parameters() {
    let Some(calls) = alone("launch::every_kernel_is_in_its_text_with_its_parameters", &[], || {
        let mut cuda = open();
        for kernel in entries::all() {
            let arguments: Vec<u64> = (0..kernel.parameters.len() as u64).collect();
            cuda.launch(kernel, 1, &arguments).unwrap();
        }
    }) else {
        return;
    };
    for kernel in entries::all() {
        let numbers: String =
            (0..kernel.parameters.len()).map(|number| format!(" {number}")).collect();
        let line = format!(" {} 1x{}{numbers}", kernel.name, kernel.threads);
        assert_eq!(count(&calls, &line), 1, "{line}");
    }
}

#[test]
fn a_launch_against_the_contract_does_not_happen() {
    let Some(calls) = alone("launch::a_launch_against_the_contract_does_not_happen", &[], || {
        let mut cuda = open();
        let error = cuda.launch(&entries::restore, 1, &[1, 2]).unwrap_err();
        assert_eq!(error.to_string(), "restore: expected 3 arguments, found 2");
        let error = cuda.launch(&entries::restore, u32::MAX, &[1, 2, 3]).unwrap_err();
        assert!(
            error.to_string().starts_with("restore: blocks: expected at most 2147483647"),
            "{error}"
        );
    }) else {
        return;
    };
    assert_eq!(count(&calls, "cuLaunchKernel"), 0);
}

#[test]
fn a_rejected_text_brings_log_and_versions() {
    let fail = [("PRESAM_STUB_FAIL", "cuModuleLoadDataEx:218")];
    alone("launch::a_rejected_text_brings_log_and_versions", &fail, || {
        match open().launch(&entries::restore, 1, &[1, 2, 3]).unwrap_err() {
            DeviceError::Rejected { text, versions, log } => {
                assert_eq!(text, entries::restore.text);
                assert_eq!(versions, "PTX 7.0 for sm_70, driver for CUDA 12.4");
                assert!(log.contains("line 3; fatal : refused; ptxas fatal"), "{log}");
                assert!(log.contains("CUDA_ERROR_INVALID_PTX (218)"), "{log}");
                assert!(!log.contains('\n'), "{log}");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn an_entry_that_the_text_lacks_is_a_rejected_text() {
    let fail = [("PRESAM_STUB_FAIL", "cuModuleGetFunction:500")];
    alone("launch::an_entry_that_the_text_lacks_is_a_rejected_text", &fail, || {
        let error = open().load(&entries::restore).unwrap_err();
        assert!(matches!(error, DeviceError::Rejected { .. }), "{error:?}");
        assert!(error.to_string().ends_with("it has no entry restore"), "{error}");
    });
}

#[test]
fn a_refused_launch_names_the_kernel() {
    let fail = [("PRESAM_STUB_FAIL", "cuLaunchKernel:1")];
    alone("launch::a_refused_launch_names_the_kernel", &fail, || {
        let error = open().launch(&entries::restore, 1, &[1, 2, 3]).unwrap_err();
        assert!(error.to_string().starts_with("restore: CUDA_ERROR_INVALID_VALUE (1)"), "{error}");
    });
}

#[test]
fn a_lost_context_is_told_and_survived() {
    let fail = [("PRESAM_STUB_FAIL", "cuStreamSynchronize:700")];
    alone("launch::a_lost_context_is_told_and_survived", &fail, || {
        let mut cuda = open();
        let place = cuda.allocate(8).unwrap();
        cuda.write(place, &[0; 8]).unwrap();
        for kernel in [&entries::restore, &entries::report, &entries::restore] {
            cuda.launch(kernel, 1, &[1, 2, 3]).unwrap();
        }
        // What a graph queues counts when it is launched, and not when it is captured.
        let captured = cuda.capture(|cuda| cuda.launch(&entries::report, 1, &[1, 2, 3])).unwrap();
        cuda.launch(&entries::restore, 1, &[1, 2, 3]).unwrap();
        captured.launch(&mut cuda).unwrap();
        let error = cuda.synchronize().unwrap_err();
        assert_eq!(
            error.to_string(),
            "device lost: CUDA_ERROR_ILLEGAL_ADDRESS (700), an illegal memory access was encountered, \
             from cuStreamSynchronize; launched before, last first: report, restore, restore, report, \
             restore"
        );
        // The driver refuses everything from here on.
        assert!(matches!(cuda.allocate(8), Err(DeviceError::Lost { .. })));
        assert!(matches!(
            cuda.launch(&entries::restore, 1, &[1, 2, 3]),
            Err(DeviceError::Lost { .. })
        ));
        assert!(matches!(cuda.read(place, &mut [0; 8]), Err(DeviceError::Lost { .. })));
        drop(cuda);
    });
}

/// All that may meet a lost device first, behind a launch.
fn everything(cuda: &mut Cuda) -> Result<(), DeviceError> {
    cuda.launch(&entries::restore, 1, &[1, 2, 3])?;
    let place = cuda.allocate(64)?;
    cuda.write(place, &[0; 8])?;
    cuda.fill(place, 0, 1)?;
    cuda.copy(place, place + 8, 8)?;
    cuda.free_bytes()?;
    cuda.facts()?;
    cuda.timed(|_| Ok(()))?;
    cuda.capture(|cuda| cuda.launch(&entries::restore, 1, &[1, 2, 3]))?;
    cuda.read(place, &mut [0; 8])?;
    cuda.free(place)
}

#[test]
fn whichever_call_meets_a_lost_device_names_the_launches() {
    for call in [
        "cuMemAlloc_v2",
        "cuMemHostAlloc",
        "cuEventCreate",
        "cuEventSynchronize",
        "cuMemcpyHtoDAsync_v2",
        "cuEventRecord",
        "cuMemsetD32Async",
        "cuMemcpyDtoDAsync_v2",
        "cuMemGetInfo_v2",
        "cuDeviceTotalMem_v2",
        "cuEventElapsedTime",
        "cuStreamBeginCapture_v2",
        "cuStreamEndCapture",
        "cuGraphInstantiate_v2",
        "cuMemcpyDtoHAsync_v2",
        "cuStreamSynchronize",
    ] {
        let fail = format!("{call}:700");
        let name = "launch::whichever_call_meets_a_lost_device_names_the_launches";
        let seen = alone(name, &[("PRESAM_STUB_FAIL", &fail)], || {
            let call = std::env::var("PRESAM_STUB_FAIL").unwrap().replace(":700", "");
            let mut cuda = open();
            let error = everything(&mut cuda).unwrap_err().to_string();
            let end = format!("from {call}; launched before, last first: restore");
            assert!(error.starts_with("device lost: ") && error.ends_with(&end), "{error}");
            // And so does every later one, whose first call is that of the context.
            let later = cuda.fill(4, 0, 1).unwrap_err().to_string();
            assert!(later.ends_with("launched before, last first: restore"), "{later}");
        });
        if seen.is_none() {
            return;
        }
    }
}

#[test]
fn a_launch_that_is_waited_for_names_its_kernel_first() {
    let fail = [("PRESAM_STUB_FAIL", "cuLaunchKernel:700")];
    alone("launch::a_launch_that_is_waited_for_names_its_kernel_first", &fail, || {
        let error = open().launch(&entries::restore, 1, &[1, 2, 3]).unwrap_err().to_string();
        assert!(error.ends_with("from cuLaunchKernel; at the launch of restore"), "{error}");
    });
}

#[test]
fn a_graph_that_is_waited_for_names_its_kernels_first() {
    let fail = [("PRESAM_STUB_FAIL", "cuGraphLaunch:719")];
    alone("launch::a_graph_that_is_waited_for_names_its_kernels_first", &fail, || {
        let mut cuda = open();
        cuda.load(&entries::report).unwrap();
        cuda.launch(&entries::restore, 1, &[1, 2, 3]).unwrap();
        let graph = cuda.capture(|cuda| cuda.launch(&entries::report, 1, &[1, 2, 3])).unwrap();
        let error = graph.launch(&mut cuda).unwrap_err().to_string();
        let end = "from cuGraphLaunch; at the launch of a graph, last first: report; \
                   launched before, last first: restore";
        assert!(error.ends_with(end), "{error}");
    });
}

#[test]
fn every_code_after_which_nothing_works_is_a_lost_device() {
    for fail in ["cuStreamSynchronize:721", "cuStreamSynchronize:810", "cuStreamSynchronize:999"] {
        let name = "launch::every_code_after_which_nothing_works_is_a_lost_device";
        let seen = alone(name, &[("PRESAM_STUB_FAIL", fail)], || {
            let error = open().synchronize().unwrap_err();
            assert!(matches!(error, DeviceError::Lost { .. }), "{error:?}");
        });
        if seen.is_none() {
            return;
        }
    }
}
