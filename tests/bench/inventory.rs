//! Inventories of any size.

/// Three control planes and workers; every default.
pub(crate) fn of(nodes: usize) -> String {
    let mut text = "apiVersion: hagen/v1\n\
        cluster: {name: bench, kubernetes: \"1.37.1\", podSubnet: 172.16.0.0/12}\n\
        endpoint: {vip: 10.0.0.10/16, port: 8443, interface: eth0}\n\
        nodes:\n"
        .to_owned();
    for index in 0..nodes {
        let role = if index < 3 { "control-plane" } else { "worker" };
        let (high, low) = ((index + 20) / 250, (index + 20) % 250 + 1);
        text += &format!("  - {{name: n{index}, address: 10.0.{high}.{low}, roles: [{role}]}}\n");
    }
    text
}
