//! One function per section of the inventory: what may be said in it.

use hagen::catalog::Stage;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::frame::{Frame, Networks};
use super::schema::ordinary;

/// Parts of an inventory, to be merged.
pub(super) fn sections(frame: &Frame) -> Vec<BoxedStrategy<Value>> {
    vec![
        cluster(frame),
        endpoint(frame),
        balancer(),
        keepalived(frame),
        etcd(frame),
        packages(frame),
        images(frame),
        runtime(frame),
        kubelet(),
        kube_proxy(frame),
        cni(frame),
        host(),
        kubeadm(),
        pki(),
        flags(),
        patches(frame),
        units(frame),
        files(frame),
        private_files(frame),
        allow(),
        kube_vip(),
    ]
}

/// A map in which each key is left out, three times in four, or has one of the values that are
/// listed for it.
pub(super) fn map(keys: Value) -> BoxedStrategy<Value> {
    let Value::Object(keys) = keys else { panic!("{keys} is no map of lists") };
    let entry = |(key, values): (String, Value)| {
        let Value::Array(values) = values else { panic!("{key}: {values} is no list") };
        let said = select(values).prop_map(move |value| Some((key.clone(), value)));
        prop_oneof![3 => Just(None), 1 => said].boxed()
    };
    let entries: Vec<_> = keys.into_iter().map(entry).collect();
    entries.prop_map(|said| Value::Object(said.into_iter().flatten().collect())).boxed()
}

/// The same for a section, `/loadBalancer/haproxy`: what its schema says enough of is drawn without
/// a row, unless the row is empty.
fn part(section: &str, rows: Value) -> BoxedStrategy<Value> {
    let Value::Object(rows) = rows else { panic!("{rows} is no map of lists") };
    let mut keys = ordinary(section);
    keys.extend(rows);
    keys.retain(|_, values| *values != json!([]));
    map(Value::Object(keys))
}

/// The same as a whole section.
fn section(key: &'static str, rows: Value) -> BoxedStrategy<Value> {
    part(&format!("/{key}"), rows).prop_map(move |said| json!({key: said})).boxed()
}

/// One of these.
fn one_of(parts: &[Value]) -> BoxedStrategy<Value> {
    select(parts.to_vec()).boxed()
}

fn cluster(frame: &Frame) -> BoxedStrategy<Value> {
    let (pods, services): (&[_], &[_]) = match frame.networks {
        Networks::V4 => (
            &["10.244.0.0/16", "172.20.0.0/14", "100.64.0.0/18"],
            &["10.96.0.0/12", "10.10.0.0/16", "172.30.0.0/24"],
        ),
        Networks::V6 => (&["fd00:10:244::/56"], &["fd00:10:96::/112", "fd00:10:96::/108"]),
        Networks::DualV4 => {
            (&["10.244.0.0/16,fd00:10:244::/56"], &["10.96.0.0/16,fd00:10:96::/112"])
        }
        Networks::DualV6 => {
            (&["fd00:10:244::/56,10.244.0.0/16"], &["fd00:10:96::/112,10.96.0.0/16"])
        }
    };
    let or_default = |networks: &[&str]| {
        let said = networks.iter().map(|network| json!(network));
        // The default is IPv4's alone.
        let unsaid = (frame.networks == Networks::V4).then(|| json!(null));
        select(unsaid.into_iter().chain(said).collect::<Vec<_>>())
    };
    let more = part(
        "/cluster",
        json!({
            "name": ["a", "a-cluster-name-of-sixty-three-letters-which-is-all-that-dns-has"],
            "domain": ["k8s.example.com", "local"],
        }),
    );
    (or_default(pods), or_default(services), more, any::<bool>())
        .prop_map(|(pods, services, mut more, twice)| {
            let again = if twice { pods.clone() } else { json!(null) };
            more["podSubnet"] = pods;
            more["serviceSubnet"] = services;
            json!({"cluster": more, "cni": {"network": again}})
        })
        .boxed()
}

