//! Numbers on the wire: decimal that reads back exactly, names for what is not finite, or bits.

use std::fmt;

use presam_conformance::Scalar;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// How the numbers of requests are written; answers may have either form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The shortest decimal that reads back exactly as `f64`; `"nan"`, `"inf"`, `"-inf"`.
    #[default]
    Decimal,
    /// `"0x3f800000"`: the bits in the scalar type.
    Bits,
}

/// A number to be written.
#[derive(Clone, Debug)]
pub(crate) enum Written {
    Decimal(f64),
    Bits(String),
}

impl Written {
    pub fn new<R: Scalar>(form: Form, value: R) -> Self {
        match form {
            Form::Decimal => Self::Decimal(value.to_f64()),
            Form::Bits => Self::Bits(value.hex()),
        }
    }

    pub fn plane<R: Scalar>(form: Form, plane: &[R]) -> Vec<Self> {
        plane.iter().map(|value| Self::new(form, *value)).collect()
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Decimal(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::Decimal(value) if value.is_nan() => serializer.serialize_str("nan"),
            Self::Decimal(value) => {
                serializer.serialize_str(if *value > 0.0 { "inf" } else { "-inf" })
            }
            Self::Bits(bits) => serializer.serialize_str(bits),
        }
    }
}

/// A number as it was read, whichever form it had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Read<R>(pub R);

impl<'de, R: Scalar> Deserialize<'de> for Read<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(std::marker::PhantomData))
    }
}

struct Reader<R>(std::marker::PhantomData<R>);

impl<R: Scalar> Visitor<'_> for Reader<R> {
    type Value = Read<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = 2 * size_of::<R>();
        write!(f, "a number, \"nan\", \"inf\", \"-inf\" or \"0x\" and {digits} hexadecimal digits")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Read<R>, E> {
        Ok(Read(R::from_f64(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Read<R>, E> {
        Ok(Read(R::from_f64(value as f64)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Read<R>, E> {
        Ok(Read(R::from_f64(value as f64)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Read<R>, E> {
        let named = match text {
            "nan" => Some(f64::NAN),
            "inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            _ => None,
        };
        let value = named.map(R::from_f64).or_else(|| from_hex(text));
        value.map(Read).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

/// `0x` and as many digits as the scalar type has.
fn from_hex<R: Scalar>(text: &str) -> Option<R> {
    let digits = text.strip_prefix("0x")?;
    // from_str_radix would take a sign for a digit.
    let whole = digits.len() == 2 * size_of::<R>() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| whole).map(R::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<R: Scalar>(text: &str) -> Result<u64, String> {
        serde_json::from_str::<Read<R>>(text).map(|x| x.0.bits()).map_err(|e| e.to_string())
    }

    fn there_and_back<R: Scalar>(bits: u64) {
        let value = R::from_bits(bits);
        for form in [Form::Decimal, Form::Bits] {
            let text = serde_json::to_string(&Written::new(form, value)).unwrap();
            let again = R::from_bits(read::<R>(&text).unwrap());
            assert!(value.same(again), "{bits:#x} as {text} is {:#x}", again.bits());
        }
    }

    #[test]
    fn every_number_comes_back_in_every_bit() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            there_and_back::<f64>(bits);
            there_and_back::<f32>(bits >> 32);
        }
        for special in [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324] {
            there_and_back::<f64>(special.to_bits());
            there_and_back::<f32>(<f32 as Scalar>::from_f64(special).bits());
        }
    }

    #[test]
    fn numbers_of_other_forms_are_refused() {
        for text in [
            "\"NaN\"",
            "\"0x3f80000\"",
            "\"0x+f800000\"",
            "\"0x3f8000000\"",
            "\"3f800000\"",
            "null",
            "true",
            "[]",
            "{}",
            "\"\"",
            "1e999",
        ] {
            assert!(read::<f32>(text).is_err(), "{text}");
        }
        assert_eq!(read::<f32>("1").unwrap(), 0x3f80_0000);
        assert_eq!(read::<f32>("\"0x3f800000\"").unwrap(), 0x3f80_0000);
        let message = read::<f64>("\"0x3f800000\"").unwrap_err();
        assert!(message.contains("16 hexadecimal digits"), "{message}");
    }
}
