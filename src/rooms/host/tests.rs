use crate::rooms::overlaid::{codes, file, outcome};

#[test]
fn the_hosts_block_names_the_endpoint_the_control_planes_and_the_node_itself() {
    let outcome = outcome(
        "{endpoint: {name: api.example.com}, nodes: [{name: cp1, address: 192.168.1.11, roles: [control-plane]}, {name: w1, address: 192.168.1.21, roles: [worker]}, {name: w2, address: 192.168.1.22, roles: [worker]}]}",
    );
    let words = file(&outcome, "nodes/w2/node.sh");
    let hosts =
        "hosts=(\n  192.168.1.33 api.example.com\n  192.168.1.11 cp1\n  192.168.1.22 w2\n)\n";
    assert!(words.contains(hosts), "{words}");
}

#[test]
fn modules_and_settings_of_other_rooms_are_written() {
    let outcome = outcome("{kubeProxy: {mode: ipvs}, cluster: {kubernetes: 1.30.4}}");
    let modules = file(&outcome, "nodes/w1/rootfs/etc/modules-load.d/90-hagen-kubernetes.conf");
    for module in ["br_netfilter", "overlay", "ip_vs", "nf_conntrack"] {
        assert!(modules.lines().any(|line| line == module), "{module} in {modules}");
    }
    let settings = file(&outcome, "nodes/w1/rootfs/etc/sysctl.d/90-hagen-kubernetes.conf");
    assert!(settings.contains("net.ipv4.ip_forward = 1\n"));
    // Gone from Linux 4.12: `sysctl -p` would fail.
    assert!(!settings.contains("tcp_tw_recycle"));
    // ::1 has to stay.
    assert!(!settings.contains("disable_ipv6"));
}

#[test]
fn a_member_alone_needs_no_module() {
    let outcome = outcome(
        "{etcd: {mode: external}, nodes: [{name: cp1, address: 192.168.1.11, roles: [control-plane]}, {name: e1, address: 192.168.1.31, roles: [etcd]}]}",
    );
    let tree = outcome.tree.as_ref().unwrap();
    assert!(tree.on("e1", "/etc/modules-load.d/90-hagen-kubernetes.conf").is_none());
    assert!(tree.on("e1", "/etc/crictl.yaml").is_none());
    assert!(file(&outcome, "nodes/e1/node.sh").contains("\n  192.168.1.31 e1\n"));
}

#[test]
fn the_service_of_firewalld_holds_what_everybody_reaches() {
    let outcome = outcome(
        "{host: {firewall: open}, os: {distribution: rocky, release: '9'}, etcd: {mode: external}}",
    );
    let service = file(&outcome, "nodes/cp1/rootfs/etc/firewalld/services/hagen-kubernetes.xml");
    assert!(service.contains("port=\"8443\""), "{service}");
    // They are for some only, or for the host itself.
    for port in ["2379", "2380", "2381", "6443", "10250"] {
        assert!(!service.contains(&format!("port=\"{port}\"")), "{port} in {service}");
    }
    let worker = file(&outcome, "nodes/w1/rootfs/etc/firewalld/services/hagen-kubernetes.xml");
    assert!(!worker.contains("port=\"2379\""));
}

#[test]
fn an_old_release_from_its_own_mirror_is_accepted() {
    let own = "{cluster: {kubernetes: 1.15.1}, packages: {repositories: {kubernetes: {url: 'https://mirror.example.com/k8s/', keyring: /k.gpg}}}}";
    assert!(!codes(own).contains(&"host/package-missing"));
    assert!(
        !codes("{cluster: {kubernetes: 1.15.1}, packages: {source: preinstalled}}")
            .contains(&"host/package-missing")
    );
}