fn endpoint(frame: &Frame) -> BoxedStrategy<Value> {
    let ports = [
        json!({}),
        json!({"endpoint": {"port": 443}}),
        json!({"endpoint": {"port": 6443}, "cluster": {"apiPort": 7443}}),
    ];
    // The other ways have ports that follow from them.
    let ports = one_of(if frame.vip() { &ports } else { &ports[..1] });
    let rows = json!({"name": ["api.example.com", "k8s"], "holder": []});
    (ports, section("endpoint", rows))
        .prop_map(|(mut ports, name)| {
            hagen::document::merge(&mut ports, &name);
            ports
        })
        .boxed()
}

fn balancer() -> BoxedStrategy<Value> {
    let haproxy = part(
        "/loadBalancer/haproxy",
        json!({
            "version": ["1.5", "1.8.27", "2.6", "3.4"],
            "idleTimeout": ["90m", "576h"],
            "connectTimeout": ["250ms", "5s"],
            "checkInterval": ["500ms", "10s"],
            "checkTimeout": ["2500ms", "10s"],
            "statsPort": [18404],
            // Not every version has them.
            "metrics": [false],
        }),
    );
    let nginx = part(
        "/loadBalancer/nginx",
        json!({
            "version": ["1.11.11", "1.20", "1.22", "1.29"],
            "idleTimeout": ["90m", "576h"],
            "connectTimeout": ["250ms", "5s"],
            "failTimeout": ["1s", "1m"],
        }),
    );
    (haproxy, nginx, any::<bool>())
        .prop_map(|(haproxy, nginx, is_nginx)| {
            let kind = if is_nginx { "nginx" } else { "haproxy" };
            json!({"loadBalancer": {"kind": kind, kind: if is_nginx { nginx } else { haproxy }}})
        })
        .boxed()
}

fn keepalived(frame: &Frame) -> BoxedStrategy<Value> {
    let priorities = match frame.vip_on_control_planes() {
        true => json!([{frame.first(): 1}, {frame.first(): 254}]),
        false => json!([]),
    };
    let more = part(
        "/keepalived",
        json!({
            "programVersion": ["2.0.20", "2.2.7"],
            "priorities": priorities,
            "routerId": [1, 77, 255],
            "reservedRouterIds": [[], [51, 200]],
            "checkInterval": ["2s"],
            // These depend on one another.
            "preempt": [], "weight": [], "state": [], "version": [], "authentication": [],
        }),
    );
    let elections = [
        json!({}),
        json!({"preempt": true}),
        json!({"preempt": true, "weight": -253}),
        json!({"preempt": true, "state": "MASTER"}),
    ];
    let version_3 = [json!({}), json!({"advertInterval": "250ms"}), json!({"version": 3})];
    let version_2 = [
        json!({"version": 2}),
        json!({"version": 2, "authentication": false, "advertInterval": "2s"}),
    ];
    // CentOS 7 is left to its default, and version 2 knows IPv4 only.
    let versions = match (frame.networks.v4(), frame.system == "centos-7") {
        (true, true) => [&version_3[..1], &version_2].concat(),
        (true, false) => [&version_3[..], &version_2].concat(),
        (false, _) => version_3.to_vec(),
    };
    (more, one_of(&elections), one_of(&versions))
        .prop_map(|(mut more, election, version)| {
            hagen::document::merge(&mut more, &election);
            hagen::document::merge(&mut more, &version);
            json!({"keepalived": more})
        })
        .boxed()
}

fn kube_vip() -> BoxedStrategy<Value> {
    // The three times depend on one another.
    let times = [
        json!({}),
        json!({"leaseDuration": "1m"}),
        json!({"leaseDuration": "15s", "renewDeadline": "10s", "retryPeriod": "8s"}),
        json!({"leaseDuration": "3s", "renewDeadline": "2s"}),
    ];
    let more = part("/kubeVip", json!({"image": ["registry.example.com:5000/kube-vip:v1.2.2"]}));
    (more, one_of(&times))
        .prop_map(|(mut more, times)| {
            hagen::document::merge(&mut more, &times);
            json!({"kubeVip": more})
        })
        .boxed()
}

