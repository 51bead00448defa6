//! The prober of the proving ground, in front of a stand-in for an API server that holds a
//! cluster's generated certificate, with that cluster's admin kubeconfig. The stand-in keeps its
//! ConfigMaps in memory: killed and started again, it has lost every acknowledged write. What pods
//! ask, it asks of CoreDNS and of a web server.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cluster::{Cluster, MINIMAL, compiled};
use crate::machine::{Background, Machine};
use crate::outage::Window;
use crate::patience::until;
use crate::probe::{Prober, Service};
use crate::programs::built;

const STAND_IN: &str = "/stand_in.py";

/// A machine that is the first control plane and holds the VIP.
fn machine(cluster: &Cluster) -> Machine {
    let machine = Machine::start(&cluster.nodes[0].name);
    machine.install(&cluster.nodes[0]);
    machine.run("ip", &["address", "add", &cluster.vip, "dev", "lo"]).succeeded();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/ground/stand_in.py");
    machine.place(&script, STAND_IN);
    machine
}

fn start(machine: &Machine, cluster: &Cluster) -> Background {
    let [certificate, key, authority] = ["apiserver.crt", "apiserver.key", "ca.crt"]
        .map(|name| format!("/etc/kubernetes/pki/{name}"));
    let words = [STAND_IN, &cluster.vip, &cluster.port, &certificate, &key, &authority];
    machine.background("/var/log/api.log", &[&["python3"], &words[..]].concat())
}

#[test]
fn an_outage_and_lost_writes_are_seen() {
    let cluster = compiled(&MINIMAL);
    let machine = machine(&cluster);
    let folder = tempfile::tempdir().unwrap();
    // The host's files, the machine's network.
    let client = |program: &str| {
        let mut command = Command::new("nsenter");
        command.args(["--target", &machine.init.to_string(), "--net", program]);
        command
    };
    let server = format!("https://{}:{}", cluster.vip, cluster.port);
    let kubeconfig = cluster.out.join("cluster/kubeconfigs/admin.conf");
    let log = folder.path().join("probes");
    let prober = Prober::start(Box::new(client), &server, &kubeconfig, &log);
    until("the first failures", || prober.log().is_some_and(|log| log.complete_until() > 0.0));

    let api_server = start(&machine, &cluster);
    let calm = Prober::now();
    until("steady", || prober.steady(1.0));
    let settings = prober.log().unwrap().settings;
    assert_eq!((settings.interval, settings.deadline), (0.1, 1.0), "unless told otherwise");
    let writes = prober.writes();
    assert!(writes.acknowledged > 0 && writes.lost.is_empty(), "{writes:?}");
    let event = Prober::now();
    assert!(event > calm, "the clock of the log goes on");

    machine.kill(&api_server);
    until("failures", || !prober.steady(0.5));
    let _again = start(&machine, &cluster);
    until("steady again", || prober.steady(1.0));
    let outage = prober.outage(Window { from: event, to: Prober::now() });
    for measured in [&outage.reads, &outage.writes] {
        assert!(measured.failed > 0 && measured.failed < measured.probes, "{measured:?}");
        assert!(measured.outage > 0.0 && measured.gap > 0.0, "{measured:?}");
        assert!(measured.reasons.keys().any(|reason| reason.starts_with("connect: ")));
        assert!(measured.outage <= outage.seconds());
    }

    let writes = prober.writes();
    let lost = writes.lost.len();
    assert!(lost > 0 && lost < writes.acknowledged, "the earlier writes are lost: {writes:?}");
    assert_eq!(writes.unacknowledged, 0);

    prober.finish();
}

/// A name service that knows one name.
const COREFILE: &str = ".:53 {
  hosts {
    192.0.2.1 backend.default.svc.cluster.local
  }
}
";

#[test]
fn lost_names_and_lost_services_are_seen_and_told_apart() {
    let machine = Machine::start("w1");
    machine.place(&built("coredns-1.14", "coredns"), "/coredns");
    machine.place_script("/Corefile", COREFILE);
    machine.place_script("/srv/index.html", "{}");
    let network = format!("--net=/proc/{}/ns/net", machine.init);
    let client = |program: &str| {
        let mut command = Command::new("nsenter");
        command.args([&network, program]);
        command
    };
    let names = || machine.background("/var/log/names.log", &["/coredns", "-conf", "/Corefile"]);
    let web = ["python3", "-m", "http.server", "--directory", "/srv", "8080"];
    let services = || machine.background("/var/log/services.log", &web);
    let [name_service, web_server] = [names(), services()];
    let service = Service {
        resolver: "127.0.0.1".to_owned(),
        name: "backend.default.svc.cluster.local".to_owned(),
        url: "http://127.0.0.1:8080/".to_owned(),
    };
    let folder = tempfile::tempdir().unwrap();
    let prober = Prober::in_pod(Box::new(client), &service, &folder.path().join("probes"));
    until("steady", || prober.steady(1.0));

    let event = Prober::now();
    machine.kill(&name_service);
    until("failures", || !prober.steady(0.5));
    let name_service = names();
    until("steady again", || prober.steady(1.0));
    let healed = Prober::now();
    let outage = prober.outage(Window { from: event, to: healed });
    assert!(outage.names.failed > 0 && outage.silence() == outage.names.gap, "{outage:?}");
    assert_eq!((outage.services.failed, outage.reads.probes, outage.writes.probes), (0, 0, 0));
    assert!(outage.seconds() == 0.0, "the API was not asked: {outage:?}");

    machine.kill(&web_server);
    until("failures", || !prober.steady(0.5));
    let outage = prober.outage(Window { from: healed, to: Prober::now() });
    let failed = outage.kinds().map(|(kind, measured)| (kind, measured.failed > 0));
    assert_eq!(failed.map(|(_, failed)| failed), [false, false, false, true], "{failed:?}");

    let _again = services();
    until("steady again", || prober.steady(1.0));
    // It answers, and does not know the name.
    machine.kill(&name_service);
    fs::write(machine.path("/Corefile"), COREFILE.replace("backend", "other")).unwrap();
    let _other = names();
    let denied = |measured: &crate::outage::Measured| {
        measured.reasons.keys().any(|reason| reason.starts_with("rcode "))
    };
    until("denials", || {
        let now = Prober::now();
        denied(&prober.outage(Window { from: now - 2.0, to: now }).names)
    });
}