#[test]
fn the_site_adds_replaces_and_leaves_out_kernel_settings() {
    let outcome = outcome(
        "host: {modules: [nbd, overlay], sysctls: {vm.swappiness: '10', net.ipv4.ip_forward: '1', fs.inotify.max_user_watches: '2097152', kernel.keys.root_maxkeys: null, net/ipv4/conf/eth0.100/rp_filter: '2'}}",
    );
    let settings = file(&outcome, "nodes/w1/rootfs/etc/sysctl.d/90-hagen-kubernetes.conf");
    let (ours, site) = settings.split_once("\n# the site\n").unwrap();
    assert!(ours.contains("net.ipv4.ip_forward = 1\n"));
    assert!(!settings.contains("root_maxkeys") && ours.contains("root_maxbytes"));
    assert_eq!(
        site,
        "fs.inotify.max_user_watches = 2097152\nnet.ipv4.conf.eth0/100.rp_filter = 2\nvm.swappiness = 10\n"
    );
    let modules = file(&outcome, "nodes/w1/rootfs/etc/modules-load.d/90-hagen-kubernetes.conf");
    assert!(modules.ends_with("\n# the site\nnbd\n"), "{modules}");
}

#[test]
fn a_setting_that_kubernetes_needs_is_not_contradicted_in_any_spelling() {
    for said in ["net.ipv4.ip_forward: '0'", "net/ipv4/ip_forward: '0'", "vm.panic_on_oom: '1'"] {
        assert_eq!(codes(&format!("host: {{sysctls: {{{said}}}}}")), ["host/sysctl-needed"]);
    }
    assert_eq!(codes("host: {sysctls: {vm.swappiness: null}}"), ["host/sysctl-not-set"]);
}

#[test]
fn what_kube_proxy_overwrites_is_said_where_it_does() {
    let of = |overlay: &str, settings: &str, patch: &str| {
        let patches = match patch {
            "" => String::new(),
            patch => format!("{{document: kubeproxy/KubeProxyConfiguration, patch: {patch}}}"),
        };
        let overlay =
            format!("{{{overlay}host: {{sysctls: {{{settings}}}}}, patches: [{patches}]}}");
        let found = codes(&overlay).into_iter();
        let found: Vec<_> = found.filter(|code| code.starts_with("host/")).collect();
        assert!(found.is_empty() || found == ["host/sysctl-overwritten"], "{overlay}: {found:?}");
        !found.is_empty()
    };
    let (max, established) =
        ("net.netfilter.nf_conntrack_max", "net/netfilter/nf_conntrack_tcp_timeout_established");
    let liberal = "net.netfilter.nf_conntrack_tcp_be_liberal: '0'";
    let (udp, localnet) =
        ("net.netfilter.nf_conntrack_udp_timeout: '60'", "net.ipv4.conf.all.route_localnet: '0'");
    for (settings, patch, refused) in [
        // 32768 for each core: the default's minimum is right on four of them or fewer.
        (&*format!("{max}: '131072'"), "", true),
        (&*format!("{max}: '1000000'"), "{conntrack: {maxPerCore: 0}}", false),
        (&*format!("{max}: '131072'"), "{conntrack: {maxPerCore: 1}}", false),
        (&*format!("{max}: '131073'"), "{conntrack: {maxPerCore: 1}}", true),
        // The most cores, 8192, times that is the minimum, and more.
        (&*format!("{max}: '131072'"), "{conntrack: {maxPerCore: 16}}", false),
        (&*format!("{max}: '131072'"), "{conntrack: {maxPerCore: 17}}", true),
        ("net.nf_conntrack_max: '1000000'", "{conntrack: {min: 1000000}}", true),
        (&*format!("{established}: '86400'"), "", false),
        (&*format!("{established}: '7200'"), "", true),
        (&*format!("{established}: '7200'"), "{conntrack: {tcpEstablishedTimeout: 2h}}", false),
        (&*format!("{established}: '7200'"), "{conntrack: {tcpEstablishedTimeout: 0s}}", false),
        (&*format!("{established}: '86400'"), "{conntrack: {tcpEstablishedTimeout: 2h}}", true),
        ("net.netfilter.nf_conntrack_tcp_timeout_close_wait: '60'", "", true),
        (udp, "", false),
        (udp, "{conntrack: {udpTimeout: 90s}}", true),
        (liberal, "", false),
        (liberal, "{conntrack: {tcpBeLiberal: true}}", true),
        (localnet, "", true),
        (localnet, "{iptables: {localhostNodePorts: false}}", false),
        (localnet, "{nodePortAddresses: [192.168.1.0/24]}", false),
        (localnet, "{nodePortAddresses: [0.0.0.0/0]}", true),
        ("net.ipv4.vs.conntrack: '0'", "", false),
        ("net.ipv4.conf.all.arp_ignore: '0'", "", false),
    ] {
        assert_eq!(of("", settings, patch), refused, "{settings} {patch}");
    }
    let ipvs = "cluster: {kubernetes: 1.36.0}, kubeProxy: {mode: ipvs}, ";
    let reuse = "net.ipv4.vs.conn_reuse_mode: '1'";
    for (settings, refused) in [
        ("net.ipv4.vs.conntrack: '0'", true),
        ("net.ipv4.vs.conntrack: '1'", false),
        ("net.ipv4.conf.all.arp_announce: '1'", true),
        (localnet, false),
        (reuse, false),
    ] {
        assert_eq!(of(ipvs, settings, ""), refused, "{settings}");
    }
    let first = "cluster: {kubernetes: 1.20.0}, kubeProxy: {mode: ipvs}, packages: {source: preinstalled}, ";
    assert!(of(first, localnet, ""), "as iptables mode does, up to 1.20");
    let old = format!("os: {{distribution: ubuntu, release: '20.04'}}, {ipvs}");
    assert!(of(&old, reuse, ""), "its kernel is 5.4");
    let none = "kubeProxy: {mode: none}, cni: {plugin: none}, ";
    assert!(!of(none, &format!("{max}: '1000000'"), ""));
}

