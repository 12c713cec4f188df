//! Wrong arguments are refused with a clear line, and every slice stays as it was.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use presam_model::{Error, Mlp};

const WIDTHS: [usize; 3] = [3, 4, 2];
const PARAMS: usize = 26;
const BATCH: usize = 2;

/// Lengths and labels of one call, right until a test makes one wrong.
#[derive(Clone, Copy)]
struct Call {
    params: usize,
    inputs: usize,
    labels: &'static [u8],
    batch: usize,
    grads: usize,
    scratch: usize,
}

fn right() -> Call {
    let scratch = Mlp::new(&WIDTHS).unwrap().scratch_len(BATCH);
    Call { params: PARAMS, inputs: 6, labels: &[0, 1], batch: BATCH, grads: PARAMS, scratch }
}

/// What the three methods with labels answer; nothing may have been written where they refuse.
fn answers(call: Call) -> [Option<Error>; 3] {
    let mlp = Mlp::new(&WIDTHS).unwrap();
    let (params, inputs) = (vec![0.5_f32; call.params], vec![1.0; call.inputs]);
    let mut grads = vec![7.0; call.grads];
    let mut scratch = vec![9.0; call.scratch];
    let (labels, batch) = (call.labels, call.batch);
    let gradient =
        mlp.loss_and_gradient(&params, &inputs, labels, batch, &mut grads, &mut scratch).err();
    assert!(gradient.is_none() || grads.iter().all(|grad| *grad == 7.0), "grads written");
    assert!(gradient.is_none() || scratch.iter().all(|value| *value == 9.0), "scratch written");
    scratch.fill(9.0);
    let loss = mlp.loss(&params, &inputs, labels, batch, &mut scratch).err();
    assert!(loss.is_none() || scratch.iter().all(|value| *value == 9.0), "scratch written");
    scratch.fill(9.0);
    let count = mlp.correct_count(&params, &inputs, labels, batch, &mut scratch).err();
    assert!(count.is_none() || scratch.iter().all(|value| *value == 9.0), "scratch written");
    [gradient, loss, count]
}

fn length(what: &'static str, expected: usize, found: usize) -> Option<Error> {
    Some(Error::Length { what, expected, found })
}

#[test]
fn right_lengths_are_accepted() {
    assert_eq!(answers(right()), [None; 3]);
    assert_eq!(answers(Call { scratch: right().scratch + 5, ..right() }), [None; 3]);
}

#[test]
fn each_wrong_length_is_named() {
    for params in [0, PARAMS - 1, PARAMS + 1] {
        assert_eq!(answers(Call { params, ..right() }), [length("params", PARAMS, params); 3]);
    }
    for inputs in [0, 5, 7] {
        assert_eq!(answers(Call { inputs, ..right() }), [length("inputs", 6, inputs); 3]);
    }
    for labels in [&[][..], &[0], &[0, 1, 1]] {
        let expected = length("labels", BATCH, labels.len());
        assert_eq!(answers(Call { labels, ..right() }), [expected; 3]);
    }
    for grads in [0, PARAMS - 1, PARAMS + 1] {
        let expected = [length("grads", PARAMS, grads), None, None];
        assert_eq!(answers(Call { grads, ..right() }), expected);
    }
    for scratch in [0, right().scratch - 1] {
        let expected = Some(Error::Scratch { expected: right().scratch, found: scratch });
        assert_eq!(answers(Call { scratch, ..right() }), [expected; 3]);
    }
}

#[test]
fn a_label_without_a_class_is_refused() {
    let expected = Some(Error::Label { index: 1, classes: 2, found: 2 });
    assert_eq!(answers(Call { labels: &[1, 2], ..right() }), [expected; 3]);
}

#[test]
fn an_empty_batch_is_refused() {
    let empty = Call { batch: 0, inputs: 0, labels: &[], ..right() };
    assert_eq!(answers(empty), [Some(Error::EmptyBatch); 3]);
}

