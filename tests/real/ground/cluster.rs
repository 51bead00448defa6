//! A cluster of machines, brought up by the runbook and mended by it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::machine::{self, Machine};
use crate::programs::Ran;
use crate::runbook::{self, Step};
use crate::sandbox;
use crate::switch::{self, Switch};
use crate::topology::{Release, System, Topology, Tree};

/// Where the runbook has a node's folder copied to.
pub(crate) const FOLDER: &str = "/root/hagen";
/// A minute, in the words of the runbook: for how long a lost member of etcd is not forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// The namespace of the client.
const CLIENT: &str = "client";
const ADMIN: &str = "/etc/kubernetes/admin.conf";
/// What serves the packages, archives and images of the site.
const MIRROR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/ground/mirror.py");
/// How long pods on all nodes may take to reach the API.
const PODS: Duration = Duration::from_secs(90);

/// Machines, what they are to become, and the network between them.
pub(crate) struct Cluster {
    pub(crate) tree: Tree,
    pub(crate) switch: Switch,
    pub(crate) machines: BTreeMap<String, Machine>,
    /// The site's repository of packages, archive of releases and registry of images.
    mirror: Option<Child>,
}

/// What 10-prepare.sh asks for where SELinux enforces EL's policy.
const POLICY: &str = "! command -v setsebool >/dev/null ||
    { setsebool -P haproxy_connect_any 1 && setsebool -P httpd_can_network_connect 1; }";

impl Cluster {
    /// Fresh machines, turned on, with their folder of the tree and nothing else.
    pub(crate) fn new(
        topology: &Topology,
        supply: &Path,
        release: &Release,
        system: &System,
    ) -> Self {
        Self::of(topology.compile(supply, release, system), supply)
    }

    /// The same of one node only: the others are off, and nobody turns them on.
    pub(crate) fn lone(topology: &Topology, supply: &Path, release: &Release, node: &str) -> Self {
        let mut tree = topology.compile(supply, release, System::of("debian-12"));
        tree.nodes.retain(|other| other.name == node);
        Self::of(tree, supply)
    }

    fn of(tree: Tree, supply: &Path) -> Self {
        let switch = Switch::start(tree.gateway, tree.prefix);
        switch.plug(CLIENT, "eth0", tree.client);
        let machine =
            |node: &crate::topology::Node| (node.name.clone(), Machine::new(node, supply));
        let machines = tree.nodes.iter().map(machine).collect();
        let mut cluster = Self { tree, switch, machines, mirror: None };
        cluster.start_mirror(supply);
        let names: Vec<String> = cluster.machines.keys().cloned().collect();
        for name in &names {
            cluster.deliver(name);
        }
        cluster.boot(&names);
        cluster
    }

