//! Functions of the steps and of their parts, each alone and as it stands in `templates/`, on a machine with
//! what it meets there: whose a file, a folder or a process is, what an interrupted run has left, what other
//! programs do meanwhile.

use crate::machine::Machine;
use crate::programs::Ran;

/// The step's library with another end: the function that is named runs, and nothing before it.
const END: &str = "\nrun() { step=$1; shift; read_parts; \"$@\"; }\n";

/// The parts of a control plane.
pub(crate) const PARTS: &str =
    "parts=(apt host firewall runtime etcd cni dns kubeadm kubelet kubeproxy pods settings)\n";

/// What every function finds of its host.
const WORDS: &str = "node=w1 cluster=lab whole=yes steps=(10-prepare 20-install 30-balancer)
stoppable=() units=() firewall=() keys=() package_family=apt manager=apt-get only_named=no
";

/// The scripts of `steps/` and their texts, whichever room's they are.
pub(crate) fn steps() -> impl Iterator<Item = (&'static str, &'static str)> {
    hagen::rooms::templates().filter_map(|template| {
        let (_, name) = template.id.split_once("/steps/")?;
        Some((name, template.text))
    })
}

/// A control plane with the steps, their library, which `end` closes, and these words.
pub(crate) fn machine(end: &str, words: &str) -> Machine {
    let machine = Machine::start("w1");
    for (name, text) in steps() {
        let end = if name == "lib.sh" { end } else { "" };
        machine.place_script(&format!("/steps/{name}"), &format!("{text}{end}"));
    }
    machine.place_script("/steps/node.sh", &format!("{PARTS}{words}"));
    machine.run("install", &["-d", "-m", "0700", "/var/lib/hagen"]).succeeded();
    machine
}

fn part_of(step: &str) -> impl Fn(&Machine, &[&str]) -> Ran {
    let script = format!("/steps/{step}.sh");
    move |machine, words| machine.run(&script, words)
}

fn shell(machine: &Machine, script: &str) -> String {
    machine.run("bash", &["-ec", script]).succeeded().stdout
}

/// Rows of `files.tsv`: path, kind, apply.
fn listed(rows: &[(&str, &str, &str)]) -> String {
    let row = |(path, kind, apply): &(&str, &str, &str)| {
        format!("{path}\t0644\troot\troot\tsum\t{kind}\tkube-apiserver\t{apply}\trootfs\n")
    };
    format!("path\n{}end\n", rows.iter().map(row).collect::<String>())
}

#[test]
fn hooks_are_called_in_the_order_of_the_parts() {
    let machine = machine(END, "node=w1 whole=yes parts=(late absent early)\n");
    for part in ["early", "late"] {
        let text = format!("{part}_greets() {{ echo {part} \"$@\"; }}\nwhole=yes\n");
        machine.place_script(&format!("/steps/{part}.sh"), &text);
    }
    machine.place_script("/steps/absent.sh", "whole=yes\n");
    let ran = part_of("20-install")(&machine, &["hook", "greets", "two words"]).succeeded();
    assert_eq!(ran.stdout, "late two words\nearly two words\n");
    // What fails in one is no less a failure.
    machine.place_script("/steps/late.sh", "late_greets() { false; echo on; }\nwhole=yes\n");
    let ran = part_of("20-install")(&machine, &["hook", "greets"]);
    assert!(!ran.ok() && ran.stdout.is_empty(), "{ran}");
}

#[test]
fn a_part_that_is_missing_or_cut_short_is_refused() {
    let machine = machine(END, WORDS);
    let part = part_of("90-reset");
    part(&machine, &["say", "begun"]).succeeded();
    let refused = || {
        let ran = part(&machine, &["say", "begun"]);
        let says = "/steps/kubeadm.sh is missing or cut short; next: copy the folder again";
        assert!(ran.code == Some(1) && ran.stderr.contains(says) && ran.stdout.is_empty(), "{ran}");
    };
    let file = machine.path("/steps/kubeadm.sh");
    let whole = std::fs::read(&file).unwrap();
    let lines = (0..whole.len() - 1).filter(|cut| whole[*cut] == b'\n');
    for cut in lines.chain((0..whole.len() - 1).step_by(97)) {
        std::fs::write(&file, &whole[..cut]).unwrap();
        refused();
    }
    std::fs::remove_file(&file).unwrap();
    refused();
}

