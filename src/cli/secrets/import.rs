//! `hagen secrets import`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use zeroize::Zeroizing;

use super::change::{Which, save};
use crate::cli::console::Console;
use crate::cli::exit::{Exit, Failure};
use crate::cli::input;
use crate::cli::reporting::Reporting;
use crate::print::{Judged, Source};
use crate::report::Report;
use crate::secrets::{self, PrivateKey, STORABLE, Unusable};

/// Take a key of an existing cluster into the bundle.
///
/// The key stands in for the derived one with the same label from then on: certificates that the
/// old authority signed stay valid beside those that hagen makes. EC keys on P-256 or P-384 and
/// RSA keys of at least 2048 bits, in PEM as kubeadm writes them.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example, on a control plane of a cluster that kubeadm made:
  hagen secrets import prod.yaml ca/kubernetes /etc/kubernetes/pki/ca.key
  hagen secrets import prod.yaml ca/front-proxy /etc/kubernetes/pki/front-proxy-ca.key
  hagen secrets import prod.yaml ca/etcd /etc/kubernetes/pki/etcd/ca.key
  hagen secrets import prod.yaml serviceAccount/key /etc/kubernetes/pki/sa.key")]
pub(super) struct Import {
    #[command(flatten)]
    which: Which,
    /// What the key is for.
    #[arg(value_name = "LABEL", value_parser = PossibleValuesParser::new(STORABLE))]
    label: String,
    /// The private key in PEM; `-` is standard input.
    #[arg(value_name = "KEY")]
    key: PathBuf,
}

impl Import {
    pub(in crate::cli) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let mut bundle = match self.which.open(console)? {
            Ok(bundle) => bundle,
            Err(exit) => return Ok(exit),
        };
        let bytes = Zeroizing::new(input::read(&self.key)?);
        let key = match PrivateKey::from_pem(std::str::from_utf8(&bytes).unwrap_or_default()) {
            Ok(key) => key,
            Err(why) => return self.refuse(console, why),
        };
        bundle.store(&self.label, key);
        let path = save(&self.which, &bundle)?;
        console.tell(&format!("{path}: holds the key `{}`\n", self.label));
        Ok(Exit::Fine)
    }

    /// Says why, beside no text: not a byte of the key is shown.
    fn refuse(&self, console: &Console, why: Unusable) -> Result<Exit, Failure> {
        let name = self.key.display().to_string();
        let mut report = Report::new();
        report.push(secrets::unusable_key(&format!("the key in `{name}`"), why));
        let judged = Judged { source: Source::unread(&name, &[]), report: &report };
        Reporting::default().print(console, &[judged])
    }
}
