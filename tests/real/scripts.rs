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
    let folder = machine.path("/root/hagen");
    for entry in WalkDir::new(&node.folder) {
        let entry = entry.unwrap();
        let to = folder.join(entry.path().strip_prefix(&node.folder).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
    machine
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
