//! An independent f64 oracle of sharpness-aware minimisation (SAM) and its variants, without dependencies.
//!
//! Every function is written from the mathematics, over plain vectors, never optimised, and never from the code it
//! judges. One step reads
//!
//! ```text
//! perturbation = rho * D^2 C s / || D C s ||     perturbed = w + perturbation     [`ascend`]
//! w <- base optimizer(w, gradient taken at perturbed)                             [`descend`]
//! ```
//!
//! with s the slope, C the objective's and D the constraint's preconditioner. What C, D and s are is one file per rule
//! in `rules/`, and one list: [`Rule::all`].
//!
//! Each result carries a bound: a first-order limit of the rounding error of an implementation in another
//! [`Format`], found by following every operation ([`Number`]), so a tolerance is a formula and never a guess.
//!
//! ```
//! use presam_oracle::{Format, LengthRule, Outcome, Rule, RuleState, Segment, ascend};
//!
//! let segment = Segment::new(vec![1.0, 2.0], vec![3.0, 4.0], 0.5);
//! let ascent = ascend(Rule::Sam, LengthRule::NORMALISED, &[segment], RuleState::default(), Format::F32)?;
//! assert_eq!(ascent.outcome, Outcome::Perturbed);
//! assert_eq!(ascent.norm.value, 5.0);
//! assert!((ascent.perturbed[0].values[0] - 1.3).abs() < 1e-15);
//! # Ok::<(), presam_oracle::ShapeError>(())
//! ```

pub mod about;
pub mod ascent;
pub mod base;
pub mod clip;
pub mod descent;
pub mod element;
pub mod format;
pub mod length;
pub mod mask;
pub mod number;
pub mod rules;
pub mod schedule;
pub mod segment;
pub mod sum;

pub use about::{Claim, Input, Statistic};
pub use ascent::{Ascent, Outcome, ascend};
pub use base::{Base, BaseState, Descent, descend};
pub use element::{Element, RuleState, Terms};
pub use format::{Bounded, BoundedVector, Format};
pub use length::LengthRule;
pub use number::Number;
pub use rules::Rule;
pub use schedule::Schedule;
pub use segment::{Segment, ShapeError};
