//! The norm contract in bits, by the repository's file of vectors.

use super::name;
use crate::bits::Bits;
use crate::fault::Fault;
use crate::machine::Machine;
use presam::{CHUNK, Cpu, PartialNorm, Real};

/// One case a line.
const FILE: &str = include_str!("../../../vectors/norm-vectors.json");

/// Every case of one scalar type.
pub fn run<R: Real>(machine: &mut dyn Machine) -> Result<(), Fault> {
    let (mut bits, mut cases) = (Bits::new(), 0);
    for line in FILE.lines().filter(|line| field(line, "scalar") == Some(name::<R>())) {
        let case = Case::read(line).ok_or(Fault::Unread("a case of the norm a line"))?;
        let found = case.sum::<R>()?.total()?;
        // A planted fault: the first sum is one unit in the last place off.
        let expected = case.sum ^ u64::from(cfg!(feature = "planted") && cases == 0);
        if found.sum.bits() != expected || found.class != case.class {
            return Err(Fault::Differs("the norm", cases));
        }
        bits.add(&[found.sum]);
        cases += 1;
    }
    if cases < 60 {
        return Err(Fault::Unread("60 cases of the norm"));
    }
    machine.line(format_args!("result norms {}: {cases} sums, sha256 {bits}", name::<R>()));
    Ok(())
}

/// The text of a field, up to the next field.
fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(key)?;
    let rest = rest.strip_prefix("\": ")?;
    let value = rest.split(", \"").next()?.trim_end_matches([',', '}']);
    Some(value.trim_matches(['"', '[', ']']))
}

struct Case<'a> {
    lengths: &'a str,
    /// One, or one a segment.
    scales: &'a str,
    first_seed: u64,
    sum: u64,
    class: i32,
}

impl<'a> Case<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let sum = field(line, "sum_bits")?.strip_prefix("0x")?;
        Some(Self {
            lengths: field(line, "lengths")?,
            scales: field(line, "scale")?,
            first_seed: if line.contains("\"scale\": [") { 11 } else { 7 },
            sum: u64::from_str_radix(sum, 16).ok()?,
            class: field(line, "range_class")?.parse().ok()?,
        })
    }

    /// The sum over all segments, a chunk at a time: a cut there changes no bit.
    fn sum<R: Real>(&self) -> Result<PartialNorm<R>, Fault> {
        let mut norm = PartialNorm::new();
        let mut scales = self.scales.split(", ").map(str::parse::<f64>);
        let mut scale = R::ONE;
        for (length, seed) in self.lengths.split(", ").zip(self.first_seed..) {
            if let Some(next) = scales.next() {
                scale = R::from_f64(next.map_err(|_| Fault::Unread("a scale"))?);
            }
            let mut left: usize = length.parse().map_err(|_| Fault::Unread("a length"))?;
            let mut draw = Draw::new(seed);
            let mut chunk = [R::ZERO; CHUNK];
            while left > 0 {
                let chunk = &mut chunk[..left.min(CHUNK)];
                chunk.iter_mut().for_each(|value| *value = draw.unit::<R>() * scale);
                Cpu::detect().accumulate_gradient(R::ONE, chunk, &mut norm)?;
                left -= chunk.len();
            }
        }
        Ok(norm)
    }
}

/// The recipe in the file's header.
struct Draw(u64);

impl Draw {
    fn new(seed: u64) -> Self {
        Self(next(seed))
    }

    fn unit<R: Real>(&mut self) -> R {
        self.0 = next(self.0);
        let integer = (self.0 >> 40) as f64 - 8_388_608.0;
        R::from_f64(integer) / R::from_f64(8_388_608.0)
    }
}

fn next(state: u64) -> u64 {
    state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}
