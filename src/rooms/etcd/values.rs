//! What settings take, and which of them have to agree: etcd checks it at start, when it is too late.

use std::collections::BTreeMap;

use super::section;
use crate::catalog::flags::FlagKind;
use crate::catalog::{EtcdRelease, EtcdValue, etcd_value, flag_words};
use crate::report::{Finding, Path, closest};
use crate::site::codes::FIELD_TYPE;
use crate::site::{Cluster, EtcdMode, said_flags};

/// 100 MiB: an idle cluster of five nodes has 4 after some minutes (measured), and grows with its
/// objects and their writes of five minutes.
const LEAST_QUOTA: i64 = 100 << 20;
/// Spans of tracing are counted of so many (`determineSampler` in `server/embed/config_tracing.go`).
const MILLION: i64 = 1_000_000;

/// Of github.com/golang-jwt, as far as etcd has had keys for them since 3.4.
const SIGN_METHODS: [&str; 12] = [
    "ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "PS256", "PS384", "PS512", "RS256",
    "RS384", "RS512",
];

/// The finding that a setting does not take a value.
pub(super) fn misfit(flag: &str, value: &str, facts: &EtcdRelease, at: &Path) -> Option<Finding> {
    let what = format!("`{flag}`");
    if flag == "cipher-suites" {
        let suites = || flag_words::cipher_suites_of_go();
        let suite = value.split(',').find(|suite| suites().all(|known| known != *suite))?;
        let finding = Finding::new(&FIELD_TYPE, at.clone(), format!("etcd knows no suite {suite}"))
            .label("as Go calls them");
        return Some(match closest(suite, suites()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("remove it"),
        });
    }
    match flag {
        "auth-token" => return token(value, facts, at),
        "distributed-tracing-sampling-rate" | "experimental-distributed-tracing-sampling-rate"
            if value.parse().is_ok_and(|rate: i64| !(0..=MILLION).contains(&rate)) =>
        {
            let message = format!("{what} is of a million spans, so not {value}");
            let finding = Finding::new(&FIELD_TYPE, at.clone(), message);
            return Some(finding.help(format!("write a number from 0 to {MILLION}")));
        }
        "quota-backend-bytes" if value.parse::<i64>().is_err() => {
            let message = format!("{what} takes a number of bytes");
            let finding = Finding::new(&FIELD_TYPE, at.clone(), message);
            return Some(finding.help("write it in digits, such as `\"8589934592\"` for 8 GiB"));
        }
        "quota-backend-bytes" => {
            return value.parse().ok().and_then(|bytes| quota(bytes, at.clone()));
        }
        _ => {}
    }
    match etcd_value(flag)? {
        EtcdValue::Kind(kind) => said_flags::misfit(kind, value, &what, at),
        EtcdValue::Choice(words) if words.iter().any(|word| word == value) => None,
        // zap reads its levels in capitals as well.
        EtcdValue::Choice(words)
            if flag == "log-level" && words.iter().any(|word| word.to_uppercase() == value) =>
        {
            None
        }
        EtcdValue::Choice(words) => {
            let finding =
                Finding::new(&FIELD_TYPE, at.clone(), format!("etcd knows no {what} {value}"))
                    .label("unknown to etcd");
            Some(match closest(value, words.iter().map(String::as_str)) {
                Some(word) => finding.help(format!("did you mean `{word}`?")),
                None => finding.help(format!("write one of {}", words.join(", "))),
            })
        }
    }
}

/// A quota that the first objects of a cluster exceed; etcd takes no more writes then. 0 is etcd's
/// own default, and less is none at all.
pub(super) fn quota(bytes: i64, at: Path) -> Option<Finding> {
    (1..LEAST_QUOTA).contains(&bytes).then(|| {
        Finding::new(&FIELD_TYPE, at, format!("{bytes} bytes are full before the cluster is up"))
            .label("etcd takes no writes once it is reached")
            .help("write 2147483648, which is 2 GiB, or more")
    })
}

