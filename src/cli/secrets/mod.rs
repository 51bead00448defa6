//! `hagen secrets`.

mod new;

use clap::{Args, Subcommand};

use super::console::Console;
use super::exit::{Exit, Failure};

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
}

impl Secrets {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::New(verb) => verb.run(console),
        }
    }
}
