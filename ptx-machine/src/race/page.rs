//! Marks of a piece of memory: one cell a word, or one a byte once a part of a word was touched.

use super::mark::{Conflict, Mark, Present};
use crate::fault::AccessKind;
use std::collections::HashMap;

/// Bytes of a page.
pub(super) const PAGE: u64 = 1024;
/// How far back a block's own mark is looked for among many readers: as many blocks run at a time.
const RECENT: usize = 64;

#[derive(Clone, Debug, Default)]
struct Cell {
    write: Option<Mark>,
    read: Option<Mark>,
}

#[derive(Debug, Default)]
pub(super) struct Page {
    /// Plain accesses. Empty until the page is touched.
    cells: Vec<Cell>,
    bytewise: bool,
    /// Plain reads of a cell by blocks before the one in the cell.
    others: HashMap<usize, Vec<Mark>>,
    /// Strong accesses: few words have them.
    strong: HashMap<usize, Cell>,
}

impl Page {
    /// An access to `size` bytes at an offset of the page, within it.
    pub fn touch(&mut self, offset: u64, size: u32, now: &Present) -> Result<(), Conflict> {
        let (offset, size) = (offset as usize, size as usize);
        if self.cells.is_empty() {
            self.cells.resize(PAGE as usize / 4, Cell::default());
        }
        if !self.bytewise && (offset | size) % 4 != 0 {
            self.split();
        }
        let step = if self.bytewise { 1 } else { 4 };
        for number in offset / step..(offset + size) / step {
            self.touch_cell(number, now)?;
        }
        Ok(())
    }

    /// From words to bytes.
    fn split(&mut self) {
        fn bytes<T: Clone>(words: HashMap<usize, T>) -> HashMap<usize, T> {
            let each = |(word, marks): (usize, T)| {
                (0..4).map(move |byte| (4 * word + byte, marks.clone()))
            };
            words.into_iter().flat_map(each).collect()
        }
        self.cells =
            self.cells.iter().flat_map(|cell| std::iter::repeat_n(cell.clone(), 4)).collect();
        self.others = bytes(std::mem::take(&mut self.others));
        self.strong = bytes(std::mem::take(&mut self.strong));
        self.bytewise = true;
    }

    fn touch_cell(&mut self, number: usize, now: &Present) -> Result<(), Conflict> {
        let reads = now.mark.kind == AccessKind::Read;
        let Some(cell) = self.cells.get(number) else { return Ok(()) };
        let none = Cell::default();
        let strong =
            if self.strong.is_empty() { &none } else { self.strong.get(&number).unwrap_or(&none) };
        let mut rivals = cell.write.iter().chain(strong.write.iter().filter(|_| !now.strong));
        if let Some(rival) = rivals.find(|mark| !mark.is_before(now)) {
            return Err(rival.conflict());
        }
        if !reads {
            let others = if self.others.is_empty() { None } else { self.others.get(&number) };
            let plain = cell.read.iter().chain(others.into_iter().flatten());
            let mut rivals = plain.chain(strong.read.iter().filter(|_| !now.strong));
            if let Some(rival) = rivals.find(|mark| !mark.is_before(now)) {
                return Err(rival.conflict());
            }
        }
        match (now.strong, reads) {
            (true, _) => self.note_strong(number, now),
            (false, true) => self.note_read(number, now),
            (false, false) => self.note_write(number, now),
        }
        Ok(())
    }

    /// All that was before a plain write is before whatever is after it.
    fn note_write(&mut self, number: usize, now: &Present) {
        self.cells[number] = Cell { write: Some(now.mark), read: None };
        if !self.others.is_empty() {
            self.others.remove(&number);
        }
        if !self.strong.is_empty() {
            self.strong.remove(&number);
        }
    }

    fn note_strong(&mut self, number: usize, now: &Present) {
        let cell = self.strong.entry(number).or_default();
        let slot = if now.mark.kind == AccessKind::Read { &mut cell.read } else { &mut cell.write };
        *slot = Some(match slot {
            Some(mark) if mark.block == now.mark.block && !mark.is_before(now) => mark.merged(now),
            _ => now.mark,
        });
    }

    fn note_read(&mut self, number: usize, now: &Present) {
        let mark = now.mark;
        let slot = &mut self.cells[number].read;
        *slot = Some(match *slot {
            None => mark,
            Some(read) if read.is_before(now) => mark,
            Some(read) if read.block == mark.block => read.merged(now),
            Some(read) => {
                let others = self.others.entry(number).or_default();
                let own =
                    others.iter().rev().take(RECENT).position(|other| other.block == mark.block);
                let own = own.map(|back| others.remove(others.len() - 1 - back));
                others.push(read);
                own.filter(|own| !own.is_before(now)).map_or(mark, |own| own.merged(now))
            }
        });
    }
}
