//! The generated scripts: run twice, in the wrong order, on hosts that lack something, killed
//! half-way, and on a node that starts over.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use walkdir::WalkDir;

use crate::cluster::{Cluster, FOLDER};
use crate::machine::Machine;
use crate::programs::Ran;
use crate::runbook;
use crate::topology::{Release, Topology};

/// What changes by itself: caches, logs, and the memory that readers of an RPM database share. What
/// programs keep on disks of their own is not looked at, nor is memory.
const VOLATILE: [&str; 4] = ["root/.kube/cache", "root/.rpmdb/rpmdb.sqlite-shm", "tmp", "var/log"];
/// What kubeadm writes of the kubelet, on a disk of its own.
const KUBELET: [&str; 3] =
    ["/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env", "/var/lib/kubelet/pki"];
/// A kubelet of a version that is yet to come.
const NEWER_KUBELET: &str = "folder=$(mktemp -d); install -d $folder/DEBIAN
    printf '%s\\n' 'Package: kubelet' 'Version: 99.0.0-1.1' 'Architecture: amd64' \
        'Maintainer: nobody' 'Description: newer' >$folder/DEBIAN/control
    dpkg-deb --build $folder /root/newer.deb && dpkg --install /root/newer.deb
    rm -r $folder /root/newer.deb";
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

/// Starts a control plane and a worker over, without a reboot.
pub(crate) fn start_over(cluster: &Cluster) -> Vec<String> {
    let begun = Instant::now();
    let mut judge = Judge::default();
    let plane = cluster.holder();
    let machine = &cluster.machines[&plane];
    let refused = script(machine, "90-reset");
    judge.refused("90-reset without --yes", &refused, &["run it with --yes ground"]);
    let other = machine.run(&format!("{FOLDER}/90-reset.sh"), &["--yes", "other"]);
    judge.refused("90-reset of another cluster", &other, &["run it with --yes ground"]);
    judge.check("90-reset without --yes", cluster.health());
    // Its kubelet runs on, and with it a member of etcd that has no vote yet.
    killed_join(cluster, &plane, "[ -e /etc/kubernetes/manifests/etcd.yaml ]", &mut judge);

    let worker = cluster.tree.nodes.iter().find(|node| !node.control_plane).unwrap().name.clone();
    judge.defects.extend(worker_starts_over(cluster, &worker));
    eprintln!("two nodes started over: {:.1} s", begun.elapsed().as_secs_f64());
    judge.defects
}

/// Starts a worker over, without a reboot.
pub(crate) fn worker_starts_over(cluster: &Cluster, worker: &str) -> Vec<String> {
    let begun = Instant::now();
    let mut judge = Judge::default();
    let machine = &cluster.machines[worker];
    let delete =
        format!("kubectl --kubeconfig /etc/kubernetes/admin.conf delete node {worker} --wait");
    cluster.machines[&cluster.holder()].shell(&delete).succeeded();
    machine.shell(RESET).succeeded();
    judge.check("90-reset on a worker", reset(machine));
    let names: Vec<String> = cluster.machines.keys().cloned().collect();
    for step in runbook::bring_up(&cluster.tree.out, &names) {
        if step.nodes.iter().any(|node| node == worker) {
            machine.shell(&step.script).succeeded();
        }
    }
    judge.check("a worker that started over", healthy(cluster));
    eprintln!("{worker} started over: {:.1} s", begun.elapsed().as_secs_f64());
    judge.defects
}

