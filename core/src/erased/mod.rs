//! Rules without their type: [`DynVariant`] and [`DynBase`], the phases of a step over lists of planes.
//!
//! `Variant<R, M, I>` says in its type how many planes a rule has. Who picks a rule at run time cannot:
//! here the number is a value, and a wrong one is an [`Error::Planes`](crate::Error::Planes) before the first write. The bits
//! are those of the typed phases of [`Cpu`](crate::Cpu), which these call.
//!
//! Object-safe, no heap. The library's variants and base optimizers implement it themselves, and so
//! does a reference to whatever does; a stranger's rule does through [`Erased`]:
//!
//! ```
//! use presam::{AscentRule, Element, Real, RuleState, Variant};
//! use presam::erased::{DynVariant, Erased};
//!
//! /// Every weight is perturbed in proportion to g |w|.
//! #[derive(Clone, Copy)]
//! struct Proportional;
//!
//! impl<R: Real> AscentRule<R, 0, 0> for Proportional {
//!     fn norm_term(self, e: Element<R, 0, 0>) -> R { e.param.abs() * e.grad }
//!     fn direction(self, e: Element<R, 0, 0>) -> R { e.param.abs() * e.grad }
//! }
//! impl<R: Real> Variant<R, 0, 0> for Proportional {
//!     type Rule = Self;
//!     fn arm(self, _: &RuleState<R>) -> Self { self }
//! }
//!
//! let rules: [&dyn DynVariant<f32>; 2] = [&presam::Vasso::default(), &Erased::variant::<f32>(Proportional)];
//! assert_eq!(rules.map(|rule| rule.planes().memory), [1, 0]);
//! ```

mod forward;
mod phases;
mod typed;

#[cfg(feature = "any")]
pub(crate) use forward::{forward_base, forward_variant};
pub use phases::{Armed, ArmedBase, Ascending, DynBase, DynVariant, PlaneCount};
pub use typed::Erased;
