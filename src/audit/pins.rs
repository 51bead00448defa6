//! Versions of packages that the inventory pins: whoever needs them.

use super::{PIN_DIFFERS, PIN_FORM, PIN_SHARED, UNKNOWN_PACKAGE};
use crate::claims::{Claims, Of, Package, Pin, Repository, WrittenFor};
use crate::report::{Finding, Path, Report, closest};
use crate::site::{Host, Site, of_system_alone};

/// The packages that a pin decides, each with the node that takes it.
fn pinned<'a>(
    pin: &'a Pin,
    site: &'a Site,
    claims: &'a Claims,
) -> impl Iterator<Item = (&'a Host, &'a Of<Package>)> {
    let takes =
        |node: &&Host| claims.pin(&pin.package, node.os).is_some_and(|own| own.at == pin.at);
    site.hosts.iter().filter(takes).flat_map(|node| {
        let packages = claims.of(node.index).packages.iter();
        packages.filter(|package| package.name == pin.package).map(move |package| (node, package))
    })
}

/// Each pin is of a package that some node needs, names a release that the files are written for,
/// and a version that its nodes can have.
pub(super) fn lint(site: &Site, claims: &Claims, report: &mut Report) {
    for pin in &claims.pins {
        let taken: Vec<_> = pinned(pin, site, claims).collect();
        if taken.is_empty() {
            report_unused(pin, site, claims, report);
            continue;
        }
        let of_release = |package: &Package| admits(&pin.version, package);
        let strange = taken.iter().find(|(_, package)| !of_release(package));
        let finding = match (strange, taken.iter().find(|(_, package)| of_release(package))) {
            (Some((_, package)), None) => of_another_release(pin, package),
            (Some((node, package)), Some((other, _))) => {
                Some(of_another_system(pin, package, other, node))
            }
            (None, _) => unfound(pin, &taken),
        };
        if let Some(finding) = finding {
            report.push(finding);
        }
    }
}

/// A pin that the package manager of some node has no such version for.
fn unfound(pin: &Pin, taken: &[(&Host, &Of<Package>)]) -> Option<Finding> {
    let (first, package) = taken.first()?;
    let apart = taken.iter().find(|(node, _)| are_apart(&pin.version, package, first, node));
    if let Some((other, _)) = apart {
        return Some(of_another_system(pin, package, first, other));
    }
    let Pin { package: name, version, .. } = pin;
    let whole = |node: &Host| node.os.whole_version(name, version);
    let (node, wanted) = taken.iter().find_map(|(node, _)| Some((node, whole(node)?)))?;
    let message = format!("apt finds no {name} of the version {version}: it compares whole texts");
    Some(
        Finding::new(&PIN_FORM, pin.at.clone(), message)
            .label("without what Debian adds")
            .because(node.path(), format!("runs {}", node.os.id))
            .help(format!("write `{wanted}`")),
    )
}

/// The release that files of the tree are written for.
fn release(package: &Package) -> Option<&str> {
    package.written_for.as_ref().map(|written_for| written_for.release.as_str())
}

/// Whether a version is of the release that files of the tree are written for.
fn admits(version: &str, package: &Package) -> bool {
    let Some(release) = release(package) else { return true };
    // Debian's epoch, as in `5:27.0.3`.
    let number = version.split_once(':').map_or(version, |(_, number)| number);
    let rest = number.strip_prefix(release);
    // A distribution has one version of a package, whatever else the pattern admits.
    let wider = number.split_once('*').filter(|_| package.repository == Repository::Distribution);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        || wider.is_some_and(|(before, _)| release.starts_with(before))
}

/// A package whose files are written for one release is pinned to that release.
fn of_another_release(pin: &Pin, package: &Package) -> Option<Finding> {
    let WrittenFor { release, key, at } = package.written_for.as_ref()?;
    let Pin { package: name, version, .. } = pin;
    let finding = Finding::new(
        &PIN_DIFFERS,
        pin.at.clone(),
        format!("the files of this tree are for {name} {release}, and this is {version}"),
    )
    .label("another release")
    .help(format!("write a version of {release}, or change `{}`", Path::of(key)))
    .because(at.clone(), "decides the release");
    Some(finding)
}

