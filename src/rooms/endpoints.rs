//! Sites that no inventory can describe yet: a second endpoint on the same machines, and endpoints
//! without Kubernetes. Every room that serves endpoints serves them as well.

use serde_json::json;

use super::haproxy::Haproxy;
use super::keepalived::Keepalived;
use super::nginx::Nginx;
use super::overlaid::{files_on, resolved, text};
use crate::inventory::Inventory;
use crate::report::Path;
use crate::site::{
    Alive, Backend, Balancer, Endpoint, Holder, LoadBalancerKind, Reached, Site, Virtual,
};

/// A registry behind an address of its own, on every machine of the API's.
fn registry(site: &Site, kind: LoadBalancerKind) -> Endpoint {
    let held = site.endpoints[0].vip().unwrap();
    let address = "192.168.1.34".parse().unwrap();
    Endpoint {
        name: "registry",
        at: Path::of(&["registry"]),
        reached: Reached::Address(address),
        port: 8444,
        dns_name: None,
        holder: Holder::Vrrp(Virtual { address, ..held.clone() }),
        balancer: Some(Balancer { kind, hosts: held.hosts.clone(), status_port: 8405 }),
        backends: site
            .hosts
            .iter()
            .filter(|host| host.control_plane())
            .map(|host| Backend {
                host: host.index,
                name: host.name.clone(),
                address: host.address,
                port: 5000,
                starts_with: "/srv/registry",
                quorum: None,
                hollow: None,
            })
            .collect(),
        alive: Alive::Connect,
        witnesses: Vec::new(),
    }
}

/// The base with both endpoints.
fn both(kind: &str) -> (Inventory, Site) {
    let (said, mut site) = resolved(&json!({"loadBalancer": {"kind": kind}}));
    let registry = registry(&site, said.load_balancer.kind);
    site.endpoints.push(registry);
    (said, site)
}

/// The registry alone: nothing of Kubernetes is left.
fn alone(kind: &str) -> (Inventory, Site) {
    let (said, mut site) = both(kind);
    site.endpoints.remove(0);
    site.kubernetes = None;
    for host in &mut site.hosts {
        host.roles.clear();
    }
    (said, site)
}

#[test]
fn haproxy_serves_each_endpoint() {
    let (said, site) = both("haproxy");
    let made = files_on(&Haproxy, &said, &site);
    let config = text(&made, "nodes/cp1/rootfs/etc/haproxy/haproxy.cfg");
    let of = |name: &str| {
        let mut sections = config.split("\n\n");
        sections.find(|section| section.lines().any(|line| line == name)).unwrap().to_owned()
    };
    assert!(of("frontend fe_apiserver").contains("bind *:8443\n"));
    assert!(of("frontend fe_registry").contains("bind *:8444\n"));
    let servers = of("backend be_registry");
    assert!(
        servers.contains("server cp2 192.168.1.12:5000 track be_health_registry/cp2 "),
        "{servers}"
    );
    assert!(of("backend be_health").contains("check-ssl"));
    // Whoever only has to accept connections is asked for nothing.
    let checks = of("backend be_health_registry");
    assert!(!checks.contains("httpchk") && !checks.contains("ca-file"), "{checks}");
    assert!(of("frontend fe_status_registry").contains("nbsrv(be_health_registry) lt 1"));

    let (said, site) = alone("haproxy");
    let made = files_on(&Haproxy, &said, &site);
    let config = text(&made, "nodes/cp1/rootfs/etc/haproxy/haproxy.cfg");
    assert!(config.contains("frontend fe_registry") && !config.contains("apiserver"), "{config}");
    // No authority signs anything here.
    assert!(made.iter().all(|(path, _)| !path.ends_with(".crt")));
    assert!(made.iter().all(|(path, _)| !path.contains("/w1/")));
}