#[test]
fn the_help_for_what_kube_proxy_overwrites_holds() {
    let setting = |name: &str| format!("host: {{sysctls: {{net.netfilter.{name}: '7200'}}}}");
    for name in [
        "nf_conntrack_max",
        "nf_conntrack_tcp_timeout_established",
        "nf_conntrack_tcp_timeout_close_wait",
    ] {
        let outcome = outcome(&setting(name));
        let finding = &outcome.report.findings()[0];
        assert!(finding.related[0].1.contains("in conntrack."), "{finding:?}");
        let help = finding.help.as_ref().unwrap();
        let patch = help.split('`').nth(1).unwrap();
        let mended = format!("{{{}, patches: [{patch}]}}", setting(name));
        assert_eq!(codes(&mended), [""; 0], "{mended}");
    }
}

/// What is found about the repositories of a mirror that are said so.
fn of_repositories(said: &str) -> Vec<&'static str> {
    codes(&format!("{{packages: {{repositories: {said}}}}}"))
}

/// A key that is fetched, and what it has to be.
const PINNED: &str = "{url: 'http://mirror.example.com/key.asc', fingerprints: ['DE15 B144 86CD 377B 9E87  6E1A 2346 54DA 9A29 6436']}";

#[test]
fn a_key_that_is_fetched_is_known_by_its_fingerprint() {
    let of = |key: &str| {
        of_repositories(&format!("{{runtime: {{url: 'https://a.example.com', keys: [{key}]}}}}"))
    };
    assert!(of(PINNED).is_empty());
    assert!(of("'https://pkgs.k8s.io/core:/stable:/v1.37/deb/Release.key'").is_empty());
    assert!(of("'https://download.docker.com/linux/debian/gpg'").is_empty());
    for unknown in [
        "'https://mirror.example.com/key.asc'",
        "'http://mirror.example.com/key.asc'",
        "'http://download.docker.com/linux/debian/gpg'",
        "'https://pkgs.k8s.io/core'",
    ] {
        assert_eq!(of(unknown), ["host/key-unpinned"], "{unknown}");
    }
    for bad in [
        "{url: 'https://a.example.com'}",
        "{url: 'https://a.example.com', fingerprints: []}",
        "{url: 'https://a.example.com', fingerprints: [9A296436]}",
    ] {
        let found = of(bad);
        assert!(
            !found.is_empty() && found.iter().all(|code| code.starts_with("inventory/")),
            "{bad}: {found:?}"
        );
    }
}

#[test]
fn a_repository_has_one_key_in_one_way() {
    let url = "url: 'https://mirror.example.com/apt'";
    let of = |more: &str| of_repositories(&format!("{{runtime: {{{url}{more}}}}}"));
    assert_eq!(of(""), ["host/repository-key"]);
    assert!(of(", keyring: /etc/apt/keyrings/site.gpg").is_empty());
    assert!(of(&format!(", keys: [{PINNED}]")).is_empty());
    assert_eq!(of(&format!(", keyring: /k.gpg, keys: [{PINNED}]")), ["host/repository-key"]);
    // apt refuses one source with two keyrings.
    let twice = "{runtime: {url: 'https://mirror.example.com/apt', keyring: /a.gpg}, kubernetes: {url: 'https://mirror.example.com/apt/', keyring: /b.gpg}}";
    assert_eq!(of_repositories(twice), ["host/repository-key"]);
}

