//! What 60-verify.sh checks, each with the real thing that it looks at: whole, and broken. Functions of the
//! step and of its parts run alone here, as they stand in `templates/`.

use crate::machine::Machine;
use crate::parts;
use crate::patience::until;
use crate::programs::{Ran, built};

/// The name service of these machines knows this name.
const COREFILE: &str = ".:53 {
  hosts {
    10.96.0.1 kubernetes.default.svc.cluster.local
  }
}
";
const NAME: [&str; 3] = ["resolves", "127.0.0.1", "kubernetes.default.svc.cluster.local"];
/// What functions of the step find of the host that they run on.
const WORDS: &str = "package_family=apt node=w1 whole=yes renew_before=2592000 member=http://127.0.0.1:12381
steps=(20-install 30-balancer 60-verify) control_plane=yes
units=(30 haproxy.service yes yes - 20 containerd.service yes yes -) kubernetes=1.37.1 endpoint=https://192.0.2.1
";
/// The step's library with another end: one function runs, and the faults that it found are counted. None
/// waits: the step has begun long ago.
const END: &str = "
run() { SECONDS=1000; step=$1; shift; read_parts; if \"$@\"; then echo \"holds, $faults faults\"; else echo fails; fi; }
";

fn machine() -> Machine {
    parts::machine(END, WORDS)
}

/// Runs a function of the step.
fn part(machine: &Machine, words: &[&str]) -> Ran {
    machine.run("/steps/60-verify.sh", words)
}

#[track_caller]
fn holds(machine: &Machine, words: &[&str]) {
    let ran = part(machine, words);
    assert!(ran.ok() && ran.stdout.ends_with("holds, 0 faults\n"), "{words:?}: {ran}");
}

#[track_caller]
fn names(machine: &Machine, words: &[&str], fault: &str) {
    let ran = part(machine, words);
    assert!(!ran.stdout.ends_with("holds, 0 faults\n"), "{words:?} finds nothing: {ran}");
    assert!(ran.text().contains(fault), "{words:?} does not say {fault:?}: {ran}");
}

#[test]
fn names_that_are_not_resolved_or_only_half_of_the_time() {
    let machine = machine();
    names(&machine, &NAME, "question 1 of 10");
    machine.place(&built("coredns-1.14", "coredns"), "/coredns");
    machine.place_script("/Corefile", COREFILE);
    let _server = machine.background("/var/log/coredns.log", &["/coredns", "-conf", "/Corefile"]);
    until("CoreDNS answers", || part(&machine, &NAME).stdout.ends_with("holds, 0 faults\n"));
    names(&machine, &["resolves", "127.0.0.1", "other.default.svc.cluster.local"], "question 1");
    // As with one of two pods of the DNS out of reach.
    let half =
        "iptables -A OUTPUT -p udp --dport 53 -m statistic --mode nth --every 2 --packet 0 -j DROP";
    machine.run("bash", &["-c", half]).succeeded();
    names(&machine, &NAME, "no answer in 2 s");
}

#[test]
fn settings_that_another_file_has_won() {
    let machine = machine();
    let key = "net.ipv4.tcp_keepalive_time";
    let file = "/etc/sysctl.d/90-hagen-kubernetes.conf";
    let listed = format!("path\tmode\n{file}\t0644\nend\n");
    machine.place_script("/steps/files.tsv", &listed);
    let range = "net.ipv4.ip_local_port_range";
    machine.place_script(file, &format!("# ours\n\n{key} = 600\n{range} = 32768 60999\n"));
    machine.run("sysctl", &["-q", "-p", file]).succeeded();
    holds(&machine, &["sysctls_hold"]);
    machine.run("sysctl", &["-q", "-w", &format!("{key}=7200")]).succeeded();
    names(&machine, &["sysctls_hold"], &format!("{key} is 7200, {file} says 600"));
}

#[test]
fn certificates_that_end_soon() {
    let machine = machine();
    machine.run("rm", &["-rf", "/etc/kubernetes", "/etc/etcd"]).succeeded();
    machine.run("mkdir", &["-p", "/etc/kubernetes/pki/etcd"]).succeeded();
    let make = |file: &str, days: u32| {
        let make = format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a \
             -keyout /tmp/key -days {days} -out /etc/kubernetes/{file}"
        );
        machine.run("bash", &["-c", &make]).succeeded();
    };
    make("pki/apiserver.crt", 31);
    make("soon", 29);
    let kubeconfig = "printf 'users:\\n- user:\\n    client-certificate-data: %s\\n' \
        \"$(base64 -w0 </etc/kubernetes/CERTIFICATE)\" >/etc/kubernetes/admin.conf";
    let admin = |certificate: &str| {
        let line = kubeconfig.replace("CERTIFICATE", certificate);
        machine.run("bash", &["-c", &line]).succeeded();
    };
    admin("pki/apiserver.crt");
    let of_kubelet = "users:\n- user:\n    client-certificate: /var/lib/kubelet/pki/current.pem\n";
    machine.place_script("/etc/kubernetes/kubelet.conf", of_kubelet);
    holds(&machine, &["certificates_last"]);
    admin("soon");
    let says = "the certificate in /etc/kubernetes/admin.conf ends within 30 days (";
    names(&machine, &["certificates_last"], says);
    admin("pki/apiserver.crt");
    make("pki/etcd/server.crt", 29);
    let says = "the certificate in /etc/kubernetes/pki/etcd/server.crt ends within 30 days (";
    names(&machine, &["certificates_last"], says);
}