#[test]
fn root_writes_nowhere_that_others_can_put_a_link() {
    let machine = machine(END, WORDS);
    let part = part_of("20-install");
    shell(
        &machine,
        "install -d /srv/deep/root /srv/open /srv/bob /srv/staff
         chmod 1777 /srv/open; chown nobody /srv/bob; install -d /srv/bob/root
         chgrp staff /srv/staff; chmod 2775 /srv/staff
         ln -s /srv/bob /srv/link; ln -s ../deep /srv/fine
         ln -s ../deep /srv/bob/middle; ln -s bob/middle /srv/two",
    );
    let open = |path: &str| part(&machine, &["open_ways", "strict", path]).succeeded().stdout;
    let fine =
        ["/srv/deep/root/f", "/srv/fine/root/f", "/srv/absent/deeper/f", "/srv/staff/f", "/f"];
    for path in fine {
        assert_eq!(open(path), "", "{path}");
    }
    assert_eq!(open("/srv/open/f"), "/srv/open\n");
    for path in ["/srv/bob/f", "/srv/bob/root/f", "/srv/link/root/f", "/srv/two/root/f"] {
        assert_eq!(open(path), "/srv/bob\n", "{path}");
    }
    let ran = part(&machine, &["sheltered", "/srv/deep/f", "/srv/bob/f"]);
    assert!(ran.stderr.contains("others than root can write /srv/bob, where files"), "{ran}");
    // What is there already and root's nobody can replace in a sticky folder.
    shell(&machine, "touch /srv/open/f /srv/bob/f");
    let alone = |path: &str| part(&machine, &["roots_alone", path]).ok();
    assert!(alone("/srv/open/f") && !alone("/srv/bob/f"));
    shell(&machine, "chmod g+w /srv/open/f");
    assert!(!alone("/srv/open/f"));
}

#[test]
fn a_link_that_was_there_before_comes_back() {
    let machine = machine(END, WORDS);
    let part = part_of("20-install");
    shell(&machine, "install -d /srv/etc; echo theirs >/srv/theirs; ln -s ../theirs /srv/etc/f");
    shell(&machine, ": >/var/lib/hagen/placed.tsv");
    let row = ["/srv/etc/f", "0644", "root", "root", "sum", "managed", "-", "-", "rootfs"];
    part(&machine, &[&["preserve"], &row[..]].concat()).succeeded();
    shell(&machine, "rm /srv/etc/f; echo ours >/srv/etc/f");
    part(&machine, &["give_back", "/srv/etc/f"]).succeeded();
    assert_eq!(shell(&machine, "readlink /srv/etc/f; cat /srv/etc/f"), "../theirs\ntheirs\n");
    part(&machine, &["forget_originals"]).succeeded();
    assert_eq!(shell(&machine, "find /var/lib/hagen/original ! -type d"), "");
}

#[test]
fn a_users_and_a_pods_process_is_not_the_hosts() {
    let machine = machine(END, WORDS);
    let find =
        |name: &str| part_of("20-install")(&machine, &["processes", name]).succeeded().stdout;
    let named = "exec -a kubelet sleep 300";
    let as_user = ["setpriv", "--reuid=65534", "--clear-groups", "bash", "-c", named];
    machine.background("/dev/null", &as_user);
    let in_pod = ["unshare", "--net", "bash", "-c", named];
    machine.background("/dev/null", &in_pod);
    shell(&machine, "until (($(pgrep -fc '^kubelet 300') == 2)); do sleep 0.1; done");
    assert_eq!(find("kubelet"), "");
    let own = machine.background("/dev/null", &["bash", "-c", named]);
    shell(&machine, "until (($(pgrep -fc '^kubelet 300') == 3)); do sleep 0.1; done");
    assert_eq!(find("kubelet").lines().count(), 1);
    machine.kill(&own);
}

