//! The job that judges the texts: lints, ptxas, and the table of docs/kernels.md.

use std::collections::BTreeMap;
use std::path::Path;

use presam_kernels::entries;
use presam_kernels::ptx::TEXTS;

use super::entry::{Entry, Text, parse};
use super::fresh::{Twin, twin_lines};
use super::ptxas::{self, ARCHITECTURES, Ptxas, Usage};
use super::{fresh, lint};
use crate::command::{Outcome, kept, read, root};
use crate::jobs::readme::replaced;

const PAGE: &str = "docs/kernels.md";
const MARK: &str = "kernels";

/// What each entry takes, by architecture.
type Usages = BTreeMap<&'static str, BTreeMap<String, Usage>>;

/// Judges every text, and writes the table or says that it is stale.
pub(crate) fn ptx_check(check_only: bool) -> Outcome {
    let root = root();
    let texts = TEXTS.iter().map(|&name| Ok((name, read(&fresh::path(&root, name))?)));
    let texts: Vec<(&str, String)> = texts.collect::<Result<_, String>>()?;
    refuse("lint", texts.iter().flat_map(|(name, text)| named(name, &lint::faults(text))))?;
    let ptxas = Ptxas::find()?;
    ptxas::planted(&ptxas)?;
    let usages = assembled(&ptxas, &root)?;
    let twins = fresh::twins(&root)?;
    let parsed: Vec<(&str, Text<'_>)> =
        texts.iter().map(|(name, text)| (*name, parse(text))).collect();
    let rows: Vec<Row<'_>> =
        parsed.iter().flat_map(|(name, text)| rows(name, text, &usages)).collect();
    eprint!("{}", table(rows.iter()));
    let entries: Vec<&Entry<'_>> = rows.iter().map(|row| row.entry).collect();
    refuse("collectives", lint::sibling_faults(&entries, &twins).into_iter())?;
    refuse("ptxas", unlisted(&rows).chain(rows.iter().filter_map(usage_fault)))?;
    page(&ptxas, &rows, &twins, check_only)
}

/// An outcome that lists the faults, if there are any.
fn refuse(what: &str, faults: impl Iterator<Item = String>) -> Outcome {
    let list: String = faults.map(|fault| format!("\n  {fault}")).collect();
    if list.is_empty() { Ok(()) } else { Err(format!("{what}:{list}")) }
}

fn named(text: &str, faults: &[String]) -> Vec<String> {
    faults.iter().map(|fault| format!("{text}.ptx: {fault}")).collect()
}

/// Every text on every architecture that this ptxas knows.
fn assembled(ptxas: &Ptxas, root: &Path) -> Result<Usages, String> {
    eprintln!("ptxas {}", ptxas.version);
    let (known, unknown): (Vec<_>, Vec<_>) =
        ARCHITECTURES.into_iter().partition(|architecture| ptxas.knows(architecture));
    for architecture in unknown {
        eprintln!("{architecture}: NOT CHECKED, unknown to ptxas {}", ptxas.version);
    }
    if known.is_empty() {
        return Err(format!("ptxas {} knows none of {ARCHITECTURES:?}", ptxas.version));
    }
    // A thread an architecture: ptxas itself uses one.
    std::thread::scope(|scope| {
        let of = |architecture| {
            move || -> Result<BTreeMap<String, Usage>, String> {
                let texts = TEXTS.iter().map(|name| fresh::path(root, name));
                let usages = texts.map(|text| ptxas.assemble(&text, architecture));
                Ok(usages.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
        };
        let threads: Vec<_> = known.into_iter().map(|a| (a, scope.spawn(of(a)))).collect();
        let ended = threads.into_iter().map(|(architecture, thread)| {
            let usages =
                thread.join().map_err(|_| format!("{architecture}: the thread ended"))??;
            Ok((architecture, usages))
        });
        ended.collect()
    })
}

fn rows<'a>(name: &'a str, text: &'a Text<'a>, usages: &Usages) -> Vec<Row<'a>> {
    let row = |entry: &'a Entry<'a>| {
        let usages = usages.iter();
        let usages = usages.filter_map(|(&of, all)| Some((of, *all.get(entry.name)?))).collect();
        Row { text: name, entry, usages }
    };
    text.entries.iter().map(row).collect()
}

/// Kernels that no text has, or that ptxas said nothing of on some architecture that it knows.
fn unlisted(rows: &[Row<'_>]) -> impl Iterator<Item = String> {
    let most = rows.iter().map(|row| row.usages.len()).max().unwrap_or(0);
    entries::all().filter_map(move |kernel| {
        let row = rows.iter().find(|row| (row.entry.name, row.text) == (kernel.name, kernel.text));
        match row {
            Some(row) if row.usages.len() == most && most > 0 => None,
            Some(_) => Some(format!("{}: not assembled for every architecture", kernel.name)),
            None => Some(format!("{}: not in {}.ptx", kernel.name, kernel.text)),
        }
    })
}

/// Spills, and a stack where there is no leave for it.
fn usage_fault(row: &Row<'_>) -> Option<String> {
    let name = row.entry.name;
    let (stack, spills) = (row.most(|usage| usage.stack), row.most(|usage| usage.spills));
    let allowed = lint::WITH_LOCAL_MEMORY.iter().any(|(allowed, _)| *allowed == name);
    if spills > 0 {
        Some(format!("{name}: spills {spills} bytes"))
    } else if stack > 0 && !allowed {
        Some(format!("{name}: a stack of {stack} bytes"))
    } else {
        None
    }
}

/// The page's table has the 32-bit kernels; the mixed ones are held to the same laws, and printed.
fn page(ptxas: &Ptxas, rows: &[Row<'_>], twins: &[Twin], check_only: bool) -> Outcome {
    if !ptxas.is_pinned() {
        eprintln!("{PAGE}: NOT COMPARED, its table is by another ptxas than {}", ptxas.version);
        return Ok(());
    }
    let wide = rows.iter().filter(|row| !row.entry.name.ends_with("_mixed"));
    let text = format!("ptxas {}.\n\n{}\n{}", ptxas.version, table(wide), once(TEXTS, twins));
    let new = replaced(&read(&root().join(PAGE))?, MARK, &text);
    let new = new.map_err(|reason| format!("{PAGE}: {reason}"))?;
    kept(PAGE, &new, check_only, "cargo xtask ptx-check")
}

/// A kernel: its text, its statements, and its usage by architecture (none: ptxas does not know it).
struct Row<'a> {
    text: &'a str,
    entry: &'a Entry<'a>,
    usages: BTreeMap<&'static str, Usage>,
}

impl Row<'_> {
    /// Stack and spills on any architecture.
    fn most(&self, of: impl Fn(&Usage) -> u32) -> u32 {
        self.usages.values().map(of).max().unwrap_or(0)
    }
}

/// The table, one row a kernel.
fn table<'a>(rows: impl Iterator<Item = &'a Row<'a>>) -> String {
    let mut text = format!(
        "| kernel | text | instructions | shuffles | barriers | {} | stack | spills |\n",
        ARCHITECTURES.join(" | ")
    );
    text += &format!("| --- | --- |{}\n", " ---: |".repeat(ARCHITECTURES.len() + 5));
    for row in rows {
        let registers = ARCHITECTURES.map(|architecture| {
            row.usages.get(architecture).map_or("-".into(), |usage| usage.registers.to_string())
        });
        text += &format!(
            "| `{}` | {} | {} | {} | {} | {} | {} | {} |\n",
            row.entry.name,
            row.text,
            row.entry.opcodes().count(),
            row.entry.count("shfl"),
            row.entry.count("bar"),
            registers.join(" | "),
            row.most(|usage| usage.stack),
            row.most(|usage| usage.spills),
        );
    }
    text
}

