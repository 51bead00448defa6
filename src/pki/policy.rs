use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::{LIFETIME_EXCEEDS_CA, LIFETIME_PAST_2049};
use crate::report::{Finding, Path, Report};
use crate::secrets::Curve;

/// How far certificates are dated back, so that a host whose clock is a little behind accepts
/// them at once. kubeadm takes five minutes; a host installed without NTP is easily worse.
const BACKDATE: Duration = Duration::HOUR;

/// What X.509 writes for "no well-defined end" (RFC 5280, section 4.1.2.5); later dates do not
/// exist in it.
const LATEST: OffsetDateTime = datetime!(9999-12-31 23:59:59 UTC);

/// The last moment that X.509 writes as UTCTime (RFC 5280, section 4.1.2.5).
const UTC_TIME_END: OffsetDateTime = datetime!(2049-12-31 23:59:59 UTC);

/// The kind of key of a cluster's authorities, service accounts and leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// `ecdsa-p256`, the default.
    EcdsaP256,
    /// `ecdsa-p384`.
    EcdsaP384,
}

impl Algorithm {
    /// The curve of the derived keys.
    pub(super) fn curve(self) -> Curve {
        match self {
            Self::EcdsaP256 => Curve::P256,
            Self::EcdsaP384 => Curve::P384,
        }
    }
}

/// What holds for every certificate of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `pki.algorithm`.
    pub algorithm: Algorithm,
    /// `pki.caLifetimeDays`, from `issuedAt`.
    pub ca_lifetime_days: u32,
    /// `pki.leafLifetimeDays`, from `issuedAt`.
    pub leaf_lifetime_days: u32,
}

impl Default for Policy {
    /// ECDSA P-256; ten years and one year, as kubeadm has them
    /// (`cmd/kubeadm/app/constants/constants.go`).
    fn default() -> Self {
        Self { algorithm: Algorithm::EcdsaP256, ca_lifetime_days: 3650, leaf_lifetime_days: 365 }
    }
}

/// From when to when a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) not_before: OffsetDateTime,
    pub(super) not_after: OffsetDateTime,
}

impl Policy {
    /// One hour before `issued_at` until the lifetime after it.
    pub(super) fn ca_validity(&self, issued_at: OffsetDateTime) -> Validity {
        Validity {
            not_before: issued_at.saturating_sub(BACKDATE),
            not_after: end(issued_at, self.ca_lifetime_days),
        }
    }

    /// The authority's beginning, as kubeadm has it; never outlives the authority.
    pub(super) fn leaf_validity(&self, issued_at: OffsetDateTime) -> Validity {
        let ca = self.ca_validity(issued_at);
        let not_after = end(issued_at, self.leaf_lifetime_days).min(ca.not_after);
        Validity { not_before: ca.not_before, not_after }
    }
}

fn end(issued_at: OffsetDateTime, days: u32) -> OffsetDateTime {
    issued_at.saturating_add(Duration::days(days.into())).min(LATEST)
}

/// Reports lifetimes that cannot be meant (`pki/lifetime-exceeds-ca`) or that old programs
/// misread (`pki/lifetime-past-2049`).
pub fn lint(policy: &Policy, issued_at: OffsetDateTime, report: &mut Report) {
    let ca_days = Path::of(&["pki", "caLifetimeDays"]);
    if policy.leaf_lifetime_days > policy.ca_lifetime_days {
        let Policy { leaf_lifetime_days: leaf, ca_lifetime_days: ca, .. } = policy;
        report.push(
            Finding::new(
                &LIFETIME_EXCEEDS_CA,
                Path::of(&["pki", "leafLifetimeDays"]),
                format!("certificates of {leaf} days would outlive their authority of {ca} days"),
            )
            .label("longer than the authority's")
            .because(ca_days.clone(), "the authority ends first")
            .help(format!("set leafLifetimeDays to {ca} or less; one year is usual")),
        );
    }
    let end = policy.ca_validity(issued_at).not_after;
    let longest = (UTC_TIME_END - issued_at).whole_days();
    if end > UTC_TIME_END && longest > 0 {
        report.push(
            Finding::new(
                &LIFETIME_PAST_2049,
                ca_days,
                format!("the authorities would be valid until {}, past 2049", end.date()),
            )
            .label("ends past 2049")
            .help(format!("set caLifetimeDays to {longest} or less")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUED_AT: OffsetDateTime = datetime!(2026-01-31 12:00 UTC);

    fn findings(ca_lifetime_days: u32, leaf_lifetime_days: u32) -> Vec<String> {
        let policy = Policy { ca_lifetime_days, leaf_lifetime_days, ..Policy::default() };
        let mut report = Report::new();
        lint(&policy, ISSUED_AT, &mut report);
        let findings = report.findings().iter();
        findings.map(|finding| format!("{} at {}", finding.code.id, finding.at)).collect()
    }

    #[test]
    fn dates_count_from_the_bundle() {
        let policy = Policy::default();
        let ca = policy.ca_validity(ISSUED_AT);
        assert_eq!(ca.not_before, datetime!(2026-01-31 11:00 UTC));
        assert_eq!(ca.not_after, datetime!(2036-01-29 12:00 UTC));
        let leaf = policy.leaf_validity(ISSUED_AT);
        assert_eq!(leaf.not_before, ca.not_before);
        assert_eq!(leaf.not_after, datetime!(2027-01-31 12:00 UTC));
    }

    #[test]
    fn no_leaf_outlives_its_authority() {
        let policy = Policy { ca_lifetime_days: 10, ..Policy::default() };
        let end = policy.leaf_validity(ISSUED_AT).not_after;
        assert_eq!(end, policy.ca_validity(ISSUED_AT).not_after);
        assert_eq!(findings(10, 11), ["pki/lifetime-exceeds-ca at pki.leafLifetimeDays"]);
        assert!(findings(10, 10).is_empty());
    }

    #[test]
    fn the_help_names_the_longest_life_before_2050() {
        let longest = (UTC_TIME_END - ISSUED_AT).whole_days() as u32;
        assert!(findings(longest, 365).is_empty());
        assert_eq!(findings(longest + 1, 365), ["pki/lifetime-past-2049 at pki.caLifetimeDays"]);
    }

    #[test]
    fn the_last_second_of_2049_is_in_time_and_no_life_of_less_than_a_day_is_asked_for() {
        let warned = |issued_at: OffsetDateTime| {
            let mut report = Report::new();
            let policy =
                Policy { ca_lifetime_days: 10, leaf_lifetime_days: 9, ..Policy::default() };
            lint(&policy, issued_at, &mut report);
            !report.findings().is_empty()
        };
        assert!(!warned(UTC_TIME_END - Duration::days(10)));
        assert!(warned(UTC_TIME_END - Duration::days(9)));
        assert!(warned(UTC_TIME_END - Duration::days(1)));
        assert!(!warned(UTC_TIME_END - Duration::hours(23)));
    }
}
