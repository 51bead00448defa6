//! Packages that no repository has, and what is said of them in vain.

use super::archives;
use super::repositories::{self, OfSystem};
use crate::catalog::docker;
use crate::inventory::packages::{
    PackageSource, PackagesSection, RepositoriesSection, SystemPackages,
};
use crate::report::{Finding, Path, Report};
use crate::rooms::host::{
    EPEL_NEEDED, PACKAGE_MISSING, PACKAGES_UNUSED, REPOSITORY_FORM, SYSTEM_UNUSED,
    section_of_packages,
};
use crate::site::{Cluster, Host, LoadBalancerKind, RuntimeKind, of_system_alone};

const PREINSTALLED: &str = "install it yourself and write `packages: {source: preinstalled}`";

/// Packages that no repository has, and repositories that no package manager would take.
pub(super) fn lint(said: &PackagesSection, cluster: &Cluster<'_>, report: &mut Report) {
    // Versions are compared with what all rooms need.
    let PackagesSection { source, repositories: _, versions: _, systems, archives: _, digests } =
        said;
    if *source == PackageSource::Preinstalled {
        unused(said, report);
        return;
    }
    archives::lint(digests, cluster, report);
    of_systems(systems, cluster, report);
    repositories::lint(said, cluster, report);
    others(said, report);
    epel(said, cluster, report);
    if cluster.runtime.kind == RuntimeKind::Docker {
        of_docker(cluster, report);
    }
}

/// What only scripts that install something would read.
fn unused(said: &PackagesSection, report: &mut Report) {
    let PackagesSection { source: _, repositories, versions, systems, archives, digests } = said;
    let RepositoriesSection { distribution, others, runtime, kubernetes } = repositories;
    let repositories = section_of_packages().key("repositories");
    let named = [
        (repositories.key("distribution"), distribution.is_some()),
        (repositories.key("others"), !others.is_empty()),
        (repositories.key("runtime"), runtime.is_some()),
        (repositories.key("kubernetes"), kubernetes.is_some()),
        (section_of_packages().key("versions"), !versions.is_empty()),
        (section_of_packages().key("systems"), !systems.is_empty()),
        (section_of_packages().key("archives"), archives.is_some()),
        (section_of_packages().key("digests"), !digests.is_empty()),
    ];
    for (at, _) in named.into_iter().filter(|(_, named)| *named) {
        report.push(
            Finding::new(&PACKAGES_UNUSED, at, "the scripts install nothing, so none reads this")
                .label("without effect")
                .because(section_of_packages().key("source"), "everything is there already")
                .help("remove it, or write `source: repository`"),
        );
    }
}

/// Systems that nodes have, each said once.
fn of_systems(said: &[SystemPackages], cluster: &Cluster<'_>, report: &mut Report) {
    for (index, system) in said.iter().enumerate() {
        let at = section_of_packages().key("systems").index(index);
        let id = system.os.id();
        if let Some(first) = said[..index].iter().position(|other| other.os == system.os) {
            report.push(
                Finding::new(&SYSTEM_UNUSED, at.key("os"), format!("{id} is said twice"))
                    .label("nobody reads this one")
                    .because(section_of_packages().key("systems").index(first), "the first")
                    .help("say in one of them what both say"),
            );
            continue;
        }
        let mut systems: Vec<&str> = cluster.nodes.iter().map(|node| node.os.id.as_str()).collect();
        systems.sort_unstable();
        systems.dedup();
        if !systems.contains(&id.as_str()) {
            report.push(
                Finding::new(&SYSTEM_UNUSED, at.key("os"), format!("no node runs {id}"))
                    .label("nobody reads it")
                    .help(format!("remove it, or name what nodes run: {}", systems.join(", "))),
            );
        }
    }
}

fn of_docker(cluster: &Cluster<'_>, report: &mut Report) {
    let runtime = Path::of(&["runtime"]);
    if cluster.runtime.cri_dockerd {
        report.push(
            Finding::new(
                &PACKAGE_MISSING,
                runtime.key("criDockerd"),
                "cri-dockerd is in no package repository",
            )
            .label("nothing to install it from")
            .help(PREINSTALLED),
        );
    }
    if !docker(cluster.runtime.version).client_package {
        let is = &cluster.runtime.version_text;
        report.push(
            Finding::new(
                &PACKAGE_MISSING,
                runtime.key("version"),
                format!("docker {is} has no package `docker-ce-cli`; 18.09 is the first with one"),
            )
            .label("packaged otherwise")
            .help(PREINSTALLED),
        );
    }
}

/// Others of the distribution stand beside its first.
fn others(said: &PackagesSection, report: &mut Report) {
    let systems = said.systems.iter().enumerate().map(|(index, system)| {
        (section_of_packages().key("systems").index(index), &system.repositories)
    });
    for (at, named) in [(section_of_packages(), &said.repositories)].into_iter().chain(systems) {
        if named.distribution.is_none() && !named.others.is_empty() {
            let at = at.key("repositories");
            report.push(
                Finding::new(
                    &REPOSITORY_FORM,
                    at.key("others"),
                    "these are asked beside `distribution`, and none is named here",
                )
                .label("nobody reads them")
                .help("name the first of them `distribution`"),
            );
        }
    }
}

/// CentOS 7 itself has no nginx.
fn epel(said: &PackagesSection, cluster: &Cluster<'_>, report: &mut Report) {
    let balances = |node: &Host| {
        let balancer = cluster.endpoint.balancer_on(node);
        balancer.is_some_and(|balancer| balancer.kind == LoadBalancerKind::Nginx)
    };
    let asks_host = |node: &&Host| {
        balances(node)
            && node.os.nginx_needs_epel
            && OfSystem::new(said, node.os).distribution.is_empty()
    };
    if let Some(node) = cluster.nodes.iter().find(asks_host) {
        let id = &node.os.id;
        report.push(
            Finding::new(
                &EPEL_NEEDED,
                Path::of(&["loadBalancer", "kind"]),
                format!("the repositories of {id} have no nginx; EPEL has"),
            )
            .label("10-prepare.sh would not find it")
            .because(node.path(), format!("runs {id}"))
            .help(format!(
                "use `kind: haproxy`, enable EPEL on these nodes beforehand, or name a mirror that has nginx: {}",
                of_system_alone(node.os, "repositories: {distribution: {…}}")
            )),
        );
    }
}
