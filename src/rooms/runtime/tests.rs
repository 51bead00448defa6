use crate::rooms::overlaid::{codes, file, outcome};

const CONFIG: &str = "nodes/w1/rootfs/etc/containerd/config.toml";

fn config(overlay: &str) -> toml::Table {
    file(&outcome(overlay), CONFIG).parse().unwrap()
}

#[test]
fn the_sandbox_image_is_kubeadms_wherever_the_series_wants_it() {
    let new = config("{}");
    assert_eq!(new["version"].as_integer(), Some(3));
    let images = &new["plugins"]["io.containerd.cri.v1.images"];
    assert_eq!(images["pinned_images"]["sandbox"].as_str(), Some("registry.k8s.io/pause:3.10.2"));
    let old = config("cluster: {kubernetes: 1.30.4}");
    assert_eq!(old["version"].as_integer(), Some(2));
    let cri = &old["plugins"]["io.containerd.grpc.v1.cri"];
    assert_eq!(cri["sandbox_image"].as_str(), Some("registry.k8s.io/pause:3.9"));
}

#[test]
fn the_cgroup_driver_stands_beside_its_runtime_type() {
    for (driver, systemd) in [("systemd", true), ("cgroupfs", false)] {
        let config = config(&format!("runtime: {{cgroupDriver: {driver}}}"));
        let runc =
            &config["plugins"]["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]["runc"];
        assert_eq!(runc["runtime_type"].as_str(), Some("io.containerd.runc.v2"));
        assert_eq!(runc["options"]["SystemdCgroup"].as_bool(), Some(systemd));
    }
}

fn patched(patch: &str) -> String {
    format!("patches: [{{document: runtime/ContainerdConfig, patch: {patch}}}]")
}

#[test]
fn a_table_is_merged_into_the_configuration() {
    let table = "{plugins: {io.containerd.cri.v1.runtime: {restrict_oom_score_adj: true, containerd: {default_runtime_name: null}}, io.containerd.gc.v1.scheduler: {pause_threshold: 0.02}}}";
    let config = config(&patched(table));
    let plugin = &config["plugins"]["io.containerd.cri.v1.runtime"];
    assert_eq!(plugin["restrict_oom_score_adj"].as_bool(), Some(true));
    assert_eq!(plugin["cni"]["conf_dir"].as_str(), Some("/etc/cni/net.d"));
    assert!(plugin["containerd"].get("default_runtime_name").is_none());
    let threshold = &config["plugins"]["io.containerd.gc.v1.scheduler"]["pause_threshold"];
    assert_eq!(threshold.as_float(), Some(0.02));
}

#[test]
fn what_logs_in_to_a_registry_is_said_to_be_public() {
    let of = |auth: &str| {
        codes(&patched(&format!(
            "{{plugins: {{io.containerd.cri.v1.images: {{registry: {{configs: {{r.example.com: {{auth: {auth}}}}}}}}}}}}}"
        )))
    };
    for auth in
        ["{username: a, password: b}", "{auth: 'YTpi'}", "{identitytoken: c}", "{Password: b}"]
    {
        assert_eq!(of(auth), ["runtime/password-public"], "{auth}");
    }
    for auth in ["{username: a}", "{password: ''}"] {
        assert_eq!(of(auth), [""; 0], "{auth}");
    }
}

#[test]
fn a_table_leaves_alone_what_hagen_decides_and_says_what_toml_can() {
    for table in [
        "{version: 2}",
        "{plugins: null}",
        "{plugins: {io.containerd.cri.v1.runtime: {containerd: {runtimes: {runc: {options: {SystemdCgroup: false}}}}}}}",
        "{plugins: {io.containerd.cri.v1.images: {pinned_images: [other]}}}",
        "{required_plugins: [null]}",
        "{timeouts: {a: 18446744073709551615}}",
    ] {
        assert_eq!(codes(&patched(table)), ["cluster/patch-target"], "{table}");
    }
}

#[test]
fn dockers_daemon_is_valid_json_with_the_driver() {
    let outcome = outcome(
        "{cluster: {kubernetes: 1.21.14}, runtime: {kind: docker}, packages: {source: preinstalled}}",
    );
    let text = file(&outcome, "nodes/w1/rootfs/etc/docker/daemon.json");
    let daemon: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(daemon["exec-opts"][0], "native.cgroupdriver=systemd");
    assert!(
        file(&outcome, "nodes/w1/rootfs/etc/crictl.yaml")
            .contains("unix:///var/run/dockershim.sock")
    );
}

/// The rows of `packages`: name, version or `-`, held or not.
fn wanted(overlay: &str) -> String {
    let words = file(&outcome(overlay), "nodes/w1/node.sh");
    let (_, rows) = words.split_once("\npackages=(\n").unwrap();
    rows.split_once("\n)").unwrap().0.to_owned()
}

#[test]
fn the_distributions_containerd_is_taken_where_it_is_the_wanted_one() {
    let own = wanted("{cluster: {kubernetes: 1.30.4}, runtime: {version: '1.6'}}");
    assert!(own.contains("  containerd ") && !own.contains("containerd.io"), "{own}");
    // A default is pinned to the series that upstream tested with the release …
    let other = wanted("{cluster: {kubernetes: 1.30.4}}");
    assert!(other.contains("  containerd.io '1.7.*' "), "{other}");
    // … but not to one that the repository may not have yet.
    let newest = wanted("{}");
    assert!(newest.contains("  containerd.io - "), "{newest}");
}

#[test]
fn docker_is_pinned_in_the_packages_own_form() {
    let packages = wanted(
        "{cluster: {kubernetes: 1.23.17}, runtime: {kind: docker, version: 20.10.24}, packages: {repositories: {kubernetes: {url: 'https://mirror.example.com/k8s/', keyring: /etc/apt/keyrings/site.asc}}}}",
    );
    assert!(packages.contains("  docker-ce '5:20.10.24~*' "), "{packages}");
}

#[test]
fn docker_without_cgroup_v2_is_refused_where_the_host_has_nothing_else() {
    let of = |os: &str| {
        codes(&format!(
            "{{cluster: {{kubernetes: 1.15.1}}, runtime: {{kind: docker, version: 18.09.7}}, os: {os}, packages: {{source: preinstalled}}}}"
        ))
    };
    assert!(of("{distribution: debian, release: '12'}").contains(&"cluster/runtime-too-old"));
    assert!(!of("{distribution: centos, release: '7'}").contains(&"cluster/runtime-too-old"));
}

/// `hosts.toml` of one mirror's registry.
fn hosts(folder: &str, mirror: &str) -> String {
    let outcome = outcome(&format!("images: {{mirrors: [{mirror}]}}"));
    file(&outcome, &format!("nodes/w1/rootfs/etc/containerd/certs.d/{folder}/hosts.toml"))
}

#[test]
fn mirrors_are_asked_in_the_order_named_and_then_the_registry() {
    let text = hosts(
        "registry.k8s.io",
        "{registry: registry.k8s.io, endpoints: ['https://z.example.com/', 'https://a.example.com:5000']}",
    );
    let order: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(
        order,
        ["[host.\"https://z.example.com\"]", "[host.\"https://a.example.com:5000\"]"]
    );
    let read: toml::Table = text.parse().unwrap();
    assert!(read.get("server").is_none());
    assert_eq!(read["host"]["https://z.example.com"]["capabilities"].as_array().unwrap().len(), 2);
}

#[test]
fn a_registry_that_is_never_asked_gives_its_place_to_the_last_mirror() {
    let ca = serde_json::json!(include_str!("../../inventory/values/certificates.pem"));
    let text = hosts(
        "registry.example.com_5000_",
        &format!(
            "{{registry: 'registry.example.com:5000', only: true, ca: {ca}, endpoints: ['http://10.0.0.1', 'https://b.example.com']}}"
        ),
    );
    let read: toml::Table = text.parse().unwrap();
    assert_eq!(read["server"].as_str(), Some("https://b.example.com"));
    let authority = "/etc/containerd/certs.d/registry.example.com_5000_/ca.crt";
    assert_eq!(read["ca"].as_str(), Some(authority));
    assert_eq!(read["host"].as_table().unwrap().len(), 1);
    // containerd would try https there.
    assert!(read["host"]["http://10.0.0.1"].get("ca").is_none());
}

#[test]
fn a_path_into_the_api_is_taken_as_it_stands() {
    let text = hosts(
        "ghcr.io",
        "{registry: ghcr.io, only: true, endpoints: ['https://m.example.com/nexus', 'https://harbor.example.com/v2/ghcr/']}",
    );
    let read: toml::Table = text.parse().unwrap();
    assert_eq!(read["server"].as_str(), Some("https://harbor.example.com/v2/ghcr"));
    assert_eq!(read["override_path"].as_bool(), Some(true));
    // containerd adds /v2 to this one.
    assert!(read["host"]["https://m.example.com/nexus"].get("override_path").is_none());
    let of = |version: &str| {
        codes(&format!(
            "{{cluster: {{kubernetes: 1.23.17}}, runtime: {{version: '{version}'}}, packages: {{source: preinstalled}}, images: {{mirrors: [{{registry: ghcr.io, endpoints: ['https://harbor.example.com/v2/ghcr']}}]}}}}"
        ))
        .contains(&"runtime/mirror-unsupported")
    };
    assert!(of("1.5") && !of("1.6"));
}

#[test]
fn the_only_mirror_is_a_host_too() {
    // containerd 1.6 says "invalid `host` tree" of a file without one, and asks the registry.
    let text =
        hosts("ghcr.io", "{registry: ghcr.io, only: true, endpoints: ['https://b.example.com']}");
    let read: toml::Table = text.parse().unwrap();
    assert_eq!(read["server"].as_str(), Some("https://b.example.com"));
    assert!(read["host"]["https://b.example.com"].is_table());
}

#[test]
fn mirrors_are_refused_where_the_runtime_reads_none() {
    let of = |rest: &str| {
        codes(&format!(
            "{{{rest}, packages: {{source: preinstalled}}, images: {{mirrors: [{{registry: k8s.gcr.io, endpoints: ['https://mirror.example.com']}}]}}}}"
        ))
        .contains(&"runtime/mirror-unsupported")
    };
    let old = "cluster: {kubernetes: 1.20.15}, runtime";
    assert!(of(&format!("{old}: {{kind: docker, version: '19.03'}}")));
    assert!(of(&format!("{old}: {{version: '1.4'}}")));
    assert!(!of(&format!("{old}: {{version: '1.5'}}")));
}
