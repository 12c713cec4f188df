//! The guards on the committed texts: each sees what is planted there.

use std::fs;
use std::path::{Path, PathBuf};

use super::{fresh, lint, source};
use crate::command::{Run, emptied, job_dir, read};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Copies what a text is made from, and the texts.
fn copy(job: &str) -> PathBuf {
    let to = job_dir(job).unwrap();
    emptied(&to).unwrap();
    let cp = Run::program("cp").dir(&repository()).args(["-r", "--parents"]);
    let cp = cp.args(["Cargo.toml", "Cargo.lock"]).args(
        ["kernels", "core", "model"]
            .iter()
            .flat_map(|of| [format!("{of}/Cargo.toml"), format!("{of}/src")]),
    );
    cp.arg("kernels/ptx").arg(&to).run().unwrap();
    to
}

/// Replaces the first occurrence.
fn edit(file: &Path, from: &str, to: &str) {
    let text = read(file).unwrap();
    assert!(text.contains(from), "{}: {from}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_token_makes_the_texts_stale_and_a_comment_does_not() {
    let root = copy("test-ptx-source");
    let before = source::hash(&root).unwrap();
    assert_eq!(before, source::hash(&repository()).unwrap());
    let file = root.join("core/src/variants/sam.rs");
    edit(&file, "\n", "\n// A comment.\n\n");
    edit(&root.join("kernels/src/emulator/mod.rs"), "mod ", "mod  ");
    assert_eq!(source::hash(&root).unwrap(), before);
    edit(&file, "fn ", "const fn ");
    assert_ne!(source::hash(&root).unwrap(), before);
    let stale = fresh::check(&root).unwrap_err();
    assert!(stale.contains("source: expected sha256:"), "{stale}");
    assert!(stale.ends_with("cure: cargo xtask ptx"), "{stale}");
}

#[test]
fn a_version_makes_the_texts_stale() {
    let root = copy("test-ptx-lock");
    let before = source::hash(&root).unwrap();
    edit(
        &root.join("Cargo.lock"),
        "name = \"libm\"\nversion = \"0",
        "name = \"libm\"\nversion = \"1",
    );
    assert_ne!(source::hash(&root).unwrap(), before);
}

#[test]
fn a_text_that_is_missing_edited_or_a_stranger_is_told() {
    let root = copy("test-ptx-texts");
    fs::remove_file(fresh::path(&root, "mix")).unwrap();
    edit(&fresh::path(&root, "descend"), "bar.sync", "bar.warp.sync");
    edit(
        &fresh::path(&root, "finish"),
        ".visible .entry finish_sam(",
        ".visible .entry finish_same(",
    );
    fs::write(fresh::path(&root, "old"), "").unwrap();
    edit(&fresh::twins_path(&root), "(\"second_sgd_momentum\"", "(\"descend_sgd_momentum\"");
    let stale = fresh::check(&root).unwrap_err();
    for part in [
        "mix.ptx: No such file",
        "descend.ptx: text: expected",
        "finish.ptx: lacks the entry finish_sam\n",
        "finish.ptx: no kernel is finish_same\n",
        "old.ptx: belongs to no text",
        "descend.ptx: twins: expected [\"second_sgd = descend_sgd_momentum\"]",
        "descend.ptx: lacks the entry second_sgd_momentum\n",
        "descend.ptx: no kernel is descend_sgd_momentum\n",
    ] {
        assert!(stale.contains(part), "{part}: {stale}");
    }
}

#[test]
fn a_violation_in_a_real_text_is_caught() {
    let text = read(&fresh::path(&repository(), "accumulate_f32")).unwrap();
    assert_eq!(lint::faults(&text), Vec::<String>::new());
    for (planted, fault) in [
        ("\tfma.rn.f32 \t%r1, %r2, %r3, %r4;", "fused"),
        ("\t.local .align 4 .b8 \t__local_depot0[8];", "local memory"),
        ("\t{\n\tcall.uni panic, ();\n\t}", "a call"),
        ("\ttrap;", "an end other"),
        ("\tsqrt.approx.ftz.f32 \t%r1, %r2;", "flushes"),
    ] {
        let changed = text.replacen("\tret;", &format!("{planted}\n\tret;"), 1);
        assert_ne!(text, changed);
        let found = lint::faults(&changed);
        assert!(found.len() == 1 && found[0].contains(fault), "{planted}: {found:?}");
    }
}
