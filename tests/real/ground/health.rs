//! Whether a cluster is as it should be, and what it runs.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::machine::Machine;
use crate::tree::Node;

const ADMIN: &str = "/etc/kubernetes/admin.conf";
/// How long pods on all nodes may take to reach the API.
const PODS: Duration = Duration::from_secs(90);

impl Cluster {
    /// Whether what the inventory adds for the site is in force on every machine
    /// of Kubernetes.
    pub(crate) fn site(&self) -> Result<(), String> {
        for name in self.kubelets() {
            let machine = &self.machines[&name];
            let said = machine.shell(
                "sysctl --values net.ipv4.tcp_keepalive_time
                 systemctl show --property=CPUWeight --value kubelet",
            );
            if said.stdout.trim() != "600\n200" {
                return Err(format!("{} was to have 600 and 200, and has {said}", machine.name));
            }
        }
        Ok(())
    }

    /// A pod on every node finds the API by its service's name, so name service, service addresses
    /// and the pods' network work there; if not, what a pod said.
    pub(crate) fn pods_reach_the_api(&self) -> Result<(), String> {
        let machine = &self.machines[&self.plane()];
        let names = self.kubelets();
        let pods: String = names.iter().map(|name| pod(name)).collect();
        let file = machine.disk("/root/pods.yaml");
        fs::write(&file, pods).unwrap();
        // On a busy host a single request may take longer than kubectl waits.
        let patiently = |arguments: &[&str]| until(PODS, || kubectl(machine, arguments).map(drop));
        patiently(&["apply", "-f", "/root/pods.yaml"])?;
        for name in &names {
            let pod = format!("reach-{name}");
            let phase = ["get", "pod", &pod, "-o", "jsonpath={.status.phase}"];
            until(PODS, || match kubectl(machine, &phase)?.as_str() {
                "Succeeded" => Ok(()),
                phase => Err(format!("{pod} is {phase}")),
            })
            .map_err(|said| {
                let log = kubectl(machine, &["logs", &pod, "--tail=5"]);
                format!("{pod} has not reached the API: {said}: {log:?}")
            })?;
        }
        // Those that stayed would answer for the next ones.
        patiently(&["delete", "--wait=false", "--ignore-not-found", "-f", "/root/pods.yaml"])?;
        fs::remove_file(file).unwrap();
        Ok(())
    }

    /// What runs here, in versions.
    pub(crate) fn programs(&self) -> BTreeMap<String, String> {
        let node = |is: fn(&&Node) -> bool| self.tree.nodes.iter().find(is);
        let [plane, member] = [node(|node| node.control_plane), node(|node| node.member)];
        let [plane, member] = [plane, member].map(|node| &node.unwrap().name);
        let etcd = if self.tree.external_etcd {
            "etcd --version".to_owned()
        } else {
            "nsenter --target $(pidof etcd) --mount --root etcd --version".to_owned()
        };
        let mut programs = vec![
            ("Kubernetes", plane, "kubelet --version".to_owned()),
            ("etcd", member, etcd),
            ("containerd", plane, "containerd --version".to_owned()),
        ];
        let leader = node(|node| !node.leading.is_empty());
        programs.extend(leader.iter().flat_map(|node| &node.leading).map(|unit| {
            let program = unit.trim_end_matches(".service");
            (program, &leader.unwrap().name, format!("{program} -v"))
        }));
        programs
            .into_iter()
            .map(|(name, node, command)| {
                let first = "grep -oE '[0-9]+[.][0-9]+[.][0-9]+' | head -n 1";
                let said = self.machines[node].shell(&format!("{command} 2>&1 | {first}"));
                assert!(!said.stdout.trim().is_empty(), "{name} says no version: {said}");
                (name.to_owned(), said.stdout.trim().to_owned())
            })
            .collect()
    }

