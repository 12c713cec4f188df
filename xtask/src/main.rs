//! Every job of continuous integration, one command each.
fn main() {}
