//! The hermetic tests: everything that needs no real program and no root.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "tests read and write files and may panic"
)]

mod agreement;
mod builders;
mod bundle;
mod cli;
mod compiled;
mod determinism;
mod generations;
mod golden;
mod ground;
mod house;
mod input;
mod inventories;
mod pages;
mod private;
mod properties;
mod readme;
mod refusals;
mod scene;
mod schema;
mod special;
mod wellformed;
