//! From paths on the command line to compiled clusters.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::git::{self, Unknown};
use super::input::{self, Found, Inventory};
use super::options::{Overrides, Sources};
use crate::compile::{Inputs, Outcome, compile_all};
use crate::disk;
use crate::manifest::{Mac, Manifest};
use crate::print::{Judged, Source};
use crate::report::Report;
use crate::secrets::{self, Secrets};
use crate::tree::Tree;

/// One inventory and everything that came of it.
pub(super) struct Compiled {
    pub(super) inventory: Inventory,
    name: String,
    /// `None` where the verb needs no bundle.
    pub(super) found: Option<Found>,
    /// Left to the end of the process, which need not take a large tree apart piece by piece.
    pub(super) outcome: ManuallyDrop<Outcome>,
    /// What was found about the folder that holds its tree.
    of_folder: Option<(String, Report)>,
}

impl Compiled {
    /// Compiles with the bundle.
    pub(super) fn build(path: &Path, sources: &Sources) -> Result<Self, Failure> {
        let mut all = Self::build_all(&[path.to_owned()], sources)?;
        all.pop().ok_or_else(|| Failure::new("no inventory was given"))
    }

    /// Compiles each inventory with its bundle, in parallel.
    pub(super) fn build_all(paths: &[PathBuf], sources: &Sources) -> Result<Vec<Self>, Failure> {
        if paths.len() > 1 && sources.secrets.is_some() {
            return Err(Failure::new("`--secrets` names one bundle, but there are several inventories")
                .help("build them one by one, or keep each bundle beside its inventory: x.secrets.yaml beside x.yaml"));
        }
        let bundles = paths
            .iter()
            .map(|path| Found::read(input::bundle_path(path, sources.secrets.as_deref())?, path))
            .collect::<Result<Vec<_>, _>>()?;
        let inputs = inventories(paths)?.into_iter().zip(bundles.into_iter().map(Some)).collect();
        Ok(run(inputs, &sources.overrides.read()?))
    }

    /// Checks each inventory without a bundle, in parallel.
    pub(super) fn check_all(
        paths: &[PathBuf],
        overrides: &Overrides,
    ) -> Result<Vec<Self>, Failure> {
        let beside = paths.iter().map(|path| Found::beside(path));
        let inputs = inventories(paths)?.into_iter().zip(beside).collect();
        Ok(run(inputs, &overrides.read()?))
    }

    /// Judges the tree against the one in the folder that it is to replace, and against what Git
    /// tracks there. What cannot be read there is reported by whoever writes or compares.
    pub(super) fn replaces(&mut self, folder: &Path) {
        self.of_folder = self.tracked(folder);
        let Some(new) = self.outcome.manifest.clone() else { return };
        self.outcome.replaces(|path| disk::standing(&new, folder, path).unwrap_or_default());
    }

    /// The finding of private files that Git tracks: `git commit -a` takes them, whatever the
    /// tree's own `.gitignore` says.
    fn tracked(&self, folder: &Path) -> Option<(String, Report)> {
        let files = self.outcome.tree.as_ref()?.iter();
        let private = files.filter(|(_, artifact)| artifact.secret).map(|(path, _)| path);
        let name = folder.display().to_string();
        let finding = match git::tracked(folder, private) {
            Ok(paths) if paths.is_empty() => return None,
            Ok(paths) => secrets::tracked_files(&name, &paths),
            Err(Unknown { reason, help }) => {
                secrets::index_unknown(&format!("private files of the tree {name}"), &reason, help)
            }
        };
        let mut report = Report::new();
        report.push(finding);
        Some((name, report))
    }

    /// The findings, each beside the text that they are about.
    pub(super) fn judged(&self) -> Vec<Judged<'_>> {
        let source = match &self.outcome.document {
            Some(document) => Source::read(document),
            None => Source::unread(&self.name, &self.inventory.bytes),
        };
        let mut judged = vec![Judged { source, report: &self.outcome.report }];
        judged.extend(self.found.as_ref().map(Found::judged));
        judged.extend(
            self.of_folder
                .as_ref()
                .map(|(name, report)| Judged { source: Source::unread(name, &[]), report }),
        );
        judged
    }

    /// How the run ends because of what was found; a bundle that is not there is a file that
    /// cannot be read.
    pub(super) fn exit(&self, judged: Exit) -> Exit {
        match &self.found {
            Some(found) if found.missing => Exit::Failed,
            _ => judged,
        }
    }

    /// Does what takes the key under which the tree's private files are pinned.
    pub(super) fn with_mac<T>(&self, act: impl FnOnce(Option<&Mac<'_>>) -> T) -> T {
        match self.found.as_ref().and_then(|found| found.bundle.as_ref()).map(Secrets::new) {
            Some(secrets) => act(Some(&|bytes: &[u8]| secrets.fingerprint(bytes))),
            None => act(None),
        }
    }

    /// The tree with its manifest; absent where an error was found.
    pub(super) fn tree(&self) -> Option<(&Tree, &Manifest)> {
        Some((self.outcome.tree.as_ref()?, self.outcome.manifest.as_ref()?))
    }
}

fn inventories(paths: &[PathBuf]) -> Result<Vec<Inventory>, Failure> {
    if paths.iter().filter(|path| input::is_stdin(path)).count() > 1 {
        return Err(Failure::new("standard input can only be read once"));
    }
    paths.iter().map(|path| Inventory::read(path)).collect()
}

fn run(
    inputs: Vec<(Inventory, Option<Found>)>,
    templates: &BTreeMap<String, String>,
) -> Vec<Compiled> {
    let names: Vec<String> = inputs.iter().map(|(inventory, _)| inventory.name()).collect();
    let outcomes = {
        let inputs: Vec<Inputs<'_>> = inputs
            .iter()
            .zip(&names)
            .map(|((inventory, found), name)| Inputs {
                name,
                inventory: &inventory.bytes,
                bundle: found.as_ref().and_then(|found| found.bundle.as_ref()),
                templates: templates.clone(),
            })
            .collect();
        compile_all(&inputs)
    };
    inputs
        .into_iter()
        .zip(names)
        .zip(outcomes)
        .map(|(((inventory, found), name), outcome)| {
            let of_folder = None;
            let outcome = ManuallyDrop::new(outcome);
            Compiled { inventory, name, found, outcome, of_folder }
        })
        .collect()
}