    /// Starts the mirror.
    pub(crate) fn start_mirror(&mut self, supply: &Path) {
        let mirror = self
            .switch
            .command("python3")
            .arg(MIRROR)
            .arg(self.tree.gateway)
            .arg(supply.join("mirror"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.mirror = Some(mirror.unwrap());
    }

    /// Kills the mirror.
    pub(crate) fn stop_mirror(&mut self) {
        if let Some(mut mirror) = self.mirror.take() {
            mirror.kill().ok();
            mirror.wait().ok();
        }
    }

    /// Copies the steps and what they know of a node, as the runbook says.
    fn deliver(&self, node: &str) {
        let [steps, own] = ["steps", &format!("nodes/{node}")].map(|part| self.tree.out.join(part));
        self.machines[node].deliver([&steps, &own], FOLDER);
    }

    /// Turns machines on, all at once.
    fn boot(&mut self, names: &[String]) {
        let switch = &self.switch;
        std::thread::scope(|scope| {
            for machine in self.machines.values_mut().filter(|m| names.contains(&m.name)) {
                scope.spawn(|| {
                    machine.boot(switch);
                    machine.shell(POLICY).succeeded();
                });
            }
        });
        for machine in self.machines.values().filter(|machine| machine.is_on()) {
            let file = sandbox::state().join(&machine.name).join("init");
            fs::write(file, machine.init().to_string()).unwrap();
        }
    }

    /// Follows the runbook.
    pub(crate) fn bring_up(&self) {
        for step in runbook::bring_up(&self.tree.out, &self.names()) {
            let since = Instant::now();
            self.follow(&step);
            let (nodes, script) = (step.nodes.join(" "), step.script.trim().replace('\n', "; "));
            eprintln!("{nodes}: {script} ({:.1} s)", since.elapsed().as_secs_f64());
        }
    }

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
        let machine = &self.machines[&self.holder()];
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
        let machine = &self.machines[&self.control_planes()[0]];
        let member = self.tree.nodes.iter().find(|node| node.member).unwrap();
        let balancer = self.tree.balancer.trim_end_matches(".service");
        let first = |program: &str, command: &str| {
            let machine = if program == "etcd" { &self.machines[&member.name] } else { machine };
            machine
                .shell(&format!("{command} 2>&1 | grep -oE '[0-9]+[.][0-9]+[.][0-9]+' | head -n 1"))
        };
        let etcd = if self.tree.external_etcd {
            "etcd --version".to_owned()
        } else {
            "nsenter --target $(pidof etcd) --mount --root etcd --version".to_owned()
        };
        [
            ("Kubernetes", "kubelet --version".to_owned()),
            ("etcd", etcd),
            ("containerd", "containerd --version".to_owned()),
            (balancer, format!("{balancer} -v")),
            ("keepalived", "keepalived --version".to_owned()),
        ]
        .into_iter()
        .map(|(name, command)| (name.to_owned(), first(name, &command).stdout.trim().to_owned()))
        .collect()
    }

    /// Those that become nodes of Kubernetes.
    fn kubelets(&self) -> Vec<String> {
        let nodes = self.tree.nodes.iter().filter(|node| node.control_plane || node.worker);
        nodes.map(|node| node.name.clone()).collect()
    }

    fn names(&self) -> Vec<String> {
        self.tree.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// Runs one step of the runbook.
    fn follow(&self, step: &Step) {
        let on = |node: &String| self.machines[node].shell(&step.script);
        let results: Vec<Ran> = if step.at_once {
            std::thread::scope(|scope| {
                let threads: Vec<_> =
                    step.nodes.iter().map(|node| scope.spawn(move || on(node))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            })
        } else {
            step.nodes.iter().map(on).collect()
        };
        for (node, ran) in step.nodes.iter().zip(results) {
            assert!(ran.ok(), "{node}: {ran}");
        }
    }

    /// The credential of the operator, as the tree has it.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.tree.out.join("cluster/kubeconfigs/admin.conf")
    }

    /// The endpoint.
    pub(crate) fn server(&self) -> String {
        format!("https://{}:{}", self.tree.vip, self.tree.port)
    }

    /// The control planes, in order.
    pub(crate) fn control_planes(&self) -> Vec<String> {
        let planes = self.tree.nodes.iter().filter(|node| node.control_plane);
        planes.map(|node| node.name.clone()).collect()
    }

    /// The control planes but this one.
    pub(crate) fn others(&self, node: &str) -> Vec<String> {
        self.control_planes().into_iter().filter(|name| name != node).collect()
    }

    /// The workers.
    pub(crate) fn workers(&self) -> Vec<String> {
        let workers = self.tree.nodes.iter().filter(|node| node.worker);
        workers.map(|node| node.name.clone()).collect()
    }

    /// The worker with the pod that asks: nothing happens to it.
    pub(crate) fn observer(&self) -> String {
        self.workers().swap_remove(0)
    }

    /// Machines that run a member of etcd and nothing else.
    pub(crate) fn separate_members(&self) -> Vec<String> {
        let members = self.tree.nodes.iter().filter(|node| node.member && !node.control_plane);
        members.map(|node| node.name.clone()).collect()
    }

    /// Those that are on and hold the VIP.
    pub(crate) fn vip_holders(&self) -> Vec<String> {
        let wanted = format!(" {}/", self.tree.vip);
        let holds = |machine: &&Machine| {
            machine.is_on() && machine.run("ip", &["-o", "address"]).stdout.contains(&wanted)
        };
        self.machines.values().filter(holds).map(|machine| machine.name.clone()).collect()
    }

    /// The one that holds the VIP.
    pub(crate) fn holder(&self) -> String {
        let holders = self.vip_holders();
        assert_eq!(holders.len(), 1, "the VIP's holders: {holders:?}");
        holders.into_iter().next().unwrap()
    }

    /// Whether everything is as it should be; if not, what is not.
    pub(crate) fn health(&self) -> Result<(), String> {
        let holders = self.vip_holders();
        if holders.len() != 1 {
            return Err(format!("the VIP's holders: {holders:?}"));
        }
        for node in self.tree.nodes.iter().filter(|node| node.control_plane) {
            let machine = &self.machines[&node.name];
            let own = format!("https://{}:6443", node.address);
            kubectl(machine, &["--server", &own, "get", "--raw", "/readyz"])?;
            for unit in [self.tree.balancer, "keepalived.service"] {
                if !machine.run("systemctl", &["is-active", "--quiet", unit]).ok() {
                    return Err(format!("{unit} on {} is not active", node.name));
                }
            }
        }
        for node in self.tree.nodes.iter().filter(|node| node.member) {
            let machine = &self.machines[&node.name];
            if !machine.is_on() {
                return Err(format!("{} is off", node.name));
            }
            let member = machine.run("curl", &["-sS", "-m", "2", "http://127.0.0.1:2381/health"]);
            if !member.stdout.contains(r#""health":"true""#) {
                return Err(format!("etcd on {}: {}", node.name, member.text().trim()));
            }
        }
        let ready = r#"jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}"#;
        let holder = &self.machines[&holders[0]];
        let dns = ["-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o", ready];
        if let Some(pod) = kubectl(holder, &dns)?.lines().find(|line| !line.ends_with(" True")) {
            return Err(format!("{pod}: not ready"));
        }
        let said = kubectl(holder, &["get", "nodes", "-o", ready])?;
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

    /// Cuts a machine's power.
    pub(crate) fn power_off(&mut self, node: &str) {
        self.machines.get_mut(node).unwrap().power_off(&self.switch);
    }

    /// Turns a machine on again.
    pub(crate) fn power_on(&mut self, node: &str) {
        self.boot(&[node.to_owned()]);
        sandbox::scant(node, true);
    }

    /// All machines share the host's CPUs alike.
    pub(crate) fn share_alike(&self) {
        for node in self.machines.keys() {
            sandbox::scant(node, false);
        }
    }

    /// Cuts the power of all control planes at one moment.
    pub(crate) fn power_off_control_planes(&mut self) {
        let names = self.control_planes();
        let switch = &self.switch;
        std::thread::scope(|scope| {
            for machine in self.machines.values_mut().filter(|m| names.contains(&m.name)) {
                scope.spawn(|| machine.power_off(switch));
            }
        });
    }

    /// Turns them all on again.
    pub(crate) fn power_on_control_planes(&mut self) {
        let names = self.control_planes();
        self.boot(&names);
    }

    /// Kills every process of a unit.
    pub(crate) fn kill(&self, node: &str, unit: &str) {
        let machine = &self.machines[node];
        machine.run("systemctl", &["kill", "--signal=KILL", unit]).succeeded();
    }

    /// Sends the API server of a node a signal.
    pub(crate) fn signal_api_server(&self, node: &str, signal: &str) {
        let machine = &self.machines[node];
        machine.run("pkill", &[&format!("-{signal}"), "--exact", "kube-apiserver"]).succeeded();
    }

    /// Cuts a control plane off from the others; clients and workers reach all of them.
    pub(crate) fn part(&self, node: &str) {
        sandbox::scant(node, true);
        let others = self.others(node);
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        self.switch.part(node, &others);
    }

    /// Takes that back.
    pub(crate) fn reunite(&self, node: &str) {
        self.switch.whole();
        sandbox::scant(node, false);
    }

    /// Pulls a node's cable, or puts it back.
    pub(crate) fn cable(&self, node: &str, connected: bool) {
        sandbox::scant(node, !connected);
        self.switch.cable(node, connected);
    }

    /// A machine's disk is gone.
    pub(crate) fn lose_disk(&mut self, node: &str) {
        self.power_off(node);
        self.machines[node].new_disk();
    }

    /// Replaces a lost control plane by a new machine, as the runbook says.
    pub(crate) fn replace(&mut self, node: &str) {
        self.machines[node].await_off(FORGOTTEN_AFTER);
        self.forget(node);
        self.deliver(node);
        self.power_on(node);
        self.come_back(node);
        if self.tree.external_etcd {
            // "A new machine that is a member of etcd as well needs the next chapter …"
            self.replace_member(node);
        }
        self.join(node);
    }

    /// Starts a running control plane over, as the runbook says.
    pub(crate) fn start_over(&self, node: &str) {
        self.leave(node);
        self.come_back(node);
        self.join(node);
    }

    /// Takes a running control plane out of the cluster.
    pub(crate) fn leave(&self, node: &str) {
        let blocks = runbook::blocks(&self.tree.out, "A lost control plane");
        self.machines[node].shell(&blocks[0].1).succeeded();
        self.forget(node);
    }

    /// The cluster forgets a lost control plane.
    fn forget(&self, node: &str) {
        let other = &self.others(node)[0];
        let blocks = runbook::blocks(&self.tree.out, "A lost control plane");
        self.again(other, &with_lost(&blocks[1].1, node));
    }

    /// Prepares a new one to take its place.
    pub(crate) fn come_back(&self, node: &str) {
        let lines = self.rejoining();
        for line in &lines[..lines.len() - 1] {
            self.machines[node].shell(line).succeeded();
        }
    }

    /// It takes its place.
    fn join(&self, node: &str) {
        self.machines[node].shell(self.rejoining().last().unwrap()).succeeded();
    }

    /// The lines of the chapter's last block: a line that fails ends it, as it does for a reader.
    fn rejoining(&self) -> Vec<String> {
        let blocks = runbook::blocks(&self.tree.out, "A lost control plane");
        let [_, _, (_, again)] = &blocks[..] else { panic!("{blocks:?}") };
        again.lines().map(str::to_owned).collect()
    }

    /// Runs what "may be run again" as an operator does: three times at most.
    fn again(&self, node: &str, script: &str) {
        let run = || self.machines[node].shell(&format!("set -e\n{script}"));
        let mut ran = run();
        for _ in 0..2 {
            if ran.ok() {
                break;
            }
            std::thread::sleep(Duration::from_secs(3));
            ran = run();
        }
        ran.succeeded();
    }

    /// Replaces a lost member of external etcd, as the runbook says.
    fn replace_member(&self, node: &str) {
        let other = &self.others(node)[0];
        let blocks = runbook::blocks(&self.tree.out, "A lost member of etcd");
        let [(_, remove), (_, again)] = &blocks[..] else { panic!("{blocks:?}") };
        for (node, script) in [(other.as_str(), with_lost(remove, node)), (node, again.clone())] {
            self.machines[node].shell(&format!("set -e\n{script}")).succeeded();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop_mirror();
        for machine in self.machines.values_mut() {
            machine.power_off(&self.switch);
        }
    }
}

/// The runbook's script with this name in its first line.
fn with_lost(script: &str, node: &str) -> String {
    let (first, rest) = script.split_once('\n').unwrap();
    assert!(first.starts_with("lost="), "{script}");
    format!("lost={node}\n{rest}")
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

/// Runs a program outside of the cluster, as a client of the VIP.
pub(crate) fn client(program: &str) -> Command {
    switch::command(CLIENT, program)
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

/// A shell in a running machine, from outside of the ground.
pub(crate) fn shell(node: &str) -> ExitCode {
    let init = sandbox::state().join(node).join("init");
    let init = fs::read_to_string(init).expect("a machine of that name is on");
    let mut command = sandbox::visit();
    let status = machine::enter(&mut command, &init).args(["bash", "-l"]).status();
    if status.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
