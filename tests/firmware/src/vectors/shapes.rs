//! Every rule and every base optimizer at the lengths around every boundary of the loops, with guard values
//! behind every slice. A host's suite holds the same loops to the rules themselves; here the bits are
//! hashed, to be those of a host.

use super::name;
use crate::bits::Bits;
use crate::fault::Fault;
use crate::machine::Machine;
use presam::{
    AnyBase, AnyReal, AnyVariant, Armed, ArmedBase, Ascending, BaseState, CHUNK, Cpu, DynBase,
    DynVariant, LANES, LengthRule, PartialNorm, Planes, PlanesMut, RuleState, base, variants,
};

/// A row of the loops that write.
const ROW: usize = LANES / 2;
const LENGTHS: [usize; 14] = [
    0,
    1,
    ROW - 1,
    ROW,
    ROW + 1,
    LANES - 1,
    LANES,
    LANES + 1,
    3 * ROW,
    3 * ROW + 1,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    CHUNK + LANES + ROW + 1,
];
const GUARDS: usize = 16;
const LONGEST: usize = CHUNK + LANES + ROW + 1 + GUARDS;

/// A plane that is longer than the slice that is taken of it.
struct Guarded<R> {
    buffer: [R; LONGEST],
    len: usize,
}

impl<R: AnyReal> Guarded<R> {
    fn new(len: usize, mut value: impl FnMut() -> R) -> Self {
        let mut buffer = [R::from_f64(f64::NAN); LONGEST];
        buffer[..len].iter_mut().for_each(|slot| *slot = value());
        Self { buffer, len }
    }

    fn slice(&self) -> &[R] {
        &self.buffer[..self.len]
    }

    fn slice_mut(&mut self) -> &mut [R] {
        &mut self.buffer[..self.len]
    }

    /// Hashes the slice; false where something was written behind it.
    fn told(&self, bits: &mut Bits) -> bool {
        bits.add(self.slice());
        self.buffer[self.len..].iter().all(|guard| guard.to_f64().is_nan())
    }
}

/// Numbers of 24 bits in [-1, 1).
struct Random(u32);

impl Random {
    fn draw<R: AnyReal>(&mut self) -> R {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        R::from_f64(f64::from(self.0 >> 8) / f64::from(1 << 23) - 1.0)
    }

    fn positive<R: AnyReal>(&mut self) -> R {
        self.draw::<R>().abs() + R::from_f64(0.125)
    }
}

/// Everything, in one scalar type.
pub fn run<R: AnyReal>(machine: &mut dyn Machine) -> Result<(), Fault> {
    let mut bits = Bits::new();
    for info in variants::ALL {
        for len in LENGTHS {
            ascent::<R>(AnyVariant::by_name(info.name)?, len, &mut bits)?;
        }
    }
    for info in base::ALL {
        for len in LENGTHS {
            descent::<R>(AnyBase::by_name(info.name)?, len, &mut bits)?;
        }
    }
    let (rules, bases) = (variants::ALL.len(), base::ALL.len());
    machine.line(format_args!(
        "result shapes {}: {rules} rules and {bases} base optimizers at {} lengths, sha256 {bits}",
        name::<R>(),
        LENGTHS.len()
    ));
    Ok(())
}

/// Norm, ascent out of place and in place, restore.
#[inline(never)]
fn ascent<R: AnyReal>(rule: AnyVariant<R>, len: usize, bits: &mut Bits) -> Result<(), Fault> {
    let mut random = Random(len as u32);
    let mut state = RuleState { steps: 2, decay_power: 0.5, mean: R::from_f64(0.25) };
    let armed = Armed::new(Cpu::detect(), state);
    let [w, g] = [(); 2].map(|()| Guarded::new(len, || random.draw::<R>()));
    let [mut first, mut second] = [(); 2].map(|()| Guarded::new(len, || random.positive::<R>()));
    let inputs = [(); 2].map(|()| Guarded::new(len, || random.draw::<R>()));
    let inputs = inputs.each_ref().map(Guarded::slice);
    let inputs = Planes::of(&inputs[..rule.planes().inputs]);
    let memory = rule.planes().memory;
    let (old_first, old_second) = (first.buffer, second.buffer);
    let mut norm = PartialNorm::new();
    let read = [first.slice(), second.slice()];
    let read = Planes::of(&read[..memory]);
    rule.accumulate_norm(&armed, w.slice(), g.slice(), read, inputs, &mut norm)?;
    let ascent = rule.finish(&norm, &mut state)?;
    let scale = ascent.scale(R::from_f64(0.5), LengthRule::NORMALISED)?;
    bits.add(&[norm.total()?.sum, norm.total()?.statistic, scale.scale, state.mean]);
    let mut perturbed = Guarded::new(len, || R::ZERO);
    let mut planes = [first.slice_mut(), second.slice_mut()];
    let planes =
        Ascending { grads: g.slice(), memory: PlanesMut::of(&mut planes[..memory]), inputs };
    rule.ascend(&armed, scale, w.slice(), planes, perturbed.slice_mut())?;
    let told = [&perturbed, &first, &second].map(|plane| plane.told(bits));
    (first.buffer, second.buffer) = (old_first, old_second);
    let mut params = Guarded { buffer: w.buffer, len };
    let mut backup = Guarded::new(len, || R::ZERO);
    let mut planes = [first.slice_mut(), second.slice_mut()];
    let planes =
        Ascending { grads: g.slice(), memory: PlanesMut::of(&mut planes[..memory]), inputs };
    rule.ascend_in_place(&armed, scale, params.slice_mut(), planes, backup.slice_mut())?;
    let same = same(params.slice(), perturbed.slice());
    let told_in_place = [&params, &first, &second, &backup].map(|plane| plane.told(bits));
    Cpu::detect().restore(params.slice_mut(), backup.slice())?;
    let restored = self::same(params.slice(), w.slice());
    let whole = told.iter().chain(&told_in_place).all(|whole| *whole);
    if same && restored && whole { Ok(()) } else { Err(Fault::Differs(rule.about().name, len)) }
}

/// A step of a base optimizer with history.
#[inline(never)]
fn descent<R: AnyReal>(base: AnyBase<R>, len: usize, bits: &mut Bits) -> Result<(), Fault> {
    let mut random = Random(len as u32);
    let armed = ArmedBase::new(Cpu::detect(), BaseState { steps: 2, decay_powers: [0.5, 0.75] });
    let [mut w, g] = [(); 2].map(|()| Guarded::new(len, || random.draw::<R>()));
    let [mut first, mut second] = [(); 2].map(|()| Guarded::new(len, || random.positive::<R>()));
    let mut planes = [first.slice_mut(), second.slice_mut()];
    let planes = PlanesMut::of(&mut planes[..base.state_planes()]);
    base.descend(&armed, R::from_f64(0.5), w.slice_mut(), g.slice(), planes)?;
    let whole = [&w, &first, &second].map(|plane| plane.told(bits));
    if whole == [true; 3] { Ok(()) } else { Err(Fault::Differs(base.about().name, len)) }
}

fn same<R: AnyReal>(one: &[R], other: &[R]) -> bool {
    one.iter().map(|value| value.bits()).eq(other.iter().map(|value| value.bits()))
}
