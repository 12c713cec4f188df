//! Every rule by name: [`AnyVariant`] and [`AnyBase`], for configuration files, flags and tags.
//!
//! `Copy`, no heap. The loops of every rule are compiled in this crate, once for `f32` and once for
//! `f64`: who picks a rule at run time links them all and compiles none.
//!
//! ```
//! use presam::{AnyBase, AnyVariant, Cpu, DynVariant, Error};
//!
//! let rule = AnyVariant::<f32>::by_name("info-asam")?.set("eta", 0.02)?;
//! let base = AnyBase::<f32>::by_name("adamw")?.set("learning_rate", 0.01)?;
//! assert_eq!((rule.planes().memory, base.about().state), (2, 2));
//! let unknown = AnyVariant::<f32>::by_name("sma").unwrap_err();
//! assert!(unknown.to_string().contains("expected one of: sam, asam"));
//! # Ok::<(), Error>(())
//! ```

use crate::base::BaseState;
use crate::element::{Configure, RuleState};
use crate::erased::{
    Armed, ArmedBase, Ascending, DynBase, DynVariant, PlaneCount, forward_base, forward_variant,
};
use crate::error::Error;
use crate::info::{BaseInfo, VariantInfo};
use crate::length::{Ascent, Scale};
use crate::norm::PartialNorm;
use crate::planes::{Planes, PlanesMut};
use crate::real::Real;

/// `f32` or `f64`, with the loops of every rule: the bound of generic code that picks rules by name.
pub trait AnyReal: Real {
    /// The variant inside.
    #[doc(hidden)]
    fn variant(any: &AnyVariant<Self>) -> &dyn DynVariant<Self>;
    /// The base optimizer inside.
    #[doc(hidden)]
    fn base(any: &AnyBase<Self>) -> &dyn DynBase<Self>;
}

macro_rules! compiled_here {
    ($($R:ident),*) => {
        $(impl AnyReal for $R {
            // Inlined into another crate, the tables of methods would be made there, and every loop
            // compiled there again.
            #[inline(never)]
            fn variant(any: &AnyVariant<$R>) -> &dyn DynVariant<$R> {
                any.inner()
            }

            #[inline(never)]
            fn base(any: &AnyBase<$R>) -> &dyn DynBase<$R> {
                any.inner()
            }
        })*
    };
}
compiled_here!(f32, f64);

/// The enum of a list, its names and keys.
macro_rules! any {
    (
        $(#[$doc:meta])* $Any:ident: $Dyn:ident, $list:ident, $Info:ident, $kind:literal;
        $($module:ident: $Type:ident, $($planes:ident $n:literal),+;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $Any<R> {
            $(#[doc = concat!("[`", stringify!($Type), "`](crate::", stringify!($Type), ")")]
            $Type(crate::$list::$Type<R>)),*
        }

        $(impl<R> From<crate::$list::$Type<R>> for $Any<R> {
            fn from(rule: crate::$list::$Type<R>) -> Self {
                Self::$Type(rule)
            }
        })*

        impl<R: Real> $Any<R> {
            /// The one of that name or alias, every key at its default.
            ///
            /// # Errors
            /// [`Error::UnknownName`] with the names there are.
            pub fn by_name(name: &str) -> Result<Self, Error> {
                $(
                    let info = &crate::$list::$module::INFO;
                    if info.name == name || info.aliases.contains(&name) {
                        return Ok(Self::$Type(Default::default()));
                    }
                )*
                let expected = &[$(crate::$list::$module::INFO.name),*];
                Err(Error::UnknownName { kind: $kind, expected })
            }

            /// The same with `key` set.
            ///
            /// # Errors
            /// Those of [`Configure::set`].
            pub fn set(self, key: &str, value: f64) -> Result<Self, Error> {
                Ok(match self {
                    $(Self::$Type(rule) => Self::$Type(rule.set(key, value)?)),*
                })
            }

            /// What the lists say of it: its name, its formula, its keys with defaults and limits.
            #[must_use]
            pub const fn about(&self) -> &'static $Info {
                match self {
                    $(Self::$Type(_) => &crate::$list::$module::INFO),*
                }
            }

            #[inline(always)]
            fn inner(&self) -> &dyn $Dyn<R> {
                match self {
                    $(Self::$Type(rule) => rule),*
                }
            }
        }
    };
}

crate::for_each_variant! { any
    /// Any variant of the library.
    AnyVariant: DynVariant, variants, VariantInfo, "variant";
}

crate::for_each_base! { any
    /// Any base optimizer of the library.
    AnyBase: DynBase, base, BaseInfo, "base optimizer";
}

impl<R: AnyReal> DynVariant<R> for AnyVariant<R> {
    forward_variant!(R, this => R::variant(this), info this => Some(this.about()));
}

impl<R: AnyReal> DynBase<R> for AnyBase<R> {
    forward_base!(R, this => R::base(this), info this => Some(this.about()));
}
