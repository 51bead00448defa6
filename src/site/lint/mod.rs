//! What the model itself can see to be wrong, before any room plans.

mod networks;
mod nodes;
mod release;
#[cfg(test)]
mod tests;

use time::OffsetDateTime;

use super::{Site, endpoint};
use crate::report::Report;

/// Every check of the model. `issued_at` is the bundle's date: the end of a release's life is
/// judged by it, never by a clock.
pub fn lint(site: &Site, issued_at: OffsetDateTime, report: &mut Report) {
    let Some(cluster) = &site.cluster() else { return };
    nodes::lint(cluster, report);
    networks::lint(cluster, report);
    release::lint(cluster, issued_at, report);
    endpoint::lint(cluster, report);
}
