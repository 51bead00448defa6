use serde_json::{Value, json};

use crate::rooms::overlaid::outcome;

/// Each finding about the endpoint or the nodes' interfaces, as `code at place: help`, whatever else.
fn advice(overlay: &Value) -> Vec<String> {
    let outcome = outcome(&overlay.to_string());
    let found = outcome.report.findings().iter().map(|found| {
        format!("{} at {}: {}", found.code.id, found.at, found.help.clone().unwrap_or_default())
    });
    found.collect()
}

/// Three control planes and these besides, by name and roles, all but `far` in one subnet.
fn nodes(more: &[(&str, &str)]) -> Value {
    let planes = ["cp1", "cp2", "cp3"].map(|name| (name, "control-plane"));
    let nodes = planes.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    let nodes = nodes.chain(more).enumerate().map(|(index, (name, roles))| {
        let net = if *name == "far" { 2 } else { 1 };
        let roles: Vec<&str> = roles.split(' ').collect();
        json!({"name": name, "address": format!("192.168.{net}.{}", 11 + index), "roles": roles})
    });
    nodes.collect()
}

/// An inventory whose endpoint says this alone.
fn whole(endpoint: &Value, nodes: &Value) -> Value {
    let mut said = json!({"vip": null, "port": null, "interface": null});
    crate::document::merge(&mut said, endpoint);
    json!({"endpoint": said, "nodes": nodes})
}

/// What is said of an endpoint like this, with the places below it.
fn said(overlay: Value) -> Vec<String> {
    let outcome = outcome(&overlay.to_string());
    let found = outcome.report.findings().iter();
    let found = found.filter_map(|found| {
        let code = found.code.id.strip_prefix("endpoint/")?;
        Some(format!("{code} at {}", found.at.to_string().replace("endpoint.", "")))
    });
    found.collect()
}

#[test]
fn the_vip_is_a_free_address_of_its_subnet() {
    let alone = |address: &str, vip: &str| {
        let node = json!({"name": "a", "address": address, "roles": ["control-plane"]});
        said(json!({"endpoint": {"vip": vip}, "nodes": [node]}))
    };
    let of = |vip: &str| said(json!({"endpoint": {"vip": vip}}));
    assert_eq!(of("192.168.1.33/24"), [""; 0]);
    assert_eq!(of("192.168.1.12/24"), ["vip-is-node at vip"]);
    let second = json!({"name": "a", "address": "192.168.1.9", "secondAddress": "fd00::9", "roles": ["control-plane"]});
    let vip = json!({"vip": "fd00::9/64"});
    assert_eq!(said(json!({"endpoint": vip, "nodes": [second]})), ["vip-is-node at vip"]);
    for edge in ["192.168.1.0/24", "192.168.1.255/24"] {
        assert_eq!(of(edge), ["vip-outside-subnet at vip"], "{edge}");
    }
    assert_eq!(of("192.168.2.33/24"), ["vip-outside-subnet at vip"]);
    assert_eq!(alone("192.168.1.9", "192.168.1.10/30"), [""; 0]);
    assert_eq!(alone("192.168.1.9", "192.168.1.8/30"), ["vip-outside-subnet at vip"]);
    // The two addresses of a /31 are both of hosts (RFC 3021).
    assert_eq!(alone("192.168.1.9", "192.168.1.8/31"), [""; 0]);
    assert_eq!(of("10.96.0.33/24"), ["vip-in-cluster-range at vip"]);
    // There it is the range that is wrong: `cluster/networks-overlap`.
    assert_eq!(said(json!({"cluster": {"serviceSubnet": "192.168.0.0/16"}})), [""; 0]);
}

