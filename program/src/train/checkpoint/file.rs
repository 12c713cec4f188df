//! The bytes of a checkpoint: a safetensors file that any reader of that format opens.
//!
//! ```text
//! params, memory.0 .., state.0 .., kept     f32, each as long as the model; order  u32: the examples of the last epoch
//! metadata: format, version, presam, settings (JSON), counters (TOML) and history (JSON), or run (JSON); sha256
//! ```

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors, serialize};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::saved::{Going, Saved};
use crate::report::hex;
use crate::train::course::{Course, Lengths};
use crate::train::state::{Counters, PARAMS, State};

/// What marks a file as ours.
const FORMAT: &str = "presam checkpoint";
/// Grows whenever an older program would read a file wrongly, or go on with other bits.
const VERSION: u32 = 1;
const ORDER: &str = "order";
const CHECKSUM: &str = "sha256";

/// The counters of a run. TOML, since a norm or a mean may be infinite, which JSON cannot write.
#[derive(Serialize, Deserialize)]
struct Counted {
    seconds: f64,
    /// 68 bits, more than a number of TOML has.
    drawn: String,
    lengths: Lengths,
    trainer: Counters,
}

/// A file that was read: whose run, and the run.
pub(super) struct Contents {
    pub settings: BTreeMap<String, Value>,
    pub saved: Saved,
}

/// What should have been found, and what was.
type Refusal = (String, String);
type Metadata = HashMap<String, String>;
type Tensors = Vec<(String, Dtype, Vec<u8>)>;

/// The bytes of a run's file.
pub(super) fn bytes(
    settings: &BTreeMap<String, Value>,
    saved: &Saved,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut about = Metadata::new();
    let mut tensors = Tensors::new();
    let mut tell = |key: &str, value: String| about.insert(key.to_owned(), value);
    tell("format", FORMAT.to_owned());
    tell("version", VERSION.to_string());
    tell("presam", env!("CARGO_PKG_VERSION").to_owned());
    tell("settings", serde_json::to_string(settings)?);
    match saved {
        Saved::Finished(run) => {
            tell("run", serde_json::to_string(run)?);
        }
        Saved::Going(going) => {
            let Going { course, state, drawn } = going.as_ref();
            let counted = Counted {
                seconds: course.seconds(),
                drawn: drawn.to_string(),
                lengths: course.lengths.clone(),
                trainer: state.counters.clone(),
            };
            tell("counters", toml::to_string(&counted)?);
            tell("history", serde_json::to_string(&course.history)?);
            for (name, plane) in &state.planes {
                let bytes = plane.iter().flat_map(|value| value.to_le_bytes()).collect();
                tensors.push((name.clone(), Dtype::F32, bytes));
            }
            let order = course.order.iter().map(|&index| u32::try_from(index));
            let order = order.collect::<Result<Vec<u32>, _>>()?;
            let bytes = order.into_iter().flat_map(u32::to_le_bytes).collect();
            tensors.push((ORDER.to_owned(), Dtype::U32, bytes));
        }
    }
    let views = tensors
        .iter()
        .map(|(name, kind, bytes)| {
            Ok((name.as_str(), TensorView::new(*kind, vec![bytes.len() / 4], bytes)?))
        })
        .collect::<Result<BTreeMap<&str, TensorView<'_>>, SafeTensorError>>()?;
    let sum = checksum(&about, &views);
    about.insert(CHECKSUM.to_owned(), sum);
    Ok(serialize(views, Some(about))?)
}

/// SHA-256 over names and contents of everything but itself.
fn checksum(about: &Metadata, tensors: &BTreeMap<&str, TensorView<'_>>) -> String {
    let mut hash = Sha256::new();
    let sorted: BTreeMap<_, _> = about.iter().filter(|(key, _)| *key != CHECKSUM).collect();
    for (key, value) in sorted {
        hash.update(format!("{key} {}\n", value.len()));
        hash.update(value);
    }
    for (name, tensor) in tensors {
        hash.update(format!("{name} {}\n", tensor.data().len()));
        hash.update(tensor.data());
    }
    hex(hash.finalize())
}

