//! SGD: d = g + weight_decay w; w <- w - learning_rate d.

use super::{PLANES, Updated};
use crate::number::Number;

pub(super) fn update(w: Number, g: Number, learning_rate: f64, weight_decay: f64) -> Updated {
    let d = g + weight_decay * w;
    Updated { param: w - learning_rate * d, planes: [Number::ZERO; PLANES] }
}
