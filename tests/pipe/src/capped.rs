//! [`Capped`]: a list of which no more is kept than anybody can have asked for.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

/// The first `MOST` items of a list, and how many there were.
///
/// A hostile line of two bytes an item must not become a list of a hundred bytes an item.
#[derive(Debug)]
pub(crate) struct Capped<T, const MOST: usize> {
    pub items: Vec<T>,
    pub found: usize,
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Capped<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List(PhantomData))
    }
}

struct List<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for List<T, MOST> {
    type Value = Capped<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Capped { items: Vec::new(), found: 0 };
        while let Some(item) = list.next_element()? {
            if kept.items.len() < MOST {
                kept.items.push(item);
            }
            kept.found += 1;
        }
        Ok(kept)
    }
}
