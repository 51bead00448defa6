use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::super::calendar;
use super::super::console::Console;
use super::super::exit::{Exit, Failure};
use super::super::git;
use super::super::input::{self, Inventory};
use crate::disk;
use crate::inventory::values::ClusterName;
use crate::secrets::{Bundle, PrivateKey, STORABLE};

/// Make the bundle of a new cluster.
///
/// Draws 32 random bytes and writes them with today's date to x.secrets.yaml beside the
/// inventory x.yaml, readable by you alone, and has Git ignore it: by a line of the .gitignore
/// beside it. An existing file is never overwritten: a running
/// cluster does not survive new keys.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen secrets new prod.yaml
  hagen secrets new --rsa 2048 prod.yaml        for kubeadm of 1.21 and older
  hagen secrets new --cluster prod --output prod.secrets.yaml")]
pub(in crate::cli) struct New {
    /// The inventory that names the cluster; `-` is standard input.
    #[arg(value_name = "INVENTORY", required_unless_present = "cluster")]
    inventory: Option<PathBuf>,
    /// The cluster's name, instead of an inventory.
    #[arg(long, value_name = "NAME", conflicts_with = "inventory", requires = "output")]
    cluster: Option<String>,
    /// Where to write it. Default: x.secrets.yaml beside x.yaml.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The date of all certificates, such as 2026-01-31T12:00:00Z. Default: now.
    #[arg(long, value_name = "RFC3339", value_parser = super::date)]
    issued_at: Option<OffsetDateTime>,
    /// Draw RSA keys of this size for the authorities and for service accounts and keep them in
    /// the bundle: for clients that know no ECDSA, and for kubeadm up to 1.21 and before 1.22.15,
    /// 1.23.12, 1.24.6 and 1.25.2, which lets no second control plane join without. All other keys
    /// stay ECDSA.
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u16).range(2048..=8192))]
    rsa: Option<u16>,
}

impl New {
    pub(in crate::cli) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let cluster = self.cluster_name()?;
        let path = match (&self.output, &self.inventory) {
            (Some(output), _) => output.clone(),
            (None, Some(inventory)) => input::bundle_path(inventory, None)
                .map_err(|failure| failure.help("say where to write it with `--output FILE`"))?,
            (None, None) => return Err(Failure::new("say where to write it with `--output FILE`")),
        };
        let mut bundle = make(&cluster, self.issued_at.unwrap_or_else(calendar::now))?;
        if let Some(bits) = self.rsa {
            store_rsa(&mut bundle, bits)?;
        }
        write_new(&path, &bundle, console)?;
        console.tell(&format!(
            "{}: the secrets of cluster {cluster}, bundle {}\n  keep it private, and keep a copy\n",
            path.display(),
            bundle.id(),
        ));
        Ok(Exit::Fine)
    }

    fn cluster_name(&self) -> Result<ClusterName, Failure> {
        let name = match (&self.cluster, &self.inventory) {
            (Some(name), _) => name.clone(),
            (None, Some(path)) => Inventory::read(path)?.cluster()?.1,
            (None, None) => return Err(Failure::new("name the cluster with `--cluster NAME`")),
        };
        name.parse().map_err(|error| {
            Failure::new(format!("`{name}` is no name of a cluster: expected {error}"))
        })
    }
}

/// A bundle out of the operating system's entropy.
pub(in crate::cli) fn make(
    cluster: &ClusterName,
    issued_at: OffsetDateTime,
) -> Result<Bundle, Failure> {
    let mut entropy = Zeroizing::new([0; 32]);
    getrandom::fill(entropy.as_mut())
        .map_err(|error| Failure::new(format!("the operating system has no entropy: {error}")))?;
    Ok(Bundle::new(&cluster.to_string(), *entropy, issued_at))
}

/// RSA keys are not derived: the search for primes is a library's own and may change with it.
fn store_rsa(bundle: &mut Bundle, bits: u16) -> Result<(), Failure> {
    for label in STORABLE {
        let key = PrivateKey::draw_rsa(&mut UnwrapErr(SysRng), usize::from(bits))
            .ok_or_else(|| Failure::new(format!("no RSA key of {bits} bits could be drawn")))?;
        bundle.store(label, key);
    }
    Ok(())
}

/// Writes a bundle where there is none, once Git ignores it.
pub(in crate::cli) fn write_new(
    path: &Path,
    bundle: &Bundle,
    console: &Console,
) -> Result<(), Failure> {
    if !path.exists()
        && let Some(ignore) = git::protect(path)?
    {
        console.tell(&format!("{}: Git ignores the secrets bundle\n", ignore.display()));
    }
    disk::create(path, bundle.to_yaml().as_bytes(), 0o600).map_err(|error| {
        let shown = path.display();
        match error.kind() {
            ErrorKind::AlreadyExists => Failure::new(format!("`{shown}` is there already"))
                .help("a cluster keeps its bundle; `hagen secrets rotate` replaces single keys"),
            _ => Failure::new(format!("cannot write `{shown}`: {error}")),
        }
    })
}