impl Contents {
    /// What the bytes of a file hold, or why they are refused.
    pub fn of(bytes: &[u8]) -> Result<Self, Refusal> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| unreadable(&error))?;
        let about = header.metadata().clone().unwrap_or_default();
        let text = |key: &str| about.get(key).map_or("", String::as_str);
        if text("format") != FORMAT {
            let found = "a safetensors file of another kind (foreign)";
            return Err(("a checkpoint of presam".to_owned(), found.to_owned()));
        }
        let version = text("version").parse().unwrap_or(u32::MAX);
        if version != VERSION {
            let age = if version > VERSION { "newer" } else { "older" };
            let found =
                format!("version {version}, written by the {age} presam {}", text("presam"));
            return Err((format!("a checkpoint of version {VERSION}"), found));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| unreadable(&error))?;
        let tensors: BTreeMap<&str, TensorView<'_>> = tensors.iter().collect();
        let whole = checksum(&about, &tensors) == text(CHECKSUM);
        let read = || {
            let settings = read_json(text("settings"))?;
            let saved = match about.get("run") {
                Some(run) => Saved::Finished(read_json(run)?),
                None => Saved::Going(Box::new(going(&about, &tensors)?)),
            };
            Some(Self { settings, saved })
        };
        let damaged = || ("a whole checkpoint".to_owned(), "a damaged one".to_owned());
        if whole { read().ok_or_else(damaged) } else { Err(damaged()) }
    }
}

/// A file that ends too early, or was never of this form.
fn unreadable(error: &SafeTensorError) -> Refusal {
    let found = match error {
        SafeTensorError::HeaderTooSmall
        | SafeTensorError::InvalidHeaderLength
        | SafeTensorError::MetadataIncompleteBuffer => "a truncated file",
        _ => "a file of another kind (foreign)",
    };
    ("a whole checkpoint of presam".to_owned(), found.to_owned())
}

fn read_json<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// A run at the end of an epoch; `None` where something is missing.
fn going(about: &Metadata, tensors: &BTreeMap<&str, TensorView<'_>>) -> Option<Going> {
    let Counted { seconds, drawn, lengths, trainer } =
        toml::from_str(about.get("counters")?).ok()?;
    let words = |tensor: &TensorView<'_>| -> Vec<u32> {
        let words = tensor.data().as_chunks().0.iter();
        words.map(|bytes: &[u8; 4]| u32::from_le_bytes(*bytes)).collect()
    };
    let planes = tensors.iter().filter(|(_, tensor)| tensor.dtype() == Dtype::F32);
    let values = |tensor| words(tensor).into_iter().map(f32::from_bits).collect();
    let planes: BTreeMap<String, Vec<f32>> =
        planes.map(|(name, tensor)| ((*name).to_owned(), values(tensor))).collect();
    planes.get(PARAMS)?;
    let order = words(tensors.get(ORDER)?).into_iter().map(|index| index as usize).collect();
    let history = read_json(about.get("history")?)?;
    Some(Going {
        course: Course::at(history, lengths, order, seconds),
        state: State { planes, counters: trainer },
        drawn: drawn.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use presam::RuleState;

    fn written() -> (Going, Vec<u8>) {
        let rule = RuleState { steps: 5, decay_power: 0.1, mean: f32::INFINITY };
        let planes = [(PARAMS, vec![1.0, -0.0, 1e-45]), ("state.0", vec![0.1, f32::MAX, 3.0])];
        let planes = planes.into_iter().map(|(name, plane)| (name.to_owned(), plane)).collect();
        let counters = Counters { steps: 7, rules: vec![rule], ..Counters::default() };
        let going = Going {
            course: Course::at(Vec::new(), Lengths::default(), vec![2, 0, 1], 0.5),
            state: State { planes, counters },
            drawn: u128::from(u64::MAX) + 3,
        };
        let settings = BTreeMap::from([("epochs".to_owned(), Value::from(3))]);
        let bytes = bytes(&settings, &Saved::Going(Box::new(going.clone()))).unwrap();
        (going, bytes)
    }

    #[test]
    fn what_is_written_reads_back_in_every_bit_infinities_too() {
        let (going, bytes) = written();
        let contents = Contents::of(&bytes).ok().unwrap();
        assert_eq!(contents.settings.get("epochs"), Some(&Value::from(3)));
        let Saved::Going(found) = contents.saved else { panic!("a run that is not finished") };
        assert_eq!((&found.state, found.drawn), (&going.state, going.drawn));
        assert!(found.state.planes.values().flatten().any(|value| value.to_bits() == 1 << 31));
        assert_eq!((found.course.order, found.course.lengths), (vec![2, 0, 1], Lengths::default()));
    }

    #[test]
    fn no_flipped_bit_and_no_missing_byte_goes_unseen() {
        let (_, bytes) = written();
        for len in 0..bytes.len() {
            assert!(Contents::of(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
        }
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Contents::of(&flipped).is_err(), "bit {bit}");
        }
    }
}
