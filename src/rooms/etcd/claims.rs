//! What members occupy and need.

use super::plan::{EtcdPlan, External};
use super::{BIN, FILES, certificates, paths, section, steps};
use crate::catalog::{ETCD_MACHINES, ETCD_RELEASES, EtcdRelease, PathUse};
use crate::claims::{
    Archive, ArchiveSource, Bind, NeededFile, OwnedPath, Port, Protocol, Reach, RoomClaims, Stays,
    Unit,
};
use crate::report::Path;
use crate::site::{Cluster, Host};
use crate::tree::Apply;

pub(super) fn state(plan: &EtcdPlan, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    needed_files(plan, cluster, claims);
    for node in cluster.nodes {
        claims.node(node.index).scripts.push(steps::MEMBER);
    }
    if let Some(external) = &plan.external {
        members(external, plan.facts, cluster, claims);
        certificates::ask(cluster, claims);
    }
}

/// What every member reads.
fn needed_files(plan: &EtcdPlan, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    let read_by = match plan.external {
        None => ("etcd", Apply::Pod),
        Some(_) => ("etcd.service", Apply::Restart),
    };
    let files = paths::named(cluster).filter(|named| named.seen && named.used == PathUse::File);
    for named in files {
        let needed = NeededFile {
            path: named.path.to_owned(),
            folder: false,
            reader: format!("`{}` of etcd", named.setting),
            read_by,
            at: named.at(),
        };
        for member in cluster.members() {
            claims.node(member.index).needed_files.push(needed.clone());
        }
    }
}

fn members(
    external: &External,
    facts: &EtcdRelease,
    cluster: &Cluster<'_>,
    claims: &mut RoomClaims,
) {
    for member in cluster.members() {
        let node = claims.node(member.index);
        node.scripts.push(steps::START);
        node.ports.extend(ports(member, cluster));
        node.archives.push(archive(cluster, facts));
        node.paths.extend(folders(external));
        // The other members count on it, whatever becomes of the node.
        node.stays = Some(Stays { name: "etcd", what: "its member of etcd", files: FILES });
        node.units.push(unit("etcd.service", false));
        if external.backup.is_some() {
            node.units.push(unit("etcd-backup.timer", true));
        }
    }
}

fn ports(member: &Host, cluster: &Cluster<'_>) -> [Port; 4] {
    let port = |bind, port, reach, what, key: &str| Port {
        protocol: Protocol::Tcp,
        bind,
        port,
        reach,
        what,
        at: section().key(key),
    };
    let etcd = &cluster.etcd;
    let address = Bind::Address(member.address);
    [
        port(address, etcd.client_port, Reach::Members, "etcd's clients", "clientPort"),
        port(Bind::Loopback, etcd.client_port, Reach::Host, "etcd's clients", "clientPort"),
        port(address, etcd.peer_port, Reach::Members, "etcd's peers", "peerPort"),
        port(Bind::Loopback, etcd.metrics_port, Reach::Host, "etcd's metrics", "metricsPort"),
    ]
}

/// Neither Debian nor the RHEL family packages every release of etcd, and both release on their
/// own schedule: the upstream archive is what its authors test.
fn archive(cluster: &Cluster<'_>, facts: &EtcdRelease) -> Archive {
    let version = cluster.etcd.version;
    let last = if facts.arm64_unsupported { 1 } else { ETCD_MACHINES.len() };
    // What cannot be verified is not fetched.
    let sources = ETCD_MACHINES[..last].iter().filter_map(|(machine, architecture)| {
        Some(ArchiveSource {
            machine,
            path: version.archive_path(architecture),
            sha256: cluster.etcd.archives.get(architecture)?.clone(),
            folder: format!("etcd-v{version}-linux-{architecture}"),
        })
    });
    let mut programs = vec!["etcd", "etcdctl"];
    if facts.etcdutl {
        programs.push("etcdutl");
    }
    Archive {
        name: "etcd",
        base: ETCD_RELEASES,
        sources: sources.collect(),
        programs,
        directory: BIN,
        version: vec![format!("{}/etcd", BIN), "--version".into()],
        prints: format!("etcd Version: {version}"),
    }
}

/// Snapshots outlive a reset: they are what a cluster is restored from. So do logs.
fn folders(external: &External) -> impl Iterator<Item = OwnedPath> {
    let places = [Path::of(&["etcd", "dataDir"]), Path::of(&["etcd", "settings", "wal-dir"])];
    let data = external.data.iter().zip(places).map(|(path, at)| (path.as_str(), at, true));
    let logs =
        external.logs.map(|path| (path, Path::of(&["etcd", "settings", "log-outputs"]), false));
    let kept = external.backup.iter().map(|backup| {
        (backup.directory.as_str(), Path::of(&["etcd", "backup", "directory"]), false)
    });
    data.chain(logs).chain(kept).map(|(path, at, remove_on_reset)| OwnedPath {
        path: path.to_owned(),
        remove_on_reset,
        mounts: false,
        at,
    })
}

fn unit(name: &str, wait: bool) -> Unit {
    Unit { wait, ..Unit::started(name, steps::PHASE, []) }
}