fn etcd(frame: &Frame) -> BoxedStrategy<Value> {
    if !frame.external_etcd {
        return section(
            "etcd",
            json!({
                "dataDir": ["/srv/etcd"],
                "metricsPort": [12381],
                // Of an external one alone.
                "mode": [], "endpoints": [], "quotaBytes": [],
                "settings": [{
                    "snapshot-count": "50000",
                    "heartbeat-interval": "250",
                    "election-timeout": "2500",
                }],
            }),
        );
    }
    let more = part(
        "/etcd",
        json!({
            "mode": [],
            "version": ["3.5.21", "3.6.14", "3.7.1"],
            // `local` needs a member on each control plane.
            "endpoints": ["auto", "all"],
            "dataDir": ["/srv/etcd"],
            "clientPort": [12379],
            "peerPort": [12380],
            "metricsPort": [12381],
            "heartbeatInterval": ["50ms"],
            "electionTimeout": ["2s", "50s"],
            "settings": [{"snapshot-count": "50000", "max-request-bytes": "3145728"}],
        }),
    );
    let backup = part(
        "/etcd/backup",
        json!({
            "interval": ["1m", "48h"],
            "directory": ["/srv/snapshots"],
        }),
    );
    (more, backup)
        .prop_map(|(mut more, backup)| {
            more["mode"] = "external".into();
            more["backup"] = backup;
            json!({"etcd": more})
        })
        .boxed()
}

fn runtime(frame: &Frame) -> BoxedStrategy<Value> {
    let drivers = one_of(&[
        json!({}),
        json!({"runtime": {"cgroupDriver": "cgroupfs"}}),
        json!({"runtime": {"cgroupDriver": "systemd"}, "kubelet": {"cgroupDriver": "systemd"}}),
    ]);
    let docker = if frame.facts().dockershim {
        json!({"runtime": {"kind": "docker", "version": "20.10"}})
    } else {
        // No repository has cri-dockerd.
        json!({
            "runtime": {"kind": "docker", "criDockerd": true},
            "packages": {"source": "preinstalled"},
        })
    };
    let ca = include_str!("../../src/inventory/values/certificates.pem");
    let mirrors = json!({"images": {"mirrors": [
        {"registry": "registry.k8s.io", "endpoints": ["https://a.example.com/", "http://10.0.0.1:5000"]},
        {"registry": "ghcr.io:443", "endpoints": ["https://b.example.com/v2"], "only": true, "ca": ca},
    ]}});
    let more = section("runtime", json!({"kind": [], "cgroupDriver": [], "criDockerd": []}));
    (more, drivers, one_of(&[json!({}), mirrors, docker]))
        .prop_map(|(mut said, drivers, kind)| {
            hagen::document::merge(&mut said, &drivers);
            hagen::document::merge(&mut said, &kind);
            said
        })
        .boxed()
}

fn kubelet() -> BoxedStrategy<Value> {
    section(
        "kubelet",
        json!({
            // The runtime's too.
            "cgroupDriver": [],
            // More than a node's range has addresses for is refused.
            "maxPods": [1, 250],
            "config": [{
                "evictionHard": {"memory.available": "500Mi"},
                "serializeImagePulls": false,
                "imageGCHighThresholdPercent": 90,
            }],
        }),
    )
}

fn kube_proxy(frame: &Frame) -> BoxedStrategy<Value> {
    let able = hagen::catalog::os(&frame.system).is_some_and(|os| os.nftables_mode());
    let mut modes = vec![json!({}), json!({"mode": "ipvs"})];
    modes.push(json!({"mode": "ipvs", "scheduler": "sh"}));
    if able && matches!(frame.facts().kube_proxy.nftables, Stage::Beta | Stage::Stable) {
        modes.push(json!({"mode": "nftables"}));
    }
    (part("/kubeProxy", json!({"mode": [], "scheduler": []})), one_of(&modes))
        .prop_map(|(mut said, mode)| {
            hagen::document::merge(&mut said, &mode);
            json!({"kubeProxy": said})
        })
        .boxed()
}

fn cni(frame: &Frame) -> BoxedStrategy<Value> {
    // A node has one address, so plain routes serve one family.
    let dual = matches!(frame.networks, Networks::DualV4 | Networks::DualV6);
    let plugins: &[&str] = if dual { &["flannel", "none"] } else { &["flannel", "bridge", "none"] };
    section(
        "cni",
        json!({
            "plugin": plugins,
            "interface": ["eth0"],
            "image": ["registry.example.com/flannel:v0.28.9"],
            "pluginImage": ["registry.example.com:5000/flannel/cni-plugin:v1.9.0"],
        }),
    )
}

