//! `hagen schema`.

use clap::{Args, ValueEnum};

use super::console::Console;
use super::exit::{Exit, Failure};
use crate::manifest::Manifest;
use crate::{document, inventory};

/// Print the JSON Schema of the inventory or of the manifest.
///
/// The inventory's schema is its reference: every key with its meaning, default and source. An
/// editor that knows it completes keys and marks mistakes while you type.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen schema >inventory.schema.json
  # yaml-language-server: $schema=inventory.schema.json   (first line of an inventory)")]
pub(super) struct Schema {
    /// Of what.
    #[arg(value_enum, default_value_t, value_name = "OF")]
    of: Of,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Of {
    /// What you write.
    #[default]
    Inventory,
    /// hagen.json in every tree.
    Manifest,
}

impl Schema {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let schema = match self.of {
            Of::Inventory => inventory::schema(),
            Of::Manifest => Manifest::schema(),
        };
        console.result(&String::from_utf8_lossy(&document::json(&schema)))?;
        Ok(Exit::Fine)
    }
}