/// A control plane whose etcd is the operator's: a member that was stopped, and a join, both killed
/// half-way. The member outlives the node's reset.
pub(crate) fn external(cluster: &Cluster) -> Vec<String> {
    let begun = Instant::now();
    let mut judge = Judge::default();
    let plane = cluster.others(&cluster.holder())[0].clone();
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

/// Everything that goes wrong on one machine, from a fresh system to a node that is Ready.
pub(crate) fn lone(topology: &Topology, supply: &Path, release: &Release) -> Vec<String> {
    let begun = Instant::now();
    let mut cluster = Cluster::lone(topology, supply, release, "cp1");
    let mut judge = Judge::default();
    unprepared(&cluster.machines["cp1"], &mut judge);
    cluster.stop_mirror();
    let offline = script(&cluster.machines["cp1"], "10-prepare");
    judge.refused("10-prepare without the repository", &offline, &["mend the network, the repos"]);
    cluster.start_mirror(supply);
    let machine = &cluster.machines["cp1"];
    packages(machine, &mut judge);
    files(machine, &mut judge);
    init(machine, &mut judge);
    full_etcd(&cluster, &mut judge);
    eprintln!("one machine: {:.1} s", begun.elapsed().as_secs_f64());
    judge.defects
}

/// Steps too early, and a host that is another.
fn unprepared(machine: &Machine, judge: &mut Judge) {
    let early = [
        ("20-install", "run 10-prepare.sh first"),
        ("30-balancer", "run 10-prepare.sh first"),
        ("50-init", "run 10-prepare.sh first"),
        ("50-join", "run 10-prepare.sh first"),
        ("60-verify", "run 10-prepare.sh first"),
        ("90-reset", "run it with --yes ground"),
    ];
    for (step, next) in early {
        judge.refused(&format!("{step} on a bare host"), &script(machine, step), &[next]);
    }
    let system =
        "sed -i --follow-symlinks 's/^VERSION_ID=.*/VERSION_ID=\"RELEASE\"/' /etc/os-release";
    machine.shell(&system.replace("RELEASE", "11")).succeeded();
    let says = ["the inventory says debian 12", "this host is debian 11", "correct the node's os"];
    judge.refused("10-prepare on another system", &script(machine, "10-prepare"), &says);
    machine.shell(&system.replace("RELEASE", "12")).succeeded();
    machine.run("hostname", &["other"]).succeeded();
    let says = ["this host is called other", "rename one of the two"];
    judge.refused("10-prepare on another host", &script(machine, "10-prepare"), &says);
    machine.run("hostname", &[&machine.name]).succeeded();
}

/// 10-prepare: a package that is missing, a full disk, four kills.
fn packages(machine: &Machine, judge: &mut Judge) {
    // To apt, a package without a candidate is one that the repository lacks.
    let pin = "printf 'Package: socat\\nPin: version *\\nPin-Priority: -1\\n'";
    machine.shell(&format!("{pin} >/etc/apt/preferences.d/missing")).succeeded();
    let says = ["'socat' has no installation candidate", "mend the network, the repositories"];
    judge.refused("10-prepare with a package missing", &script(machine, "10-prepare"), &says);
    machine.shell("rm /etc/apt/preferences.d/missing").succeeded();

    let folder = "/opt/cni/bin";
    machine.shell(&format!("mkdir -p {folder} && mount -t tmpfs -o size=4m small {folder}"));
    let says = ["No space left on device", "or the disk, then run 10-prepare.sh again"];
    judge.refused("10-prepare on a full disk", &script(machine, "10-prepare"), &says);
    judge.check("10-prepare on a full disk", half_placed(machine));
    machine.shell(&format!("umount {folder}")).succeeded();

    for until in ["unpacked", "half-configured"] {
        let until =
            format!(r#"[ "$(tail -n "+$lines" $log | grep -c ' status {until} ')" -ge 4 ]"#);
        judge.killed(machine, "10-prepare", &until);
    }
    // The terminal is gone, dpkg is not: apt has given it one of its own.
    machine
        .shell(&format!(
            "setsid {FOLDER}/10-prepare.sh >/dev/null 2>&1 & group=$!
             while [ -d /proc/$group ] && ! pgrep -x dpkg >/dev/null; do sleep 0.02; done
             kill -KILL -- -$group; wait; true"
        ))
        .succeeded();
    judge.works("10-prepare after it was killed", &script(machine, "10-prepare"));
    // The inventory's version is the one to have, also where it is the older one.
    machine.shell(NEWER_KUBELET).succeeded();
    judge.works("10-prepare beside a newer kubelet", &script(machine, "10-prepare"));
    let audit = machine.shell(
        "dpkg --audit; ls /usr/sbin/policy-rc.d 2>/dev/null; systemctl is-active haproxy keepalived | grep '^active'; true",
    );
    if !audit.text().is_empty() {
        judge.defects.push(format!("10-prepare after it was killed leaves {}", audit.text()));
    }
}

/// 20-install: a full disk, two kills; then the steps that come too early, and 30-balancer.
fn files(machine: &Machine, judge: &mut Judge) {
    let folder = "/etc/kubernetes";
    machine.shell(&format!(
        "mkdir -p {folder} && mount -t tmpfs -o size=64k,mode=0755 small {folder}"
    ));
    let says = ["No space left on device", "cannot be written", "run 20-install.sh again"];
    judge.refused("20-install on a full disk", &script(machine, "20-install"), &says);
    judge.check("20-install on a full disk", half_placed(machine));
    machine.shell(&format!("umount {folder}")).succeeded();

    judge.killed(machine, "20-install", "[ -e /etc/kubernetes/pki/sa.key ]");
    judge.check("20-install that was killed", half_placed(machine));
    judge.killed(machine, "20-install", "pgrep -x ctr >/dev/null && sleep 1");
    judge.works("20-install after it was killed", &script(machine, "20-install"));
    judge.check("20-install after it was killed", half_placed(machine));

    let early = [
        ("50-init", "run 30-balancer.sh on the control planes first"),
        ("50-join", "run 50-init.sh on cp1 first"),
        ("60-verify", "run the steps before this one"),
    ];
    for (step, next) in early {
        judge.refused(&format!("{step} without a balancer"), &script(machine, step), &[next]);
    }
    for unit in ["haproxy", "keepalived"] {
        judge.killed(machine, "30-balancer", &format!("systemctl is-active --quiet {unit}"));
    }
    judge.works("30-balancer after it was killed", &script(machine, "30-balancer"));
}

/// 50-init: killed before it did anything, and in its midst.
fn init(machine: &Machine, judge: &mut Judge) {
    judge.killed(machine, "50-init", "pgrep -x kubeadm >/dev/null");
    let ready = "curl --insecure --silent --fail https://127.0.0.1:6443/readyz >/dev/null";
    judge.killed(machine, "50-init", ready);
    let again = script(machine, "50-init");
    if !again.ok() {
        let says = ["an earlier init stopped half-way", "run 90-reset.sh here"];
        judge.refused("50-init after it was killed", &again, &says);
        let reset_it = machine.shell(RESET);
        judge.works("90-reset after 50-init was killed", &reset_it);
        judge.check("90-reset after 50-init was killed", reset(machine));
        for step in ["10-prepare", "20-install", "30-balancer", "50-init"] {
            judge.works(&format!("{step} after a reset"), &script(machine, step));
        }
    }
    judge.works("60-verify", &script(machine, "60-verify"));
    // What a static pod reads is read again.
    machine.shell("echo '# theirs' >>/etc/kubernetes/audit/policy.yaml").succeeded();
    let placed = script(machine, "20-install");
    judge.works("20-install of a file that a static pod reads", &placed);
    if !placed.stdout.contains("restarting kube-apiserver, a file that it reads changed") {
        judge.defects.push(format!("a changed policy is not read: {placed}"));
    }
    judge.works("60-verify after that", &script(machine, "60-verify"));
    // What kubeadm adds last is no reason to begin anew.
    let kubectl = "kubectl --kubeconfig=/etc/kubernetes/admin.conf --namespace=kube-system";
    machine.shell(&format!("{kubectl} delete daemonset kube-proxy")).succeeded();
    let refused = script(machine, "50-init");
    judge.refused("50-init without kube-proxy", &refused, &["addon kube-proxy"]);
    let next = refused.stderr.rsplit_once("next: ").map_or("", |(_, next)| next);
    let next = next.split(", then").next().unwrap_or_default();
    judge.works("what it says to do", &machine.shell(next));
    judge.works("50-init after that", &script(machine, "50-init"));
    judge.works("60-verify at last", &script(machine, "60-verify"));
}

/// The runbook's chapter on a full etcd, where kubeadm runs it: here it is not full.
fn full_etcd(cluster: &Cluster, judge: &mut Judge) {
    for (sentence, script) in runbook::blocks(&cluster.tree.out, "A full etcd") {
        let ran = cluster.machines["cp1"].shell(&format!("set -eo pipefail\n{script}"));
        judge.works(&format!("a full etcd: {sentence}"), &ran);
    }
}

/// Files that are there, but not whole.
fn half_placed(machine: &Machine) -> Result<(), String> {
    let found = machine.shell(&format!(
        r#"while IFS=$'\t' read -r path _ _ _ sum _; do
             case $path in /etc/kubernetes/*) ;; *) continue ;; esac
             [ ! -e "$path" ] || [ "$(sha256sum <"$path")" = "$sum  -" ] || echo "$path"
           done <{FOLDER}/files.tsv
           [ -s /etc/hosts ] || echo /etc/hosts"#
    ));
    let found = found.text();
    if found.is_empty() { Ok(()) } else { Err(format!("half a file is at {found}")) }
}

pub(crate) fn script(machine: &Machine, step: &str) -> Ran {
    machine.run(&format!("{FOLDER}/{step}.sh"), &[])
}

/// Collects what is wrong.
#[derive(Default)]
pub(crate) struct Judge {
    pub(crate) defects: Vec<String>,
}

impl Judge {
    /// The step must have stopped with words that say why, and what to do.
    pub(crate) fn refused(&mut self, what: &str, ran: &Ran, words: &[&str]) {
        let text = ran.text();
        let missing: Vec<_> = words.iter().filter(|words| !text.contains(**words)).collect();
        if ran.code != Some(1) || !missing.is_empty() {
            self.defects.push(format!("{what}: should stop and say {missing:?}: {ran}"));
        }
        let last = ran.stderr.lines().last().unwrap_or_default();
        eprintln!("{what}: {last}");
    }

    /// The step must have succeeded.
    pub(crate) fn works(&mut self, what: &str, ran: &Ran) {
        if ran.ok() {
            eprintln!("{what}: works");
        } else {
            self.defects.push(format!("{what}: {ran}"));
        }
    }

    pub(crate) fn check(&mut self, what: &str, result: Result<(), String>) {
        self.defects.extend(result.err().map(|error| format!("{what}: {error}")));
    }

    /// Starts a step and kills it with all that it has started, as a power cut does, as soon as a
    /// condition holds. One that has ended before it could be hit is a defect: nothing was tried.
    pub(crate) fn killed(&mut self, machine: &Machine, step: &str, until: &str) {
        let ran = machine.shell(&format!(
            "log=/var/log/dpkg.log
             lines=$(($(cat $log 2>/dev/null | wc -l) + 1))
             systemd-run --quiet --unit=half {FOLDER}/{step}.sh
             while systemctl is-active --quiet half; do
               if {until}; then
                 systemctl kill --signal=KILL half
                 while systemctl is-active --quiet half; do sleep 0.05; done
                 break
               fi
               sleep 0.02
             done
             result=$(systemctl show --property=Result --value half)
             systemctl reset-failed half 2>/dev/null
             # It may have come to its end between the condition and the kill.
             [ \"$result\" = signal ] || {{ echo $result; journalctl --unit=half --no-pager | tail -n 5; exit 1; }}"
        ));
        if ran.ok() {
            eprintln!("{step}: killed when {until}");
        } else {
            self.defects.push(format!("{step} ended before it could be killed: {ran}"));
        }
    }
}
