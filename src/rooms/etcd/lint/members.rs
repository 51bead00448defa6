//! How many members there are, where they run, and who runs them.

use crate::catalog::EtcdRelease;
use crate::inventory::Inventory;
use crate::inventory::etcd::{BackupSection, EtcdEndpoints, EtcdSection};
use crate::inventory::node::Role;
use crate::report::{Finding, Path, Report};
use crate::rooms::etcd::{
    ALL_ENDPOINTS, DATA_LOSS, EVEN_MEMBERS, EXTERNAL_ONLY, ON_CONTROL_PLANES, SINGLE_MEMBER,
    TOO_MANY_MEMBERS, TOO_OLD, section,
};
use crate::site::endpoint::without_role;
use crate::site::{Cluster, EtcdMode, LoadBalancerKind};

/// etcd's own advice: beyond seven, each write waits for more disks and no practical fault is
/// survived that seven would not (<https://etcd.io/docs/latest/faq/#what-is-maximum-cluster-size>).
const MOST_MEMBERS: usize = 7;

/// How many members, and where.
pub(super) fn count(cluster: &Cluster<'_>, report: &mut Report) {
    let count = cluster.etcd.members.len();
    let external = cluster.etcd.mode == EtcdMode::External;
    if let (true, &[only], Some(_)) =
        (external, &cluster.etcd.members[..], cluster.control_planes().nth(1))
    {
        report.push(
            Finding::new(
                &SINGLE_MEMBER,
                Path::of(&["nodes"]).index(only).key("roles"),
                "the loss of this node takes the API away on every control plane",
            )
            .label("the only member of etcd")
            .help("give the role `etcd` to 3 or 5 nodes"),
        );
    }
    // An even number of stacked members is an even number of control planes, which is a finding
    // of its own.
    if external && count > 0 && count.is_multiple_of(2) {
        let fewer = count - 1;
        let lost = match fewer / 2 {
            0 => "none".to_owned(),
            lost => lost.to_string(),
        };
        report.push(
            Finding::new(
                &EVEN_MEMBERS,
                section(),
                format!(
                    "{count} members need {} to agree and survive the loss of {lost}, as {fewer} would",
                    count / 2 + 1
                ),
            )
            .label(format!("{count} members"))
            .help("give the role `etcd` to an odd number of nodes: 3 or 5"),
        );
    }
    if let Some(&eighth) = cluster.etcd.members.get(MOST_MEMBERS) {
        let help = if external {
            "give the role `etcd` to 3 or 5 nodes"
        } else {
            "use 3 or 5 control planes, or `etcd.mode: external` with the role `etcd` on 3 or 5 nodes"
        };
        report.push(
            Finding::new(
                &TOO_MANY_MEMBERS,
                Path::of(&["nodes"]).index(eighth),
                format!(
                    "{count} members of etcd; more than {MOST_MEMBERS} only slow each write down"
                ),
            )
            .label("one more member")
            .help(help),
        );
    }
}

