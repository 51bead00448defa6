//! Stub.

pub mod check;
pub mod codes;
