//! What is to be done to a folder so that it holds a tree.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::survey::{Found, Survey, Target};
use super::{DiskError, Files, Written};
use crate::tree::Artifact;

/// How a file on disk relates to the tree's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Equal bytes and permission bits, and its owner is who builds.
    Same,
    /// Equal bytes, other permission bits or another owner.
    OtherMode,
    /// Other bytes.
    OtherBytes,
    /// Not there.
    Absent,
}

/// Each list is sorted by path.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// To be created: new, or other than on disk.
    pub(super) fresh: Vec<(&'a str, &'a Artifact)>,
    /// To be left as they are.
    pub(super) same: Vec<(&'a str, &'a Artifact)>,
    /// Of the old tree, not of the new one.
    pub(super) removed: Vec<&'a str>,
    /// Files that hagen never made.
    pub(super) foreign: Vec<&'a str>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        target: &Target,
        survey: &'a Survey,
        owned: &BTreeSet<&str>,
        new: &Files<'a>,
    ) -> Result<Self, DiskError> {
        let (mut fresh, mut same) = (Vec::new(), Vec::new());
        for ((path, artifact), state) in new.iter().zip(states(target, survey, new)?) {
            match state {
                State::Same => same.push((*path, *artifact)),
                State::OtherMode | State::OtherBytes | State::Absent => {
                    fresh.push((*path, *artifact));
                }
            }
        }
        let rest = survey.files.keys().map(String::as_str).filter(|path| !new.contains_key(path));
        let (removed, foreign) = rest.partition(|path| owned.contains(path));
        Ok(Self { fresh, same, removed, foreign })
    }

    /// Whether the folder holds the tree already.
    pub(super) fn is_done(&self) -> bool {
        self.fresh.is_empty() && self.removed.is_empty()
    }

    pub(super) fn written(&self) -> Written {
        Written {
            files: self.fresh.len(),
            bytes: self.fresh.iter().map(|(_, artifact)| artifact.bytes.len() as u64).sum(),
            unchanged: self.same.len(),
            removed: self.removed.len(),
        }
    }
}

/// The state of every file of `new`, in its order.
pub(super) fn states(
    target: &Target,
    survey: &Survey,
    new: &Files<'_>,
) -> Result<Vec<State>, DiskError> {
    new.par_iter()
        .map(|(path, artifact)| match survey.files.get(*path) {
            None => Ok(State::Absent),
            Some(found) if !same_bytes(target, path, *found, artifact)? => Ok(State::OtherBytes),
            Some(found) if found.mode != artifact.stored_mode() || !found.ours => {
                Ok(State::OtherMode)
            }
            Some(_) => Ok(State::Same),
        })
        .collect()
}

/// Whether the file on disk has the artifact's bytes.
pub(super) fn same_bytes(
    target: &Target,
    path: &str,
    found: Found,
    artifact: &Artifact,
) -> Result<bool, DiskError> {
    if found.size != artifact.bytes.len() as u64 {
        return Ok(false);
    }
    Ok(target.read(path)? == artifact.bytes)
}
