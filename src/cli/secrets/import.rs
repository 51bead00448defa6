//! `hagen secrets import`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use zeroize::Zeroizing;

use super::change::{Which, save};
use crate::cli::console::Console;
use crate::cli::exit::{Exit, Failure};
use crate::cli::input;
use crate::pki::LONG_LIVED;
use crate::secrets::PrivateKey;

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
    #[arg(value_name = "LABEL", value_parser = PossibleValuesParser::new(LONG_LIVED))]
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
        let pem = std::str::from_utf8(&bytes).ok();
        let key = pem.and_then(PrivateKey::from_pem).ok_or_else(|| {
            Failure::new(format!("`{}` holds no private key that can be used", self.key.display()))
                .help("give a key on P-256 or P-384, or RSA of at least 2048 bits, in PEM")
        })?;
        bundle.store(&self.label, key);
        let path = save(&self.which, &bundle)?;
        console.tell(&format!("{path}: holds the key `{}`\n", self.label));
        Ok(Exit::Fine)
    }
}
