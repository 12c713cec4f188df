//! [`Session`]: a step in an order that cannot be got wrong, over tensors that a trainer shows.

mod ascended;
mod descent;
mod drive;
mod mark;
mod segment;
mod settings;
mod visit;

pub use ascended::Ascended;
pub use mark::{Kept, Mark};
pub use segment::{Flat, SegmentMut, Segments, Tensor};
pub use settings::{Form, Point, SecondGradient, Session, StepReport};
