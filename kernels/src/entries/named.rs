//! A rule that was picked by name, as its kernels read it.

use presam::{AnyBase, AnyVariant};

use crate::plain::{Plain, word_of};

fn words<T: Plain>(rule: &T) -> Vec<u32> {
    (0..size_of::<T>() / 4).map(|i| word_of(rule, i)).collect()
}

macro_rules! variant_words {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        /// A variant's configuration, word by word, as its kernels load it.
        #[must_use]
        pub fn variant_words(variant: &AnyVariant<f32>) -> Vec<u32> {
            match variant {
                $(AnyVariant::$Variant(variant) => words(variant),)*
                // The list above is the one that the enum is made from.
                _ => Vec::new(),
            }
        }
    };
}
presam::for_each_variant!(variant_words);

macro_rules! base_words {
    ($($module:ident: $Base:ident, state $s:literal;)*) => {
        /// A base optimizer's configuration, word by word, as its kernels load it.
        #[must_use]
        pub fn base_words(base: &AnyBase<f32>) -> Vec<u32> {
            match base {
                $(AnyBase::$Base(base) => words(base),)*
                _ => Vec::new(),
            }
        }
    };
}
presam::for_each_base!(base_words);

// A row of the table of groups has room for any of them, and the learning rate once more.
const _: () = {
    macro_rules! fit {
        ($($module:ident: $Base:ident, state $s:literal;)*) => {
            $(assert!(size_of::<presam::base::$Base<f32>>() as u64 <= crate::layout::BASE_RATE);)*
        };
    }
    presam::for_each_base!(fit);
};