#[test]
fn a_member_of_etcd_with_an_alarm_or_little_space() {
    let machine = machine();
    let start = |quota: u32| {
        let [client, peer, metrics] =
            [12379, 12380, 12381].map(|port| format!("http://127.0.0.1:{port}"));
        let words = format!(
            "etcd --data-dir=/var/lib/member --listen-peer-urls={peer} \
             --initial-advertise-peer-urls={peer} --initial-cluster=default={peer} \
             --listen-client-urls={client} --advertise-client-urls={client} \
             --listen-metrics-urls={metrics} --quota-backend-bytes={quota}"
        );
        let words: Vec<&str> = words.split_whitespace().collect();
        machine.background("/var/log/member.log", &words)
    };
    // A value of a megabyte, beside which it does not count how many pages etcd keeps for itself.
    let put = || {
        let put = "head --bytes=1000000 /dev/zero | tr '\\0' v |
                   ETCDCTL_API=3 etcdctl --endpoints=127.0.0.1:12379 put key";
        machine.run("bash", &["-c", put])
    };
    names(&machine, &["member_works"], "this member of etcd is not healthy: curl:");
    let member = start(0);
    let is_well = || part(&machine, &["member_is_well"]).stdout.starts_with("holds");
    until("etcd starts", is_well);
    put().succeeded();
    holds(&machine, &["member_works"]);
    machine.kill(&member);
    let member = start(1_200_000);
    until("etcd starts again", is_well);
    names(&machine, &["member_works"], "of 1.2e+06 bytes");
    machine.kill(&member);
    let _member = start(1_000_000);
    until("the alarm", || put().text().contains("database space exceeded"));
    names(&machine, &["member_works"], "this member of etcd is not healthy: {\"health\":\"false\"");
}

#[test]
fn arguments_that_have_not_arrived_and_a_file_that_was_not_read() {
    let machine = machine();
    let program = |line: &str| {
        machine.place_script("/program", &format!("#!/bin/bash\n{line}\n"));
        machine.background("/var/log/program.log", &["/program"])
    };
    names(&machine, &["has_argument", "kube-scheduler", "--v=2"], "kube-scheduler does not run");
    // It reads its arguments from a pipe that never says anything.
    let run = "exec -a kube-scheduler tail --follow=name --sleep-interval=9 /dev/null --retry";
    let _scheduler = program(run);
    let runs = |name: &str| machine.run("pgrep", &["-f", &format!("^{name}( |$)")]).ok();
    until("it runs", || runs("kube-scheduler"));
    holds(&machine, &["has_argument", "kube-scheduler", "--sleep-interval=9"]);
    names(
        &machine,
        &["runs_with", "kube-scheduler", "--retr"],
        "kube-scheduler runs without --retr",
    );

    let _kubelet = program("exec -a kubelet tail --follow=name /dev/null");
    until("it runs", || runs("kubelet"));
    let read = ["has_read", "kubelet", "restart it"];
    let written = |when: &str| {
        machine.place_script("/var/lib/kubelet/config.yaml", "maxPods: 110\n");
        machine.run("touch", &["-d", when, "/var/lib/kubelet/config.yaml"]).succeeded();
    };
    written("1 minute ago");
    holds(&machine, &read);
    written("1 minute");
    names(&machine, &read, "kubelet runs since before /var/lib/kubelet/config.yaml");
}