#[test]
fn a_batch_beyond_memory_is_refused() {
    let mlp = Mlp::new(&WIDTHS).unwrap();
    assert_eq!(mlp.scratch_len(usize::MAX / 2), usize::MAX);
    let batch = usize::MAX / 2;
    let refused = mlp.forward(&[0.0_f32; PARAMS], &[0.0; 6], batch, &mut [0.0; 99]).err();
    assert_eq!(refused, length("inputs", usize::MAX, 6));
}

#[test]
fn predict_leaves_its_slices_where_it_refuses() {
    let mlp = Mlp::new(&WIDTHS).unwrap();
    let (mut classes, mut scratch) = ([5, 5], vec![9.0_f32; right().scratch]);
    let refused = mlp.predict(&[0.0; PARAMS], &[0.0; 7], &mut classes, &mut scratch);
    assert_eq!(refused.err(), length("inputs", 6, 7));
    assert_eq!(classes, [5, 5]);
    assert!(scratch.iter().all(|value| *value == 9.0));
}

#[test]
fn widths_are_checked() {
    assert_eq!(Mlp::new(&[]).err(), Some(Error::FewWidths { found: 0 }));
    assert_eq!(Mlp::new(&[3]).err(), Some(Error::FewWidths { found: 1 }));
    assert_eq!(Mlp::new(&[0, 2]).err(), Some(Error::ZeroWidth { index: 0 }));
    assert_eq!(Mlp::new(&[3, 2, 0]).err(), Some(Error::ZeroWidth { index: 2 }));
    assert_eq!(Mlp::new(&[usize::MAX, 1]).err(), Some(Error::TooLarge));
    assert_eq!(Mlp::new(&[usize::MAX / 2, 3]).err(), Some(Error::TooLarge));
    assert_eq!(Mlp::new(&[1, usize::MAX / 2, 1, 1]).err(), Some(Error::TooLarge));
}

#[test]
fn messages_name_what_was_expected_and_found() {
    let lines = [
        (
            Error::Length { what: "grads", expected: 3, found: 2 },
            "grads: expected length 3, found 2",
        ),
        (Error::Scratch { expected: 9, found: 8 }, "scratch: expected length 9 or more, found 8"),
        (
            Error::Label { index: 4, classes: 10, found: 12 },
            "labels[4]: expected a class below 10, found 12",
        ),
        (Error::EmptyBatch, "batch: expected 1 or more, found 0"),
        (
            Error::FewWidths { found: 1 },
            "widths: expected 2 or more (inputs, .., classes), found 1",
        ),
        (Error::ZeroWidth { index: 1 }, "widths[1]: expected 1 or more, found 0"),
        (Error::TooLarge, "widths: expected a parameter count within usize, found a larger one"),
        (Error::Classes { most: 256, found: 300 }, "classes: expected 1 to 256, found 300"),
        (Error::Probability { found: 1.5 }, "probability: expected 0 to 1, found 1.5"),
    ];
    for (error, line) in lines {
        assert_eq!(error.to_string(), line);
        let error: &dyn std::error::Error = &error;
        assert!(error.source().is_none());
    }
}

#[test]
fn segments_tile_the_parameters() {
    let mut end = 0;
    let names: Vec<_> = Mlp::new(&[3, 4, 2, 5])
        .unwrap()
        .segments()
        .map(|segment| {
            assert_eq!((segment.offset, segment.len), (end, segment.rows * segment.columns));
            end = segment.range().end;
            (segment.to_string(), segment.layer, segment.is_bias)
        })
        .collect();
    assert_eq!(end, 3 * 4 + 4 + 4 * 2 + 2 + 2 * 5 + 5);
    let expected: Vec<_> = (1..=3)
        .flat_map(|l| [(format!("layer{l}.weight"), l, false), (format!("layer{l}.bias"), l, true)])
        .collect();
    assert_eq!(names, expected);
}
