//! Every mistake of the two guides that the golden clusters follow, and why hagen's output cannot
//! contain it. Guide 1 is the three masters with haproxy, docker and an external etcd
//! (`haproxy-keepalived`), guide 4 the three masters with nginx and containerd
//! (`nginx-keepalived`). A row says what was wrong and what proves that it is not wrong here.

use std::collections::{BTreeMap, BTreeSet};

use hagen::compile::Outcome;
use hagen::tree::{Artifact, Destination};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, Pem, X509Certificate};

use self::Proof::{Finds, Holds, Never, Program, Says};
use crate::compiled::{build, check, folders, overlaid, root};

/// Why a trap cannot be in the output.
enum Proof {
    /// Every file of the guide's cluster whose path ends so says this, and there is such a file.
    Says(&'static str, &'static str),
    /// No public file of any golden cluster says this.
    Never(&'static str),
    /// This holds of the guide's cluster.
    Holds(fn(&Cluster) -> bool),
    /// The overlay that asks for it is answered with this code.
    Finds(&'static str, &'static str),
    /// A real program judges it: the file and the test in tests/real.
    Program(&'static str, &'static str),
}

/// Guide, row, what was wrong, why it cannot be here.
type Trap = (u8, u8, &'static str, &'static [Proof]);

#[rustfmt::skip]
const TRAPS: &[Trap] = &[
    (1, 1, "a second run appends the same lines again", &[
        Says("steps/lib.sh", "$0 == \"# begin hagen\" { broken"),
        Never("cat >>"), Never(">>/etc"), Never(">> /etc"),
        Program("scripts.rs", "of_nginx_keepalived_run_twice"),
    ]),
    (1, 2, "/etc/hosts is overwritten, a manifest is fetched from pinned addresses", &[
        Says("steps/lib.sh", "!inside { print }"),
        Never("cat > /etc/hosts"), Never("cat >/etc/hosts <<"), Never("raw.githubusercontent.com"),
        Says("cluster/manifests/flannel.yaml", "kind: DaemonSet"),
    ]),
    (1, 3, "daemon.json lacks a comma", &[
        Says("etc/docker/daemon.json", "native.cgroupdriver=systemd"),
        Holds(|cluster| cluster.ending(".json").all(|(_, text)| is_json(text))),
        Program("documents.rs", "of_haproxy_keepalived_parse"),
    ]),
    (1, 4, "an insecure registry, and with a scheme", &[Never("insecure-registries")]),
    (1, 5, "a here-document expands the check while it is written", &[
        Says("check-balancer.sh", "\nloopback=127.0.0.1\nport=12567\n"),
        Holds(|cluster| cluster.scripts().all(|text| here_documents(text).all(is_quoted))),
    ]),
    (1, 6, "a script without an interpreter", &[
        Holds(|cluster| cluster.executables().all(|text| text.starts_with("#!/"))),
    ]),
    (1, 7, "scripts that everybody may write, run as root", &[
        Never("chmod 777"),
        Holds(|cluster| cluster.modes().all(|mode| mode & 0o022 == 0)),
        Says("keepalived.conf", "enable_script_security"),
    ]),
    (1, 8, "a here-document into `cat <` leaves the packaged configuration in place", &[
        Never("cat < "),
        Says("keepalived.conf", "192.168.1.33/24 dev enp5s0f0"),
        Never("192.168.200.16"),
    ]),
    (1, 9, "`fail` is not a word of keepalived", &[
        Says("keepalived.conf", "\n    fall 2\n    rise 2\n"),
        Program("keepalived.rs", "accepts_haproxy_keepalived"),
    ]),
    (1, 10, "a weight beside nopreempt never moves the VIP", &[
        Says("keepalived.conf", "nopreempt"),
        Holds(|cluster| cluster.ending("keepalived.conf").all(|(_, text)| !text.contains("weight"))),
        Finds("keepalived/no-failover", "keepalived: {weight: -20}"),
    ]),
    (1, 11, "a weight smaller than the spread of the priorities", &[
        Finds("keepalived/no-failover",
            "keepalived: {preempt: true, weight: -10, priorities: {cp1: 150, cp2: 100, cp3: 90}}"),
    ]),
    (1, 12, "the check stops keepalived for good", &[
        Holds(|cluster| cluster.ending("check-balancer.sh").all(|(_, text)| {
            !["systemctl", "service ", "kill"].iter().any(|word| text.contains(word))
        })),
    ]),
    (1, 13, "the check looks for a socket with a tool that is absent", &[
        Never("netstat"),
        Says("check-balancer.sh", "read -r -t 0.5"),
        Says("haproxy.cfg", "option httpchk GET /healthz"),
    ]),
    (1, 14, "wrong ranges for router id and priority", &[
        Finds("keepalived/router-id-range", "keepalived: {routerId: 0}"),
        Finds("keepalived/router-id-range", "keepalived: {routerId: 256}"),
        Finds("keepalived/priority-range", "keepalived: {priorities: {cp1: 255}}"),
    ]),
    (1, 15, "one file for all nodes, to be edited by hand", &[
        Holds(|cluster| ["router_id ", "priority ", "unicast_src_ip "].iter().all(|word| {
            let lines = cluster.ending("keepalived.conf").filter_map(|(_, text)| line(text, word));
            lines.collect::<BTreeSet<_>>().len() == 3
        })),
        Finds("keepalived/priority-range", "keepalived: {priorities: {cp1: 100, cp2: 100}}"),
    ]),
    (1, 16, "multicast, which many switches and clouds drop", &[
        Says("keepalived.conf", "unicast_src_ip 192.168.1.9"),
        Says("keepalived.conf", "unicast_peer {\n        192.168.1.9"),
    ]),
    (1, 17, "frontend and backend of one name", &[
        Holds(|cluster| cluster.ending("haproxy.cfg").all(|(_, text)| {
            let names = |kind: &'static str| -> BTreeSet<&str> {
                text.lines().filter_map(|line| line.strip_prefix(kind)).collect()
            };
            names("frontend ").is_disjoint(&names("backend "))
        })),
        Program("haproxy.rs", "accepts_haproxy_keepalived"),
    ]),
    (1, 18, "HTTP settings for TCP sessions", &[
        Says("haproxy.cfg", "frontend fe_apiserver\n    mode tcp\n"),
        Says("haproxy.cfg", "backend be_apiserver\n    mode tcp\n"),
        Says("haproxy.cfg", "option tcplog"),
        Never("option httplog"), Never("forwardfor"), Never("url_static"),
    ]),
    (1, 19, "timeouts that cut watches", &[
        Says("haproxy.cfg", "timeout client 4h\n    timeout server 4h\n"),
        Finds("haproxy/timeouts-cut-watches", "loadBalancer: {haproxy: {idleTimeout: 1m}}"),
        Finds("nginx/timeouts-cut-watches",
            "loadBalancer: {kind: nginx, nginx: {idleTimeout: 3s}}"),
    ]),
    (1, 20, "a backend is up as soon as its port accepts", &[
        Says("haproxy.cfg", "check-ssl verify required verifyhost kubernetes"),
        Says("haproxy.cfg", "http-check expect status 200"),
    ]),
    (1, 21, "a log that nobody receives", &[
        Says("haproxy.cfg", "log /dev/log local0"), Never("log 127.0.0.1"),
    ]),
    (1, 22, "swap returns with the next boot, and a flag hides it", &[
        Says("10-prepare.sh", "swapoff -a"),
        Says("10-prepare.sh", "turned off by hagen: \\1/' /etc/fstab"),
        Never("fail-swap-on"), Never("failSwapOn: false"),
    ]),
    (1, 23, "sed on the kubelet's environment file", &[
        Never("KUBELET_EXTRA_ARGS"),
        Says("rootfs/etc/kubernetes/kubeadm-config.yaml", "kubeletExtraArgs:\n    node-ip: 192.168.1.90"),
    ]),
    (1, 24, "setenforce fails where SELinux is off", &[
        Says("10-prepare.sh", "[ \"$(getenforce)\" = Enforcing ]; then\n"),
        Says("node.sh", "\nselinux=leave\n"),
    ]),
    (1, 25, "a kernel setting that is gone", &[Never("tcp_tw_recycle")]),
    (1, 26, "modules for ipvs are written down and never loaded", &[
        Says("modules-load.d/90-hagen-kubernetes.conf", "ip_vs\nip_vs_rr\nip_vs_sh\nip_vs_wrr\n"),
        // The kernel of CentOS 7 has it as nf_conntrack_ipv4, every newer one as nf_conntrack.
        Says("modules-load.d/90-hagen-kubernetes.conf", "nf_conntrack_ipv4\n"),
        Holds(|_| golden("haproxy-keepalived-1.21")
            .ending("modules-load.d/90-hagen-kubernetes.conf")
            .all(|(_, text)| text.ends_with("nf_conntrack\n"))),
        Never("/etc/sysconfig/modules"),
    ]),
    (1, 27, "br_netfilter is loaded until the next boot", &[
        Says("modules-load.d/90-hagen-kubernetes.conf", "br_netfilter\n"),
        Says("20-install.sh", "modprobe \"$module\""),
    ]),
    (1, 28, "the firewall is turned off", &[
        Never("-P FORWARD"), Never("disable firewalld"), Never("stop firewalld"),
        Never("disable --now firewalld"),
        Says("out/README.md", "| 2380/tcp | etcd members and control planes |"),
        Says("out/README.md", "| 12567/tcp | everybody who uses the cluster |"),
    ]),
    (1, 29, "IPv6 is turned off", &[Never("disable_ipv6")]),
    (1, 30, "repositories that have moved", &[
        Says("node.sh", "  kubernetes https://mirror.example.com/kubernetes/yum/repos/"),
        Says("node.sh", "  docker-ce 18.09.7 yes\n"),
        Finds("host/package-missing",
            "{cluster: {kubernetes: 1.15.1}, os: {distribution: centos, release: \"7\"}, \
             runtime: {kind: docker, version: 18.09.7}, kubeProxy: {mode: ipvs}}"),
    ]),
    (1, 31, "certificates are made in one folder and read from another", &[
        Never("/home/ssl"), Never("scp "),
        Holds(|cluster| cluster.ending("etc/etcd/etcd.conf").all(|(path, text)| {
            let node = path.split("/rootfs").next().unwrap_or_default();
            let named = text.lines().filter_map(|line| line.split_once("_FILE=")).map(|(_, at)| at);
            named.filter(|at| cluster.all.contains(&format!("{node}/rootfs{at}"))).count() == 6
        })),
    ]),
    (1, 32, "a key usage without signatures", &[
        Holds(|cluster| cluster.leaves().all(|(_, pem)| {
            let certificate = parse(pem);
            let usage = certificate.key_usage().ok().flatten();
            usage.is_some_and(|usage| usage.critical && usage.value.digital_signature())
        })),
        Program("openssl.rs", "verifies_haproxy_keepalived"),
    ]),
    (1, 33, "one certificate is everybody's", &[
        Holds(|cluster| ["server.crt", "peer.crt", "client.crt"].iter().all(|name| {
            let texts = cluster.ending(&format!("etc/etcd/pki/{name}")).map(|(_, text)| text);
            texts.collect::<BTreeSet<_>>().len() == 3
        })),
    ]),
    (1, 34, "certificates that live for 27 years", &[
        Holds(|cluster| cluster.leaves().all(|(_, pem)| days(&parse(pem)) <= 366)),
        Finds("pki/lifetime-exceeds-ca", "pki: {caLifetimeDays: 100, leafLifetimeDays: 365}"),
    ]),
    (1, 35, "client certificates are asked for by accident", &[
        Says("etc/etcd/etcd.conf", "\nETCD_CLIENT_CERT_AUTH=true\n"),
        Says("etc/etcd/etcd.conf", "\nETCD_PEER_CLIENT_CERT_AUTH=true\n"),
    ]),
    (1, 36, "a misspelt name in an environment file", &[
        Says("etc/etcd/etcd.conf", "\nETCD_AUTO_COMPACTION_RETENTION=8h\n"),
        Holds(|cluster| cluster.ending("etc/etcd/etcd.conf").all(|(_, text)| text.lines().all(is_setting))),
        Finds("etcd/flag-version", "etcd: {mode: external, settings: {auto-compaction-retentio: \"8\"}}"),
    ]),
    (1, 37, "a proxy flag that etcd 3.6 refuses", &[
        Never("ETCD_PROXY"),
        Finds("etcd/flag-version",
            "etcd: {mode: external, version: 3.6.5, settings: {proxy: \"off\"}}"),
    ]),
    (1, 38, "an unrendered template", &[Never("{{"), Never("{%")]),
    (1, 39, "sed turns the member list into one member thrice", &[
        Holds(members_know_themselves),
        Program("etcd.rs", "of_haproxy_keepalived_survives"),
    ]),
    (1, 40, "sed by line number", &[
        Holds(members_know_themselves),
        Holds(|cluster| cluster.scripts().all(|text| {
            !text.match_indices("sed -i '").any(|(at, word)| {
                text[at + word.len()..].starts_with(|c: char| c.is_ascii_digit())
            })
        })),
    ]),
    (1, 41, "the first member waits for the others until systemd gives up", &[
        Holds(|cluster| cluster.ending("node.sh").all(|(_, text)| {
            !text.contains(" etcd.service ") || text.contains("\n  40 etcd.service no yes -\n")
        })),
        Says("40-etcd.sh", "\n  wait_for 300 "),
        Says("etcd.service", "\nTimeoutStartSec=0\n"),
    ]),
    (1, 42, "a stale unit on the other nodes", &[
        Says("20-install.sh", "\n  systemctl daemon-reload\n"),
    ]),
    (1, 43, "etcd as root, with a data folder for everybody", &[
        Says("etcd.service", "\nUser=etcd\n"), Says("etcd.service", "\nProtectSystem="),
        Says("tmpfiles.d/hagen-etcd.conf", "d /var/lib/etcd 0700 etcd etcd -\n"),
        Holds(|cluster| cluster.ending("etcd.service")
            .all(|(_, text)| text.matches("\nAfter=").count() == 1)),
    ]),
    (1, 44, "images are tagged by hand under another name", &[
        Never("docker tag"), Never("mirrorgooglecontainers"),
        Says("rootfs/etc/kubernetes/kubeadm-config.yaml", "imageRepository: k8s.gcr.io\n"),
        Says("cluster/images.txt", "k8s.gcr.io/kube-apiserver:v1.15.1\n"),
        Says("cluster/images.txt", "k8s.gcr.io/coredns:1.3.1\n"),
    ]),
    (1, 45, "tabs in YAML", &[
        Holds(|cluster| cluster.ending(".yaml").all(|(_, text)| !text.contains('\t'))),
    ]),
    (1, 46, "names under which clients come are in no certificate", &[
        Holds(|cluster| cluster.ending("pki/apiserver.crt").all(|(_, pem)| {
            let names = names(&parse(pem));
            ["192.168.1.33", "10.10.0.1", "127.0.0.1", "kubernetes.default.svc.cluster.local"]
                .iter().all(|name| names.contains(*name))
        })),
        Holds(|_| {
            let cluster = Cluster::new("named", &overlaid("endpoint: {name: api.example.com}"));
            let mut certificates = cluster.ending("pki/apiserver.crt");
            certificates.all(|(_, pem)| names(&parse(pem)).contains("api.example.com"))
        }),
    ]),
    (1, 47, "a pipe hides kubeadm's failure, and its log holds the token", &[
        Never("| tee"),
        Says("50-init.sh", "\nset -Eeuo pipefail\n"), Says("steps/lib.sh", "\n  umask 077\n"),
        Says("50-init.sh", "--skip-token-print"),
    ]),
    (1, 48, "a taint is removed by a name that changes with the release", &[
        Never("kubectl taint"),
        Says("rootfs/etc/kubernetes/kubeadm-config.yaml", "\n  taints: []\n"),
    ]),
    (1, 49, "the pod network comes from a moving branch", &[
        Never("coreos/flannel"),
        Says("cluster/manifests/flannel.yaml", "\"Network\": \"10.244.0.0/16\""),
        Says("cluster/images.txt", "ghcr.io/flannel-io/flannel:v"),
        Finds("cni/range-differs", "cni: {network: 10.245.0.0/16}"),
    ]),
    (1, 50, "health is asked of an API that is deprecated", &[
        Never("get cs"), Never("componentstatus"),
        Says("60-verify.sh", "get --raw \"$health\""), Says("node.sh", "\nhealth=/healthz\n"), Says("60-verify.sh", "fetch \"$member/health\""),
    ]),
    (1, 51, "a reset leaves the external etcd with the old cluster", &[
        Says("90-reset.sh", "--etcd, which deletes its member of etcd as well"),
        Holds(|cluster| cluster.ending("node.sh").all(|(_, text)| {
            !text.contains(" 40-etcd ")
                || text.contains("\nmember_units=(etcd.service")
                    && text.contains("\nmember_emptied=(/var/lib/etcd)\n")
        })),
        Says("50-init.sh", "etcd is not empty: "),
    ]),
    (1, 52, "every key of a shared etcd is deleted", &[Never("del --prefix"), Never("etcdctl del")]),
    (1, 53, "an external etcd on the control planes is no second failure domain", &[
        Finds("etcd/on-control-planes", "etcd: {mode: external}"),
    ]),
    (4, 1, "the API server is moved to the balancer's port", &[
        Says("rootfs/etc/kubernetes/kubeadm-config.yaml", "controlPlaneEndpoint: 172.26.133.160:16443\n"),
        Says("rootfs/etc/kubernetes/kubeadm-config.yaml", "bindPort: 6443\n"),
        Finds("endpoint/port-taken", "{cluster: {apiPort: 8443}, endpoint: {port: 8443}}"),
    ]),
    (4, 2, "workers are given what only masters run", &[
        Holds(|cluster| cluster.all.iter().filter(|path| path.starts_with("nodes/kube-node")).all(
            |path| !["nginx", "keepalived", "etcd", "30-", "40-"].iter().any(|word| path.contains(word)),
        )),
        Holds(|cluster| cluster.ending("node.sh").all(|(path, text)| {
            path.contains("kube-node") != text.contains("  keepalived ")
        })),
    ]),
    (4, 3, "keepalived watches the host and not the balancer", &[
        Says("check-balancer.sh", "\nloopback=127.0.0.1\nport=16443\n"),
        Says("keepalived.conf", "track_script {\n        balancer\n"),
        Program("failover.rs", "of_nginx_keepalived"),
    ]),
    (4, 4, "an unencrypted repository, and keys that vouch for every package", &[
        Says("node.sh", "https://pkgs.k8s.io/core:/stable:/v1.30/deb/"),
        Says("steps/apt.sh", "signed-by="),
        Never("apt-key"), Never("kubernetes-xenial"),
        // keepalived's check asks etcd on loopback.
        Holds(|cluster| {
            cluster.scripts().all(|text| !text.replace("http://127.0.0.1:", "").contains("http://"))
        }),
    ]),
    (4, 5, "a release candidate is unpacked over the root", &[
        Never("cri-containerd"), Never("tar -C / "),
        Says("node.sh", "  containerd.io "),
    ]),
    (4, 6, "packages without a version", &[
        Says("node.sh", "  kubeadm 1.30.4-"), Says("node.sh", "  kubelet 1.30.4-"),
        Says("steps/apt.sh", "apt-mark hold"),
    ]),
    (4, 7, "a package that is gone and not needed", &[Never("btrfs")]),
    (4, 8, "the VIP is in no certificate", &[
        Holds(|cluster| cluster.ending("pki/apiserver.crt").all(|(_, pem)| {
            names(&parse(pem)).contains("172.26.133.160")
        })),
        Program("openssl.rs", "verifies_nginx_keepalived"),
    ]),
    (4, 9, "the guide ends before containerd is configured", &[
        Says("etc/containerd/config.toml", "SystemdCgroup = true\n"),
        Says("etc/containerd/config.toml", "sandbox_image = \"registry.k8s.io/pause:3.9\""),
        Says("etc/containerd/config.toml", "version = 2\n"),
    ]),
];