#[test]
fn a_file_that_a_static_pod_is_told_to_read_stays_until_it_is_not() {
    let machine = machine(END, WORDS);
    let part = part_of("20-install");
    let stay = [
        "/etc/kubernetes/policy.yaml",
        // Named by a file that it is told to read.
        "/etc/kubernetes/admission/config.yaml",
        "/etc/kubernetes/admission/more/events.yaml",
        "/etc/plugins/one/f.yaml",
    ];
    let go = ["/etc/site/ca.crt", "/etc/kubernetes/beside.yaml"];
    let rows: Vec<_> = stay.iter().chain(&go).map(|path| (*path, "managed", "pod")).collect();
    machine.place_script("/var/lib/hagen/placed.tsv", &listed(&rows));
    machine.place_script("/steps/files.tsv", &listed(&[]));
    for (path, ..) in &rows {
        machine.place_script(path, "theirs\n");
    }
    let manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml";
    let told = "    - --audit-policy-file=/etc/kubernetes/policy.yaml
    - --admission-control-config-file=/etc/kubernetes/admission/config.yaml
    - --plugins=/etc/plugins
";
    machine.place_script(manifest, told);
    let ran = part(&machine, &["take_away"]).succeeded();
    for path in stay {
        assert!(machine.path(path).exists(), "{path}: {ran}");
        assert!(ran.stdout.contains(&format!("{path} stays")), "{ran}");
    }
    for path in go {
        assert!(!machine.path(path).exists(), "{path}: {ran}");
    }
    let kept = part(&machine, &["still_read"]).succeeded().stdout;
    assert_eq!(kept.lines().count(), stay.len(), "they stay on the list: {kept}");

    machine.place_script(manifest, "    - --v=2\n");
    part(&machine, &["take_away"]).succeeded();
    assert!(!stay.iter().any(|path| machine.path(path).exists()));
    // The first run on a host.
    shell(&machine, "rm /var/lib/hagen/placed.tsv");
    let ran = part(&machine, &["still_read"]).succeeded();
    assert_eq!(ran.text(), "", "nothing to complain of");
}

#[test]
fn nothing_is_owed_to_a_unit_that_has_left() {
    let words = "units=(20 containerd.service yes yes -)\n";
    let machine = machine(END, &(WORDS.to_owned() + words));
    for unit in ["containerd.service", "docker.service"] {
        machine.place_script(&format!("/var/lib/hagen/pending/{unit}"), "restart");
    }
    part_of("20-install")(&machine, &["forget_debts"]).succeeded();
    assert_eq!(shell(&machine, "ls /var/lib/hagen/pending"), "containerd.service\n");
}

#[test]
fn a_step_of_any_number_starts_its_own_units() {
    let words = "units=(20 containerd.service yes yes - 35 registry.service yes yes -)\n";
    let machine = machine(END, &(WORDS.to_owned() + words));
    let systemctl = "#!/bin/sh\necho \"$*\" >>/root/asked\n[ \"$1\" != is-active ]\n";
    machine.place_script("/usr/local/bin/systemctl", systemctl);
    let own = steps().find(|(name, _)| *name == "30-balancer.sh").unwrap().1;
    machine.place_script("/steps/35-registry.sh", &own.replace("30-balancer", "35-registry"));
    let row = ["unit", "35", "registry.service", "yes", "yes", "-"];
    let ran = part_of("35-registry")(&machine, &row).succeeded();
    assert!(ran.stdout.contains("starting registry.service"), "{ran}");
    let row = ["unit", "20", "containerd.service", "yes", "yes", "-"];
    part_of("35-registry")(&machine, &row).succeeded();
    let asked = shell(&machine, "cat /root/asked");
    assert!(asked.contains("\nstart registry.service\n"), "{asked}");
    assert!(!asked.contains("containerd"), "{asked}");
}

#[test]
fn a_host_stays_what_it_is_until_it_is_reset() {
    let machine = machine(END, &format!("{WORDS}part='a worker'\n"));
    part_of("20-install")(&machine, &["as_before"]).succeeded();
    machine.place_script("/var/lib/hagen/part", "a control plane\n");
    for step in ["20-install", "90-reset"] {
        let ran = part_of(step)(&machine, &["as_before"]);
        let says = "this host is a control plane of cluster lab, and these files make it a worker";
        assert!(!ran.ok() && ran.text().contains(says), "{ran}");
    }
    machine.place_script("/var/lib/hagen/part", "a worker\n");
    part_of("20-install")(&machine, &["as_before"]).succeeded();
}

#[test]
fn a_folder_that_an_access_list_opens_is_open() {
    let machine = machine(END, WORDS);
    let list = "import os, struct, sys
entry = lambda tag, bits, who=0xffffffff: struct.pack('<HHI', tag, bits, who)
acl = struct.pack('<I', 2) + entry(1, 7) + entry(2, 7, 1000) + entry(4, 5) + entry(16, 7) + entry(32, 5)
os.mkdir('/opened'); os.mkdir('/opened/keys'); os.setxattr('/opened', 'system.posix_acl_access', acl)
";
    machine.run("python3", &["-c", list]).succeeded();
    let ran = part_of("20-install")(&machine, &["sheltered", "/opened/keys/site.gpg"]);
    assert!(!ran.ok() && ran.text().contains("others than root can write /opened"), "{ran}");
    shell(&machine, "mkdir -p /closed/keys");
    part_of("20-install")(&machine, &["sheltered", "/closed/keys/site.gpg"]).succeeded();
}

