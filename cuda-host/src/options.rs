//! [`Options`]: what a step is made with besides its rules and buffers.

use presam::{LengthRule, SecondGradient};

/// Where the perturbed parameters go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// To a second buffer; w stays.
    #[default]
    OutOfPlace,
    /// Over w, which a backup keeps until [`DeviceStep::restore`](crate::DeviceStep::restore).
    InPlace,
    /// To the model's own parameters [`out`](crate::DeviceSegment::out), in their scalar; w is the master copy in
    /// `f32`, which stays. The descent writes the new w there too, rounded, also where no step was taken: nothing
    /// is restored. [`DeviceStep::restore`](crate::DeviceStep::restore) makes them w, rounded: once before the first
    /// step, or to give a step up.
    Mixed,
}

/// What does not change from step to step, and starting values of what does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Where the perturbed parameters go.
    pub form: Form,
    /// How long the perturbation is.
    pub length: LengthRule<f32>,
    /// What the second gradient goes through.
    pub second: SecondGradient<f32>,
    /// The factor by which the trainer's loss, and so every gradient, is scaled.
    pub loss_scale: f32,
    /// Whether `grads` is the momentum (momentum-SAM): no ascent before the first descent.
    pub along_momentum: bool,
    /// Whether a descent goes along the first gradient, this one or a later one (decoupled WSAM, LookSAM): it is then
    /// judged in every segment, also where it is neither counted nor followed by an ascent.
    pub descends_along_first: bool,
    /// Whether a step in place refuses the calls that would lose w. Not for a benchmark, which queues one pass over and
    /// over.
    pub checks_order: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            form: Form::default(),
            length: LengthRule::NORMALISED,
            second: SecondGradient::Checked,
            loss_scale: 1.0,
            along_momentum: false,
            descends_along_first: false,
            checks_order: true,
        }
    }
}
