//! Repositories that the inventory names.

use std::collections::BTreeMap;

use crate::catalog::{OsFamily, OsRelease, key_fingerprint, oses};
use crate::inventory::packages::{PackagesSection, RepositoriesSection, RepositorySection};
use crate::report::{Finding, Path, Report};
use crate::rooms::host::{
    KEY_UNPINNED, PACKAGE_MISSING, REPOSITORY_FORM, REPOSITORY_KEY, section_of_packages,
};
use crate::site::{Cluster, of_system_alone};

/// A repository that the inventory names, and the systems whose nodes ask it.
struct Named<'a> {
    at: Path,
    said: &'a RepositorySection,
    systems: Vec<&'static OsRelease>,
}

/// What the nodes of a system ask, by kind: its own, else what is said for all.
pub(super) struct OfSystem<'a> {
    pub(super) distribution: Vec<(Path, &'a RepositorySection)>,
    runtime: Option<(Path, &'a RepositorySection)>,
    /// Where there is none, the place for it.
    kubernetes: Result<(Path, &'a RepositorySection), Path>,
}

impl<'a> OfSystem<'a> {
    pub(super) fn new(said: &'a PackagesSection, os: &OsRelease) -> Self {
        let all = (section_of_packages().key("repositories"), &said.repositories);
        let own = said.systems.iter().position(|system| system.os.id() == os.id);
        let own = own.map(|index| {
            let at = section_of_packages().key("systems").index(index).key("repositories");
            (at, &said.systems[index].repositories)
        });
        let first = |named: fn(&RepositoriesSection) -> bool| {
            own.as_ref().filter(|(_, own)| named(own)).unwrap_or(&all)
        };
        let (at, of) = first(|named| named.distribution.is_some());
        let others = of.others.iter().enumerate();
        let others = others.map(|(index, other)| (at.key("others").index(index), other));
        let distribution = of.distribution.iter().map(|one| (at.key("distribution"), one));
        let distribution = distribution.chain(others).collect();
        let (at, of) = first(|named| named.runtime.is_some());
        let runtime = of.runtime.as_ref().map(|one| (at.key("runtime"), one));
        let (at, of) = first(|named| named.kubernetes.is_some());
        let at = at.key("kubernetes");
        let kubernetes = of.kubernetes.as_ref().map(|one| (at.clone(), one)).ok_or(at);
        Self { distribution, runtime, kubernetes }
    }
}

/// Repositories that no package manager would take, or whose packages nobody can trust.
pub(super) fn lint(said: &PackagesSection, cluster: &Cluster<'_>, report: &mut Report) {
    let systems: BTreeMap<&str, &'static OsRelease> =
        cluster.nodes.iter().map(|node| (node.os.id.as_str(), node.os)).collect();
    let mut all: Vec<Named<'_>> = Vec::new();
    let mut without_kubernetes = None;
    for os in systems.values() {
        let OfSystem { distribution, runtime, kubernetes } = OfSystem::new(said, os);
        if let Err(at) = &kubernetes {
            without_kubernetes.get_or_insert_with(|| at.clone());
        }
        let named: Vec<_> = distribution.into_iter().chain(runtime).chain(kubernetes).collect();
        for finding in one_key(&named) {
            // Said once, however many systems ask these two.
            if !report.has(finding.code, &finding.at) {
                report.push(finding);
            }
        }
        for (at, said) in named {
            match all.iter_mut().find(|named| named.at == at) {
                Some(named) => named.systems.push(os),
                None => all.push(Named { at, said, systems: vec![os] }),
            }
        }
    }
    if let Some(at) = without_kubernetes.filter(|_| !cluster.release.package_layout.reachable()) {
        report.push(
            Finding::new(
                &PACKAGE_MISSING,
                at,
                format!(
                    "the repositories that had Kubernetes {} were taken down on 2024-03-04",
                    cluster.version
                ),
            )
            .label("no repository is named")
            .because(Path::of(&["cluster", "kubernetes"]), "this release")
            .help("name a mirror in `packages.repositories.kubernetes`, with its key, or write `packages: {source: preinstalled}`"),
        );
    }
    for named in &all {
        key(&named.at, named.said, report);
        form(named, report);
    }
}

/// Exactly one way to the key.
fn key(at: &Path, said: &RepositorySection, report: &mut Report) {
    let RepositorySection { url: _, suite: _, components: _, key, keys, keyring } = said;
    let ways = [("key", key.is_some()), ("keys", !keys.is_empty()), ("keyring", keyring.is_some())];
    let ways: Vec<&str> = ways.iter().filter(|(_, said)| *said).map(|(name, _)| *name).collect();
    match ways[..] {
        [] => report.push(
            Finding::new(
                &REPOSITORY_KEY,
                at.clone(),
                "packages of a repository without a key cannot be told from forged ones",
            )
            .label("no key is named for it")
            .help("write the signing key itself as `key`, its URL in `keys`, or as `keyring` the file that hosts have already"),
        ),
        [_] => {}
        [first, second, ..] => report.push(
            Finding::new(
                &REPOSITORY_KEY,
                at.key(second),
                format!("`{first}` and `{second}` both say which key signs the repository"),
            )
            .label("one too many")
            .because(at.key(first), "the other")
            .help("keep one of them"),
        ),
    }
    for (index, key) in keys.iter().enumerate() {
        let url = key.url().as_str();
        if key.fingerprints().is_empty() && key_fingerprint(url).is_none() {
            report.push(unpinned(url, at.key("keys").index(index)));
        }
    }
}

fn unpinned(url: &str, at: Path) -> Finding {
    let message = format!("whoever sits between a node and {url} can put a key of their own there");
    Finding::new(&KEY_UNPINNED, at, message)
        .label("nothing tells the right key from another")
        .help(format!(
            "write the key itself as `key`, or its fingerprint beside its URL: `{{url: \"{url}\", fingerprints: [\"…\"]}}`"
        ))
}

/// What sources.list(5) and a `.repo` file have words for.
fn form(Named { at, said, systems }: &Named<'_>, report: &mut Report) {
    let RepositorySection { suite, components, .. } = said;
    let (apt, rpm): (Vec<&OsRelease>, Vec<&OsRelease>) =
        systems.iter().partition(|os| os.family == OsFamily::Debian);
    let flat = suite.as_ref().is_none_or(|suite| suite.as_str().ends_with('/'));
    let suites = !flat || !components.is_empty();
    if let ([deb, ..], [rpm, ..]) = (&apt[..], &rpm[..])
        && suites
    {
        let text =
            format!("nodes of {} would ask it as well, and their packages are not there", rpm.id);
        let key = if suite.is_some() { "suite" } else { "components" };
        report.push(
            Finding::new(&REPOSITORY_FORM, at.key(key), text)
                .label("a repository of apt's alone")
                .help(format!(
                    "name theirs, or this one for {} alone, in the same way: {}",
                    deb.id,
                    of_system_alone(rpm, "repositories: {…}")
                )),
        );
        return;
    }
    if let Some(suite) = suite
        && let Some((release, other)) = of_one_release(suite.as_str(), &apt)
    {
        report.push(
            Finding::new(
                &REPOSITORY_FORM,
                at.key("suite"),
                format!(
                    "{suite} is for {}, and nodes of {} would ask it as well",
                    release.id, other.id
                ),
            )
            .label("packages of one release")
            .help(format!("name theirs: {}", of_system_alone(other, "repositories: {…}"))),
        );
        return;
    }
    let finding = if apt.is_empty() && (suite.is_some() || !components.is_empty()) {
        let key = if suite.is_some() { "suite" } else { "components" };
        let text =
            "dnf and yum know neither suites nor components, and no node that asks it has apt";
        Finding::new(&REPOSITORY_FORM, at.key(key), text)
            .label("nobody reads it")
            .help("remove it, and write the whole baseurl as `url`")
    } else if flat && !components.is_empty() {
        let text = "a flat repository has no components";
        let finding = Finding::new(&REPOSITORY_FORM, at.key("components"), text)
            .help("name the `suite`, such as bookworm, or remove `components`");
        match suite {
            Some(_) => finding.because(at.key("suite"), "ends in `/`: a flat repository"),
            None => finding.label("no suite is named, so it is one folder"),
        }
    } else if !flat && components.is_empty() {
        let suite = suite.as_ref().map_or("", |suite| suite.as_str());
        let text = format!("apt wants to know which components of the suite {suite} to take");
        Finding::new(&REPOSITORY_FORM, at.key("suite"), text)
            .label("without components")
            .help("add `components: [main]`, or end it in `/` if it is a folder")
    } else {
        return;
    };
    report.push(finding);
}

/// The release that a suite is called after, `bookworm` or `bookworm-backports`, and another system
/// among these.
fn of_one_release<'a>(
    suite: &str,
    apt: &[&'a OsRelease],
) -> Option<(&'static OsRelease, &'a OsRelease)> {
    let called_after = |os: &&OsRelease| {
        let rest = os.codename.as_deref().and_then(|codename| suite.strip_prefix(codename));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '/']))
    };
    let release = oses().find(called_after)?;
    Some((release, apt.iter().find(|os| os.id != release.id)?))
}

/// apt refuses one source that is signed in two ways.
fn one_key(named: &[(Path, &RepositorySection)]) -> Vec<Finding> {
    let mut seen: BTreeMap<(&str, &str), &(Path, &RepositorySection)> = BTreeMap::new();
    let mut found = Vec::new();
    for entry in named {
        let (at, said) = entry;
        let suite = said.suite.as_ref().map_or("/", |suite| suite.as_str());
        let source = (said.url.as_str().trim_end_matches('/'), suite);
        let (other, first) = seen.entry(source).or_insert(entry);
        let keys =
            |said: &RepositorySection| (said.key.clone(), said.keys.clone(), said.keyring.clone());
        if keys(first) != keys(said) {
            let text = "the same repository is named twice, with different keys";
            found.push(
                Finding::new(&REPOSITORY_KEY, at.key("url"), text)
                    .because(other.key("url"), "named here as well")
                    .help("write the same key for both"),
            );
        }
    }
    found
}