/// Whether two nodes have a package in no common version: apt's and dnf's versions have other forms,
/// and a build that is made for one release of a distribution is called after it.
fn are_apart(version: &str, package: &Package, one: &Host, other: &Host) -> bool {
    let pattern = version.contains('*');
    if one.os.family != other.os.family {
        // An epoch is one family's: docker-ce's is 5 for apt and 3 for dnf.
        return !pattern || version.contains(':');
    }
    let of_release = match package.repository {
        Repository::Distribution => !pattern,
        // `1.7.27-1`, and `5:27.0.3-1~debian.12~bookworm`.
        Repository::Runtime => version.contains(|c: char| c.is_ascii_alphabetic()),
        Repository::Kubernetes => false,
    };
    of_release && !one.os.shares_builds(other.os)
}

fn of_another_system(pin: &Pin, package: &Package, one: &Host, other: &Host) -> Finding {
    let Pin { package: name, version, .. } = pin;
    let own = of_system_alone(other.os, &format!("versions: {{{name}: …}}"));
    let theirs = format!("say theirs: {own}");
    // What pkgs.k8s.io has of one version differs behind its last dash.
    let help = match (package.repository, version.rsplit_once('-')) {
        (Repository::Kubernetes, Some((number, _))) => format!("write `{number}-*`, or {theirs}"),
        _ => theirs,
    };
    Finding::new(
        &PIN_SHARED,
        pin.at.clone(),
        match (release(package), admits(version, package)) {
            (Some(release), false) => format!("{} has {name} {release}", other.os.id),
            _ => format!("{} and {} do not number builds of {name} alike", one.os.id, other.os.id),
        },
    )
    .label(format!("a version of one of them: {version}"))
    .because(Path::of(&["nodes"]).index(other.index), format!("runs {}", other.os.id))
    .help(help)
}

/// A pin that no node takes.
fn report_unused(pin: &Pin, site: &Site, claims: &Claims, report: &mut Report) {
    let of_system = |node: &&Host| pin.system.as_ref().is_none_or(|os| *os == node.os.id);
    let needed = || {
        let nodes = site.hosts.iter().filter(of_system);
        let packages = nodes.flat_map(|node| &claims.of(node.index).packages);
        packages.map(|package| package.name.as_str())
    };
    // A system that no node runs is another finding.
    if needed().next().is_none() {
        return;
    }
    let name = &pin.package;
    let is_needed = needed().any(|other| other == name);
    let message = match &pin.system {
        Some(os) => format!("no node of {os} needs a package `{name}`"),
        None if is_needed => format!("every node that needs `{name}` has a version of its system"),
        None => format!("no node needs a package `{name}`"),
    };
    let finding = Finding::new(&UNKNOWN_PACKAGE, pin.at.clone(), message).label("pins nothing");
    report.push(match closest(name, needed()).filter(|_| !is_needed) {
        Some(name) => finding.help(format!("did you mean `{name}`?")),
        None => finding.help("remove it; `node.sh` of each node lists what is installed"),
    });
}

#[cfg(test)]
mod tests {
    use crate::rooms::overlaid::outcome;

    #[test]
    fn a_pin_that_nothing_takes_says_why() {
        let said = |packages: &str| -> Vec<String> {
            let outcome = outcome(&format!("packages: {{{packages}}}"));
            outcome.report.findings().iter().map(|finding| finding.message.clone()).collect()
        };
        assert_eq!(said("versions: {haproxi: '2.6.*'}"), ["no node needs a package `haproxi`"]);
        let debian = "os: {distribution: debian, release: '12'}";
        let own = format!("systems: [{{{debian}, versions: {{haproxy: '2.6.*'}}}}]");
        assert_eq!(
            said(&format!("versions: {{haproxy: '2.6.1*'}}, {own}")),
            ["every node that needs `haproxy` has a version of its system"]
        );
        let other = format!("systems: [{{{debian}, versions: {{nginx: '1.*'}}}}]");
        assert_eq!(said(&other), ["no node of debian-12 needs a package `nginx`"]);
    }
}
