use super::Tree;
use crate::report::Report;

/// Audits every text file of the tree.
pub fn leftovers(_tree: &Tree, _report: &mut Report) {}
