//! The generated scripts on a cluster that is up: run twice, killed half-way, and on nodes that start
//! over.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use walkdir::WalkDir;

use crate::cluster::{Cluster, FOLDER};
use crate::judge::{Judge, script};
use crate::machine::Machine;
use crate::runbook;

/// What changes by itself: caches, logs, and the memory that readers of an RPM database share. What
/// programs keep on disks of their own is not looked at, nor is memory.
const VOLATILE: [&str; 4] = ["root/.kube/cache", "root/.rpmdb/rpmdb.sqlite-shm", "tmp", "var/log"];
/// What kubeadm writes of the kubelet, on a disk of its own.
const KUBELET: [&str; 3] =
    ["/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env", "/var/lib/kubelet/pki"];
/// Nothing is deleted before somebody has said whose.
pub(crate) const RESET: &str = "/root/hagen/90-reset.sh --yes ground";
/// How long a cluster may take to be whole again.
const RECOVERY: Duration = Duration::from_secs(180);

/// Follows the runbook of a cluster that is up a second time: nothing may change.
pub(crate) fn rerun(cluster: &Cluster) -> Vec<String> {
    let begun = Instant::now();
    let states = || cluster.machines.values().map(state).collect::<Vec<_>>();
    let (before, members) = (states(), cluster.members());
    cluster.bring_up();
    let after = states();
    let mut defects = Vec::new();
    let is = cluster.members();
    if members != is {
        defects.push(format!("a second run changed etcd's members: {members:?} -> {is:?}"));
    }
    for (machine, (before, after)) in cluster.machines.keys().zip(before.iter().zip(&after)) {
        for what in before.keys().chain(after.keys().filter(|what| !before.contains_key(*what))) {
            let [was, is] = [before, after].map(|state| state.get(what).map(String::as_str));
            if was != is {
                let [was, is] = [was, is].map(|state| state.unwrap_or("absent"));
                defects.push(format!("{machine}: a second run changed {what}: {was} -> {is}"));
            }
        }
    }
    eprintln!("the runbook a second time: {:.1} s", begun.elapsed().as_secs_f64());
    defects
}

/// Files, units and containers.
fn state(machine: &Machine) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    let files = machine.upper();
    let root = files[0].clone();
    for file in files {
        let path = file.strip_prefix(&root).unwrap();
        let metadata = fs::symlink_metadata(&file).unwrap();
        if !VOLATILE.iter().any(|volatile| path.starts_with(volatile)) {
            state.insert(format!("/{}", path.display()), entry(&metadata));
        }
    }
    for path in KUBELET {
        for file in WalkDir::new(machine.disk(path)).into_iter().filter_map(Result::ok) {
            let name = format!("{path} {}", file.file_name().display());
            state.insert(name, entry(&fs::symlink_metadata(file.path()).unwrap()));
        }
    }
    state.extend(units(machine));
    let containers = machine
        .shell("! command -v ctr >/dev/null || ctr --namespace k8s.io tasks list")
        .succeeded();
    for container in containers.stdout.lines().skip(1) {
        let (id, process) = container.split_once(' ').unwrap();
        state.insert(format!("container {id}"), process.split_whitespace().collect());
    }
    state
}

/// Services, with their processes; of timers and sockets, whether they wait.
fn units(machine: &Machine) -> BTreeMap<String, String> {
    let said = machine.shell(
        "systemctl list-units --all --type=service,timer,socket --plain --no-legend |
         awk '{ print $1 }' |
         xargs systemctl show --property=Id,LoadState,UnitFileState,ActiveState,SubState,MainPID,NRestarts,StateChangeTimestampMonotonic,TriggeredBy",
    );
    let mut units = BTreeMap::new();
    for unit in said.succeeded().stdout.split("\n\n") {
        let of = |property: &str| {
            let lines = unit.lines().filter_map(|line| line.split_once('='));
            lines.filter(|(name, _)| *name == property).map(|(_, value)| value).collect::<String>()
        };
        let (id, state) = (of("Id"), of("ActiveState"));
        // Some are known only because another unit names them, or until systemd forgets that they
        // have run.
        let unknown = of("LoadState") != "loaded" || state == "inactive";
        // What it says of programs of the system itself changes with every daemon-reload.
        let own = id.starts_with("systemd-") || id.starts_with("user");
        // Its time has come.
        let timed = of("TriggeredBy").contains(".timer");
        if unknown || own || timed {
            continue;
        }
        // Timers and sockets have a state of their own while what they start runs.
        let state = match id.ends_with(".service") {
            true => unit.trim().replace('\n', " "),
            false => format!("{state} {}", of("UnitFileState")),
        };
        units.insert(id, state);
    }
    units
}

/// A file that is written again is another one or has another date; folders get dates by files that
/// come and go.
fn entry(metadata: &fs::Metadata) -> String {
    let owner = format!("{:o} {}:{}", metadata.mode(), metadata.uid(), metadata.gid());
    if metadata.is_dir() {
        return owner;
    }
    let [inode, size] = [metadata.ino(), metadata.len()];
    format!("{owner} {size} bytes, {}.{:09} #{inode}", metadata.mtime(), metadata.mtime_nsec())
}

/// Who starts over: one cluster speaks for all that have etcd where it has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartOver {
    Nobody,
    /// The control plane that holds the VIP, killed as it joins again, and a worker.
    ControlPlaneAndWorker,
    /// A control plane, killed as it joins again, beside a member of etcd that systemd runs.
    ControlPlaneAndMember,
    /// The node of this name, which is no control plane.
    Node(&'static str),
}

