//! `hagen secrets`.

mod change;
mod import;
pub(super) mod new;
mod put;
mod show;

use clap::{Args, Subcommand};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::console::Console;
use super::exit::{Exit, Failure};
use crate::secrets::is_datable;

/// Make and maintain secrets bundles.
///
/// Every private key, certificate and password of a cluster derives from its bundle: one small
/// file, x.secrets.yaml beside x.yaml. Keep it private, keep a copy: with it and the inventory
/// the whole tree can be built again, byte for byte. Without it nothing can be signed any more.
#[derive(Args, Debug)]
pub(super) struct Secrets {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    New(new::New),
    Renew(change::Renew),
    Rotate(change::Rotate),
    Import(import::Import),
    Put(put::Put),
    Drop(put::Drop),
    Show(show::Show),
}

impl Secrets {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::New(verb) => verb.run(console),
            Verb::Renew(verb) => verb.run(console),
            Verb::Rotate(verb) => verb.run(console),
            Verb::Import(verb) => verb.run(console),
            Verb::Put(verb) => verb.run(console),
            Verb::Drop(verb) => verb.run(console),
            Verb::Show(verb) => verb.run(console),
        }
    }
}

/// A date for clap.
fn date(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .and_then(|date| date.checked_to_offset(UtcOffset::UTC))
        .filter(|date| is_datable(*date))
        .ok_or_else(|| {
            "expected a date and time from 1970 on, such as 2026-01-31T12:00:00Z".to_owned()
        })
}
