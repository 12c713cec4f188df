//! docs/size.md: the table, and what has grown since it was written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Growth above this share of the kept number, and above a few bytes of alignment, is a fault.
const MOST_GROWTH: f64 = 0.05;
const SLACK: usize = 16;

/// The images in order, each with flash and stack at both levels.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: BTreeMap<usize, (String, [(usize, usize); 2])>,
    /// Flash of the image that does nothing.
    pub(super) empty: [usize; 2],
}

impl Rows {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn set(
        &mut self,
        (place, name): (usize, &str),
        column: usize,
        found: (usize, usize),
    ) {
        let (_, row) = self.rows.entry(place).or_insert_with(|| (name.to_owned(), [(0, 0); 2]));
        row[column] = found;
    }

    /// The page.
    pub(super) fn page(&self, compiler: &str) -> String {
        let [small, fast] = self.empty;
        let mut page = format!(
            "# Flash and stack of a step\n\n\
             Written by `cargo xtask size`; `cargo xtask size --check` fails where a number has grown by more than 5 %. \
             [firmware.md](firmware.md) says what to make of it.\n\n\
             Linked images for thumbv7em-none-eabihf (Cortex-M4 with FPU), `f32`, fat link-time optimisation, \
             slices of unknown length; {compiler}. Flash is code, constants and initial values above an image \
             that only has the slices ({small} bytes at `opt-level = \"s\"`, {fast} at 3). Stack is the largest \
             frame of one function. Static RAM is 0 in every image, and a panic or a heap in none. `phase` is \
             one phase of SAM alone; `typed` a whole step in place with SGD and momentum (norm, finish, ascent, \
             restore, descent); `typed sam and X` the same with a second rule in the image; `erased` the same \
             through `&dyn DynVariant` and `&dyn DynBase`; `owned` holds a model of 16 parameters on the \
             stack.\n\n\
             | image | flash, s | flash, 3 | stack, s | stack, 3 |\n| --- | --- | --- | --- | --- |\n"
        );
        for (name, [(flash_s, stack_s), (flash_3, stack_3)]) in self.rows.values() {
            // Writing to a String does not fail.
            let _ = writeln!(page, "| {name} | {flash_s} | {flash_3} | {stack_s} | {stack_3} |");
        }
        page
    }

    /// What is heavier than on the kept page, or not on it.
    pub(super) fn compare(&self, kept: &str, compiler: &str) -> Result<(), String> {
        let kept_rows: BTreeMap<&str, Vec<usize>> = kept.lines().filter_map(row).collect();
        let mut faults = String::new();
        for (name, [s, three]) in self.rows.values() {
            let found = [s.0, three.0, s.1, three.1];
            let Some(kept) = kept_rows.get(name.as_str()) else {
                faults += &format!("\n  {name}: expected a row, found none");
                continue;
            };
            let heavier = found.iter().zip(kept).any(|(found, kept)| grown(*kept, *found));
            if heavier || kept.len() != found.len() {
                faults +=
                    &format!("\n  {name}: expected at most {kept:?} and 5 %, found {found:?}");
            }
        }
        if faults.is_empty() {
            eprintln!("{} images: none has grown by more than 5 %", self.rows.len());
            return Ok(());
        }
        let same = if kept.contains(compiler) { "" } else { "; the page is another compiler's" };
        Err(format!(
            "docs/size.md: flash s, flash 3, stack s, stack 3 with {compiler}{same}:{faults}\n\
                     `cargo xtask size` writes it anew"
        ))
    }
}

fn grown(kept: usize, found: usize) -> bool {
    found > kept + SLACK && found as f64 > kept as f64 * (1.0 + MOST_GROWTH)
}

/// A row of the page: a name and its numbers.
fn row(line: &str) -> Option<(&str, Vec<usize>)> {
    let (name, numbers) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
    let numbers = numbers.split(" | ").map(str::parse);
    Some((name, numbers.collect::<Result<_, _>>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_above_a_twentieth_and_a_missing_row_are_faults() {
        let of = |flash: usize| {
            let mut rows = Rows::new();
            rows.set((0, "typed sam"), 0, (flash, 600));
            rows.set((0, "typed sam"), 1, (6000, 700));
            rows
        };
        let page = of(3000).page("rustc 1");
        assert_eq!(of(3150).compare(&page, "rustc 1"), Ok(()));
        assert_eq!(of(1000).compare(&page, "rustc 1"), Ok(()));
        let grown = of(3151).compare(&page, "rustc 2").unwrap_err();
        assert!(grown.contains("typed sam: expected at most [3000,"), "{grown}");
        assert!(grown.contains("another compiler's"), "{grown}");
        assert!(of(3000).compare("", "").unwrap_err().contains("expected a row"));
    }
}
