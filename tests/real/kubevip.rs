//! kube-vip itself: its own manifest says the same as the generated one; with the generated environment,
//! rights and kubeconfigs it takes the VIP, gives it up and finds it again, in front of real API servers;
//! and kubeadm starts and joins beside a static pod that is there already.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::{Case, Cluster, MINIMAL, Node, compiled};
use crate::documents::read_yaml;
use crate::kubeadm::{self, Release, V1_21, V1_30, V1_37};
use crate::machine::{Background, Machine};
use crate::network::Network;
use crate::patience;
use crate::programs::{Ran, built, installed, run};

const MANIFEST: &str = "/etc/kubernetes/manifests/kube-vip.yaml";
/// What the program's own manifest lacks; the failover shows that it is read. Without the first, 1.2.2 asks
/// the VIP who holds the VIP.
const BEYOND: [&str; 2] = ["kubernetes_addr", "vip_arpRate"];

fn held(text: &str) -> String {
    text.replace("  port: 8443\n", "  port: 6443\n  holder: kubeVip\n")
}

const KUBE_VIP: Case = Case { name: "kube-vip", edit: |text| held(&text), ..MINIMAL };
const KUBE_VIP_IPV6: Case = Case {
    name: "kube-vip-ipv6",
    edit: |text| {
        let text = held(&text).replace("10.0.0.10/24", "fd00:10::10/64");
        let networks = "cluster:\n  podSubnet: fd00:244::/48\n  serviceSubnet: fd00:96::/112\n";
        text.replace("10.0.0.", "fd00:10::").replace("cluster:\n", networks)
    },
    ..MINIMAL
};
const KUBE_VIP_1_30: Case =
    Case { name: "kube-vip-1.30", edit: |text| of_release(&text, "1.30.4"), ..MINIMAL };
const KUBE_VIP_1_21: Case =
    Case { name: "kube-vip-1.21", edit: |text| of_release(&text, "1.21.14"), ..MINIMAL };

fn of_release(text: &str, release: &str) -> String {
    let text = held(text).replace("\"1.37.1\"", &format!("\"{release}\""));
    assert!(text.contains(release), "{text}");
    text + "runtime: {version: \"1.6\"}\npackages: {source: preinstalled}\n"
}

/// A node's pod.
fn pod(node: &Node) -> Value {
    read_yaml(&node.rootfs.join(&MANIFEST[1..])).remove(0)
}

/// The variables of a pod's only container: their values, or where these come from.
fn environment(pod: &Value) -> BTreeMap<String, Value> {
    let variables = pod["spec"]["containers"][0]["env"].as_array().unwrap();
    let word = |variable: &Value| {
        let value = variable.get("value").unwrap_or(&variable["valueFrom"]);
        (variable["name"].as_str().unwrap().to_owned(), value.clone())
    };
    variables.iter().map(word).collect()
}

#[test]
fn says_what_the_program_s_own_manifest_says() {
    let cluster = compiled(&KUBE_VIP);
    let folder = cluster.out.parent().unwrap();
    for node in cluster.nodes_with(MANIFEST) {
        let own = pod(node);
        let environment = environment(&own);
        let word = |name: &str| environment[name].as_str().unwrap();
        let mut command = Command::new(built("kube-vip-1.2", "kube-vip"));
        command.args(["manifest", "pod", "--arp", "--controlplane", "--leaderElection"]);
        for (flag, name) in [
            ("--address", "address"),
            ("--interface", "vip_interface"),
            ("--leaseDuration", "vip_leaseduration"),
            ("--leaseRenewDuration", "vip_renewdeadline"),
            ("--leaseRetry", "vip_retryperiod"),
            ("--prometheusHTTPServer", "prometheus_server"),
        ] {
            command.args([flag, word(name)]);
        }
        let volume = &own["spec"]["volumes"][0]["hostPath"]["path"];
        command.args(["--k8sConfigPath", volume.as_str().unwrap()]);
        let printed = folder.join("upstream.yaml");
        fs::write(&printed, run(&mut command).succeeded().stdout).unwrap();
        let upstream = read_yaml(&printed).remove(0);

        let theirs = self::environment(&upstream);
        for (name, value) in environment.iter().filter(|(name, _)| !BEYOND.contains(&name.as_str()))
        {
            assert_eq!(Some(value), theirs.get(name), "{}: {name}", node.name);
        }
        let beyond = environment.keys().filter(|name| !theirs.contains_key(*name));
        assert_eq!(beyond.collect::<Vec<_>>(), BEYOND);
        let left_out: Vec<_> =
            theirs.keys().filter(|name| !environment.contains_key(*name)).collect();
        assert_eq!(left_out, ["dhcp_mode", "dns_mode"], "of names, which no address has");
        for part in [
            "/kind",
            "/metadata",
            "/spec/hostNetwork",
            "/spec/containers/0/args",
            "/spec/containers/0/image",
            "/spec/containers/0/imagePullPolicy",
            "/spec/containers/0/securityContext",
            "/spec/containers/0/volumeMounts/0/mountPath",
            "/spec/volumes/0/hostPath/path",
        ] {
            let [own, upstream] = [&own, &upstream].map(|pod| pod.pointer(part));
            assert!(own.is_some() && own == upstream, "{}: {part}: {own:?}", node.name);
        }
    }
}