    /// Whether everything is as it should be; if not, what is not.
    pub(crate) fn health(&self) -> Result<(), String> {
        let holders = self.vip_holders();
        if holders.len() != self.vips() {
            return Err(format!("the VIP's holders: {holders:?}"));
        }
        for node in &self.tree.nodes {
            let machine = &self.machines[&node.name];
            if !machine.is_on() {
                return Err(format!("{} is off", node.name));
            }
            if node.control_plane {
                let own = format!("https://{}:6443", node.address);
                kubectl(machine, &["--server", &own, "get", "--raw", "/readyz"])?;
            }
            for unit in &node.leading {
                if !machine.run("systemctl", &["is-active", "--quiet", unit]).ok() {
                    return Err(format!("{unit} on {} is not active", node.name));
                }
            }
        }
        for node in self.tree.nodes.iter().filter(|node| node.member) {
            let machine = &self.machines[&node.name];
            let member = machine.run("curl", &["-sS", "-m", "2", "http://127.0.0.1:2381/health"]);
            if !member.stdout.contains(r#""health":"true""#) {
                return Err(format!("etcd on {}: {}", node.name, member.text().trim()));
            }
        }
        let ready = r#"jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}"#;
        let plane = &self.machines[&self.plane_among(&holders)];
        let dns = ["-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o", ready];
        if let Some(pod) = kubectl(plane, &dns)?.lines().find(|line| !line.ends_with(" True")) {
            return Err(format!("{pod}: not ready"));
        }
        let said = kubectl(plane, &["get", "nodes", "-o", ready])?;
        let ready: Vec<&str> = said.lines().filter_map(|line| line.strip_suffix(" True")).collect();
        match self.kubelets().iter().find(|name| !ready.contains(&name.as_str())) {
            Some(name) => Err(format!("{name} is not Ready")),
            None => Ok(()),
        }
    }

    /// What etcd says of its members, each a line: id, state, name, addresses, whether a learner.
    pub(crate) fn members(&self) -> Vec<String> {
        let list = if self.tree.external_etcd {
            "set -a; . /etc/etcd/etcdctl.env; set +a; etcdctl member list".to_owned()
        } else {
            let pki = "/etc/kubernetes/pki/etcd";
            format!(
                "ETCDCTL_API=3 nsenter --target $(pidof etcd) --mount --root \
                 etcdctl --endpoints=https://127.0.0.1:2379 --cacert={pki}/ca.crt \
                 --cert={pki}/healthcheck-client.crt --key={pki}/healthcheck-client.key member list"
            )
        };
        let member = self.tree.nodes.iter().find(|node| node.member).unwrap();
        let said = self.machines[&member.name].shell(&list).succeeded().stdout;
        let mut members: Vec<String> = said.lines().map(str::to_owned).collect();
        members.sort();
        members
    }

    /// Whether etcd has the members of the inventory and no others, each with a vote; if not, what
    /// it has.
    pub(crate) fn members_as_wanted(&self) -> Result<(), String> {
        let members = self.members();
        let voter = |line: &String| {
            let fields: Vec<&str> = line.split(", ").collect();
            let [_, "started", name, .., "false"] = fields[..] else { return None };
            Some(name.to_owned())
        };
        let mut voters: Vec<Option<String>> = members.iter().map(voter).collect();
        let wanted = self.tree.nodes.iter().filter(|node| node.member);
        let mut wanted: Vec<Option<String>> = wanted.map(|node| Some(node.name.clone())).collect();
        voters.sort();
        wanted.sort();
        if voters == wanted { Ok(()) } else { Err(format!("the members of etcd are {members:?}")) }
    }
}

/// A pod on a node of its own that ends well once it has reached the API by name.
fn pod(node: &str) -> String {
    format!(
        "---
apiVersion: v1
kind: Pod
metadata: {{name: reach-{node}}}
spec:
  nodeName: {node}
  restartPolicy: Never
  tolerations: [{{operator: Exists}}]
  containers:
    - name: reach
      image: hagen.test/toolbox:1
      command:
        - sh
        - -c
        - |
          until nslookup kubernetes.default.svc.cluster.local &&
            curl --silent --show-error --fail --insecure --max-time 2 https://kubernetes.default.svc.cluster.local/readyz
          do sleep 1; done
"
    )
}

/// What kubectl prints on a control plane.
pub(crate) fn kubectl(machine: &Machine, arguments: &[&str]) -> Result<String, String> {
    let common = ["--kubeconfig", ADMIN, "--request-timeout=3s"];
    if !machine.is_on() {
        return Err(format!("{} is off", machine.name));
    }
    let ran = machine.run("kubectl", &[&common[..], arguments].concat());
    if ran.ok() { Ok(ran.stdout) } else { Err(format!("{}: {}", machine.name, ran.text().trim())) }
}

/// Asks every half second until it holds, for so long; what was said last.
pub(crate) fn until(limit: Duration, holds: impl Fn() -> Result<(), String>) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        match holds() {
            Err(_) if begun.elapsed() < limit => std::thread::sleep(Duration::from_millis(500)),
            said => return said,
        }
    }
}