fn host() -> BoxedStrategy<Value> {
    section(
        "host",
        json!({
            "modules": [["nbd"]],
            "sysctls": [{"vm.swappiness": "10", "kernel.keys.root_maxkeys": null}],
            "proxy": [
                {"https": "http://10.9.0.1:3128"},
                {"https": "https://proxy.example.com", "http": "http://10.9.0.1:3128",
                    "noProxy": [".example.com", "10.9.0.0/16"]},
            ],
        }),
    )
}

fn kubeadm() -> BoxedStrategy<Value> {
    section("kubeadm", json!({"ignorePreflightErrors": [["SystemVerification"]]}))
}

fn packages(frame: &Frame) -> BoxedStrategy<Value> {
    let apt = hagen::catalog::os(&frame.system)
        .is_some_and(|os| os.package_manager == hagen::catalog::PackageManager::Apt);
    let flat = json!({"url": "http://10.0.0.1/apt", "keyring": "/usr/share/keyrings/site.gpg"});
    let keys = json!([
        "https://download.docker.com/linux/debian/gpg",
        {"url": "https://mirror.example.com/b.asc",
            "fingerprints": ["DE15B14486CD377B9E876E1A234654DA9A296436"]},
    ]);
    let suite = if apt {
        json!({"url": "https://mirror.example.com/debian/", "keys": keys,
            "suite": "stable", "components": ["main", "contrib"]})
    } else {
        json!({"url": "https://mirror.example.com/rpm/", "keys": keys})
    };
    let block = include_str!("../../src/inventory/values/armor.asc");
    let inline = json!({"url": "https://mirror.example.com/kubernetes/", "key": block});
    let (distribution, release) = frame.system.split_once('-').unwrap();
    let kinds = [flat, suite, inline];
    let others: Vec<Value> = kinds.iter().map(|kind| json!([kind])).collect();
    let repositories = map(json!({"distribution": kinds, "others": others, "runtime": kinds}));
    let kubernetes = one_of(&kinds);
    let own = map(
        json!({"distribution": kinds, "others": others, "runtime": kinds, "kubernetes": kinds}),
    );
    let pin = format!("1:{}~rc1-1.1+b2", frame.release);
    let versions = if frame.vip() { json!({"keepalived": "2.*"}) } else { json!({"curl": "8.*"}) };
    let more = part(
        "/packages",
        json!({
            // Below, with repositories.
            "source": [],
            "versions": [versions, {"kubeadm": pin}],
            "archives": ["http://10.0.0.1/etcd"],
            "digests": [{"etcd-v3.7.0-linux-amd64.tar.gz":
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}],
        }),
    );
    let os = json!({"distribution": distribution, "release": release});
    (repositories, kubernetes, own, more, any::<[bool; 2]>())
        .prop_map(
            move |(mut repositories, kubernetes, mut own, mut more, [preinstalled, system])| {
                for named in [&mut repositories, &mut own] {
                    let named = named.as_object_mut().unwrap();
                    if !named.contains_key("distribution") {
                        named.remove("others");
                    }
                }
                if system {
                    let versions = json!({"socat": "1.*"});
                    more["systems"] =
                        json!([{"os": os, "repositories": own, "versions": versions}]);
                }
                repositories["kubernetes"] = kubernetes;
                more["repositories"] = repositories;
                if preinstalled {
                    more["source"] = "preinstalled".into();
                }
                json!({"packages": more})
            },
        )
        .boxed()
}

fn images(frame: &Frame) -> BoxedStrategy<Value> {
    let policies: &[&str] = if frame.facts().kubeadm.image_pull_policy_field {
        &["Always", "IfNotPresent", "Never"]
    } else {
        &["IfNotPresent"]
    };
    section(
        "images",
        json!({
            "registry": ["registry.example.com:5000/k8s", "registry.example.com"],
            "pullPolicy": policies,
            "archives": [["/srv/images.tar"], ["/srv/a/kubernetes.tar", "/srv/a/flannel.tar"]],
        }),
    )
}