#[test]
fn nginx_serves_each_endpoint() {
    let (said, site) = both("nginx");
    let made = files_on(&Nginx, &said, &site);
    let config = text(&made, "nodes/cp1/rootfs/etc/nginx/nginx.conf");
    for line in [
        "listen 0.0.0.0:8443 so_keepalive=on;",
        "listen 0.0.0.0:8444 so_keepalive=on;",
        "listen 127.0.0.1:8444;",
        "zone be_registry 64k;",
        "proxy_pass be_registry;",
        "server 192.168.1.12:5000 max_fails=0 backup;",
    ] {
        assert!(config.lines().any(|given| given.trim() == line), "{line} in {config}");
    }
    let (said, site) = alone("nginx");
    let made = files_on(&Nginx, &said, &site);
    let config = text(&made, "nodes/cp1/rootfs/etc/nginx/nginx.conf");
    assert!(config.contains("be_registry") && !config.contains("apiserver"), "{config}");
}

#[test]
fn keepalived_holds_each_address() {
    let (said, site) = both("haproxy");
    let made = files_on(&Keepalived, &said, &site);
    let config = text(&made, "nodes/cp1/rootfs/etc/keepalived/keepalived.conf");
    let (_, registry) = config.split_once("vrrp_instance registry {").unwrap();
    assert!(registry.contains("virtual_router_id 34\n"), "{registry}");
    assert!(registry.contains("        192.168.1.34/24 dev eth0\n"), "{registry}");
    assert!(registry.contains("track_script {\n        registry\n    }"), "{registry}");
    assert!(config.contains("script \"/etc/keepalived/check-registry.sh\""), "{config}");
    let check = text(&made, "nodes/cp1/rootfs/etc/keepalived/check-registry.sh");
    for word in [
        "port=8444",
        "peers=(192.168.1.12/5000 192.168.1.13/5000)",
        "manifest=/srv/registry",
        "status_port=8405",
    ] {
        assert!(check.lines().any(|line| line == word), "{word} in {check}");
    }
    let unit = "nodes/cp1/rootfs/etc/systemd/system/keepalived.service.d/10-hagen.conf";
    let stops = text(&made, unit).matches("ExecStopPost=").count();
    assert_eq!(stops, 2);

    let (said, site) = alone("haproxy");
    let made = files_on(&Keepalived, &said, &site);
    let config = text(&made, "nodes/cp3/rootfs/etc/keepalived/keepalived.conf");
    assert!(config.contains("vrrp_instance registry") && !config.contains("apiserver"), "{config}");
    let held = made.iter().filter(|(path, _)| path.ends_with("/keepalived.conf")).count();
    assert_eq!(held, 3);
}

#[test]
fn each_address_has_a_password_of_its_own() {
    let (mut said, site) = both("haproxy");
    said.keepalived.version = Some(2);
    let made = files_on(&Keepalived, &said, &site);
    let config = text(&made, "nodes/cp1/rootfs/etc/keepalived/keepalived.conf");
    let (_, registry) = config.split_once("vrrp_instance registry {").unwrap();
    assert!(registry.contains("include /etc/keepalived/auth-registry.conf\n"), "{registry}");
    let password = |name: &str| text(&made, &format!("nodes/cp1/rootfs/etc/keepalived/{name}"));
    assert_ne!(password("auth.conf"), password("auth-registry.conf"));
}

#[test]
fn two_endpoints_with_one_address_have_one_router() {
    let (said, mut site) = both("haproxy");
    site.endpoints[1].reached = site.endpoints[0].reached.clone();
    site.endpoints[1].holder = site.endpoints[0].holder.clone();
    let made = files_on(&Keepalived, &said, &site);
    let config = text(&made, "nodes/cp1/rootfs/etc/keepalived/keepalived.conf");
    assert_eq!(config.matches("vrrp_instance").count(), 1);
    // It is held only where both balancers are of use.
    assert!(
        config.contains("track_script {\n        balancer\n        registry\n    }"),
        "{config}"
    );
}