#[test]
fn the_port_is_the_balancer_s_alone() {
    let of = |port: u16, range: &str| {
        let flags = match range {
            "" => json!({}),
            range => json!({"apiServer": {"service-node-port-range": range}}),
        };
        said(json!({"endpoint": {"port": port}, "extraArgs": flags}))
    };
    assert_eq!(of(6443, ""), ["port-taken at port"]);
    for (port, range) in [(6444, ""), (29_999, ""), (31_000, "20000-40000"), (61_000, "")] {
        assert_eq!(of(port, range), [""; 0], "{port} {range}");
    }
    assert_eq!(of(32_767, ""), ["port-in-nodeport-range at port"]);
    assert_eq!(of(32_768, ""), ["port-ephemeral at port"]);
}

#[test]
fn the_name_is_no_machine_s() {
    let of = |name: &str| said(json!({"endpoint": {"name": name}}));
    for taken in ["cp2", "localhost"] {
        assert_eq!(of(taken), ["name-taken at name"], "{taken}");
    }
    assert_eq!(of("api.example.com"), [""; 0]);
}

#[test]
fn advice_holds_to_the_letter() {
    let two = [("lb1", "load-balancer"), ("lb2", "load-balancer")];
    let vip = json!({"vip": "192.168.1.33/24", "interface": "eth0"});
    let with = |endpoint: &Value, more: Value| {
        let mut endpoint = endpoint.clone();
        crate::document::merge(&mut endpoint, &more);
        endpoint
    };
    let beside = with(&vip, json!({"port": 8443}));
    let local = json!({"holder": "nodeLocal", "port": 8443});
    let external = json!({"holder": "external", "address": "192.0.2.7"});
    let nobody = json!({});
    // What is said, the one finding with its help, and what the help leads to.
    let cases: Vec<(Value, Value, &str, Vec<Value>)> = vec![
        (
            nobody.clone(),
            nodes(&[]),
            "lacks-key at endpoint.vip: add `vip: …`, `port: 8443` and `interface: …`, or say who else leads there: `holder: nodeLocal` and `port: 8443`, or `holder: external` with its `address: …`",
            vec![beside.clone(), local.clone(), external.clone()],
        ),
        (
            json!({"name": "api.example.com", "port": 8443}),
            nodes(&[]),
            "lacks-key at endpoint.vip: add `vip: …` and `interface: …`, or say who else leads there: `holder: nodeLocal`, or `holder: external`",
            vec![
                with(&beside, json!({"name": "api.example.com"})),
                with(&local, json!({"name": "api.example.com"})),
                json!({"holder": "external", "name": "api.example.com", "port": 8443}),
            ],
        ),
        (
            json!({"port": 7443}),
            nodes(&two),
            "lacks-key at endpoint.vip: add `vip: …` and `interface: …`, or say who else leads there: `holder: external` with its `address: …`",
            vec![with(&vip, json!({"port": 7443})), with(&external, json!({"port": 7443}))],
        ),
        (
            json!({"holder": "host"}),
            nodes(&[]),
            "lacks-key at endpoint.vip: remove `holder: host` and add `vip: …`, `port: 8443` and `interface: …`, or say who else leads there: `holder: nodeLocal` and `port: 8443`, or `holder: external` with its `address: …`",
            vec![beside.clone()],
        ),
        (
            json!({"holder": "keepalived"}),
            nodes(&[]),
            "lacks-key at endpoint.vip: add `vip: …`, `port: 8443` and `interface: …`; the VIP is an address of the nodes' subnet that nobody has, with its prefix",
            vec![with(&beside, json!({"holder": "keepalived"}))],
        ),
        (
            vip.clone(),
            nodes(&[]),
            "lacks-key at endpoint.port: add `port: 8443`, or another one that nothing on the nodes uses",
            vec![beside.clone()],
        ),
        (
            json!({"holder": "nodeLocal"}),
            nodes(&[]),
            "lacks-key at endpoint.port: add `port: 8443`, or another one that nothing on the nodes uses",
            vec![local.clone()],
        ),
        (
            json!({"vip": "192.168.1.33/24", "port": 8443}),
            nodes(&[]),
            "missing-key at endpoint.interface: add `interface: eth0` (the interface's real name) to `endpoint`, or to each of them",
            vec![beside.clone()],
        ),
        (
            with(&beside, json!({"holder": "host"})),
            nodes(&[]),
            "unused-key at endpoint.vip: remove `holder: host`",
            vec![beside.clone()],
        ),
        (
            json!({"holder": "external", "vip": "192.168.1.33/24", "port": 6443}),
            nodes(&[]),
            "unused-key at endpoint.vip: write `address: 192.168.1.33` instead",
            vec![json!({"holder": "external", "address": "192.168.1.33", "port": 6443})],
        ),
        (
            json!({"holder": "keepalived", "address": "192.168.1.33", "port": 8443}),
            nodes(&[]),
            "unused-key at endpoint.address: write `vip: …` and `interface: …` instead, the VIP as `192.168.1.33/…` with the prefix of its subnet",
            vec![with(&beside, json!({"holder": "keepalived"}))],
        ),
        (
            with(&local, json!({"vip": "192.168.1.33/24"})),
            nodes(&[]),
            "unused-key at endpoint.vip: remove `vip`, or remove `holder: nodeLocal` and add `interface: …`",
            vec![local.clone(), beside.clone()],
        ),
        (
            json!({"vip": "192.168.9.33/24", "port": 8443, "interface": "eth0"}),
            nodes(&[]),
            "vip-outside-subnet at endpoint.vip: put those that hold the VIP into its subnet, with its real prefix, or write `holder: nodeLocal` instead of `vip`, which needs no common subnet",
            vec![beside.clone(), with(&local, json!({"interface": "eth0"}))],
        ),
        (
            json!({"vip": "fd00::33/64", "port": 8443, "interface": "eth0"}),
            nodes(&[]),
            "address-family at endpoint.vip: write an address of the nodes' family",
            vec![beside.clone()],
        ),
        (
            json!({"address": "fd00::33"}),
            nodes(&[]),
            "address-family at endpoint.address: write an address of the nodes' family",
            vec![json!({"address": "192.0.2.7"})],
        ),
        (
            json!({"address": "192.168.1.11"}),
            nodes(&[]),
            "vip-is-node at endpoint.address: write the address of the balancer in front, which is none of the nodes: one that balances has the role `load-balancer`",
            vec![json!({"address": "192.0.2.7"})],
        ),
        (
            json!({"holder": "external", "address": "192.168.1.11"}),
            json!([{"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane", "worker"]}]),
            "vip-is-node at endpoint.address: remove `address`, and `holder` where it stands: the node's own address is the endpoint then",
            vec![nobody],
        ),
        (
            json!({"vip": "10.96.0.33/24", "port": 8443, "interface": "eth0"}),
            nodes(&[]),
            "vip-in-cluster-range at endpoint.vip: choose a VIP in the nodes' subnet, or a network elsewhere",
            vec![beside.clone()],
        ),
        (
            json!({"address": "10.96.0.33"}),
            nodes(&[]),
            "vip-in-cluster-range at endpoint.address: write the balancer's real address, or choose a network elsewhere",
            vec![external],
        ),
    ];
    for (endpoint, nodes, found, mended) in cases {
        let told = advice(&whole(&endpoint, &nodes));
        assert_eq!(told.len(), 1, "{endpoint}: {told:#?}");
        assert_eq!(told[0].split_once('/').unwrap().1, found, "{endpoint}");
        for endpoint in mended {
            let told = advice(&whole(&endpoint, &nodes));
            assert_eq!(told, [""; 0], "{endpoint} after {found}");
        }
    }
}