fn pki() -> BoxedStrategy<Value> {
    section(
        "pki",
        json!({
            "caLifetimeDays": [3650, 7300],
            "leafLifetimeDays": [1, 30, 3650],
        }),
    )
}

fn flags() -> BoxedStrategy<Value> {
    section(
        "extraArgs",
        json!({
            "apiServer": [
                {"audit-log-maxage": "30", "audit-log-path": "/var/log/kubernetes/audit.log"},
                {"profiling": "false", "v": "2", "service-node-port-range": "20000-24999"},
            ],
            "controllerManager": [{"terminated-pod-gc-threshold": "100"}],
            "scheduler": [{"v": "2"}],
            "kubelet": [{"v": "2"}],
            "hostFiles": [["/srv/audit"]],
        }),
    )
}

fn patches(frame: &Frame) -> BoxedStrategy<Value> {
    let volume = json!({
        "name": "audit", "hostPath": "/var/log/kubernetes", "mountPath": "/var/log/kubernetes",
        "pathType": "DirectoryOrCreate",
    });
    map(json!({"patches": [
        [{
            "document": "kubelet/KubeletConfiguration",
            "nodes": {"names": [frame.first()], "roles": ["worker"]},
            "patch": {"maxPods": 64},
        }],
        [{
            "document": "kubeadm/ClusterConfiguration",
            "patch": {"apiServer": {"extraVolumes": [volume]}},
        }],
        [{
            "document": "kubeproxy/KubeProxyConfiguration",
            "patch": {"iptables": {"minSyncPeriod": "1s"}},
        }],
        [{
            "document": "runtime/ContainerdConfig",
            "patch": {
                "oom_score": -998,
                "plugins": {"io.containerd.gc.v1.scheduler": {
                    "pause_threshold": 0.5, "startup_delay": "10ms",
                }},
            },
        }],
    ]}))
}

fn units(frame: &Frame) -> BoxedStrategy<Value> {
    let kubelet = json!({
        "unit": "kubelet.service",
        "dropIn": {
            "Unit": {"StartLimitIntervalSec": "0"},
            "Service": {
                "Environment": ["A=b", "\"C=d e %% \\\\ é\"", "", "GODEBUG=x509sha1=1"],
                "LimitNOFILE": "1048576",
                "ExecStart": ["", "/usr/bin/kubelet --version"],
            },
        },
        "nodes": {"names": [frame.first()], "roles": ["worker"]},
    });
    let empty = json!({"unit": "keepalived.service", "dropIn": {}});
    let mut said = vec![json!({}), json!({"units": [kubelet]})];
    if frame.vip() {
        said.push(json!({"units": [empty, kubelet]}));
    }
    if frame.external_etcd {
        // Without backups there is no timer.
        said.push(json!({
            "etcd": {"backup": {"enabled": true}},
            "units": [
                {"unit": "etcd.service", "dropIn": {"Service": {"Nice": "-5"}}},
                {"unit": "etcd-backup.timer", "dropIn": {"Timer": {"OnActiveSec": "1min"}}},
            ],
        }));
    }
    one_of(&said)
}

fn private_files(frame: &Frame) -> BoxedStrategy<Value> {
    map(json!({"privateFiles": [
        [{"path": "/etc/site/token", "secret": "site"}],
        [{
            "path": "/etc/site/token", "secret": "site", "mode": "0440", "owner": "nobody",
            "group": "adm", "nodes": {"roles": ["control-plane"], "names": [frame.first()]},
        }],
    ]}))
}

fn files(frame: &Frame) -> BoxedStrategy<Value> {
    map(json!({"files": [
        [{
            "path": "/etc/motd", "content": "hello\n", "mode": "0600",
            "nodes": {"names": [frame.first()]},
        }],
        [
            {"path": "/etc/motd.d/empty", "content": ""},
            {
                "path": "/etc/motd.d/odd", "content": "$(id) `id` '\"\\ {{ x }} {% y %}\n\n\té\r\nend",
                "mode": "0755", "owner": "nobody", "group": "adm",
                "nodes": {"roles": ["worker", "etcd"]},
            },
        ],
    ]}))
}

fn allow() -> BoxedStrategy<Value> {
    map(json!({"allow": [[{"code": "cluster/end-of-life", "reason": "as the site wants it"}]]}))
}
