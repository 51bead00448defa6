//! The generated scripts on one machine of Debian's: too early, on hosts that lack something, and
//! killed half-way, up to a node that is Ready.

use std::path::Path;
use std::time::Instant;

use crate::cluster::{Cluster, FOLDER};
use crate::judge::{Judge, script};
use crate::machine::Machine;
use crate::release::{Release, System};
use crate::runbook;
use crate::scripts::{RESET, reset};
use crate::topology::Topology;

/// A kubelet of a version that is yet to come.
const NEWER_KUBELET: &str = "folder=$(mktemp -d); install -d $folder/DEBIAN
    printf '%s\\n' 'Package: kubelet' 'Version: 99.0.0-1.1' 'Architecture: amd64' \
        'Maintainer: nobody' 'Description: newer' >$folder/DEBIAN/control
    dpkg-deb --build $folder /root/newer.deb && dpkg --install /root/newer.deb
    rm -r $folder /root/newer.deb";

/// Everything that goes wrong on one machine, from a fresh system to a node that is Ready.
pub(crate) fn debian(
    topology: &Topology,
    supply: &Path,
    release: &Release,
    system: &'static System,
) -> Vec<String> {
    let begun = Instant::now();
    let mut cluster = Cluster::lone(topology, supply, release, system, "cp1");
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
        ("50-init", "run 30-balancer.sh on cp1 "),
        ("50-join", "50-init.sh on cp1 comes first"),
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
    for (sentence, script) in runbook::blocks(&cluster.tree.runbook(), "A full etcd") {
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
