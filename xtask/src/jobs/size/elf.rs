//! A linked image, as far as its weight goes: the sections of a 32-bit little-endian ELF file.

/// Bytes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weight {
    /// Instructions, constants and the initial values of static data.
    pub(super) flash: usize,
    /// Static data, initialised or zeroed.
    pub(super) ram: usize,
    /// The largest frame of any one function.
    pub(super) stack: usize,
}

const ALLOCATED: usize = 2;
const WRITABLE: usize = 1;
/// Takes no room in the file, so none in flash.
const ZEROED: usize = 8;
/// Tables for unwinding, which firmware's linker scripts drop.
const UNWIND_TABLE: usize = 0x7000_0001;

/// The weight of an image; `None` for what is no such file.
pub(super) fn weight(file: &[u8]) -> Option<Weight> {
    if file.get(..6)? != b"\x7fELF\x01\x01" {
        return None;
    }
    let (table, size) = (word(file, 0x20)?, half(file, 0x2e)?);
    let (count, names) = (half(file, 0x30)?, half(file, 0x32)?);
    let section = |index: usize| Section::read(file, table.checked_add(index.checked_mul(size)?)?);
    let names = section(names)?;
    let mut weight = Weight { flash: 0, ram: 0, stack: 0 };
    for index in 0..count {
        let Section { name, kind, flags, bytes, at } = section(index)?;
        if flags & ALLOCATED != 0 && kind != UNWIND_TABLE {
            weight.flash += if kind == ZEROED { 0 } else { bytes };
            weight.ram += if flags & WRITABLE == 0 { 0 } else { bytes };
        }
        if file.get(names.at + name..)?.starts_with(b".stack_sizes\0") {
            weight.stack = weight.stack.max(largest_frame(file.get(at..at + bytes)?)?);
        }
    }
    Some(weight)
}

struct Section {
    name: usize,
    kind: usize,
    flags: usize,
    at: usize,
    bytes: usize,
}

impl Section {
    fn read(file: &[u8], header: usize) -> Option<Self> {
        let field = |index: usize| word(file, header + 4 * index);
        let (name, kind, flags) = (field(0)?, field(1)?, field(2)?);
        Some(Self { name, kind, flags, at: field(4)?, bytes: field(5)? })
    }
}

/// Of entries of a 4-byte address and a number in base 128, the lowest digit first.
fn largest_frame(mut entries: &[u8]) -> Option<usize> {
    let mut largest = 0;
    while !entries.is_empty() {
        let number = entries.get(4..)?;
        let digits = 1 + number.iter().take_while(|digit| **digit >= 0x80).count();
        let value = |value, digit: &u8| value << 7 | usize::from(digit & 0x7f);
        largest = largest.max(number.get(..digits)?.iter().rev().fold(0, value));
        entries = number.get(digits..)?;
    }
    Some(largest)
}

fn half(file: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?).into())
}

fn word(file: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_numbers_in_base_128() {
        assert_eq!(
            largest_frame(&[0, 0, 0, 0, 8, 4, 0, 0, 0, 0xd0, 0x05, 8, 0, 0, 0, 0]),
            Some(720)
        );
        assert_eq!(largest_frame(&[0, 0, 0, 0, 0x80]), None);
    }

    #[test]
    fn sections_are_weighed_by_where_they_live() {
        let names = b"\0.stack_sizes\0";
        // Name, type, flags, address, offset, size: code, data, zeroed data, unwinding, stack sizes, names.
        let sections: [[u32; 6]; 6] = [
            [0, 1, 6, 0, 0, 100],
            [0, 1, 3, 0, 0, 20],
            [0, 8, 3, 0, 0, 7],
            [0, 0x7000_0001, 2, 0, 0, 16],
            [1, 1, 0, 0, 52, 5],
            [0, 3, 0, 0, 57, 14],
        ];
        let mut file = b"\x7fELF\x01\x01".to_vec();
        file.resize(52, 0);
        file.extend([9, 9, 9, 9, 24]);
        file.extend(names);
        let table = u32::try_from(file.len()).unwrap();
        file[0x20..0x24].copy_from_slice(&table.to_le_bytes());
        for (at, value) in [(0x2e, 40_u16), (0x30, 6), (0x32, 5)] {
            file[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        for section in sections {
            let words = section.into_iter().chain([0; 4]);
            file.extend(words.flat_map(u32::to_le_bytes));
        }
        assert_eq!(weight(&file), Some(Weight { flash: 120, ram: 27, stack: 24 }));
        assert_eq!(weight(b"text"), None);
    }
}
