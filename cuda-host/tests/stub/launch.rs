//! Texts, entries, launches, and a context that is lost.

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
