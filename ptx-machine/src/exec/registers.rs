//! What changes registers only.

use super::warp::{Path, Warp};
use crate::code::{Action, Apply3, Compare, Convert, NONE, Row, WARP};
use crate::rows::{flush_subnormals, lop3};

impl Warp {
    /// The rest of what changes registers only.
    pub fn plain(&mut self, action: &Action, path: &Path, active: u32) {
        let base = path.row_base;
        match action {
            Action::Map1 { .. } | Action::Map2 { .. } => self.flushed(action, base, active),
            Action::Convert(convert) => self.convert(convert, base, active),
            Action::Select { to, a, b, predicate } => {
                let choice = self.predicates[(path.predicate_base + predicate) as usize];
                let (a, b) = (self.row(base, *a), self.row(base, *b));
                let pick = |lane: usize| if choice >> lane & 1 == 1 { a[lane] } else { b[lane] };
                self.write(*to, base, active, &std::array::from_fn(pick));
            }
            Action::Logic { f, to, a, b } => {
                let read = |row: u32| self.predicates[(path.predicate_base + row) as usize];
                let out = f(read(*a), read(*b));
                self.write_predicate(*to, path.predicate_base, active, out);
            }
            Action::Pack { to, parts, bits } => self.pack(*to, parts, *bits, base, active),
            Action::Unpack { to, from, bits } => self.unpack(to, *from, *bits, base, active),
            Action::Insert { .. } => self.insert(action, base, active),
            Action::Table { to, a, b, c, table } => {
                let (a, b, c) = (self.row(base, *a), self.row(base, *b), self.row(base, *c));
                let out = std::array::from_fn(|lane| {
                    lop3(a[lane] as u32, b[lane] as u32, c[lane] as u32, *table).into()
                });
                self.write(*to, base, active, &out);
            }
            // Hints; everything else has its place above.
            _ => {}
        }
    }

    /// Arithmetic with `.ftz`.
    fn flushed(&mut self, action: &Action, base: u32, active: u32) {
        let mut out = [0; WARP];
        let source = |row: &u32| flush_subnormals(self.row(base, *row));
        let to = match action {
            Action::Map1 { f, to, a, .. } => {
                f(&mut out, &source(a));
                to
            }
            Action::Map2 { f, to, a, b, .. } => {
                f(&mut out, &source(a), &source(b));
                to
            }
            _ => return,
        };
        self.write(*to, base, active, &flush_subnormals(&out));
    }

    pub fn map3(&mut self, apply: &Apply3, base: u32, active: u32) {
        let mut out = [0; WARP];
        let (a, b, c) = (self.row(base, apply.a), self.row(base, apply.b), self.row(base, apply.c));
        if apply.flush {
            (apply.f)(&mut out, &flush_subnormals(a), &flush_subnormals(b), &flush_subnormals(c));
            out = flush_subnormals(&out);
        } else {
            (apply.f)(&mut out, a, b, c);
        }
        self.write(apply.to, base, active, &out);
    }

    pub fn compare(&mut self, compare: &Compare, path: &Path, active: u32) {
        let (a, b) = (self.row(path.row_base, compare.a), self.row(path.row_base, compare.b));
        let holds = if compare.flush {
            (compare.test)(&flush_subnormals(a), &flush_subnormals(b))
        } else {
            (compare.test)(a, b)
        };
        let (first, second) = match compare.combine {
            None => (holds, !holds),
            Some((logic, row, negated)) => {
                let with = self.predicates[(path.predicate_base + row) as usize];
                let with = if negated { !with } else { with };
                (logic(holds, with), logic(!holds, with))
            }
        };
        self.write_predicate(compare.to, path.predicate_base, active, first);
        self.write_predicate(compare.to_other, path.predicate_base, active, second);
    }

    fn convert(&mut self, convert: &Convert, base: u32, active: u32) {
        let flush = |row: &Row| if convert.flush { flush_subnormals(row) } else { *row };
        let single_in = convert.rule.from.bits() == 32;
        let a =
            if single_in { flush(self.row(base, convert.a)) } else { *self.row(base, convert.a) };
        let mut out: Row = a.map(|bits| convert.rule.lane(bits) & convert.keep);
        if convert.b != NONE {
            let b = self.row(base, convert.b);
            out = std::array::from_fn(|lane| out[lane] << 16 | convert.rule.lane(b[lane]));
        }
        if convert.flush && convert.rule.to == crate::syntax::Type::F32 {
            out = flush_subnormals(&out);
        }
        self.write(convert.to, base, active, &out);
    }

    fn pack(&mut self, to: u32, parts: &[u32; 4], bits: u32, base: u32, active: u32) {
        let mask = (1_u64 << bits) - 1;
        let mut out = [0; WARP];
        for (place, part) in (0..).zip(parts).filter(|(_, part)| **part != NONE) {
            let row = self.row(base, *part);
            for (out, value) in out.iter_mut().zip(row) {
                *out |= (value & mask) << (place * bits);
            }
        }
        self.write(to, base, active, &out);
    }

    fn unpack(&mut self, to: &[u32; 4], from: u32, bits: u32, base: u32, active: u32) {
        let mask = (1_u64 << bits) - 1;
        let source = *self.row(base, from);
        for (place, part) in (0..).zip(to).filter(|(_, part)| **part != NONE) {
            let shift = place * bits;
            if shift < u64::BITS {
                self.write(*part, base, active, &source.map(|value| value >> shift & mask));
            }
        }
    }

    fn insert(&mut self, action: &Action, base: u32, active: u32) {
        let Action::Insert { to, a, b, position, length, bits } = action else { return };
        let read = |row: &u32, lane: usize| self.row(base, *row)[lane];
        let out = std::array::from_fn(|lane| {
            let (position, length) = (read(position, lane) & 0xff, read(length, lane) & 0xff);
            let whole = if *bits == 64 { u64::MAX } else { u64::from(u32::MAX) };
            let ones = if length >= 64 { u64::MAX } else { (1 << length) - 1 };
            let mask = if position >= u64::from(*bits) { 0 } else { ones << position & whole };
            let field = if position >= 64 { 0 } else { read(a, lane) << position };
            read(b, lane) & !mask | field & mask
        });
        self.write(*to, base, active, &out);
    }
}