/// What a preflight check says, where it has something to say.
fn preflight(case: &Case, node: &str, release: &Release, words: [&str; 4]) -> Ran {
    let cluster = compiled(case);
    let node = cluster.nodes.iter().find(|one| one.name == node).unwrap();
    let machine = node.start(&Network::start());
    machine.place(&built(release.module, "kubeadm"), "/usr/bin/kubeadm");
    let [verb, kind, config, file] = words;
    machine.run("kubeadm", &[verb, "phase", kind, config, file])
}

#[test]
fn kubeadm_starts_and_joins_beside_a_static_pod() {
    let manifests = "DirAvailable--etc-kubernetes-manifests";
    for (case, release, checks) in [
        (&KUBE_VIP, &V1_37, false),
        (&KUBE_VIP_1_30, &V1_30, false),
        (&KUBE_VIP_1_21, &V1_21, true),
    ] {
        let words = ["init", "preflight", "--config", "/etc/kubernetes/kubeadm-config.yaml"];
        let ran = preflight(case, "cp1", release, words);
        // It looks for the API server's, and not at the folder.
        assert!(ran.text().contains("preflight"), "{ran}");
        assert!(!ran.text().contains("etc-kubernetes-manifests"), "{ran}");
        let words = ["join", "preflight", "--config", "/etc/kubernetes/kubeadm-join.yaml"];
        let ran = preflight(case, "cp2", release, words);
        assert!(ran.text().contains("preflight"), "{ran}");
        assert!(!ran.text().contains(&format!("[ERROR {manifests}]")), "{ran}");
        let warned = ran.text().contains(&format!("[WARNING {manifests}]"));
        assert_eq!(warned, checks, "{}: {ran}", release.version);
    }
}

/// Longest time in which an API server starts on a busy machine.
const START: Duration = Duration::from_secs(120);
/// The eight seconds of which the runbook speaks, and some on a busy machine.
const ELECTION: Duration = Duration::from_secs(12);

/// What the container gets of its host: the kubeconfig in its place, no kernel settings to write, and no
/// capability but those that are named.
const CONTAINER: &str = "set -e
mount --bind \"$1\" /etc/kubernetes/admin.conf
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
exec setpriv --bounding-set=-all,$2 env -i \"${@:3}\" /kube-vip manager
";

/// A control plane, without a kubelet: its static pods are started by the test.
struct Plane<'a> {
    node: &'a Node,
    machine: Machine,
}

impl<'a> Plane<'a> {
    /// With the manifests that kubeadm makes of its configuration.
    fn start(cluster: &Cluster, node: &'a Node, network: &Network) -> Self {
        let machine = node.start(network);
        kubeadm::judge(cluster, node, &machine, &V1_37);
        for program in ["kube-apiserver", "kubectl"] {
            let from = built("kubernetes-1.37", program);
            machine.place(&from, &format!("/usr/local/bin/{program}"));
        }
        machine.place(&built("etcd-3.7", "etcd"), "/usr/local/bin/etcd");
        machine.place(&built("kube-vip-1.2", "kube-vip"), "/kube-vip");
        Self { node, machine }
    }

    /// Starts the program of a static pod, with more arguments, which win.
    fn component(&self, name: &str, more: &[&str]) -> Background {
        let manifest = format!("/etc/kubernetes/manifests/{name}.yaml");
        let pod = read_yaml(&self.machine.path(&manifest)).remove(0);
        let words = pod["spec"]["containers"][0]["command"].as_array().unwrap();
        let words = words.iter().map(|word| word.as_str().unwrap());
        let words: Vec<_> = words.chain(more.iter().copied()).collect();
        self.machine.background(&format!("/{name}.log"), &words)
    }

    /// Starts kube-vip as the node's manifest says.
    fn kube_vip(&self) -> Background {
        let pod = pod(self.node);
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let kubeconfig = word(&pod["spec"]["volumes"][0]["hostPath"]["path"]);
        let added = &pod["spec"]["containers"][0]["securityContext"]["capabilities"]["add"];
        let added = added.as_array().unwrap().iter();
        let added: Vec<_> = added.map(|name| format!("+{}", word(name).to_lowercase())).collect();
        let variables = environment(&pod).into_iter().map(|(name, value)| match value {
            Value::String(value) => format!("{name}={value}"),
            // The field of the pod that the node's name is in.
            _ => format!("{name}={}", self.node.name),
        });
        let variables: Vec<_> = variables.collect();
        let added = added.join(",");
        let mut words = vec!["unshare", "--mount", "bash", "-c", CONTAINER, "bash"];
        words.extend([kubeconfig.as_str(), &added]);
        words.extend(variables.iter().map(String::as_str));
        self.machine.background("/kube-vip.log", &words)
    }

