//! Loads, stores, atomics, fences.

use super::arithmetic::expect_operands;
use super::function::FunctionDecoder;
use super::mods::Mods;
use super::moves::mask_of;
use super::names::Fit;
use crate::code::{Access, Action, Atomic, NONE, Order, Scope};
use crate::rows::update;
use crate::syntax::{Operand, Space, Type};

impl FunctionDecoder<'_> {
    pub fn load(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        expect_operands(operands, 2)?;
        let mut access = access_of(mods, "acquire")?;
        let kind = mods.take_type()?;
        let count = vector(mods);
        (access.address, access.offset) = self.address(&operands[1])?;
        let mut keep = u64::MAX;
        access.count = count;
        for (row, operand) in access.rows.iter_mut().zip(elements(&operands[0], count)?) {
            *row = self.target(operand, kind, Fit::AtLeast)?;
            if let Operand::Name(name) = operand
                && let Some((_, element)) = self.register(name)
            {
                keep = mask_of(element.bits());
            }
        }
        access.size = size(kind)?;
        access.sign_shift = if kind.is_signed() { 64 - kind.bits() } else { 0 };
        access.mask = keep;
        Ok(Action::Load(Box::new(access)))
    }

    pub fn store(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        expect_operands(operands, 2)?;
        let mut access = access_of(mods, "release")?;
        let kind = mods.take_type()?;
        access.count = vector(mods);
        (access.address, access.offset) = self.address(&operands[0])?;
        for (row, operand) in access.rows.iter_mut().zip(elements(&operands[1], access.count)?) {
            *row = self.source_of(operand, kind, Fit::AtLeast)?;
        }
        access.size = size(kind)?;
        if access.space == Space::Const {
            return Err("constant memory cannot be written".into());
        }
        Ok(Action::Store(Box::new(access)))
    }

    pub fn atomic(
        &mut self,
        base: &str,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        let semantics = mods.take_any(&["relaxed", "acquire", "release", "acq_rel"]);
        let scope = scope_of(mods).unwrap_or(Scope::Device);
        let space = space_of(mods);
        if !matches!(space, Space::Generic | Space::Global | Space::Shared) {
            return Err("atomics are known in global and shared memory".into());
        }
        hints(mods);
        let kind = mods.take_type()?;
        let names = ["add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"];
        let operation = mods.take_any(&names).ok_or("no operation known here")?;
        let unknown = || format!("atomic {operation} does not know this type");
        let update = update(operation, kind).ok_or_else(unknown)?;
        let order = Order {
            strong: true,
            acquire: matches!(semantics, Some("acquire" | "acq_rel")),
            release: matches!(semantics, Some("release" | "acq_rel")),
            scope,
        };
        let flush = operation == "add" && kind == Type::F32;
        let [to, address, b, c] = [NONE; 4];
        let size = kind.bytes();
        let mut atomic = Atomic { space, address, offset: 0, size, to, b, c, update, flush, order };
        self.atomic_operands(&mut atomic, base, operation, kind, operands)?;
        Ok(Action::Atomic(Box::new(atomic)))
    }

    fn atomic_operands(
        &mut self,
        atomic: &mut Atomic,
        base: &str,
        operation: &str,
        kind: Type,
        operands: &[Operand],
    ) -> Result<(), String> {
        let returns = base == "atom";
        let sources = if operation == "cas" { 2 } else { 1 };
        expect_operands(operands, usize::from(returns) + 1 + sources)?;
        if !returns && matches!(operation, "exch" | "cas") {
            return Err(format!("red does not know {operation}"));
        }
        if returns {
            atomic.to = self.target(&operands[0], kind, Fit::Exact)?;
        }
        let rest = &operands[usize::from(returns)..];
        (atomic.address, atomic.offset) = self.address(&rest[0])?;
        atomic.b = self.value(&rest[1], kind)?;
        atomic.c = if sources == 2 { self.value(&rest[2], kind)? } else { atomic.b };
        Ok(())
    }

    pub fn fence(base: &str, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        expect_operands(operands, 0)?;
        let scope = if base == "membar" {
            match mods.take_any(&["cta", "gl", "sys"]) {
                Some("cta") => Scope::Block,
                Some(_) => Scope::Device,
                None => return Err("membar without a level".into()),
            }
        } else {
            mods.take_any(&["sc", "acq_rel", "acquire", "release"]);
            scope_of(mods).ok_or("a fence without a scope")?
        };
        Ok(Action::Fence { scope })
    }

    pub fn hint(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        let first = operands.first().ok_or("no address")?;
        self.address(first)?;
        space_of(mods);
        hints(mods);
        mods.take_any(&["L1", "L2"]);
        Ok(Action::Nothing)
    }
}

fn elements(operand: &Operand, count: u32) -> Result<&[Operand], String> {
    match operand {
        Operand::Vector(parts) if parts.len() == count as usize => Ok(parts),
        Operand::Vector(parts) => {
            Err(format!("{} registers in braces, the instruction has {count}", parts.len()))
        }
        single if count == 1 => Ok(std::slice::from_ref(single)),
        _ => Err("a vector access wants registers in braces".into()),
    }
}

fn vector(mods: &mut Mods) -> u32 {
    match mods.take_any(&["v2", "v4"]) {
        Some("v2") => 2,
        Some(_) => 4,
        None => 1,
    }
}

fn size(kind: Type) -> Result<u32, String> {
    if kind == Type::Pred { Err("predicates have no memory form".into()) } else { Ok(kind.bytes()) }
}

fn scope_of(mods: &mut Mods) -> Option<Scope> {
    mods.take_any(&["cta", "cluster", "gpu", "sys"])
        .map(|word| if word == "cta" { Scope::Block } else { Scope::Device })
}

fn space_of(mods: &mut Mods) -> Space {
    let word = mods.take_if(|word| {
        matches!(
            word,
            "global"
                | "shared"
                | "shared::cta"
                | "local"
                | "const"
                | "param"
                | "param::entry"
                | "param::func"
        )
    });
    match word.and_then(|word| word.split("::").next()) {
        Some("global") => Space::Global,
        Some("shared") => Space::Shared,
        Some("local") => Space::Local,
        Some("const") => Space::Const,
        Some("param") => Space::Param,
        _ => Space::Generic,
    }
}

/// Cache hints change no value.
fn hints(mods: &mut Mods) {
    mods.take_any(&["ca", "cg", "cs", "lu", "cv", "wb", "wt"]);
    mods.take("nc");
    while mods.take_if(|word| word.starts_with("L1::") || word.starts_with("L2::")).is_some() {}
}

fn access_of(mods: &mut Mods, ordered: &str) -> Result<Access, String> {
    let semantics = mods.take_any(&["weak", "relaxed", "acquire", "release", "volatile"]);
    let strong = matches!(semantics, Some("relaxed" | "acquire" | "release" | "volatile"));
    let orders = semantics == Some(ordered);
    if matches!(semantics, Some("acquire" | "release")) && !orders {
        return Err(format!("this access cannot be .{}", semantics.unwrap_or("")));
    }
    let scope = scope_of(mods).unwrap_or(Scope::Device);
    let space = space_of(mods);
    hints(mods);
    let order = Order {
        strong,
        acquire: orders && ordered == "acquire",
        release: orders && ordered == "release",
        scope,
    };
    Ok(Access {
        space,
        address: NONE,
        offset: 0,
        rows: [NONE; 4],
        count: 1,
        size: 0,
        sign_shift: 0,
        mask: u64::MAX,
        order,
    })
}