/// A cluster that was built here.
struct Cluster {
    /// Public files by path, below `out/`.
    public: BTreeMap<String, String>,
    /// Every path, private ones as well: of what is installed, as if each node had a copy of its own.
    all: BTreeSet<String>,
    /// Permission bits by path.
    modes: BTreeMap<String, u32>,
}

impl Cluster {
    fn new(name: &str, inventory: &str) -> Self {
        let Outcome { tree, report, .. } = build(inventory);
        let tree = tree.unwrap_or_else(|| panic!("{name}: {:#?}", report.findings()));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let public = tree.iter().filter(|(_, artifact)| !artifact.secret);
        Self {
            public: public.map(|(path, file)| (format!("out/{path}"), text(&file.bytes))).collect(),
            all: tree.iter().flat_map(|(path, file)| places(path, file)).collect(),
            modes: tree.iter().map(|(path, file)| (path.to_owned(), file.mode)).collect(),
        }
    }

    /// The public files whose path ends so.
    fn ending(&self, ending: &str) -> impl Iterator<Item = (&str, &str)> + use<'_> {
        let files = self.public.iter().filter(|(path, _)| path.ends_with(ending));
        let files: Vec<_> = files.collect();
        assert!(!files.is_empty(), "no file ends in {ending}");
        files.into_iter().map(|(path, text)| (path.trim_start_matches("out/"), text.as_str()))
    }

    fn scripts(&self) -> impl Iterator<Item = &str> {
        self.ending(".sh").map(|(_, text)| text)
    }

    fn executables(&self) -> impl Iterator<Item = &str> {
        let runs = |path: &str| self.modes.get(path).is_some_and(|mode| mode & 0o111 != 0);
        let files =
            self.public.iter().filter(move |(path, _)| runs(path.trim_start_matches("out/")));
        files.map(|(_, text)| text.as_str())
    }

    fn modes(&self) -> impl Iterator<Item = u32> {
        self.modes.values().copied()
    }

    /// Every certificate that is no authority's.
    fn leaves(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending(".crt").filter(|(_, pem)| !parse(pem).is_ca())
    }
}

