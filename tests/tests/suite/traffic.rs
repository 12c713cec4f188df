//! No kernel moves a byte too many: sectors of memory against the least, and the table on file.

use presam_tests::products::{self, products, strips};
use presam_tests::traffic::{TREES, rows, table, trees};
use std::fs;
use std::path::Path;

#[test]
fn no_pass_touches_two_percent_more_sectors_than_it_must() {
    let (rows, trees) = (rows().unwrap(), trees().unwrap());
    let (products, strips) = (products().unwrap(), strips().unwrap());
    let text = table(&rows, trees) + &products::table(&products, strips);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/traffic.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).expect("the table can be written");
    }
    for row in &rows {
        let over = row.over_floor();
        println!("{:<44} {over:.4}", row.kernel);
        // A chunk's row in the tables, hyperparameters and its part: 5 sectors where 256 are the least.
        // As many are allowed where a number has 16 bits.
        let most = 1.0 + 0.02 * (4 * row.planes) as f64 / row.bytes as f64;
        assert!((1.0..=most).contains(&over), "{row:?}: {over}");
    }
    for ((parts, found), most) in TREES.into_iter().zip(trees).zip([500.0, 300.0, 80.0]) {
        assert!(found <= most, "{parts} parts: {found} instructions a thread, at most {most}");
    }
    let on_file = fs::read_to_string(&path).expect("the table can be read");
    let cure = "cure: UPDATE=1 cargo test -p presam-tests --test suite traffic";
    assert_eq!(on_file, text, "{cure}");
}
