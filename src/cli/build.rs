//! `hagen build`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;

use super::compiled::Compiled;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::options::Sources;
use super::reporting::Reporting;
use super::{calendar, summary};
use crate::disk::{self, DiskError, Mode, Options, Written};
use crate::manifest::Mac;
use crate::print::{Judged, Source};
use crate::report::{Finding, Report};

/// Compile inventories into file trees.
///
/// One inventory becomes the tree DIR, several become `DIR/<cluster>` each. Everything that a
/// node needs is in the tree, keys and certificates included; DIR/README.md says what to run
/// where. The same inventory, bundle and templates give the same bytes on every machine, in
/// every year.
///
/// A tree is replaced in one step: after an interruption the old one is there, or the new one.
/// Files in DIR that hagen did not make stay; below steps/, nodes/ and cluster/, which are rolled
/// out whole, they stop the build. If any inventory has an error, nothing is written.
/// While another hagen builds into DIR, this one stops: only one at a time.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen secrets new prod.yaml             once per cluster
  hagen build prod.yaml -o out            the tree out/
  hagen build prod.yaml lab.yaml -o out   the trees out/prod/ and out/lab/
  hagen build prod.yaml -o out --check    is out/ up to date? (exit code 1: no)
  sops -d prod.secrets.yaml | hagen build prod.yaml --secrets - -o out
  hagen build - --secrets lab.secrets.yaml -o out <lab.yaml")]
pub(super) struct Build {
    /// Inventory files; `-` is standard input.
    #[arg(required = true, value_name = "INVENTORY")]
    inventories: Vec<PathBuf>,
    /// The folder that is to hold the tree.
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    sources: Sources,
    /// Write nothing: compare with DIR, list what differs, exit with 1 if anything does.
    #[arg(long)]
    check: bool,
    /// With --check: private files that DIR lacks are no difference, as in a Git checkout.
    #[arg(long, requires = "check")]
    public: bool,
    /// Write file by file, leaving everything else in DIR alone. For a mount point or a folder
    /// shared with others; an interruption may leave files of both trees.
    #[arg(long, conflicts_with = "check")]
    in_place: bool,
    /// Replace a tree that was made with another secrets bundle: every key changes.
    #[arg(long, conflicts_with = "check")]
    other_bundle: bool,
    #[command(flatten)]
    reporting: Reporting,
}

impl Build {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let mut compiled = Compiled::build_all(&self.inventories, &self.sources)?;
        let _signals = (!self.check).then(disk::Deferred::signals);
        let folders = self.folders(&compiled)?;
        for (compiled, folder) in compiled.iter_mut().zip(&folders) {
            compiled.replaces(folder);
        }
        let written = if self.may_write(&compiled) && !self.check {
            self.write(&compiled, &folders)
        } else {
            Vec::new()
        };
        let refusals: Vec<(String, Report)> = written
            .iter()
            .zip(&folders)
            .filter_map(|(written, folder)| {
                let mut report = Report::new();
                report.push(Finding::from(written.as_ref().err()?.clone()));
                Some((folder.display().to_string(), report))
            })
            .collect();
        let refused = refusals
            .iter()
            .map(|(folder, report)| Judged { source: Source::unread(folder, &[]), report });
        let judged: Vec<Judged<'_>> =
            compiled.iter().flat_map(Compiled::judged).chain(refused).collect();
        let found = self.reporting.print(console, &judged)?;
        let exit = compiled.iter().map(|compiled| compiled.exit(found)).max().unwrap_or(found);
        let exit = if refusals.is_empty() { exit } else { Exit::Failed };
        if self.check && exit == Exit::Fine {
            return self.compare(console, &compiled, &folders);
        }
        for ((compiled, folder), written) in compiled.iter().zip(&folders).zip(&written) {
            if let (Some((tree, manifest)), Ok(written)) = (compiled.tree(), written) {
                console
                    .tell(&summary::of_build(folder, compiled, tree, manifest, written, console));
                calendar::warn(console, compiled, manifest);
            }
        }
        summary::of_findings(console, &judged, self.reporting.strict);
        Ok(exit)
    }

    /// All or nothing: one call leaves no mixture of new and old clusters because of an error.
    fn may_write(&self, compiled: &[Compiled]) -> bool {
        compiled.iter().all(|compiled| {
            let fails = |judged: &Judged<'_>| judged.report.fails(self.reporting.strict);
            compiled.tree().is_some() && !compiled.judged().iter().any(fails)
        })
    }

    /// Where each tree goes.
    fn folders(&self, compiled: &[Compiled]) -> Result<Vec<PathBuf>, Failure> {
        if let [_] = compiled {
            return Ok(vec![self.out.clone()]);
        }
        let mut taken: BTreeMap<&str, &Path> = BTreeMap::new();
        let mut folders = Vec::new();
        for one in compiled {
            // An inventory that names no cluster is never written.
            let name = one.outcome.site.as_ref().map_or("", |site| site.name.as_str());
            if let Some(other) =
                taken.insert(name, &one.inventory.path).filter(|_| !name.is_empty())
            {
                return Err(Failure::new(format!(
                    "`{}` and `{}` both describe the cluster `{name}`",
                    other.display(),
                    one.inventory.path.display()
                ))
                .help("give each cluster a name of its own, or build into two folders"));
            }
            folders.push(self.out.join(name));
        }
        Ok(folders)
    }

    fn write(&self, compiled: &[Compiled], folders: &[PathBuf]) -> Vec<Result<Written, DiskError>> {
        let mode = if self.in_place { Mode::InPlace } else { Mode::Atomic };
        let options = Options { other_bundle_ok: self.other_bundle };
        compiled
            .par_iter()
            .zip(folders)
            .filter_map(|(compiled, folder)| {
                let (tree, manifest) = compiled.tree()?;
                let write =
                    |mac: Option<&Mac<'_>>| disk::write(tree, manifest, mac, folder, mode, options);
                Some(compiled.with_mac(write))
            })
            .collect()
    }

    /// `--check`: names what differs.
    fn compare(
        &self,
        console: &Console,
        compiled: &[Compiled],
        folders: &[PathBuf],
    ) -> Result<Exit, Failure> {
        let mut exit = Exit::Fine;
        for (compiled, folder) in compiled.iter().zip(folders) {
            let Some((tree, manifest)) = compiled.tree() else { continue };
            let comparison = compiled
                .with_mac(|mac| disk::compare(tree, manifest, mac, folder, self.public))
                .map_err(|DiskError { code: _, message, help }| Failure::new(message).help(help))?;
            console.result(&summary::of_comparison(folder, &comparison))?;
            if !comparison.is_same() {
                exit = Exit::Found;
            }
            calendar::warn(console, compiled, manifest);
        }
        Ok(exit)
    }
}