#[test]
fn configurations_that_have_not_arrived() {
    let machine = machine();
    let says = |path: &str, value: &str| {
        ["configurations_hold", "kubelet", path, value].map(str::to_owned)
    };
    let holds = |path: &str, value: &str| {
        let words = says(path, value);
        holds(&machine, &words.each_ref().map(String::as_str));
    };
    let names = |path: &str, value: &str, fault: &str| {
        let words = says(path, value);
        names(&machine, &words.each_ref().map(String::as_str), fault);
    };
    names("maxPods", "110", "kubelet does not run, or has no /var/lib/kubelet/config.yaml");
    machine.place_script("/kubelet", "#!/bin/bash\nexec -a kubelet tail --follow=name /dev/null\n");
    let _kubelet = machine.background("/var/log/program.log", &["/kubelet"]);
    until("it runs", || machine.run("pgrep", &["-f", "^kubelet "]).ok());
    // As kubeadm writes it.
    let configuration = "authentication:
  anonymous:
    enabled: false
clusterDNS:
- 10.96.0.10
evictionHard:
  memory.available: 5%
maxPods: 110
nodeStatusUpdateFrequency: 1m30s
reservedSystemCPUs: \"1\"
";
    machine.place_script("/var/lib/kubelet/config.yaml", configuration);
    holds("authentication.anonymous.enabled", "false");
    holds("clusterDNS[]", "10.96.0.10");
    holds("evictionHard.memory.available", "5%");
    holds("nodeStatusUpdateFrequency", "1m30s");
    holds("reservedSystemCPUs", "1");
    // Left out.
    holds("readOnlyPort", "");
    names("maxPods", "", "kubelet has maxPods=110 where the tree says nothing");
    names("maxPods", "250", "kubelet has maxPods=110 where the tree says maxPods=250");
    names("maxPods", "0", "kubelet has maxPods=110 where the tree says maxPods=0");
    names("clusterDNS[]", "169.254.20.10", "clusterDNS[]=10.96.0.10 where the tree says");
    names("podPidsLimit", "4096", "has no podPidsLimit where the tree says podPidsLimit=4096");
}

#[test]
fn what_runs_on_with_what_was_there_before() {
    let machine = machine();
    holds(&machine, &["nothing_owed"]);
    let pending = |name: &str| format!("/var/lib/hagen/pending/{name}");
    machine.place_script(&pending("haproxy.service"), "restart");
    let fault = "haproxy.service still runs with what was there before; next: run 30-balancer.sh";
    names(&machine, &["nothing_owed"], fault);
    machine.place_script(&pending("kube-apiserver"), "pod");
    names(&machine, &["nothing_owed"], "kube-apiserver still runs with what was there before");
    names(&machine, &["nothing_owed"], "next: run 20-install.sh");
}

/// A certificate of a server with these names.
fn certificate(machine: &Machine, path: &str, names: &str) {
    machine.place_script(path, "");
    let made = format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null \
         -days 9 -subj /CN=kube-apiserver -addext subjectAltName={names} -out {path} 2>/dev/null"
    );
    machine.run("bash", &["-ec", &made]).succeeded();
}

#[test]
fn names_of_a_server_that_have_not_arrived() {
    let machine = machine();
    let path = "/etc/kubernetes/pki/apiserver.crt";
    let listed = format!("path\n{path}\t0644\troot\troot\tsum\tseed\t-\t-\trootfs\nend\n");
    machine.place_script("/steps/files.tsv", &listed);
    let tree = format!("/steps/rootfs{path}");
    certificate(&machine, &tree, "DNS:cp1,IP:192.0.2.1");
    // Whatever else kubeadm has given it.
    certificate(&machine, path, "DNS:cp1,DNS:kubernetes,IP:192.0.2.1");
    holds(&machine, &["certificates_name"]);
    certificate(&machine, &tree, "DNS:cp1,DNS:api.example.com,IP:192.0.2.9");
    let fault = "lacks DNS:api.example.com, IP Address:192.0.2.9; next: follow the end";
    names(&machine, &["certificates_name"], fault);
}

#[test]
fn pods_that_a_node_rests_on() {
    let machine = machine();
    let pods = |lines: &str| {
        let kubectl = format!("#!/bin/sh\ncat <<'.'\n{lines}\n.\n");
        machine.place_script("/usr/local/bin/kubectl", &kubectl);
    };
    let settled = "kube-system/kube-proxy-1 priority=system-node-critical ready=True
shop/cart-1 priority= ready=False";
    pods(settled);
    holds(&machine, &["pods_settled"]);
    for broken in [
        "kube-flannel/kube-flannel-ds-1 priority=system-node-critical ready=False",
        "kube-system/coredns-1 priority= ready=False",
    ] {
        pods(&format!("{settled}\n{broken}"));
        names(&machine, &["pods_settled"], broken);
    }
    pods("");
    holds(&machine, &["pods_settled"]);
}