#[test]
fn a_repository_has_the_form_that_the_package_manager_reads() {
    let of = |os: &str, form: &str| {
        codes(&format!(
            "{{os: {os}, packages: {{repositories: {{runtime: {{url: 'https://mirror.example.com/', keyring: /k.gpg, {form}}}}}}}}}"
        ))
    };
    let debian = "{distribution: debian, release: '12'}";
    assert!(of(debian, "suite: ./").is_empty());
    assert!(of(debian, "suite: bookworm, components: [main]").is_empty());
    assert_eq!(of(debian, "suite: bookworm"), ["host/repository-form"]);
    assert_eq!(of(debian, "suite: ./, components: [main]"), ["host/repository-form"]);
    assert_eq!(of(debian, "components: [main]"), ["host/repository-form"]);
    let rocky = "{distribution: rocky, release: '9'}";
    assert_eq!(of(rocky, "suite: ./"), ["host/repository-form"]);
}

/// What is found about packages of a cluster with a worker of another system.
fn of_two_systems(packages: &str) -> Vec<&'static str> {
    codes(&format!(
        "{{nodes: [{{name: cp1, address: 192.168.1.11, roles: [control-plane]}},
          {{name: cp2, address: 192.168.1.12, roles: [control-plane]}},
          {{name: cp3, address: 192.168.1.13, roles: [control-plane]}},
          {{name: w1, address: 192.168.1.21, roles: [worker], os: {{distribution: rocky, release: '9'}}}}],
          packages: {packages}}}"
    ))
}

#[test]
fn a_repository_of_one_system_is_not_asked_by_nodes_of_another() {
    let apt = "{url: 'https://mirror.example.com/debian', keyring: /k.gpg, suite: bookworm, components: [main]}";
    let all = format!("repositories: {{distribution: {apt}}}");
    assert_eq!(of_two_systems(&format!("{{{all}}}")), ["host/repository-form"]);
    let rpm = "{url: 'https://mirror.example.com/rocky/9/BaseOS', keyring: /k.asc}";
    let own = |os: &str, repositories: &str| {
        format!("systems: [{{os: {os}, repositories: {{distribution: {repositories}}}}}]")
    };
    let rocky = "{distribution: rocky, release: '9'}";
    assert!(of_two_systems(&format!("{{{all}, {}}}", own(rocky, rpm))).is_empty());
    let debian = "{distribution: debian, release: '12'}";
    assert!(of_two_systems(&format!("{{{}}}", own(debian, apt))).is_empty());
    assert_eq!(of_two_systems(&format!("{{{}}}", own(rocky, apt))), ["host/repository-form"]);
}

#[test]
fn others_of_a_distribution_stand_beside_its_first() {
    let one = "{url: 'https://mirror.example.com/a', keyring: /k.gpg}";
    let bare = "{url: 'https://mirror.example.com/b'}";
    assert_eq!(of_repositories(&format!("{{distribution: {one}, others: [{one}]}}")), [""; 0]);
    assert_eq!(of_repositories(&format!("{{others: [{one}]}}")), ["host/repository-form"]);
    let keyless = of_repositories(&format!("{{distribution: {one}, others: [{bare}]}}"));
    assert_eq!(keyless, ["host/repository-key"]);
}

#[test]
fn a_suite_of_one_release_is_not_asked_by_another() {
    let of = |suite: &str, more: &str| {
        codes(&format!(
            "{{nodes: [{{name: cp1, address: 192.168.1.11, roles: [control-plane]}},
              {{name: cp2, address: 192.168.1.12, roles: [control-plane]}},
              {{name: cp3, address: 192.168.1.13, roles: [control-plane]}},
              {{name: w1, address: 192.168.1.21, roles: [worker], os: {{distribution: debian, release: '13'}}}}],
              packages: {{repositories: {{distribution: {{url: 'https://mirror.example.com/debian',
                keyring: /k.gpg, suite: {suite}, components: [main]}}}}{more}}}}}"
        ))
    };
    assert_eq!(of("bookworm", ""), ["host/repository-form"]);
    assert_eq!(of("bookworm-backports", ""), ["host/repository-form"]);
    assert_eq!(of("site", ""), [""; 0]);
    let own = ", systems: [{os: {distribution: debian, release: '13'}, repositories: {distribution:
        {url: 'https://mirror.example.com/debian', keyring: /k.gpg, suite: trixie, components: [main]}}}]";
    assert_eq!(of("bookworm", own), [""; 0]);
}

