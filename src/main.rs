//! The `hagen` binary.
fn main() {}