#[test]
fn an_unused_boolean_of_selinux_stops_what_needs_it() {
    let machine = machine(END, &format!("{WORDS}selinux=leave\n"));
    let says = |name: &str, text: &str| {
        machine.place_script(&format!("/usr/local/bin/{name}"), &format!("#!/bin/sh\n{text}\n"));
    };
    says("systemctl", "exit 3");
    says("getenforce", "echo Enforcing");
    says("getsebool", "echo \"$1 --> off\"");
    let asked = ["selinux_lets", "nginx.service", "httpd_can_network_connect"];
    let ran = part_of("10-prepare")(&machine, &asked);
    assert!(!ran.ok() && ran.text().contains("setsebool -P httpd_can_network_connect 1"), "{ran}");
    // It runs, so a policy of the site's own lets it.
    says("systemctl", "exit 0");
    part_of("10-prepare")(&machine, &asked).succeeded();
    says("systemctl", "exit 3");
    says("getsebool", "echo \"$1 --> on\"");
    part_of("10-prepare")(&machine, &asked).succeeded();
}

#[test]
fn a_step_waits_for_its_own_units_to_accept_connections() {
    let units = "units=(20 chronyd.service yes yes - 30 haproxy.service yes yes -)\n";
    let machine =
        machine(&END.replace("shift;", "shift; SECONDS=1000;"), &(WORDS.to_owned() + units));
    let asked =
        |unit: &str| part_of("30-balancer")(&machine, &["accepts", unit, "127.0.0.1", "7443"]);
    let ran = asked("haproxy.service");
    let says = "127.0.0.1 accepts connections on port 7443: not within 30 s";
    assert!(!ran.ok() && ran.text().contains(says), "{ran}");
    asked("chronyd.service").succeeded();
    let serve =
        "import socket, time; s = socket.create_server(('127.0.0.1', 7443)); time.sleep(60)";
    let _server = machine.background("/var/log/server.log", &["python3", "-c", serve]);
    asked("haproxy.service").succeeded();
}

#[test]
fn a_list_of_another_version_is_not_read() {
    let machine = machine(END, WORDS);
    let list = "path\tmode\towner\tgroup\tsha256\tkind\tunit\tapply\n";
    machine.place_script("/steps/files.tsv", list);
    let ran = part_of("20-install")(&machine, &["list_is_whole"]);
    assert!(ran.stderr.contains("copy steps/ and the folder of this node together"), "{ran}");
}

#[test]
fn a_cluster_without_an_add_on_is_not_told_to_begin_anew() {
    let words =
        "admin_conf=/etc/kubernetes/admin.conf local_api=https://192.0.2.1:6443 health=/readyz
last_addon=daemonset/kube-proxy
";
    let machine = machine(END, &(WORDS.to_owned() + words));
    let finished = |there: &str| {
        let kubectl = format!(
            "#!/bin/bash\ncase $* in *readyz | *' node w1') ;; *) [ \"${{@: -1}}\" = {there} ] ;; esac\n"
        );
        machine.place_script("/usr/local/bin/kubectl", &kubectl);
        part_of("50-init")(&machine, &["finished"])
    };
    let all = finished("daemonset/kube-proxy").succeeded();
    assert!(all.stdout.contains("already initialised"), "{all}");
    let ran = finished("deployment/coredns");
    assert!(ran.stderr.contains("an earlier init stopped half-way"), "{ran}");
    // One that came to its end once.
    machine.place_script("/var/lib/hagen/initialised", "lab");
    let ran = finished("deployment/coredns");
    assert!(ran.stderr.contains("kubeadm init phase addon kube-proxy --config="), "{ran}");
    assert!(!ran.stderr.contains("90-reset"), "{ran}");
}