#[test]
fn systems_that_packages_are_named_for_are_those_of_nodes() {
    let of = |os: &str| format!("{{os: {os}, versions: {{haproxy: '2.*'}}}}");
    let debian = of("{distribution: debian, release: '12'}");
    assert!(of_two_systems(&format!("{{systems: [{debian}]}}")).is_empty());
    let twice = format!("{{systems: [{debian}, {debian}]}}");
    assert_eq!(of_two_systems(&twice), ["host/system-unused"]);
    let older = of("{distribution: rocky, release: '8'}");
    assert_eq!(of_two_systems(&format!("{{systems: [{older}]}}")), ["host/system-unused"]);
    let rocky = "os: {distribution: rocky, release: '9'}";
    let of = |package: &str| format!("systems: [{{{rocky}, versions: {{{package}: '2.*'}}}}]");
    // On control planes alone, which are Debian's.
    let found = of_two_systems(&format!("{{{}}}", of("haproxy")));
    assert_eq!(found, ["audit/unknown-package"]);
    let all = "versions: {iproute-tc: '6.*'}";
    let found = of_two_systems(&format!("{{{all}, {}}}", of("iproute-tc")));
    assert_eq!(found, ["audit/unknown-package"], "every node that needs it has its own");
}

#[test]
fn one_version_does_not_serve_two_systems() {
    for (versions, expected) in [
        ("{chrony: 4.3-2+deb12u1}", &["audit/pin-shared"][..]),
        ("{kubelet: 1.37.1-1.1}", &["audit/pin-shared"]),
        ("{chrony: '4.*', kubelet: '1.37.1-*'}", &[]),
        // On control planes alone, which run one system.
        ("{haproxy: 2.6.12-1+deb12u3}", &[]),
        // Debian 12 has one of them, and the configuration is written for it.
        ("{haproxy: '*', keepalived: '1:2.2*'}", &[]),
        ("{haproxy: '1.8.*', keepalived: '2.10*'}", &["audit/pin-differs", "audit/pin-differs"]),
        // What Debian writes around a number.
        ("{keepalived: '2.2.*'}", &["audit/pin-form"]),
        ("{haproxy: '2.6.12'}", &["audit/pin-form"]),
        ("{keepalived: '1:2.2.7-1+b2'}", &[]),
    ] {
        assert_eq!(of_two_systems(&format!("{{versions: {versions}}}")), expected, "{versions}");
    }
    // What two releases of one family have, and have not.
    let of_worker = |os: &str, versions: &str| {
        codes(&format!(
            "{{os: {{distribution: rocky, release: '9'}}, packages: {{versions: {versions}}}, nodes: [
              {{name: cp1, address: 192.168.1.11, roles: [control-plane]}},
              {{name: cp2, address: 192.168.1.12, roles: [control-plane]}},
              {{name: cp3, address: 192.168.1.13, roles: [control-plane]}},
              {{name: w1, address: 192.168.1.21, roles: [worker], os: {{{os}}}}}]}}"
        ))
    };
    let balancers = |older: &str, versions: &str| {
        codes(&format!(
            "{{os: {{distribution: debian, release: '12'}}, packages: {{versions: {versions}}}, nodes: [
              {{name: cp1, address: 192.168.1.11, roles: [control-plane]}},
              {{name: cp2, address: 192.168.1.12, roles: [control-plane]}},
              {{name: cp3, address: 192.168.1.13, roles: [control-plane],
                os: {{distribution: debian, release: '{older}'}}}}]}}"
        ))
    };
    for one_of_them in ["{haproxy: '2.6.*'}", "{haproxy: '2.2.*'}"] {
        assert_eq!(balancers("11", one_of_them), ["audit/pin-shared"]);
    }
    assert_eq!(balancers("11", "{haproxy: '1.8.*'}"), ["audit/pin-differs"]);
    assert_eq!(balancers("11", "{haproxy: '2.2.*', containerd.io: '2.*~bookworm'}").len(), 2);
    assert_eq!(balancers("11", "{haproxy: '2.*'}"), [""; 0]);
    let build = "{socat: 1.7.4.1-6.el9_5.1}";
    assert_eq!(of_worker("distribution: almalinux, release: '9'", build), [""; 0]);
    assert_eq!(of_worker("distribution: rocky, release: '10'", build), ["audit/pin-shared"]);
    assert_eq!(
        of_worker("distribution: rocky, release: '10'", "{kubelet: 1.37.1-150500.1.1}"),
        [""; 0]
    );
    let own = "systems: [{os: {distribution: rocky, release: '9'}, versions: {kubelet: 1.37.1-150500.1.1}}]";
    assert!(of_two_systems(&format!("{{versions: {{kubelet: 1.37.1-1.1}}, {own}}}")).is_empty());
}