#[test]
fn advice_about_balancers_of_their_own_holds_to_the_letter() {
    let vip = json!({"vip": "192.168.1.33/24", "interface": "eth0"});
    let local = json!({"holder": "nodeLocal", "port": 8443});
    let (one, two) = ([("lb1", "load-balancer")], ("lb2", "load-balancer"));
    let beside = [("cp3", "control-plane load-balancer"), one[0]];
    let far = [one[0], ("far", "load-balancer")];
    type Mended<'a> = (Value, Vec<(&'a str, &'a str)>);
    type Case<'a> = (Value, &'a [(&'a str, &'a str)], &'a str, Vec<Mended<'a>>);
    let cases: Vec<Case> = vec![
        (
            json!({}),
            &one,
            "single-point at nodes[3].roles: give the role `load-balancer` to a second node of its subnet that is no control plane, and the endpoint `vip: …` and `interface: …`, or remove the node lb1 and write `holder: nodeLocal` and `port: 8443`",
            vec![(vip.clone(), vec![one[0], two]), (local.clone(), vec![])],
        ),
        (
            vip.clone(),
            &one,
            "single-point at nodes[3].roles: give the role `load-balancer` to a second node of the VIP's subnet that is no control plane, or remove the node lb1 and write `holder: nodeLocal` and `port: 8443` instead of `vip`",
            vec![(vip.clone(), vec![one[0], two]), (local.clone(), vec![])],
        ),
        (
            json!({"address": "192.0.2.7"}),
            &one,
            "single-point at nodes[3].roles: give the role `load-balancer` to a second node that is no control plane",
            vec![(json!({"address": "192.0.2.7"}), vec![one[0], two])],
        ),
        (
            local.clone(),
            &beside,
            "role-unused at nodes[2].roles: take the role `load-balancer` away from cp3 and remove the node lb1, or write `vip: …` and `interface: …` instead of `holder: nodeLocal`",
            vec![
                (local, vec![]),
                (
                    json!({"vip": "192.168.1.33/24", "interface": "eth0", "port": 8443}),
                    beside.to_vec(),
                ),
            ],
        ),
        (
            vip.clone(),
            &far,
            "vip-outside-subnet at endpoint.vip: put all load balancers into the VIP's subnet, with its real prefix",
            vec![(vip, vec![one[0], two])],
        ),
    ];
    for (endpoint, more, found, mended) in cases {
        let told = advice(&whole(&endpoint, &nodes(more)));
        let told: Vec<&str> =
            told.iter().map(|told| told.strip_prefix("endpoint/").unwrap_or(told)).collect();
        assert_eq!(told, [found], "{endpoint}");
        for (endpoint, more) in mended {
            let told = advice(&whole(&endpoint, &nodes(&more)));
            assert_eq!(told, [""; 0], "{endpoint} after {found}");
        }
    }
}

#[test]
fn settings_of_what_does_not_run_can_be_removed_or_read() {
    let alone =
        json!([{"name": "a", "address": "192.168.1.11", "roles": ["control-plane", "worker"]}]);
    let planes = nodes(&[]);
    let lone = nodes(&[("lb1", "load-balancer")]);
    let own = "remove it, or have the nodes hold the endpoint: add `vip: …`";
    let remove = "remove it".to_owned();
    for (endpoint, nodes, help) in [
        (json!({"holder": "nodeLocal", "port": 8443}), &planes, remove.clone()),
        (json!({"address": "192.0.2.7"}), &planes, remove.clone()),
        (json!({"holder": "host"}), &alone, remove),
        (json!({}), &alone, format!("{}, `port: 8443` and `interface: …`", own)),
        (json!({"port": 6443}), &lone, format!("{own} and `interface: …`")),
    ] {
        let mut said = whole(&endpoint, nodes);
        said["keepalived"] = json!({"routerId": 51});
        let found = advice(&said);
        let unused = found
            .iter()
            .find_map(|found| found.strip_prefix("cluster/balancer-unused at keepalived: "));
        assert_eq!(unused, Some(help.as_str()), "{endpoint}: {found:?}");
    }
}
