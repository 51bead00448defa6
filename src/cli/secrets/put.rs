//! `hagen secrets put` and `hagen secrets drop`.

use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use super::change::{Which, save};
use crate::cli::console::Console;
use crate::cli::exit::{Exit, Failure};
use crate::cli::input;
use crate::inventory::SecretName;
use crate::secrets::SecretFile;
use crate::yaml::{hides, named};

/// Take a private file of the site's own into the bundle.
///
/// An entry of `privateFiles` in the inventory says under which path it arrives on which nodes, as
/// a private file of the tree. One that the bundle holds under this name already is replaced.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example, where the inventory says
  privateFiles:
    - {path: /etc/kubernetes/encryption.yaml, secret: encryption, nodes: {roles: [control-plane]}}
  hagen secrets put prod.yaml encryption encryption.yaml")]
pub(super) struct Put {
    #[command(flatten)]
    which: Which,
    /// Its name in the bundle.
    #[arg(value_name = "NAME")]
    name: SecretName,
    /// The file, which is text; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Put {
    pub(in crate::cli) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let mut bundle = match self.which.open(console)? {
            Ok(bundle) => bundle,
            Err(exit) => return Ok(exit),
        };
        let bytes = Zeroizing::new(input::read(&self.file)?);
        let Ok(text) = std::str::from_utf8(&bytes) else {
            let file = self.file.display();
            return Err(Failure::new(format!("{file} is not text in UTF-8")));
        };
        if let Some((at, character)) = text.char_indices().find(|(_, character)| hides(*character))
        {
            let line = text[..at].matches('\n').count() + 1;
            let (file, character) = (self.file.display(), named(character));
            let message = format!(
                "{file}: {character} in line {line}, and nobody would see it in the bundle"
            );
            return Err(Failure::new(message));
        }
        bundle.put(&self.name.to_string(), SecretFile::new(Zeroizing::new(text.to_owned())));
        let path = save(&self.which, &bundle)?;
        console.tell(&format!("{path}: holds the file `{}`\n", self.name));
        Ok(Exit::Fine)
    }
}

/// Take a private file out of the bundle.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  hagen secrets drop prod.yaml encryption")]
pub(super) struct Drop {
    #[command(flatten)]
    which: Which,
    /// Its name in the bundle.
    #[arg(value_name = "NAME")]
    name: SecretName,
}

impl Drop {
    pub(in crate::cli) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let mut bundle = match self.which.open(console)? {
            Ok(bundle) => bundle,
            Err(exit) => return Ok(exit),
        };
        if !bundle.drop_file(&self.name.to_string()) {
            return Err(Failure::new(format!("the bundle holds no file `{}`", self.name)));
        }
        let path = save(&self.which, &bundle)?;
        console.tell(&format!("{path}: no longer holds the file `{}`\n", self.name));
        Ok(Exit::Fine)
    }
}
