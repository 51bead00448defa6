//! Warns of certificates that are, or soon will be, of no use. The only reader of the clock
//! beside `hagen secrets`: it speaks after a build and changes neither a byte nor the exit code.

use std::time::SystemTime;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::compiled::Compiled;
use super::console::Console;
use super::summary;
use crate::manifest::{Certificate, Manifest};

/// How long before its end a certificate is spoken of.
const NOTICE: Duration = Duration::days(30);

/// The moment of the run.
pub(super) fn now() -> OffsetDateTime {
    SystemTime::now().into()
}

/// Speaks of what is expired, expires within 30 days, or is not valid yet.
pub(super) fn warn(console: &Console, compiled: &Compiled, manifest: &Manifest) {
    let now = now();
    let inventory = compiled.inventory.name();
    let bundle = compiled.found.as_ref().and_then(|found| found.bundle.as_ref());
    if let Some(bundle) = bundle.filter(|bundle| bundle.issued_at() > now) {
        let day = bundle.issued_at().date();
        let message = format!("the certificates of {} are valid from {day} on", manifest.cluster);
        console.warn(&message, "compare this machine's clock with `issuedAt` in the bundle");
    }
    let help = format!("`hagen secrets renew {inventory}` dates all certificates anew");
    let due = |until: OffsetDateTime| {
        let due = manifest.certificates.iter().filter(move |entry| expires(entry) <= Some(until));
        due.collect::<Vec<_>>()
    };
    let expired = due(now);
    let soon = due(now + NOTICE);
    let cluster = &manifest.cluster;
    if let Some(first) = earliest(&expired) {
        let count = summary::counted(expired.len(), "certificate");
        let message = format!("{count} of {cluster} expired, {first}");
        console.warn(&message, &help);
    }
    if let Some(first) = earliest(&soon[..]).filter(|_| soon.len() > expired.len()) {
        let count = summary::counted(soon.len() - expired.len(), "certificate");
        let message = format!("{count} of {cluster} within 30 days of expiry, {first}");
        console.warn(&message, &help);
    }
}

fn expires(entry: &Certificate) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&entry.not_after, &Rfc3339).ok()
}

/// `ca/kubernetes first, on 2036-11-18`.
fn earliest(entries: &[&Certificate]) -> Option<String> {
    let first = entries.iter().min_by_key(|entry| &entry.not_after)?;
    Some(format!("{} first, on {}", first.id, summary::day(&first.not_after)))
}
