//! A seed asks the same cases on every machine and in every version of one digest: a failure can be asked again
//! elsewhere, and what is asked is never changed unseen.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use presam_conformance::{Config, Rule, Scope, Trial, laws};

use super::{Asked, stranger};

/// FNV-1a of what is written.
struct Digest(u64);

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.0 = text.bytes().fold(self.0, step);
        Ok(())
    }
}

/// Code that makes every claim, and code that makes fewer.
fn scopes() -> [Scope; 4] {
    let keeps = Scope { fresh: true, ..Scope::of(&Rule::all(), &["sgd-momentum", "adamw"]) };
    [Scope::full(), stranger(), Scope { skips: false, ..stranger() }, keeps]
}

/// Every law, and the digest of all cases that it asks.
fn table() -> String {
    let (rules, mut table) = (Rule::all(), String::new());
    for law in &laws::all::<f32>() {
        let mut digest = Digest(0xcbf2_9ce4_8422_2325);
        for scope in scopes() {
            let mut backend = Asked { scope, judged: Vec::new() };
            let config = Config { cases: if law.is_long() { 4 } else { 96 }, seed: 7 };
            let trial = Trial { law, rules: &rules, config, shrinks: 0, least: 0 };
            trial.run(&mut backend).unwrap_or_else(|failure| panic!("{failure}"));
            let asked = backend.judged.iter().flat_map(|(_, steps)| steps);
            asked.for_each(|step| write!(digest, "{:?}", step.case).unwrap());
        }
        writeln!(table, "{} {:016x}", law.name, digest.0).unwrap();
    }
    table
}

#[test]
fn a_seed_asks_the_same_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/asked/cases.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, table()).unwrap();
    }
    let (on_file, table) = (fs::read_to_string(&path).unwrap(), table());
    let other: Vec<_> = table.lines().filter(|law| !on_file.contains(law)).collect();
    let cure = "what these laws ask has changed: put all wrong codes to them (`cargo xtask wrong-codes-all`), then \
                UPDATE=1 cargo test -p presam-backends --test asked same";
    assert!(other.is_empty() && on_file.len() == table.len(), "{other:?}: {cure}");
}