    /// kubectl with a kubeconfig of the node, at the API server on it.
    fn kubectl(&self, kubeconfig: &str, words: &[&str]) -> Ran {
        let kubeconfig = format!("--kubeconfig=/etc/kubernetes/{kubeconfig}");
        let server = "--server=https://localhost:6443";
        self.machine.run("kubectl", &[&[kubeconfig.as_str(), server], words].concat())
    }

    fn ready(&self) -> bool {
        self.kubectl("admin.conf", &["get", "--raw", "/readyz"]).ok()
    }

    fn holds(&self, vip: &str) -> bool {
        let shown = self.machine.run("ip", &["-br", "address"]).succeeded().stdout;
        shown.contains(&format!(" {vip}/"))
    }

    fn said(&self) -> String {
        fs::read_to_string(self.machine.path("/kube-vip.log")).unwrap_or_default()
    }
}

/// The time until something is so.
#[track_caller]
fn within(
    limit: Duration,
    what: &str,
    said: impl Fn() -> String,
    so: impl Fn() -> bool,
) -> Duration {
    let start = Instant::now();
    assert!(patience::within(limit, so), "after {limit:?} not yet: {what}\n{}", said());
    start.elapsed()
}

fn url(address: &str, port: u16) -> String {
    format!("https://{}", SocketAddr::new(address.parse().unwrap(), port))
}

fn holds_the_vip(case: &Case) {
    installed("curl", "curl");
    let cluster = compiled(case);
    let network = Network::start();
    let [first, second] =
        [0, 1].map(|place| Plane::start(&cluster, &cluster.nodes[place], &network));
    let client = cluster.nodes.iter().find(|node| !node.has(MANIFEST)).unwrap().start(&network);
    let ca = first.node.rootfs.join("etc/kubernetes/pki/ca.crt");
    fs::copy(ca, client.path("/ca.crt")).unwrap();
    let vip = cluster.vip.as_str();
    let asked = format!("{}/readyz", url(vip, 6443));
    let reached = || client.run("curl", &["-sf", "-m1", "--cacert", "/ca.crt", &asked]).ok();
    let said = || format!("{}\n---\n{}", first.said(), second.said());

    // The kubelet starts it before there is an API, and before anybody but the user of super-admin.conf
    // has any rights.
    first.kube_vip();
    first.component("etcd", &[]);
    let first_api = first.component("kube-apiserver", &[]);
    within(START, "the first control plane holds the VIP", said, || first.holds(vip));
    within(START, "clients reach the API", said, reached);
    first.machine.run("pkill", &["-USR1", "kube-vip"]).succeeded();
    let dumped = || first.said().contains("ARP Broadcast Rate: 500\n");
    within(ELECTION, "its settings", said, dumped);
    let binding = ["create", "clusterrolebinding", "kubeadm:cluster-admins"];
    let rights = ["--clusterrole=cluster-admin", "--group=kubeadm:cluster-admins"];
    first.kubectl("super-admin.conf", &[&binding[..], &rights].concat()).succeeded();

    second.kube_vip();
    let member = format!("--etcd-servers={}", url(&first.node.address, 2379));
    second.component("kube-apiserver", &[&member]);
    within(START, "the second API server is ready", said, || second.ready());
    std::thread::sleep(ELECTION);
    assert!(first.holds(vip) && !second.holds(vip), "{}", said());

    first.machine.kill(&first_api);
    let moved = within(ELECTION, "the second one holds the VIP", said, || second.holds(vip));
    let gap = moved + within(ELECTION, "clients reach the API again", said, reached);
    assert!(!first.holds(vip), "both hold it: {}", said());
    eprintln!(
        "{}: the VIP moved {:.1} s after the end of the API server, which answered after {:.1} s",
        case.name,
        moved.as_secs_f32(),
        gap.as_secs_f32()
    );

    // What the runbook says of one that is killed: it leaves the VIP behind, until it starts again.
    first.component("kube-apiserver", &[]);
    within(START, "the first API server is back", said, || first.ready());
    let runs = || first.machine.run("pgrep", &["--runstates", "DRS", "kube-vip"]).ok();
    within(ELECTION, "it ends, for the kubelet to start it anew", said, || !runs());
    first.kube_vip();
    within(ELECTION, "it stands by", said, || first.said().contains("New leader"));
    second.machine.run("pkill", &["-KILL", "kube-vip"]).succeeded();
    within(ELECTION, "the first one holds the VIP", said, || first.holds(vip));
    assert!(second.holds(vip), "what a killed one leaves behind");
    second.kube_vip();
    within(ELECTION, "it takes its address away", said, || !second.holds(vip));
    within(ELECTION, "clients reach the API again", said, reached);
}

#[test]
fn holds_the_vip_while_its_own_api_server_answers() {
    holds_the_vip(&KUBE_VIP);
}

#[test]
fn holds_an_ipv6_vip_alike() {
    holds_the_vip(&KUBE_VIP_IPV6);
}