/// What is said about members that kubeadm runs, and would be ignored.
pub(super) fn stacked(said: &Inventory, report: &mut Report) {
    let EtcdSection {
        mode: _,
        version,
        endpoints,
        data_dir: _,
        client_port,
        peer_port,
        metrics_port: _,
        heartbeat_interval,
        election_timeout,
        quota_bytes,
        backup,
        settings: _,
    } = &said.etcd;
    let mut refuse = |at: Path, help: &str| {
        report.push(
            Finding::new(&EXTERNAL_ONLY, at, "this has no effect on stacked members")
                .label("kubeadm decides this")
                .because(section().key("mode"), "not `external`")
                .help(help.to_owned()),
        );
    };
    let keys = [
        ("version", version.is_some(), None),
        ("endpoints", *endpoints != EtcdEndpoints::Auto, None),
        ("clientPort", client_port.is_some(), None),
        ("peerPort", peer_port.is_some(), None),
        ("heartbeatInterval", heartbeat_interval.is_some(), Some("heartbeat-interval")),
        ("electionTimeout", election_timeout.is_some(), Some("election-timeout")),
        ("quotaBytes", quota_bytes.is_some(), Some("quota-backend-bytes")),
        ("backup", *backup != BackupSection::default(), None),
    ];
    for (key, _, setting) in keys.into_iter().filter(|(_, is_said, _)| *is_said) {
        let help = match setting {
            Some(flag) => format!("use `etcd.settings: {{{flag}: …}}`, or `etcd.mode: external`"),
            None => "remove it, or use `etcd.mode: external`".to_owned(),
        };
        refuse(section().key(key), &help);
    }
    for (index, node) in said.nodes.iter().enumerate() {
        if node.roles.contains(&Role::Etcd) {
            refuse(
                Path::of(&["nodes"]).index(index).key("roles"),
                "remove the role `etcd`, or use `etcd.mode: external`",
            );
        }
    }
}

/// What can be wrong about members that systemd runs.
pub(super) fn external(cluster: &Cluster<'_>, facts: &EtcdRelease, report: &mut Report) {
    age(cluster, facts, report);
    let on_control_planes: Vec<&str> = cluster
        .members()
        .filter(|member| member.control_plane())
        .map(|member| member.name.as_str())
        .collect();
    if !on_control_planes.is_empty() {
        report.push(
            Finding::new(
                &ON_CONTROL_PLANES,
                section().key("mode"),
                format!("members of the external etcd share machines with control planes: {}", on_control_planes.join(", ")),
            )
            .label("external to kubeadm only")
            .help("fine where machines are few; for independent failures give the role `etcd` to other nodes"),
        );
    }
    if !cluster.etcd.local_endpoints && cluster.etcd.members.len() > 1 {
        let finding = Finding::new(
            &ALL_ENDPOINTS,
            section().key("endpoints"),
            "when a machine with a member is lost, the API servers' requests to it stall for ten seconds",
        )
        .label("each API server talks to all members");
        report.push(match own_members(cluster) {
            Some(help) => finding.help(help),
            None => finding,
        });
    }
}

/// What gives each API server a member of its own, where a balancer can leave those without.
fn own_members(cluster: &Cluster<'_>) -> Option<String> {
    let balancer = cluster.endpoint.balancer.as_ref()?;
    let nginx =
        (balancer.kind == LoadBalancerKind::Nginx).then(|| "write `kind: haproxy`".to_owned());
    let apart = cluster.control_planes().any(|node| !node.member());
    let apart = apart.then(|| without_role("etcd", cluster.members()));
    let steps: Vec<String> = nginx.into_iter().chain(apart).collect();
    let steps = match steps.is_empty() {
        true => "remove `endpoints: all`".to_owned(),
        false => steps.join(" and "),
    };
    Some(format!("behind haproxy, members on the control planes are lost within four: {steps}"))
}

fn age(cluster: &Cluster<'_>, facts: &EtcdRelease, report: &mut Report) {
    let version = cluster.etcd.version;
    let at = section().key("version");
    let kubernetes = cluster.version;
    if let Some(least) = cluster.release.external_etcd_instead_of(version, kubernetes.patch) {
        report.push(
            Finding::new(
                &TOO_OLD,
                at.clone(),
                format!("kubeadm {kubernetes} refuses etcd {version}; it wants {least} or newer"),
            )
            .label(format!("older than {least}"))
            .because(Path::of(&["cluster", "kubernetes"]), "this release")
            .help(format!("write `version: \"{least}\"`, or a newer release")),
        );
    }
    if let Some(safe) = facts.safe_instead_of(version.patch) {
        report.push(
            Finding::new(&DATA_LOSS, at, format!("etcd {version} is known to lose data"))
                .label(format!("mended in {safe}"))
                .help(format!("write `version: \"{safe}\"`, or a newer release")),
        );
    }
}
