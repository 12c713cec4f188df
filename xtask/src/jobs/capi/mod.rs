//! The C interface: its header, its libraries in a prefix, and its examples as a stranger builds them.

mod header;

pub(crate) use header::header;
