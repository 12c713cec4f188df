//! A seed asks the same cases on every machine, and what is asked is never changed unseen: a digest of all that each law
//! asks in `f32` of the core's answers (a run goes on from them).

use std::fs;
use std::path::Path;

use presam_conformance::{Config, Rule, Scope, Trial, laws};
use sha2::{Digest, Sha256};

use super::{Asked, stranger};

/// Code that makes every claim, and code that makes fewer.
fn scopes() -> [Scope; 4] {
    let keeps = Scope { fresh: true, ..Scope::of(&Rule::all(), &["sgd-momentum", "adamw"]) };
    [Scope::full(), stranger(), Scope { skips: false, ..stranger() }, keeps]
}

/// Every law, and the digest of all cases that it asks.
fn table() -> String {
    let (rules, mut table) = (Rule::all(), String::new());
    for law in &laws::all::<f32>() {
        let mut digest = Sha256::new();
        for scope in scopes() {
            let mut backend = Asked { scope, judged: Vec::new() };
            let config = Config { cases: if law.is_long() { 4 } else { 96 }, seed: 7 };
            let trial = Trial { law, rules: &rules, config, shrinks: 0, least: 0 };
            trial.run(&mut backend).unwrap_or_else(|failure| panic!("{failure}"));
            let asked = backend.judged.iter().flat_map(|(_, steps)| steps);
            asked.for_each(|step| digest.update(format!("{:?}", step.case)));
        }
        let bytes = digest.finalize();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        table += &format!("{} {hex}\n", law.name);
    }
    table
}

#[test]
fn a_seed_asks_the_same_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/asked/cases.txt");
    let table = table();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let on_file = fs::read_to_string(&path).unwrap();
    let (old, new): (Vec<_>, Vec<_>) = (on_file.lines().collect(), table.lines().collect());
    let other: Vec<_> = new.iter().filter(|law| !old.contains(law)).collect();
    let cure = "what these laws ask has changed: put all wrong codes to them (`cargo xtask wrong-codes-all`), then \
                UPDATE=1 cargo test -p presam-backends --test asked same";
    assert!(other.is_empty() && old.len() == new.len(), "{other:?}: {cure}");
}
