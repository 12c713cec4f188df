//! What several variants would write alike.

/// `Configure` for a variant without hyperparameters.
macro_rules! no_keys {
    ($Variant:ident) => {
        impl<R: $crate::real::Real> $Variant<R> {
            /// The variant; it has no hyperparameters.
            #[must_use]
            pub const fn new() -> Self {
                Self(core::marker::PhantomData)
            }
        }

        impl<R: $crate::real::Real> $crate::element::Configure for $Variant<R> {
            fn set(self, _key: &str, _value: f64) -> Result<Self, $crate::error::Error> {
                Err($crate::error::Error::UnknownKey { rule: INFO.name, expected: "(it has none)" })
            }
        }
    };
}
pub(super) use no_keys;

/// `Variant` for a configuration that is its own rule.
macro_rules! arms_itself {
    ($Variant:ident, $m:literal, $i:literal $(, with_operator $applied:ident)?) => {
        impl<R: $crate::real::Real> $crate::element::Variant<R, $m, $i> for $Variant<R> {
            type Rule = Self;

            #[inline]
            fn arm(self, _state: &$crate::element::RuleState<R>) -> Self {
                self
            }

            $(
                #[inline]
                fn with_operator(self, applies: bool) -> Self {
                    self.$applied(applies)
                }
            )?
        }
    };
}
pub(super) use arms_itself;
