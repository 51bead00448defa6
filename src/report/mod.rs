//! How every stage speaks: a [`Report`] collects [`Finding`]s, each with a stable [`Code`]
//! and a [`Path`] into the inventory. Spans are looked up at the edge, when a report is printed.

mod allow;
mod code;
mod finding;
mod listed;
mod path;
mod secret;
mod suggest;

pub use allow::Allow;
pub use code::{Code, Severity};
pub use finding::{Finding, Report};
pub use listed::listed;
pub use path::{Path, Step};
pub use secret::{
    holds_private_key, holds_secret, redacted, redacted_with, secret_in, without_logins,
    without_private_keys,
};
pub use suggest::closest;
