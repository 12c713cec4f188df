//! Planes of 16 bits: where they may be, and how they lie.

use presam_cuda::{DeviceSegment, Form, Options, Scalar, Scalars};

use crate::{good, made, refused};

#[test]
fn what_has_16_bits_is_checked_as_such() {
    let plain = Options::default();
    let [mixed, in_place] = [Form::Mixed, Form::InPlace].map(|form| Options { form, ..plain });
    let momentum = Options { along_momentum: true, ..plain };
    let halves = Scalars::all(Scalar::Bf16);
    let refused = |change: fn(&mut DeviceSegment), scalars, options| {
        refused(
            |segment| {
                segment.scalars = scalars;
                change(segment);
            },
            options,
        )
    };
    for (slip, line) in [
        (
            refused(|_| (), halves, plain),
            "ascend_sam_mixed: segment 0: scalar of out: expected F32 for any but Form::Mixed, found Bf16",
        ),
        (
            refused(|_| (), halves, in_place),
            "ascend_sam_mixed: segment 0: scalar of out: expected F32 for any but Form::Mixed, found Bf16",
        ),
        (
            refused(|_| (), Scalars { out: Scalar::F32, ..halves }, momentum),
            "accumulate_sam_mixed: segment 0: scalar of grads: expected F32 for the momentum, found Bf16",
        ),
        (
            refused(
                |s| s.perturbed_grads = s.grads,
                Scalars { grads: Scalar::Bf16, ..Scalars::default() },
                plain,
            ),
            "descend_sgd_momentum_mixed: segment 0: scalar of perturbed_grads, the plane of grads: expected \
             Bf16, found F32",
        ),
        (
            refused(|s| s.out = 0, halves, mixed),
            "ascend_sam_mixed: segment 0: out: expected an address of device memory, found null",
        ),
        (
            refused(|s| s.out = s.params + 398, halves, mixed),
            "ascend_sam_mixed: segment 0: out: expected memory of its own, found 2 bytes shared with \
             segment 0: params",
        ),
    ] {
        assert_eq!(slip, line);
    }
    for (change, plane) in [
        (
            (|s: &mut DeviceSegment| s.perturbed_grads += 1) as fn(&mut DeviceSegment),
            "descend_sgd_momentum_mixed: segment 0: perturbed_grads",
        ),
        (|s| s.out += 1, "ascend_sam_mixed: segment 0: out"),
        (|s| s.grads += 1, "accumulate_sam_mixed: segment 0: grads"),
    ] {
        let slip = refused(change, halves, mixed);
        assert!(slip.starts_with(&format!("{plane}: expected a multiple of 2 bytes")), "{slip}");
    }
    // Half of a plane of f32 is room for a model of 16 bits.
    assert!(refused(|s| s.out = s.params + 396, halves, mixed).contains("4 bytes shared"));
    assert!(refused(|s| s.out += 2, Scalars::default(), mixed).contains("a multiple of 4 bytes"));
}

#[test]
fn halves_may_lie_on_two_bytes_and_the_momentum_may_be_the_slope() {
    let (mut device, mut segment) = good(100);
    segment.grads += 2;
    segment.len = 99;
    assert!(made(&mut device, &[segment], Options::default()).is_err());
    segment.scalars.grads = Scalar::Bf16;
    assert!(made(&mut device, &[segment], Options::default()).is_ok());
    segment.scalars = Scalars::all(Scalar::F16);
    (segment.out, segment.perturbed_grads) = (segment.out + 2, segment.perturbed_grads + 2);
    let mixed = Options { form: Form::Mixed, ..Options::default() };
    assert!(made(&mut device, &[segment], mixed).is_ok());
    let (mut device, mut segment) = good(100);
    segment.grads = segment.state[0];
    let momentum = Options { along_momentum: true, ..Options::default() };
    assert!(made(&mut device, &[segment], momentum).is_ok());
}
