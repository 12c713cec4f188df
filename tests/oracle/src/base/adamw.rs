//! AdamW, PyTorch's convention (weight decay before the step, guard outside the corrected root).
//!
//! ```text
//! w <- w (1 - learning_rate weight_decay)
//! m <- mean_decay m + (1 - mean_decay) g;  v <- square_decay v + (1 - square_decay) g^2
//! w <- w - learning_rate / (1 - mean_decay^t) * m / (sqrt(v) / sqrt(1 - square_decay^t) + denominator_guard)
//! ```

use super::{PLANES, Updated};
use crate::number::{Number, average};

pub(super) struct Settings {
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub mean_decay: f64,
    pub square_decay: f64,
    pub denominator_guard: f64,
}

pub(super) fn update(
    w: Number,
    g: Number,
    planes: [Number; PLANES],
    steps: u64,
    settings: &Settings,
) -> Updated {
    let [m_old, v_old] = planes;
    let t = steps + 1;
    let (mean_decay, square_decay) =
        (Number::exact(settings.mean_decay), Number::exact(settings.square_decay));
    let learning_rate = Number::exact(settings.learning_rate);

    let w = w * (1.0 - learning_rate * settings.weight_decay);
    let m = average([mean_decay, 1.0 - mean_decay], m_old, g);
    let v = average([square_decay, 1.0 - square_decay], v_old, g * g);
    let (bias1, bias2) = (1.0 - mean_decay.power(t), 1.0 - square_decay.power(t));
    let denominator = v.sqrt() / bias2.sqrt() + settings.denominator_guard;
    Updated { param: w - learning_rate / bias1 * (m / denominator), planes: [m, v] }
}
