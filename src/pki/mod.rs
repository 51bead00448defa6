//! Stub.

mod spec;

pub use spec::{Authority, CertSpec, San, Usage};
