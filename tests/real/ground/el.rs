//! The generated scripts on one machine of the RPM family, with real `dnf` and `rpm`: from a fresh
//! system to a node that is Ready, a second time, after a reset, and beside an upgrade of the system.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::cluster::Cluster;
use crate::judge::{Judge, script};
use crate::machine::Machine;
use crate::release::{Release, System};
use crate::scripts::{self, RESET, reset};
use crate::topologies::ALONE;

/// What 10-prepare.sh may have installed; each is asked for by a name that it does not have itself
/// (`iptables` on EL 9), or that another package provides already (`curl`).
const PROGRAMS: [&str; 9] = [
    "chronyd",
    "conntrack",
    "containerd",
    "curl",
    "haproxy",
    "iptables",
    "keepalived",
    "kubeadm",
    "tc",
];

/// Everything that can be said of one machine.
pub(crate) fn lone(supply: &Path, release: &Release, system: &'static System) -> Vec<String> {
    let begun = Instant::now();
    let mut cluster = Cluster::new(&ALONE, supply, release, system);
    let mut judge = Judge::default();
    other_system(&cluster.machines["cp1"], system, &mut judge);
    policy(&cluster.machines["cp1"], &mut judge);
    cluster.stop_mirror();
    let offline = script(&cluster.machines["cp1"], "10-prepare");
    judge.refused("10-prepare without the repository", &offline, &["mend the network, the repos"]);
    cluster.start_mirror(supply);
    let machine = &cluster.machines["cp1"];
    let before = security(machine);
    packages(machine, &mut judge);
    cluster.bring_up();
    judge.check("the site's own settings", cluster.site());
    judge.check("pods", cluster.pods_reach_the_api());
    judge.defects.extend(scripts::rerun(&cluster));
    let after = security(machine);
    if before != after {
        judge.defects.push(format!("SELinux was to be left alone: {before} -> {after}"));
    }
    machine.shell(RESET).succeeded();
    judge.check("90-reset", reset(machine));
    cluster.bring_up();
    judge.check("pods after a reset", cluster.pods_reach_the_api());
    // Last: what it replaces, it leaves without a program.
    upgrade(machine, system, &mut judge);
    eprintln!("one machine of {}: {:.1} s", system.name, begun.elapsed().as_secs_f64());
    judge.defects
}

/// 10-prepare on another release.
fn other_system(machine: &Machine, system: &System, judge: &mut Judge) {
    let (distribution, release) = system.name.split_once('-').unwrap();
    let edit = "sed -i --follow-symlinks 's/^VERSION_ID=.*/VERSION_ID=\"8.10\"/' /etc/os-release";
    machine.shell(&format!("cp /etc/os-release /root/os-release && {edit}")).succeeded();
    let says = [
        &format!("the inventory says {distribution} {release}"),
        &format!("this host is {distribution} 8.10"),
    ];
    judge.refused(
        "10-prepare on another release",
        &script(machine, "10-prepare"),
        &says.map(String::as_str),
    );
    machine.shell("cat /root/os-release >/etc/os-release && rm /root/os-release").succeeded();
}

/// 10-prepare where the policy keeps the balancer from its ports: what it says to do is done.
fn policy(machine: &Machine, judge: &mut Judge) {
    machine.shell("setsebool -P haproxy_connect_any 0").succeeded();
    let refused = script(machine, "10-prepare");
    let next = "setsebool -P haproxy_connect_any 1";
    judge.refused(
        "10-prepare where SELinux keeps haproxy",
        &refused,
        &["haproxy_connect_any is off", next],
    );
    machine.shell(next).succeeded();
}

/// 10-prepare, killed in the midst of a transaction; then everything is there, under the names that
/// EL has for it.
fn packages(machine: &Machine, judge: &mut Judge) {
    judge.killed(machine, "10-prepare", "[ -e /usr/sbin/haproxy ]");
    judge.works("10-prepare after it was killed", &script(machine, "10-prepare"));
    for program in PROGRAMS {
        if !machine.shell(&format!("command -v {program}")).ok() {
            judge.defects.push(format!("10-prepare has not installed {program}"));
        }
    }
    let twice = machine.shell("rpm -qa --qf '%{NAME}\\n' | grep -v gpg-pubkey | sort | uniq -d");
    if !twice.text().is_empty() {
        judge.defects.push(format!("10-prepare after it was killed leaves {}", twice.text()));
    }
    if !machine.run("rpm", &["-q", "ca-certificates"]).ok() {
        judge.defects.push("10-prepare removed packages of the system".to_owned());
    }
}

/// SELinux as it is now, and as it will be after a reboot.
fn security(machine: &Machine) -> String {
    machine.shell("getenforce; cat /etc/selinux/config").succeeded().stdout
}

/// The system's own upgrade, which installs whatever is newer: it must not replace, and so restart,
/// what a node rests on.
fn upgrade(machine: &Machine, system: &System, judge: &mut Judge) {
    let file = machine.disk("/etc/yum.repos.d/newer.repo");
    let newer = "[newer]\nname=newer\nbaseurl=http://10.0.0.1/newer\nenabled=1\ngpgcheck=0\n";
    fs::write(&file, newer).unwrap();
    let versions = || machine.shell("rpm -qa | sort").succeeded().stdout;
    let before = versions();
    let ran = machine.run(system.manager, &["upgrade", "-y"]);
    judge.works("an upgrade of the system", &ran);
    let after = versions();
    let gone: Vec<_> =
        before.lines().filter(|package| !after.lines().any(|other| other == *package)).collect();
    if !gone.is_empty() {
        judge.defects.push(format!("an upgrade of the system replaced {}", gone.join(", ")));
    }
    fs::remove_file(file).unwrap();
}
