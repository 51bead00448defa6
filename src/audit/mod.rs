//! What no room can see alone: claims that collide or are unmet.

use crate::cluster::Cluster;
use crate::report::Report;
use crate::rooms::Claims;

crate::codes! { "audit": }

/// Compares the claims of every room.
pub fn claims(cluster: &Cluster, claims: &Claims, report: &mut Report) {
    let _ = (cluster, claims, report);
}
