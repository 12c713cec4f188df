//! The committed PTX texts are those of the sources as they stand. No GPU and no GPU compiler is needed.

#[path = "../../xtask/src/jobs/ptx/fresh.rs"]
mod fresh;
#[path = "../../xtask/src/jobs/ptx/source.rs"]
mod source;

#[test]
fn every_text_is_fresh() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if let Err(stale) = fresh::check(&root) {
        panic!("{stale}");
    }
}