fn places(path: &str, file: &Artifact) -> Vec<String> {
    match &file.destination {
        Some(Destination { nodes, path, .. }) => {
            nodes.iter().map(|node| format!("nodes/{node}/rootfs{path}")).collect()
        }
        None => vec![path.to_owned()],
    }
}

fn golden(name: &str) -> Cluster {
    let file = root().join("golden/clusters").join(name).join("inventory.yaml");
    Cluster::new(name, &std::fs::read_to_string(file).unwrap())
}

/// A certificate in PEM. The text is leaked: a test may, and the certificate borrows from it.
fn parse(pem: &str) -> X509Certificate<'static> {
    let pem = Pem::iter_from_buffer(pem.as_bytes()).next().unwrap().unwrap();
    X509Certificate::from_der(Vec::leak(pem.contents)).unwrap().1
}

fn days(certificate: &X509Certificate<'_>) -> i64 {
    let validity = certificate.validity();
    (validity.not_after.timestamp() - validity.not_before.timestamp()) / 86_400
}

fn names(certificate: &X509Certificate<'_>) -> BTreeSet<String> {
    let extensions = certificate.extensions().iter().map(|extension| extension.parsed_extension());
    let names = extensions.filter_map(|extension| match extension {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress([a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        other => other.to_string(),
    };
    names.flatten().map(text).collect()
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// What stands after each `<<` of a shell script that opens a here-document.
fn here_documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("<<").skip(1).filter(|rest| !rest.starts_with('<'))
}

fn is_quoted(word: &str) -> bool {
    word.starts_with('\'')
}

/// The line that begins with this word, wherever it is indented.
fn line<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.lines().map(str::trim).find(|line| line.starts_with(word))
}

fn is_setting(line: &str) -> bool {
    let name = line.split_once('=').map_or("", |(name, _)| name);
    line.is_empty()
        || line.starts_with('#')
        || name.starts_with("ETCD_") && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// Each member's own name and peer URL stand in its list of members, and all lists are one.
fn members_know_themselves(cluster: &Cluster) -> bool {
    let value = |text: &str, key: &str| line(text, key).unwrap_or_default()[key.len()..].to_owned();
    let lists: BTreeSet<String> = cluster
        .ending("etc/etcd/etcd.conf")
        .map(|(_, text)| value(text, "ETCD_INITIAL_CLUSTER="))
        .collect();
    let known = cluster.ending("etc/etcd/etcd.conf").all(|(_, text)| {
        let peer = value(text, "ETCD_INITIAL_ADVERTISE_PEER_URLS=");
        let own = format!("{}={peer}", value(text, "ETCD_NAME="));
        value(text, "ETCD_INITIAL_CLUSTER=").split(',').any(|member| member == own)
    });
    known && lists.len() == 1
}

/// What is wrong with a proof, in words; `None` where it holds.
fn failure(proof: &Proof, cluster: &Cluster, all: &BTreeMap<String, Cluster>) -> Option<String> {
    match proof {
        Says(ending, wanted) => {
            let mut files =
                cluster.public.iter().filter(|(path, _)| path.ends_with(ending)).peekable();
            if files.peek().is_none() {
                return Some(format!("no file ends in {ending}"));
            }
            let silent = files.find(|(_, text)| !text.contains(wanted));
            silent.map(|(path, _)| format!("{path} does not say {wanted:?}"))
        }
        Never(unwanted) => all.iter().find_map(|(name, cluster)| {
            let (path, _) = cluster.public.iter().find(|(_, text)| text.contains(unwanted))?;
            Some(format!("{name}/{path} says {unwanted:?}"))
        }),
        Holds(holds) => (!holds(cluster)).then(|| "it does not hold of the tree".to_owned()),
        Finds(code, overlay) => {
            let outcome = check(&overlaid(overlay));
            let found: Vec<&str> = outcome.report.findings().iter().map(|f| f.code.id).collect();
            (!found.contains(code)).then(|| format!("{overlay}: {code} expected, found {found:?}"))
        }
        Program(file, test) => {
            let text = std::fs::read_to_string(root().join("tests/real").join(file));
            let there = text.is_ok_and(|text| text.contains(&format!("fn {test}(")));
            (!there).then(|| format!("tests/real/{file} has no test {test}"))
        }
    }
}

#[test]
fn no_trap_of_the_guides_is_left() {
    let clusters: BTreeMap<String, Cluster> = folders(&root().join("golden/clusters"))
        .iter()
        .map(|case| case.file_name().unwrap().to_str().unwrap())
        .map(|name| (name.to_owned(), golden(name)))
        .collect();
    let mut failures = Vec::new();
    for (guide, row, trap, proofs) in TRAPS {
        assert!(!proofs.is_empty(), "{guide}.{row} has no proof");
        let name = if *guide == 1 { "haproxy-keepalived" } else { "nginx-keepalived" };
        for failed in proofs.iter().filter_map(|proof| failure(proof, &clusters[name], &clusters)) {
            failures.push(format!("guide {guide}, {row:>2}: {trap}\n             {failed}"));
        }
    }
    assert!(failures.is_empty(), "{} proofs fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_row_of_both_guides_is_here() {
    let rows: Vec<(u8, u8)> = TRAPS.iter().map(|(guide, row, ..)| (*guide, *row)).collect();
    let wanted: Vec<(u8, u8)> =
        (1..=53).map(|row| (1, row)).chain((1..=9).map(|row| (4, row))).collect();
    assert_eq!(rows, wanted);
}
