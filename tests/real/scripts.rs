//! Shell: bash reads it, shellcheck has nothing to say, and the phases that prepare a host and
//! install files change nothing when they run a second time.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::cluster::{Case, HAPROXY_1_15, HAPROXY_1_21, MINIMAL, NGINX_1_30, Node, compiled};
use crate::machine::Machine;
use crate::network::Network;
use crate::programs::run_installed;

/// Programs that would reach beyond the machine: its packages and their sources, the kernel it
/// shares with the host, and the systemd it does not run. Stand-ins succeed and do nothing.
const STAND_INS: &[&str] = &[
    "/usr/bin/apt-get",
    "/usr/bin/apt-mark",
    "/usr/bin/systemctl",
    "/usr/sbin/modprobe",
    "/usr/sbin/swapoff",
    "/usr/sbin/sysctl",
];

/// Answers each download with a few bytes.
const CURL: &str = "#!/bin/sh\necho downloaded\n";

/// Writes a key into the file that is named last.
const APT_HELPER: &str = "#!/bin/bash\necho '-----BEGIN PGP PUBLIC KEY BLOCK-----' >\"${@: -1}\"\n";

/// The scripts among these files.
pub(crate) fn scripts(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let is_script = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        first.starts_with("#!") && first.ends_with("sh")
    };
    let scripts: Vec<_> = files.into_iter().filter(is_script).collect();
    assert!(!scripts.is_empty(), "no script");
    scripts
}

/// What bash reads.
pub(crate) fn judge(script: &Path) {
    run_installed("bash", "bash", [Path::new("-n"), script]).succeeded();
    // It stops at the first match, also where its output is /dev/null; the program before it may
    // then die of SIGPIPE, which pipefail takes for a failure, now and then.
    let stops = |line: &str| {
        line.split_once("| grep ")
            .is_some_and(|(_, grep)| grep.starts_with("-q") || grep.contains(">/dev/null"))
    };
    let text = fs::read_to_string(script).unwrap();
    assert!(!text.lines().any(stops), "{}: `grep -q … <<<\"$(…)\"`", script.display());
}

/// What shellcheck has nothing to say of.
pub(crate) fn judge_style(script: &Path) {
    let arguments = ["-S", "style"].map(Path::new).into_iter().chain([script]);
    run_installed("shellcheck", "shellcheck", arguments).succeeded();
}

fn lint(case: &Case) {
    for script in scripts(compiled(case).files()) {
        judge(&script);
        judge_style(&script);
    }
}

/// A node on which `nodes/<node>/` has been copied, root's alone, as the runbook says.
fn delivered(node: &Node, network: &Network) -> Machine {
    let machine = node.start_bare(network);
    for stand_in in STAND_INS {
        machine.place_script(stand_in, "#!/bin/sh\nexit 0\n");
    }
    machine.place_script("/usr/bin/curl", CURL);
    machine.place_script("/usr/lib/apt/apt-helper", APT_HELPER);
    copy(node, &machine);
    machine
}

