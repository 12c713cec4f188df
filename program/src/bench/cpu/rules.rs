//! Every rule of the list with its planes: the one place where their types are spelled out.

use presam::{Ascent, Configure, Error, PartialNorm, RuleState, Variant, VariantInfo, finish};

use super::shard::{Planes, Shard};
use crate::bench::Shape;

/// From the rule's name, a shape, and which of how many shares.
type Make = fn(&str, &Shape, usize, usize) -> Result<Box<dyn Shard>, Error>;

type Finish = fn(&PartialNorm<f32>, &mut RuleState<f32>) -> Result<Ascent<f32>, Error>;

/// A rule without its type parameters.
#[derive(Clone, Copy)]
pub(in crate::bench) struct Entry {
    pub info: VariantInfo,
    /// Makes a share of its planes.
    pub make: Make,
    /// Ends its norm pass.
    pub finish: Finish,
}

impl Entry {
    fn of<V, const M: usize, const I: usize>(info: VariantInfo) -> Self
    where
        V: Variant<f32, M, I> + Configure + Send + 'static,
    {
        Self {
            info,
            make: |name, shape, index, of| {
                Ok(Box::new(Planes::<V, M, I>::new(V::default(), name, shape, index, of)?))
            },
            finish: |sums, state| finish(V::default(), sums, state),
        }
    }
}

/// The entry of `name`.
pub(in crate::bench) fn entry(name: &str) -> Option<Entry> {
    entries().into_iter().find(|entry| entry.info.name == name)
}

/// Every rule.
pub(super) fn entries() -> Vec<Entry> {
    macro_rules! rows {
        ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
            vec![$(Entry::of::<presam::$Variant<f32>, $m, $i>(presam::variants::$module::INFO)),*]
        };
    }
    presam::for_each_variant!(rows)
}