impl StartOver {
    /// Lets them start over, without a reboot.
    pub(crate) fn judge(self, cluster: &Cluster) -> Vec<String> {
        match self {
            Self::Nobody => vec![],
            Self::ControlPlaneAndWorker => control_plane_and_worker(cluster),
            Self::ControlPlaneAndMember => control_plane_and_member(cluster),
            Self::Node(name) => node(cluster, name),
        }
    }
}

fn control_plane_and_worker(cluster: &Cluster) -> Vec<String> {
    let begun = Instant::now();
    let mut judge = Judge::default();
    let plane = cluster.plane();
    let machine = &cluster.machines[&plane];
    let refused = script(machine, "90-reset");
    judge.refused("90-reset without --yes", &refused, &["run it with --yes ground"]);
    let other = machine.run(&format!("{FOLDER}/90-reset.sh"), &["--yes", "other"]);
    judge.refused("90-reset of another cluster", &other, &["run it with --yes ground"]);
    judge.check("90-reset without --yes", cluster.health());
    // Its kubelet runs on, and with it a member of etcd that has no vote yet.
    killed_join(cluster, &plane, "[ -e /etc/kubernetes/manifests/etcd.yaml ]", &mut judge);

    judge.defects.extend(node(cluster, &cluster.workers()[0]));
    eprintln!("two nodes started over: {:.1} s", begun.elapsed().as_secs_f64());
    judge.defects
}

fn node(cluster: &Cluster, node: &str) -> Vec<String> {
    let begun = Instant::now();
    let mut judge = Judge::default();
    let machine = &cluster.machines[node];
    // A load balancer is none of Kubernetes'.
    if cluster.kubelets().iter().any(|kubelet| kubelet == node) {
        let kubectl = "kubectl --kubeconfig /etc/kubernetes/admin.conf";
        let plane = &cluster.machines[&cluster.plane()];
        plane.shell(&format!("{kubectl} delete node {node} --wait")).succeeded();
    }
    machine.shell(RESET).succeeded();
    judge.check(&format!("90-reset on {node}"), reset(machine));
    let names: Vec<String> = cluster.machines.keys().cloned().collect();
    for step in runbook::bring_up(&cluster.tree.runbook(), &names) {
        if step.nodes.iter().any(|named| named == node) {
            machine.shell(&step.script).succeeded();
        }
    }
    judge.check(&format!("{node}, which started over"), healthy(cluster));
    eprintln!("{node} started over: {:.1} s", begun.elapsed().as_secs_f64());
    judge.defects
}

/// A control plane whose etcd is the operator's: a member that was stopped, and a join, both killed
/// half-way. The member outlives the node's reset.
fn control_plane_and_member(cluster: &Cluster) -> Vec<String> {
    let begun = Instant::now();
    let mut judge = Judge::default();
    let plane = cluster.others(&cluster.plane())[0].clone();
    let machine = &cluster.machines[&plane];
    machine.run("systemctl", &["disable", "--now", "etcd"]).succeeded();
    judge.killed(machine, "40-etcd", "pgrep -x etcd >/dev/null");
    judge.works("40-etcd after it was killed", &script(machine, "40-etcd"));
    let member =
        || machine.run("systemctl", &["show", "--property=MainPID,NRestarts", "etcd"]).stdout;
    let (process, members) = (member(), cluster.members());
    let bootstrapped = "[ -e /var/lib/kubelet/pki/kubelet-client-current.pem ]";
    killed_join(cluster, &plane, bootstrapped, &mut judge);
    for (was, is) in [(process, member()), (members.join("\n"), cluster.members().join("\n"))] {
        if was != is {
            judge.defects.push(format!("a reset touched the member of etcd: {was} -> {is}"));
        }
    }
    eprintln!("etcd and a control plane killed half-way: {:.1} s", begun.elapsed().as_secs_f64());
    judge.defects
}

/// Starts a control plane over, kills its join as soon as a condition holds, and does what the next
/// join says.
fn killed_join(cluster: &Cluster, node: &str, until: &str, judge: &mut Judge) {
    let machine = &cluster.machines[node];
    cluster.leave(node);
    cluster.come_back(node);
    judge.killed(machine, "50-join", until);
    let says =
        ["an earlier join stopped half-way", "README.md says under \"A lost control plane\""];
    judge.refused("50-join after it was killed", &script(machine, "50-join"), &says);
    cluster.start_over(node);
    judge.check("a control plane that started over", healthy(cluster));
}

/// Waits until everything is as it should be.
fn healthy(cluster: &Cluster) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        match cluster.health() {
            Err(_) if begun.elapsed() < RECOVERY => std::thread::sleep(Duration::from_millis(500)),
            health => return health,
        }
    }
}

/// Whether a reset has left nothing of the node; if not, what. What a package had at hagen's paths is
/// there again.
pub(crate) fn reset(machine: &Machine) -> Result<(), String> {
    let left = machine.shell(&format!(
        "while IFS=$'\\t' read -r path _ _ _ sum _; do
           [ ! -e \"$path\" ] || [ \"$(sha256sum <\"$path\")\" != \"$sum  -\" ] || echo \"$path\"
         done <{FOLDER}/files.tsv
         find /var/lib/etcd /var/lib/kubelet /var/lib/hagen -mindepth 1 2>/dev/null
         grep hagen /etc/hosts
         ctr --namespace k8s.io containers list --quiet
         pgrep --list-full --exact 'kubelet|etcd|kube-.*|haproxy|nginx|keepalived'
         true"
    ));
    let left = left.succeeded().stdout;
    if left.is_empty() { Ok(()) } else { Err(format!("it leaves {left}")) }
}