/// The 32-bit kernels that stand for several rules, below the table.
fn once(texts: &[&str], twins: &[Twin]) -> String {
    let lines = texts.iter().flat_map(|text| twin_lines(text, twins));
    let lines = lines.filter(|line| !line.contains("_mixed = "));
    let lines: String =
        lines.map(|line| format!("- `{}`\n", line.replace(" = ", "` = `"))).collect();
    format!("Rules whose kernels are the same text to the letter share the first:\n\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = ".visible .entry restore()\n{\n\tret;\n}\n.visible .entry cross_entropy()\n{\n\
                        \tbar.sync 0;\n\tret;\n}\n";

    fn usages(registers: u32, stack: u32, spills: u32) -> Usages {
        let usage = Usage { registers, stack, spills };
        let all = ["restore", "cross_entropy"].map(|name| (name.to_owned(), usage));
        ["sm_80", "sm_90"].map(|architecture| (architecture, all.clone().into())).into()
    }

    fn faults(usages: &Usages) -> Vec<String> {
        rows("x", &parse(TEXT), usages).iter().filter_map(usage_fault).collect()
    }

    #[test]
    fn a_spill_and_a_stack_without_leave_are_faults() {
        assert_eq!(faults(&usages(40, 0, 0)), Vec::<String>::new());
        assert_eq!(faults(&usages(40, 8, 0)), ["restore: a stack of 8 bytes"]);
        let spills = faults(&usages(40, 8, 4));
        assert_eq!(spills, ["restore: spills 4 bytes", "cross_entropy: spills 4 bytes"]);
    }

    #[test]
    fn a_kernel_that_is_nowhere_or_not_assembled_is_a_fault() {
        let text = parse(TEXT);
        let complete = rows("network", &text, &usages(40, 0, 0));
        let told: Vec<String> = unlisted(&complete).collect();
        assert!(told.contains(&"forward: not in network.ptx".to_owned()), "{told:?}");
        assert!(!told.iter().any(|fault| fault.starts_with("cross_entropy")), "{told:?}");
        let mut partial = usages(40, 0, 0);
        partial.get_mut("sm_90").unwrap().remove("cross_entropy");
        let rows = rows("network", &text, &partial);
        let told: Vec<String> = unlisted(&rows).collect();
        let fault = "cross_entropy: not assembled for every architecture".to_owned();
        assert!(told.contains(&fault), "{told:?}");
    }

    #[test]
    fn the_table_has_a_row_a_kernel_and_a_dash_where_nothing_is_known() {
        let text = parse(TEXT);
        let rows = rows("x", &text, &usages(40, 8, 0));
        let table = table(rows.iter());
        let last = table.lines().last().unwrap();
        assert_eq!(last, "| `cross_entropy` | x | 2 | 0 | 1 | - | 40 | - | 40 | - | - | 8 | 0 |");
        assert_eq!(table.lines().count(), 4);
    }
}
