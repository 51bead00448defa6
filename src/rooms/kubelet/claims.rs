use super::PART;
use super::fields::Fields;
use super::plan::{KubeletPlan, OnNode};
use crate::catalog::{KUBERNETES_PACKAGES, OsFamily, PathUse, flag_paths};
use crate::claims::{
    Bind, Carried, NeededFile, OwnedPath, Package, Phase, Port, Protocol, Reach, Repository,
    RoomClaims, Script, Unit, WrittenFor,
};
use crate::report::Path;
use crate::site::said_flags::SaidFlag;
use crate::site::{Cluster, Host, KUBELET_CONFIGURATION};
use crate::tree::Apply;

/// States the configuration, flags, ports, unit, folder and packages.
pub(super) fn state(plan: &KubeletPlan<'_>, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    let value = plan.configuration.clone();
    claims.carried.push(Carried { document: KUBELET_CONFIGURATION, program: "kubelet", value });
    for node in cluster.nodes {
        let Some(kubelet) = plan.nodes.get(&node.index) else { continue };
        on_node(plan, kubelet, cluster, node, claims);
    }
}

fn on_node(
    plan: &KubeletPlan<'_>,
    kubelet: &OnNode<'_>,
    cluster: &Cluster<'_>,
    node: &Host,
    claims: &mut RoomClaims,
) {
    let claims = claims.node(node.index);
    claims.scripts.push(Script::part("kubelet", Phase::KUBERNETES.step, PART.id));
    claims.needed_files.extend(files(&plan.fields));
    for SaidFlag { name, value, at } in &kubelet.patched {
        claims.needed_files.extend(needed(name, value.unwrap_or_default(), at));
    }
    let running = kubelet.running().into_iter();
    claims.arguments.extend(running.map(|(name, value)| ("kubelet", name, value)));
    claims.command_lines.insert("kubelet", kubelet.written());
    claims.ports.extend(ports(&plan.fields));
    claims.units.push(Unit {
        wait: false,
        start: false,
        ..Unit::started("kubelet.service", Phase::INSTALL, [])
    });
    claims.paths.push(OwnedPath {
        path: "/var/lib/kubelet".into(),
        remove_on_reset: true,
        mounts: true,
        at: Path::of(&["kubelet"]),
    });
    claims.images.insert(cluster.runtime.pause_image.clone());
    claims.packages.extend(packages(cluster, node));
}

/// It reads its files at its start.
const KUBELET: (&str, Apply) = ("kubelet.service", Apply::Restart);

/// Fields that name a file which the kubelet reads; one that is not absolute lies in the kubelet's
/// own folder, beside its configuration.
const FILE_FIELDS: [&str; 2] = ["tlsCertFile", "tlsPrivateKeyFile"];

fn files(fields: &Fields<'_>) -> Vec<NeededFile> {
    let flags = fields.flags().flat_map(|(flag, value, at)| needed(flag, value, &at));
    let fields = FILE_FIELDS.iter().filter_map(|field| {
        let (at, path) = fields.get(field)?;
        let path = path.as_str()?;
        path.starts_with('/').then(|| NeededFile {
            path: path.to_owned(),
            folder: false,
            reader: format!("{field} of the kubelet"),
            read_by: KUBELET,
            at,
        })
    });
    flags.chain(fields).collect()
}

/// What a flag needs to be there.
fn needed(flag: &str, value: &str, at: &Path) -> Vec<NeededFile> {
    let paths = flag_paths(flag, value).into_iter();
    paths
        .filter_map(|(used, path)| {
            let folder = match used {
                PathUse::File => false,
                PathUse::Folder => true,
                // The kubelet makes its folders, and a log beside others' is in one that exists.
                PathUse::Made | PathUse::MadeFolder => return None,
            };
            let reader = format!("--{flag} of the kubelet");
            let path = path.to_owned();
            Some(NeededFile { path, folder, reader, read_by: KUBELET, at: at.clone() })
        })
        .collect()
}

/// The kubelet's own defaults:
/// <https://kubernetes.io/docs/reference/networking/ports-and-protocols/>.
fn ports(fields: &Fields<'_>) -> Vec<Port> {
    let port = |bind, said: Option<(Path, u16)>, default, reach, what| {
        let (at, port) = said.unwrap_or_else(|| (Path::of(&["kubelet"]), default));
        Port { protocol: Protocol::Tcp, bind, port, reach, what, at }
    };
    let own = fields.port("port", "port");
    let health = fields.port("healthzPort", "healthz-port");
    let read_only = fields.port("readOnlyPort", "read-only-port");
    let mut ports = vec![
        port(Bind::Any, own, 10250, Reach::Nodes, "the kubelet"),
        port(Bind::Loopback, health, 10248, Reach::Host, "the kubelet's health"),
        port(Bind::Any, read_only, 0, Reach::Host, "the kubelet without authentication"),
    ];
    // 0 closes one.
    ports.retain(|port| port.port != 0);
    ports
}

