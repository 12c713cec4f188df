//! SGD with momentum, PyTorch's convention (the learning rate is outside the buffer).
//!
//! ```text
//! d = g + weight_decay w
//! b <- d at first, then momentum b + (1 - dampening) d
//! w <- w - learning_rate b,   nesterov: w - learning_rate (d + momentum b)
//! ```

use super::{PLANES, Updated};
use crate::number::Number;

pub(super) struct Settings {
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub momentum: f64,
    pub dampening: f64,
    pub nesterov: bool,
}

pub(super) fn update(
    w: Number,
    g: Number,
    planes: [Number; PLANES],
    steps: u64,
    settings: &Settings,
) -> Updated {
    let [b_old, _] = planes;
    let d = g + settings.weight_decay * w;
    let new_weight = 1.0 - Number::exact(settings.dampening);
    let b = if steps == 0 { d } else { settings.momentum * b_old + new_weight * d };
    let step = if settings.nesterov { d + settings.momentum * b } else { b };
    Updated { param: w - settings.learning_rate * step, planes: [b, Number::ZERO] }
}