/// `nodes/<node>/`, in the place of what was copied before.
fn copy(node: &Node, machine: &Machine) {
    let folder = machine.path("/root/hagen");
    fs::remove_dir_all(&folder).ok();
    for entry in WalkDir::new(&node.folder) {
        let entry = entry.unwrap();
        let to = folder.join(entry.path().strip_prefix(&node.folder).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Where packages are said to be preinstalled, the script looks for their programs, and for the
/// release of etcd. Stand-ins take the place of those that this host lacks.
fn preinstall(node: &Node, machine: &Machine) {
    let script = fs::read_to_string(node.folder.join("10-prepare.sh")).unwrap();
    let wanted = script.lines().filter_map(|line| {
        line.strip_prefix("command -v ")?.split_once(" >/dev/null || missing+=")
    });
    for (program, _) in wanted {
        if !machine.run("bash", &["-c", &format!("command -v {program}")]).ok() {
            machine.place_script(&format!("/usr/local/bin/{program}"), "#!/bin/sh\nexit 0\n");
        }
    }
    if let Some((_, rest)) = script.split_once("'etcd Version: ") {
        let release = rest.split('\'').next().unwrap();
        let says = format!("#!/bin/sh\necho 'etcd Version: {release}'\n");
        machine.place_script("/usr/local/bin/etcd", &says);
    }
}

/// Mode, owner, group and content.
type State = (u32, u32, u32, Vec<u8>);

/// What a machine's disk holds beyond the host's.
fn disk(machine: &Machine) -> BTreeMap<PathBuf, State> {
    let upper = machine.path("/../upper");
    WalkDir::new(&upper)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let bytes =
                if metadata.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            let path = Path::new("/").join(entry.path().strip_prefix(&upper).unwrap());
            (path, (metadata.mode(), metadata.uid(), metadata.gid(), bytes))
        })
        .collect()
}

fn run_twice(case: &Case) {
    let cluster = compiled(case);
    for node in &cluster.nodes {
        let network = Network::start();
        let machine = delivered(node, &network);
        preinstall(node, &machine);
        let phases = || {
            for phase in ["10-prepare.sh", "20-install.sh"] {
                machine.run("bash", &[&format!("/root/hagen/{phase}")]).succeeded();
            }
        };
        phases();
        for file in node.files() {
            let installed = fs::metadata(machine.path(&file.path)).unwrap();
            let mode = u32::from_str_radix(&file.mode, 8).unwrap();
            assert_eq!(
                installed.mode() & 0o7777,
                mode,
                "{}, {}: {}",
                case.name,
                node.name,
                file.path
            );
        }
        let once = disk(&machine);
        phases();
        let twice = disk(&machine);
        let changed: Vec<_> = once
            .keys()
            .chain(twice.keys())
            .filter(|path| once.get(*path) != twice.get(*path))
            .collect();
        assert!(
            changed.is_empty(),
            "{}, {}: the second run changed {changed:?}",
            case.name,
            node.name
        );
    }
}

/// nginx, and a drop-in of the site's own.
const BEFORE: Case = Case {
    name: "before",
    edit: |text| {
        let drop_in = "{unit: containerd.service, dropIn: {Service: {LimitNOFILE: '1048576'}}}";
        format!("{text}units: [{drop_in}]\n")
    },
    ..NGINX_1_30
};
/// The same cluster with neither.
const AFTER: Case =
    Case { name: "after", edit: |text| text.replace("kind: nginx", "kind: haproxy"), ..NGINX_1_30 };

/// What systemctl was asked for.
const RECORDING: &str = "#!/bin/sh\necho \"$*\" >>/root/systemctl\n";

#[test]
fn what_leaves_the_inventory_leaves_the_node() {
    let [before, after] = [&BEFORE, &AFTER].map(compiled);
    let network = Network::start();
    let machine = delivered(&before.nodes[0], &network);
    machine.place_script("/usr/bin/systemctl", RECORDING);
    let run = |phase: &str| {
        fs::remove_file(machine.path("/root/systemctl")).ok();
        let ran = machine.run("bash", &[&format!("/root/hagen/{phase}")]).succeeded();
        (ran.stdout, fs::read_to_string(machine.path("/root/systemctl")).unwrap_or_default())
    };
    run("10-prepare.sh");
    run("20-install.sh");
    let node = &after.nodes[0];
    let paths = |node: &Node| node.files().into_iter().map(|file| file.path).collect::<Vec<_>>();
    let stay = paths(node);
    let gone: Vec<_> =
        paths(&before.nodes[0]).into_iter().filter(|path| !stay.contains(path)).collect();
    assert!(gone.iter().any(|path| path == "/etc/nginx/nginx.conf"), "{gone:?}");
    assert!(gone.iter().any(|path| path.contains("containerd.service.d/")), "{gone:?}");

    // Only 20-install.sh: 10-prepare.sh owes restarts of what its stand-in never installs.
    copy(node, &machine);
    let (said, asked) = run("20-install.sh");
    for path in &gone {
        assert!(!machine.path(path).exists(), "{path} is still there");
        assert!(said.contains(&format!("removed {path}\n")), "{path}: {said}");
    }
    for path in &stay {
        assert!(machine.path(path).exists(), "{path} is missing");
    }
    assert!(asked.contains("disable --now --quiet nginx.service\n"), "{asked}");
    assert!(!asked.contains("--now --quiet keepalived"), "{asked}");
    assert!(asked.contains("restart containerd.service\n"), "{asked}");

    let once = disk(&machine);
    let (said, _) = run("20-install.sh");
    assert!(!said.contains("removed") && !said.contains("placed"), "{said}");
    let mut twice = disk(&machine);
    let log = Path::new("/root/systemctl");
    twice.extend(once.get_key_value(log).map(|(path, state)| (path.clone(), state.clone())));
    assert!(once == twice, "the second run changed something");
}

#[test]
fn of_minimal_are_clean() {
    lint(&MINIMAL);
}

#[test]
fn of_haproxy_keepalived_are_clean() {
    lint(&HAPROXY_1_15);
}

#[test]
fn of_haproxy_keepalived_1_21_are_clean() {
    lint(&HAPROXY_1_21);
}

#[test]
fn of_nginx_keepalived_are_clean() {
    lint(&NGINX_1_30);
}

#[test]
fn of_minimal_run_twice() {
    run_twice(&MINIMAL);
}

#[test]
fn of_haproxy_keepalived_1_21_run_twice() {
    run_twice(&HAPROXY_1_21);
}

#[test]
fn of_nginx_keepalived_run_twice() {
    run_twice(&NGINX_1_30);
}
