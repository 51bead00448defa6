//! `hagen verify`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::exit::{Exit, Failure};
use super::input::Found;
use super::summary;
use crate::disk::{self, Verification};
use crate::manifest::Manifest;
use crate::secrets::Secrets;

/// Check a tree against its own hagen.json, without an inventory.
///
/// Says which files are missing, changed, or not of this tree: whether a copy arrived whole, and
/// whether somebody edited a generated file. Private files and hagen.json itself are pinned
/// under a key of the bundle, so they are checked only with --secrets: without, somebody who edits
/// a file can edit hagen.json along with it.
///
/// Exit code 1 means that a file is missing or changed, that others may read a private one, or that
/// something below steps/, nodes/ or cluster/, which are rolled out whole, is not of this tree.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen verify out
  hagen verify out --secrets prod.secrets.yaml
  hagen verify checkout/out --public")]
pub(super) struct Verify {
    /// The folder that holds the tree.
    #[arg(value_name = "DIR")]
    out: PathBuf,
    /// The secrets bundle that made the tree; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// Private files that DIR lacks are fine, as in a Git checkout.
    #[arg(long)]
    public: bool,
}

impl Verify {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let out = self.out.display();
        let manifest = disk::read_manifest(&self.out)?
            .ok_or_else(|| Failure::new(format!("`{out}` holds no tree of hagen's")))?;
        let secrets = match &self.secrets {
            None => None,
            Some(path) => match self.open(path, console)? {
                Ok(secrets) if secrets.id() == manifest.bundle => Some(secrets),
                Ok(secrets) => {
                    let (given, made) = (secrets.id(), &manifest.bundle);
                    let message = format!("the tree is made with bundle {made}, not {given}");
                    return Err(Failure::new(message).help("name the bundle that made it"));
                }
                Err(exit) => return Ok(exit),
            },
        };
        let mac = secrets.as_ref().map(|secrets| |bytes: &[u8]| secrets.fingerprint(bytes));
        let mac = mac.as_ref().map(|mac| mac as &crate::manifest::Mac<'_>);
        let mut found = disk::verify(&self.out, &manifest, mac)?;
        if self.public {
            let private: std::collections::BTreeSet<&str> = private(&manifest).collect();
            found.missing.retain(|path| !private.contains(path.as_str()));
        }
        console.result(&listed(&found))?;
        if !found.unchecked.is_empty() {
            let count = summary::counted(found.unchecked.len(), "private file");
            console.tell(&format!(
                "hagen.json itself and {count} not checked: that takes the bundle (--secrets FILE)\n"
            ));
        }
        Ok(if found.is_whole() { Exit::Fine } else { Exit::Found })
    }

    fn open(&self, path: &Path, console: &Console) -> Result<Result<Secrets, Exit>, Failure> {
        let found = Found::read(path.to_owned(), Path::new("INVENTORY"))?;
        Ok(found.open(console)?.map(Secrets::new))
    }
}

fn private(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.files.iter().filter(|entry| entry.secret).map(|entry| entry.path.as_str())
}

fn listed(found: &Verification) -> String {
    let Verification { missing, changed, unchecked: _, readable, foreign } = found;
    let kinds = [
        ("missing", missing),
        ("changed", changed),
        (summary::READABLE, readable),
        (summary::NOT_OF_THIS_TREE, foreign),
    ];
    let lines = kinds
        .iter()
        .flat_map(|(what, paths)| paths.iter().map(move |path| format!("{path}: {what}\n")));
    lines.collect()
}