#[test]
fn a_version_is_pinned_for_a_package_that_is_needed() {
    let outcome = outcome("packages: {versions: {haproxi: '2.6.*'}}");
    let [finding] = outcome.report.findings() else { panic!("{:#?}", outcome.report.findings()) };
    assert_eq!(finding.code.id, "audit/unknown-package");
    assert_eq!(finding.help.as_deref(), Some("did you mean `haproxy`?"));
}

#[test]
fn a_proxy_keeps_out_of_the_cluster() {
    let outcome =
        outcome("host: {proxy: {https: 'http://10.9.0.1:3128', noProxy: [.example.com]}}");
    for unit in ["containerd.service", "kubelet.service"] {
        let path = format!("nodes/w1/rootfs/etc/systemd/system/{unit}.d/20-hagen-proxy.conf");
        let text = file(&outcome, &path);
        for line in [
            "Environment=HTTP_PROXY=http://10.9.0.1:3128",
            "Environment=HTTPS_PROXY=http://10.9.0.1:3128",
            "Environment=NO_PROXY=localhost,127.0.0.0/8,192.168.1.0/24,10.244.0.0/16,10.96.0.0/12,.svc,cluster.local,.example.com",
        ] {
            assert!(text.lines().any(|other| other == line), "{unit}: {text}");
        }
    }
}

#[test]
fn a_host_that_forwards_ipv6_still_listens_to_its_routers() {
    let settings = |overlay: &serde_json::Value, node: usize| {
        let (_, claims) = crate::rooms::overlaid::claimed(overlay);
        let all = claims.of(node).sysctls.iter();
        let ours = all.filter(|(key, _)| key.ends_with("accept_ra"));
        ours.map(|(key, setting)| format!("{key}={}", setting.value)).collect::<Vec<_>>()
    };
    let two = serde_json::json!({
        "cluster": {
            "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
            "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
        },
        "endpoint": {"interface": "bond0.100"},
    });
    let all = "net.ipv6.conf.default.accept_ra=2";
    assert_eq!(settings(&two, 0), ["net.ipv6.conf.bond0/100.accept_ra=2", all]);
    // Whether a worker has that interface, nobody said.
    assert_eq!(settings(&two, 3), [all]);
    assert!(settings(&serde_json::json!({}), 0).is_empty());
    let mut said = two;
    said["nodes"] = serde_json::json!([
        {"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"]},
        {"name": "w1", "address": "192.168.1.21", "roles": ["worker"], "interface": "ens3"},
    ]);
    assert_eq!(settings(&said, 1), [all, "net.ipv6.conf.ens3.accept_ra=2"]);
}

#[test]
fn the_version_that_a_configuration_is_written_for_is_installed() {
    let outcome = outcome(
        "{loadBalancer: {haproxy: {version: '2.8'}}, keepalived: {programVersion: '2.2.8'}}",
    );
    let words = file(&outcome, "nodes/cp1/node.sh");
    for row in ["haproxy '2.8.*' yes", "keepalived '1:2.2.8-*' yes"] {
        assert!(words.lines().any(|line| line.trim() == row), "{row}: {words}");
    }
}