/// Programs that the packages bring, as far as a script can look for them.
const PROGRAMS: [(&str, Option<&str>); 5] = [
    ("kubeadm", Some("kubeadm")),
    ("kubectl", Some("kubectl")),
    ("kubelet", Some("kubelet")),
    ("cri-tools", None),
    ("kubernetes-cni", None),
];

/// What decides the version of Kubernetes' packages.
const RELEASE: &[&str] = &["cluster", "kubernetes"];

/// All from one repository. The three that follow Kubernetes' version are held, since an upgrade
/// of a node is kubeadm's matter; the other two come in the version that the repository pairs
/// with them.
fn packages(cluster: &Cluster<'_>, node: &Host) -> Vec<Package> {
    let layout = cluster.release.package_layout;
    let version = match node.os.family {
        OsFamily::Debian => layout.deb_version(cluster.version),
        OsFamily::Rhel => layout.rpm_version(cluster.version),
    };
    PROGRAMS
        .iter()
        .map(|(name, program)| {
            let versioned = KUBERNETES_PACKAGES.contains(name);
            Package {
                name: (*name).to_owned(),
                version: versioned.then(|| version.clone()),
                written_for: versioned.then(|| WrittenFor {
                    release: cluster.version.to_string(),
                    key: RELEASE,
                    at: Path::of(RELEASE),
                }),
                repository: Repository::Kubernetes,
                hold: versioned,
                program: program.map(str::to_owned),
                serves: true,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::overlaid::claimed;

    #[test]
    fn packages_are_written_as_their_system_writes_them() {
        let version = |kubernetes: &str, distribution: &str, release: &str| {
            let overlay = json!({
                "cluster": {"kubernetes": kubernetes},
                "os": {"distribution": distribution, "release": release},
            });
            let (_, claims) = claimed(&overlay);
            let package = |name: &str| {
                let packages = &claims.of(0).packages;
                packages.iter().find(|package| package.name == name).unwrap().clone()
            };
            assert!(package("kubelet").hold && package("cri-tools").version.is_none());
            package("kubeadm").version.clone().unwrap()
        };
        assert_eq!(version("1.30.4", "debian", "12"), "1.30.4-1.1");
        assert_eq!(version("1.15.1", "centos", "7"), "1.15.1-0");
    }

    #[test]
    fn files_that_it_reads_are_somebodys() {
        let of = |overlay: &str| {
            let outcome = crate::rooms::overlaid::outcome(overlay);
            let found = outcome.report.findings().iter();
            found
                .map(|finding| format!("{} at {}", finding.code.id, finding.at))
                .collect::<Vec<_>>()
        };
        let providers = "extraArgs: {kubelet: {\
            image-credential-provider-config: /etc/kubernetes/providers.yaml, \
            image-credential-provider-bin-dir: /opt/providers}";
        let at = "audit/file-missing at extraArgs.kubelet.image-credential-provider-";
        assert_eq!(of(&format!("{providers}}}")), [format!("{at}bin-dir"), format!("{at}config")]);
        let config = "files: [{path: /etc/kubernetes/providers.yaml, content: x}]";
        assert!(
            of(&format!("{{{providers}, hostFiles: [/opt/providers]}}, {config}}}")).is_empty()
        );
        let own = "kubelet: {config: {tlsCertFile: /etc/kubernetes/kubelet.crt}}";
        assert_eq!(of(own), ["audit/file-missing at kubelet.config.tlsCertFile"]);
        let made = "kubelet: {config: {tlsCertFile: /var/lib/kubelet/pki/kubelet.crt}}";
        assert!(of(made).is_empty());
    }

    #[test]
    fn moved_ports_are_claimed() {
        let overlay = json!({
            "kubelet": {"config": {"port": 10350, "readOnlyPort": 10255}},
            "extraArgs": {"kubelet": {"healthz-port": "10348"}},
        });
        let (_, claims) = claimed(&overlay);
        let ports = claims.of(0).ports.iter().filter(|port| port.room == "kubelet");
        assert_eq!(ports.map(|port| port.port).collect::<Vec<_>>(), [10350, 10348, 10255]);
    }
}