/// Tokens are of users that etcd knows by passwords, `simple` or signed: `auth/store.go` and
/// `auth/options.go` in etcd's `server`.
fn token(value: &str, facts: &EtcdRelease, at: &Path) -> Option<Finding> {
    let finding = |message: String, help: String| {
        Some(Finding::new(&FIELD_TYPE, at.clone(), message).help(help))
    };
    let mut words = value.split(',');
    let kind = words.next().unwrap_or_default();
    if !["", "simple", "jwt"].contains(&kind) {
        return finding(
            format!("etcd has no tokens `{kind}`"),
            "write `simple`, or `jwt,…`".into(),
        );
    }
    let mut options: BTreeMap<&str, &str> = BTreeMap::new();
    for word in words {
        let fits = word.split_once('=').filter(|(name, value)| {
            ["sign-method", "pub-key", "priv-key", "ttl"].contains(name)
                && !value.is_empty()
                && !value.contains('=')
        });
        let once = fits.filter(|(name, value)| options.insert(name, value).is_none());
        if once.is_none() {
            let message = format!("etcd takes no option `{word}` of tokens here");
            let help = "write each of `sign-method=`, `pub-key=`, `priv-key=` and `ttl=` once at \
                        most, without blanks";
            return finding(message, help.into());
        }
    }
    if kind != "jwt" {
        return None;
    }
    let methods = || SIGN_METHODS.iter().filter(|method| !facts.rsa_tokens_only || is_rsa(method));
    let Some(method) = options.get("sign-method").filter(|said| methods().any(|m| m == *said))
    else {
        let known: Vec<&str> = methods().copied().collect();
        let message = "signed tokens need a method that this etcd knows".to_owned();
        return finding(message, format!("write `sign-method=` and one of {}", known.join(", ")));
    };
    if let Some(ttl) = options.get("ttl") {
        if facts.rsa_tokens_only {
            return finding("this etcd knows no `ttl`".to_owned(), "remove it".into());
        }
        if let Some(misfit) = said_flags::misfit(FlagKind::Duration, ttl, "`ttl`", at) {
            return Some(misfit);
        }
    }
    let has = |name: &str| options.contains_key(name);
    let (enough, help) = match facts.rsa_tokens_only {
        true => (has("priv-key") && has("pub-key"), "`priv-key=` and `pub-key=`"),
        false if method.starts_with("HS") => (has("priv-key"), "`priv-key=`"),
        false => (has("priv-key") || has("pub-key"), "`pub-key=` or `priv-key=`"),
    };
    match enough {
        true => None,
        false => finding(
            format!("{method} needs keys"),
            format!("write {help} with the path of a file that each member has"),
        ),
    }
}

fn is_rsa(method: &str) -> bool {
    method.starts_with("RS") || method.starts_with("PS")
}

/// How much history is kept is said in hours of time, or in revisions: by the mode.
///
/// Members that systemd runs keep eight hours where nothing is said, those that kubeadm runs all.
pub(super) fn compaction(cluster: &Cluster<'_>) -> Option<Finding> {
    const MODE: &str = "auto-compaction-mode";
    const RETENTION: &str = "auto-compaction-retention";
    let said = |flag: &str| cluster.etcd.settings.get(flag).map(String::as_str);
    let revisions = said(MODE) == Some("revision");
    let at = section().key("settings");
    let number =
        |value: &str| said_flags::misfit(FlagKind::Natural, value, RETENTION, &at).is_none();
    let finding = match said(RETENTION) {
        Some(value) if revisions && !number(value) => {
            let message = format!("in the mode `revision`, `{RETENTION}` is a number of revisions");
            Finding::new(&FIELD_TYPE, at.key(RETENTION), message)
                .label("no number")
                .because(at.key(MODE), "the mode")
                .help("write a number, such as `\"10000\"`, or leave the mode out")
        }
        Some(value)
            if !number(value)
                && said_flags::misfit(FlagKind::Duration, value, RETENTION, &at).is_some() =>
        {
            let message = format!("`{RETENTION}` is a number of hours, or a duration");
            Finding::new(&FIELD_TYPE, at.key(RETENTION), message)
                .label("neither of them")
                .help("write `8h`")
        }
        None if revisions && cluster.etcd.mode == EtcdMode::External => {
            let message = "the mode `revision` does not say how many are kept";
            Finding::new(&FIELD_TYPE, at.key(MODE), message)
                .label("eight hours are kept where nothing is said")
                .help(format!("add `{RETENTION}: \"10000\"`"))
        }
        _ => return None,
    };
    Some(finding)
}

/// Versions of TLS in their order, and suites that only older ones choose.
pub(super) fn tls(cluster: &Cluster<'_>) -> Option<Finding> {
    let at = section().key("settings");
    let said = |flag: &str| cluster.etcd.settings.get(flag).map(String::as_str);
    let least = said("tls-min-version")?;
    if said("tls-max-version").is_some_and(|most| most < least) {
        let finding = Finding::new(
            &FIELD_TYPE,
            at.key("tls-max-version"),
            "etcd refuses a newest version of TLS that is older than the oldest",
        );
        return Some(
            finding.because(at.key("tls-min-version"), "the oldest").help("remove one of the two"),
        );
    }
    (least == "TLS1.3" && said("cipher-suites").is_some()).then(|| {
        Finding::new(
            &FIELD_TYPE,
            at.key("cipher-suites"),
            "etcd refuses a choice of suites where TLS is 1.3: Go chooses among its own",
        )
        .because(at.key("tls-min-version"), "1.3 alone")
        .help("remove it")
    })
}
