//! Devices that do not do their work: each must be caught before a row is timed.

use presam_backends::Faulty;
use presam_cuda::Choice;
use presam_kernels::entries;

use super::{DeviceTarget, HostClock};
use crate::bench::{Asked, Request, Target, plan};

/// What is said of the first row of `filter` where `kernel` does nothing.
fn said(kernel: &'static str, filter: &str) -> Option<String> {
    let device = HostClock(Box::new(Faulty::without(&[kernel])));
    let mut target = DeviceTarget::new(device, 2).unwrap();
    let request = Request::new(&Asked {
        sizes: Some("5001".into()),
        filter: Some(filter.into()),
        device: Choice::Emulated,
        ..Asked::default()
    });
    let plan = plan(&target, &request.unwrap()).unwrap();
    target.prepare(&plan.rows[0]).err().map(|error| error.to_string())
}

#[test]
fn a_kernel_that_does_nothing_is_caught_by_the_plane_that_it_should_have_written() {
    let cases = [
        ("ascend_in_place_vasso_f32", "vasso on 5001: params in place[0]: expected "),
        ("restore", "vasso on 5001: perturbed[0]: expected "),
        ("ascend_vasso_f32", "vasso on 5001: perturbed[0]: expected "),
        ("descend_sgd_momentum", "vasso on 5001: params[0]: expected "),
    ];
    for (kernel, expected) in cases {
        let said = said(kernel, "^step/vasso/").unwrap_or_default();
        assert!(said.starts_with(expected), "{kernel}: {said}");
    }
    let said = said("descend_adamw", "^descend/adamw/").unwrap_or_default();
    assert!(said.starts_with("sam on 5001: params[0]: expected "), "{said}");
}

#[test]
fn a_norm_pass_that_does_nothing_is_caught() {
    let vasso = entries::variant("vasso").unwrap();
    for kernel in [vasso.accumulate[0].name, vasso.finish.name] {
        assert!(said(kernel, "^step/vasso/").is_some(), "{kernel}");
    }
    assert_eq!(said("none of them", "^step/vasso/"), None);
}
