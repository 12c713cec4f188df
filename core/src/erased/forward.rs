//! The library's own rules, and references to rules, as [`DynVariant`] and [`DynBase`]: each hands its
//! methods on to another that has them.

use super::phases::{Armed, ArmedBase, Ascending, DynBase, DynVariant, PlaneCount};
use super::typed::Erased;
use crate::base::BaseState;
use crate::element::RuleState;
use crate::error::Error;
use crate::info::{BaseInfo, VariantInfo};
use crate::length::{Ascent, Scale};
use crate::norm::PartialNorm;
use crate::planes::{Planes, PlanesMut};
use crate::real::Real;

/// The methods of [`DynVariant`], handed on to `$inner`.
macro_rules! forward_variant {
    ($R:ident, $this:ident => $inner:expr, info $that:pat_param => $info:expr) => {
        #[inline]
        fn info(&self) -> Option<&'static VariantInfo> {
            let $that = self;
            $info
        }

        #[inline]
        fn planes(&self) -> PlaneCount {
            let $this = self;
            DynVariant::<$R>::planes($inner)
        }

        #[inline]
        fn accumulate_norm(
            &self,
            at: &Armed<$R>,
            params: &[$R],
            grads: &[$R],
            memory: Planes<'_, $R>,
            inputs: Planes<'_, $R>,
            norm: &mut PartialNorm<$R>,
        ) -> Result<(), Error> {
            let $this = self;
            DynVariant::<$R>::accumulate_norm($inner, at, params, grads, memory, inputs, norm)
        }

        #[inline]
        fn finish(
            &self,
            norm: &PartialNorm<$R>,
            state: &mut RuleState<$R>,
        ) -> Result<Ascent<$R>, Error> {
            let $this = self;
            DynVariant::<$R>::finish($inner, norm, state)
        }

        #[inline]
        fn ascend(
            &self,
            at: &Armed<$R>,
            scale: Scale<$R>,
            params: &[$R],
            planes: Ascending<'_, $R>,
            perturbed: &mut [$R],
        ) -> Result<(), Error> {
            let $this = self;
            DynVariant::<$R>::ascend($inner, at, scale, params, planes, perturbed)
        }

        #[inline]
        fn ascend_in_place(
            &self,
            at: &Armed<$R>,
            scale: Scale<$R>,
            params: &mut [$R],
            planes: Ascending<'_, $R>,
            backup: &mut [$R],
        ) -> Result<(), Error> {
            let $this = self;
            DynVariant::<$R>::ascend_in_place($inner, at, scale, params, planes, backup)
        }
    };
}

/// The methods of [`DynBase`], handed on to `$inner`.
macro_rules! forward_base {
    ($R:ident, $this:ident => $inner:expr, info $that:pat_param => $info:expr) => {
        #[inline]
        fn info(&self) -> Option<&'static BaseInfo> {
            let $that = self;
            $info
        }

        #[inline]
        fn state_planes(&self) -> usize {
            let $this = self;
            DynBase::<$R>::state_planes($inner)
        }

        #[inline]
        fn descend(
            &self,
            at: &ArmedBase<$R>,
            grad_factor: $R,
            params: &mut [$R],
            perturbed_grads: &[$R],
            state: PlanesMut<'_, $R>,
        ) -> Result<(), Error> {
            let $this = self;
            DynBase::<$R>::descend($inner, at, grad_factor, params, perturbed_grads, state)
        }

        #[inline]
        fn advance(&self, state: &BaseState) -> BaseState {
            let $this = self;
            DynBase::<$R>::advance($inner, state)
        }

        #[inline]
        fn learning_rate(&self) -> $R {
            let $this = self;
            DynBase::<$R>::learning_rate($inner)
        }
    };
}
#[cfg(feature = "any")]
pub(crate) use {forward_base, forward_variant};

macro_rules! erase_variants {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        $(impl<R: Real> DynVariant<R> for crate::variants::$Variant<R> {
            forward_variant!(
                R, this => &Erased::<_, $m, $i>(*this),
                info _ => Some(&crate::variants::$module::INFO)
            );
        })*
    };
}
crate::for_each_variant!(erase_variants);

macro_rules! erase_bases {
    ($($module:ident: $Base:ident, state $s:literal;)*) => {
        $(impl<R: Real> DynBase<R> for crate::base::$Base<R> {
            forward_base!(
                R, this => &Erased::<_, $s, 0>(*this),
                info _ => Some(&crate::base::$module::INFO)
            );
        })*
    };
}
crate::for_each_base!(erase_bases);

impl<R: Real, T: DynVariant<R> + ?Sized> DynVariant<R> for &T {
    forward_variant!(R, this => *this, info this => (**this).info());
}

impl<R: Real, T: DynBase<R> + ?Sized> DynBase<R> for &T {
    forward_base!(R, this => *this, info this => (**this).info());
}