#[test]
fn lists_that_somebody_else_updates_are_waited_for() {
    let machine = machine(END, WORDS);
    let part = part_of("10-prepare");
    // apt locks as fcntl(2) does, which flock(1) does not see.
    let hold = "import fcntl, time
f = open('/var/lib/apt/lists/lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(5)";
    shell(&machine, ": >/etc/apt/sources.list; rm -rf /etc/apt/sources.list.d/*");
    machine.background("/dev/null", &["python3", "-c", hold]);
    shell(&machine, "until ! apt-get update 2>/dev/null; do sleep 0.1; done");
    let ran = part(&machine, &["update"]);
    assert!(ran.ok(), "{ran}");
    shell(&machine, "echo 'deb file:/nowhere ./' >/etc/apt/sources.list");
    let ran = part(&machine, &["update"]);
    assert!(!ran.ok() && ran.text().contains("/nowhere"), "what else is wrong is said: {ran}");
}

#[test]
fn a_firewall_that_a_killed_run_has_not_reloaded_is_reloaded() {
    let words = "firewall=(- add-port=1/tcp)\naddress=192.0.2.1\n";
    let machine = machine(END, &(WORDS.to_owned() + words));
    let part = part_of("20-install");
    let stub = "#!/bin/bash\necho \"$*\" >>/root/asked\ncase $* in *--query*) [ -e /root/known ] ;; \
                *--add*) touch /root/known; [ ! -e /root/die ] || kill -9 $PPID ;; esac\n";
    for program in ["firewall-cmd", "firewall-offline-cmd"] {
        machine.place_script(&format!("/usr/local/bin/{program}"), stub);
    }
    machine.place_script("/usr/local/bin/systemctl", "#!/bin/sh\nexit 0\n");
    let reloads = || shell(&machine, "grep -c -- --reload /root/asked || true").trim().to_owned();
    shell(&machine, "touch /root/die");
    assert!(!part(&machine, &["firewall_after_files"]).ok());
    assert_eq!(reloads(), "0");
    shell(&machine, "rm /root/die");
    part(&machine, &["firewall_after_files"]).succeeded();
    assert_eq!(reloads(), "1");
    part(&machine, &["firewall_after_files"]).succeeded();
    assert_eq!(reloads(), "1", "nothing has changed since");
}

#[test]
fn a_key_that_has_left_the_tree_is_not_given_any_more() {
    let words = "keys=()\n";
    let machine = machine(END, &(WORDS.to_owned() + words));
    let part = part_of("10-prepare");
    let ring = "/etc/apt/keyrings/hagen-x.asc";
    // Of a folder that was copied before.
    machine.place_script(&format!("/steps/rootfs{ring}"), "old");
    machine.place_script("/steps/files.tsv", &listed(&[]));
    shell(&machine, "install -d /etc/apt/keyrings");
    part(&machine, &["given", "x", "source", ring]).succeeded();
    assert!(!machine.path(ring).exists());
    machine.place_script("/steps/files.tsv", &listed(&[(ring, "managed", "-")]));
    let ran = part(&machine, &["given", "x", "source", ring]);
    assert!(ran.stderr.contains("missing or altered"), "{ran}");
    assert!(!machine.path(ring).exists());
    // What the host itself brings is root's alone.
    machine.place_script("/steps/files.tsv", &listed(&[]));
    machine.place_script("/srv/key.gpg", "key");
    part(&machine, &["keyring", "x", "source", "/srv/key.gpg"]).succeeded();
    shell(&machine, "chown nobody /srv/key.gpg");
    let ran = part(&machine, &["keyring", "x", "source", "/srv/key.gpg"]);
    assert!(ran.stderr.contains("others than root can write /srv/key.gpg"), "{ran}");
}

#[test]
fn a_vip_of_kube_vip_is_where_its_lease_is_and_leaves_with_the_node() {
    let words = "local_api=https://192.0.2.1:6443 parts=(kubeadm kubevip)
kube_vip=10.0.0.10/32 kube_vip_lease=plndr-cp-lock
";
    let machine = machine(END, &(WORDS.to_owned() + words));
    shell(&machine, "ip link add eth0 type bridge; ip link set eth0 up");
    let follows = |holder: &str| {
        let kubectl = format!("#!/bin/sh\nprintf %s '{holder}'\n");
        machine.place_script("/usr/local/bin/kubectl", &kubectl);
        part_of("60-verify")(&machine, &["vip_follows_lease"])
    };
    let says = |holder: &str, words: &str| {
        let ran = follows(holder);
        assert!(!ran.ok() && ran.stdout.contains(words), "{ran}");
    };
    says("w1", "this host has the lease of the VIP 10.0.0.10/32, and not its address");
    says("", "nobody has the lease");
    follows("cp2").succeeded();
    shell(&machine, "ip address add 10.0.0.10/32 dev eth0");
    follows("w1").succeeded();
    says("cp2", "the VIP 10.0.0.10/32 is on this host, and cp2 has its lease");

    let reset = || part_of("90-reset")(&machine, &["hook", "reset_files"]).succeeded();
    reset();
    assert_eq!(shell(&machine, "ip -o address show to 10.0.0.10/32"), "");
    assert_eq!(reset().text(), "", "nothing is left to take away");
}