#[test]
fn what_others_have_written_does_not_steer_the_terminal() {
    let machine = machine();
    let ran = part(&machine, &["fault", "\u{1b}[2Jgone\u{9b}", "next"]);
    assert!(ran.stderr.contains("fault: ?[2Jgone??; next: next\n"), "{ran}");
}

#[test]
fn a_clock_that_is_not_in_sync() {
    let machine = machine();
    let says = |program: &str, line: &str| {
        machine.place_script(&format!("/usr/bin/{program}"), &format!("#!/bin/sh\n{line}\n"));
    };
    says("systemctl", "exit 0");
    says("chronyc", "exit 0");
    holds(&machine, &["clock_runs"]);
    says("chronyc", "echo 506 Cannot talk to daemon; exit 1");
    names(&machine, &["clock_runs"], "the clock is not in sync: 506 Cannot talk to daemon");
    // Another program keeps it.
    says("systemctl", "exit 3");
    says("timedatectl", "echo System clock synchronized: yes");
    holds(&machine, &["clock_runs"]);
    says("timedatectl", "echo '     NTP synchronized: no'");
    names(&machine, &["clock_runs"], "the clock is not in sync:      NTP synchronized: no");
}

/// Nodes, wanted pods and pods of the DNS, as kubectl prints what the step asks for.
fn kubectl(machine: &Machine, nodes: &str, wanted: &str, pods: &str) {
    machine.place_script(
        "/usr/bin/kubectl",
        &format!(
            "#!/bin/sh
             case \"$*\" in
               *' get nodes '*) printf '{nodes}' ;;
               *' get deployment coredns '*) printf '{wanted}' ;;
               *' get pods '*' -o name') printf 'pod/coredns-a\\npod/coredns-b\\n' ;;
               *' get pods '*) printf '{pods}' ;;
               *' delete '*|*' rollout status '*) echo \"$*\" >>/asked ;;
               *) exit 1 ;;
             esac"
        ),
    );
}

#[test]
fn the_dns_is_on_one_node_and_one_of_its_pods_moves() {
    let machine = machine();
    let control_plane = "node-role.kubernetes.io/control-plane:NoSchedule,";
    let two = format!("cp1 True cordoned= {control_plane}\\ncp2 True cordoned= {control_plane}\\n");
    let moved = || {
        machine.run("rm", &["-f", "/asked"]);
        holds(&machine, &["spread_dns", "/etc/kubernetes/admin.conf"]);
        std::fs::read_to_string(machine.path("/asked")).unwrap_or_default()
    };
    kubectl(&machine, &two, "2", "cp1 True \\ncp1 True \\n");
    names(&machine, &["dns_is_spread"], "all that answers of the cluster's DNS is on cp1");
    let asked = moved();
    assert!(asked.contains("delete pod/coredns-a "), "{asked}");
    assert!(!asked.contains("coredns-b") && asked.contains("rollout status"), "{asked}");

    let stays = [
        // Spread; wanted once; not deployed by kubeadm.
        (two.as_str(), "2", "cp1 True \\ncp2 True \\n"),
        (&two, "1", "cp1 True \\n"),
        (&two, "", ""),
        // Nobody else could take one.
        ("cp1 True cordoned= \\n", "2", "cp1 True \\ncp1 True \\n"),
        (
            "cp1 True cordoned= \\ncp2 True cordoned=true x:NoSchedule,\\n",
            "2",
            "cp1 True \\ncp1 True \\n",
        ),
        ("cp1 True cordoned= \\ncp2 Unknown cordoned= \\n", "2", "cp1 True \\ncp1 True \\n"),
        (
            "cp1 True cordoned= \\nw1 True cordoned= gpu:NoSchedule,\\n",
            "2",
            "cp1 True \\ncp1 True \\n",
        ),
    ];
    for (nodes, wanted, pods) in stays {
        kubectl(&machine, nodes, wanted, pods);
        holds(&machine, &["dns_is_spread"]);
        assert_eq!(moved(), "", "{nodes} {wanted} {pods}");
    }
    // A preference keeps nobody away, and a pod that goes does not count.
    let soft = "cp1 True cordoned= \\nw1 True cordoned= gpu:PreferNoSchedule,\\n";
    kubectl(&machine, soft, "2", "cp1 True \\nw1 True 2026-01-01T00:00:00Z\\n");
    names(&machine, &["dns_is_spread"], "is on cp1");
}
