//! The records of whole clusters, `tests/real/report.json`: which of them hold, and what takes their
//! place.

use serde::{Deserialize, Serialize};

use super::report::Run;

/// One for each topology, in the order of README's table.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Records(Vec<Record>);

/// A whole run in which nothing was wrong.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// Of all that was measured, as `digest.rs` has it.
    digest: String,
    run: Run,
}

impl Record {
    /// A whole run as a record; or, where something was wrong with it, all that was. The digests are
    /// those of its topology before the run and after it.
    pub(crate) fn of(
        run: Run,
        [before, after]: [String; 2],
        mut defects: Vec<String>,
    ) -> Result<Self, Vec<String>> {
        if before != after {
            defects.push(
                "the tree or the harness changed during the run: leave both alone and run it again"
                    .to_owned(),
            );
        }
        if defects.is_empty() { Ok(Self { digest: before, run }) } else { Err(defects) }
    }
}

impl Records {
    /// Reads their JSON.
    pub(crate) fn parse(json: &str) -> Self {
        serde_json::from_str(json)
            .unwrap_or_else(|error| panic!("tests/real/report.json has no records: {error}"))
    }

    /// As [`Self::parse`] reads them.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("records are plain data") + "\n"
    }

    /// Their runs.
    pub(crate) fn runs(&self) -> Vec<&Run> {
        self.0.iter().map(|record| &record.run).collect()
    }

    /// Whether the topology of these words has a record with this digest; if not, it is due.
    pub(crate) fn hold(&self, topology: &str, digest: &str) -> bool {
        self.0.iter().any(|record| record.run.topology == topology && record.digest == digest)
    }

    /// Adds a record, in place of the earlier one of the same topology.
    pub(crate) fn put(&mut self, record: Record) {
        match self.0.iter_mut().find(|earlier| earlier.run.topology == record.run.topology) {
            Some(earlier) => *earlier = record,
            None => self.0.push(record),
        }
    }

    /// Removes those of topologies that are none of these any more; what those were called.
    pub(crate) fn retain(&mut self, topologies: &[String]) -> Vec<String> {
        let known = |record: &Record| topologies.contains(&record.run.topology);
        let (kept, gone) = std::mem::take(&mut self.0).into_iter().partition(known);
        self.0 = kept;
        Vec::into_iter(gone).map(|record: Record| record.run.topology).collect()
    }
}
