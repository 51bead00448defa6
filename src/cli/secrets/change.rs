//! `hagen secrets renew` and `hagen secrets rotate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use time::OffsetDateTime;

use crate::cli::calendar;
use crate::cli::console::Console;
use crate::cli::exit::{Exit, Failure};
use crate::cli::input::{self, Found, Inventory};
use crate::cli::reporting::Reporting;
use crate::disk;
use crate::print::{Judged, Source};
use crate::report::Report;
use crate::secrets::Bundle;

/// Which bundle.
#[derive(Args, Debug)]
pub(super) struct Which {
    /// The inventory that the bundle belongs to.
    #[arg(value_name = "INVENTORY")]
    pub(super) inventory: PathBuf,
    /// The secrets bundle. Default: x.secrets.yaml beside x.yaml.
    #[arg(long, value_name = "FILE")]
    pub(super) secrets: Option<PathBuf>,
}

impl Which {
    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        input::bundle_path(&self.inventory, self.secrets.as_deref())
    }

    /// The bundle, if it is that of the inventory's cluster; `Err` is how the run ends without.
    pub(super) fn open(&self, console: &Console) -> Result<Result<Bundle, Exit>, Failure> {
        let found = Found::read(self.path()?, &self.inventory)?;
        let bundle = match found.open(console)? {
            Ok(bundle) => bundle,
            Err(exit) => return Ok(Err(exit)),
        };
        let (document, cluster) = Inventory::read(&self.inventory)?.cluster()?;
        let mut report = Report::new();
        if bundle.open(&cluster, &mut report).is_none() {
            let judged = Judged { source: Source::read(&document), report: &report };
            return Ok(Err(Reporting::default().print(console, &[judged])?));
        }
        Ok(Ok(bundle.clone()))
    }
}

/// Date all certificates anew.
///
/// Sets the bundle's date to now. The next build gives every certificate its full lifetime from
/// there; all keys and passwords stay. Build, review the difference, roll it out: nodes may
/// hold old and new certificates at the same time.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  hagen secrets renew prod.yaml
  hagen diff prod.yaml -o out
  hagen build prod.yaml -o out")]
pub(super) struct Renew {
    #[command(flatten)]
    which: Which,
    /// The date of all certificates, such as 2026-01-31T12:00:00Z. Default: now.
    #[arg(long, value_name = "RFC3339", value_parser = super::date)]
    issued_at: Option<OffsetDateTime>,
}

impl Renew {
    pub(in crate::cli) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let mut bundle = match self.which.open(console)? {
            Ok(bundle) => bundle,
            Err(exit) => return Ok(exit),
        };
        bundle.renew(self.issued_at.unwrap_or_else(calendar::now));
        let path = save(&self.which, &bundle)?;
        let date = crate::secrets::rfc3339(bundle.issued_at());
        console.tell(&format!("{path}: certificates are dated {date}\n"));
        Ok(Exit::Fine)
    }
}

/// What is replaced together.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Area {
    /// Keys of servers and clients. The authorities stay, so nodes can be changed one by one.
    Leaves,
    /// The authorities. Nothing that runs trusts the new ones: the whole cluster changes at once.
    Ca,
    /// The key that signs service account tokens. Tokens of running pods become invalid.
    ServiceAccount,
    /// The password of VRRP version 2. Balancers with different ones do not hear each other.
    Vrrp,
}

impl Area {
    /// The first segment of the derivation's labels.
    fn label(self) -> &'static str {
        match self {
            Self::Leaves => "leaves",
            Self::Ca => "ca",
            Self::ServiceAccount => "serviceAccount",
            Self::Vrrp => "vrrp",
        }
    }
}

/// Replace all keys of one area.
///
/// Raises the area's generation in the bundle; the next build derives new keys for it and
/// leaves all others as they are. For a key that became known to somebody. Keys that the bundle
/// stores, imported ones and those of `secrets new --rsa`, are not derived: `secrets import` puts
/// a new one in the place of each.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  hagen secrets rotate prod.yaml leaves
  hagen diff prod.yaml -o out
  hagen build prod.yaml -o out")]
pub(super) struct Rotate {
    #[command(flatten)]
    which: Which,
    /// Which keys.
    #[arg(value_enum, value_name = "AREA")]
    area: Area,
}

impl Rotate {
    pub(in crate::cli) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let mut bundle = match self.which.open(console)? {
            Ok(bundle) => bundle,
            Err(exit) => return Ok(exit),
        };
        let area = self.area.label();
        if let Some(refused) = self.not_derived(&bundle.stored(area)) {
            return Err(refused);
        }
        let generation = bundle.rotate(area).ok_or_else(|| {
            Failure::new(format!("{area} is at its last generation"))
                .help("nobody rotates so often; restore the bundle from a copy")
        })?;
        let path = save(&self.which, &bundle)?;
        console.tell(&format!("{path}: {area} is at generation {generation}\n"));
        Ok(Exit::Fine)
    }

    /// Why an area with stored keys is not rotated: they would stay, and only the others change.
    fn not_derived(&self, stored: &[&str]) -> Option<Failure> {
        let first = stored.first()?;
        let label = first.split_once('@').map_or(*first, |(label, _)| label);
        let Which { inventory, secrets } = &self.which;
        let inventory = inventory.display();
        let named = secrets
            .as_ref()
            .map_or_else(String::new, |path| format!(" --secrets {}", path.display()));
        Some(
            Failure::new(format!(
                "the bundle stores {}, which a new generation would not replace",
                stored.join(", ")
            ))
            .help(format!(
                "put a new key in the place of each: `openssl genrsa -out new.key 2048`, then \
                 `hagen secrets import {inventory} {label} new.key{named}`"
            )),
        )
    }
}

pub(super) fn save(which: &Which, bundle: &Bundle) -> Result<String, Failure> {
    let path = which.path()?;
    if input::is_stdin(&path) {
        return Err(Failure::new("a bundle from standard input cannot be changed")
            .help("name its file with `--secrets FILE`"));
    }
    let shown = path.display().to_string();
    disk::replace(&path, bundle.to_yaml().as_bytes(), 0o600)
        .map_err(|error| Failure::new(format!("cannot write `{shown}`: {error}")))?;
    Ok(shown)
}
