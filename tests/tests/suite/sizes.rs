//! The generated table of sizes is the one on file.

use presam_tests::sizes::table;
use std::fs;
use std::path::Path;

#[test]
fn the_table_on_file_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/sizes.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, table()).expect("the table can be written");
    }
    let on_file = fs::read_to_string(&path).expect("the table can be read");
    assert_eq!(on_file, table(), "cure: UPDATE=1 cargo test -p presam-tests --test suite sizes");
}

#[test]
fn sam_moves_the_bytes_of_the_floor() {
    // 4 read by the norm; w, g read and the perturbed written; w, g~, v read and w, v written.
    assert!(table().contains("| sam | 0 | 0 | 0 | 1 | 4 | 12 | 36 |"), "{}", table());
}
