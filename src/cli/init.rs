//! `hagen init`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::exit::{Exit, Failure};
use super::secrets::new;
use super::{calendar, input};
use crate::disk;
use crate::inventory::values::ClusterName;

/// What `init` writes. Its cluster is called [`NAME`].
const STARTER: &str = include_str!("init/inventory.yaml");

/// The cluster's name in [`STARTER`].
const NAME: &str = "demo";

/// Start an inventory, with its secrets bundle beside it.
///
/// Writes a commented inventory of three control planes and a worker that builds as it is, and
/// the bundle as `hagen secrets new` does, with a .gitignore beside it. The cluster is named after the file. Existing files
/// are never overwritten.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen init prod.yaml
  $EDITOR prod.yaml
  hagen check prod.yaml
  hagen build prod.yaml -o out")]
pub(super) struct Init {
    /// The inventory to write.
    #[arg(default_value = "inventory.yaml", value_name = "FILE")]
    file: PathBuf,
}

impl Init {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let file = &self.file;
        if input::is_stdin(file) {
            return Err(Failure::new("`init` writes files").help("name one, such as prod.yaml"));
        }
        let (cluster, text) = starter(file)?;
        let secrets = input::bundle_path(file, None)?;
        let bundle = new::make(&cluster, calendar::now())?;
        // The bundle first: where one is left of an earlier cluster, nothing is written.
        new::write_new(&secrets, &bundle, console)?;
        disk::create(file, text.as_bytes(), 0o644).map_err(|error| {
            // The bundle is moments old, and nothing was built from it.
            let _ = disk::remove(&secrets);
            let shown = file.display();
            match error.kind() {
                ErrorKind::AlreadyExists => Failure::new(format!("`{shown}` is there already"))
                    .help(format!("`hagen secrets new {shown}` makes a bundle for it")),
                _ => Failure::new(format!("cannot write `{shown}`: {error}")),
            }
        })?;
        let (file, secrets) = (file.display(), secrets.display());
        console.tell(&format!(
            "{file}: an inventory to edit\n{secrets}: the secrets of cluster {cluster}; keep them private, \
             and keep a copy\n\nnext: hagen check {file}\n      hagen build {file} -o out\n"
        ));
        Ok(Exit::Fine)
    }
}

/// The starter inventory, its cluster named after the file where that is a name.
fn starter(file: &Path) -> Result<(ClusterName, String), Failure> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or(NAME);
    let named = if stem == "inventory" { NAME } else { stem };
    let name: ClusterName =
        named.parse().or_else(|_| NAME.parse()).map_err(|error: String| Failure::new(error))?;
    let text = STARTER.replacen(&format!("name: {NAME}"), &format!("name: {name}"), 1);
    Ok((name, text))
}
