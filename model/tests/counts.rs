//! Which class a row of logits names, and how many rows name the right one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use presam_model::Mlp;
use presam_model::element::largest;

#[test]
fn of_equal_logits_the_first_is_the_largest() {
    assert_eq!(largest(&[0.5_f32, 2.0, 2.0]), (1, 2.0));
    assert_eq!(largest(&[-1.0_f64, -1.0]), (0, -1.0));
    assert_eq!(largest(&[-3.0_f32, f32::NAN, -2.0]), (2, -2.0));
}

/// One layer: logits are w x, two classes, weights 1 and -1, no bias.
#[test]
fn a_row_counts_where_its_largest_logit_is_the_label_s() {
    let mlp = Mlp::new(&[1, 2]).unwrap();
    let (params, inputs) = ([1.0_f32, -1.0, 0.0, 0.0], [3.0, -2.0, 0.0, 5.0]);
    let mut scratch = vec![0.0; mlp.scratch_len(4)];
    let mut count =
        |labels: [u8; 4]| mlp.correct_count(&params, &inputs, &labels, 4, &mut scratch).unwrap();
    assert_eq!(count([0, 1, 0, 0]), 4);
    assert_eq!(count([1, 0, 1, 1]), 0);
    assert_eq!(count([0, 0, 0, 1]), 2);
}
