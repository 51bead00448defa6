//! Shell: bash reads it, shellcheck has nothing to say, the steps that prepare a host and install
//! files change nothing when they run a second time, and no step does anything on a host that is
//! not its own, with half of a file, or with others looking on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::cluster::{
    Case, HAPROXY_1_15, HAPROXY_1_21, MINIMAL, NGINX_1_30, Node, compile, compiled,
};
use crate::machine::Machine;
use crate::network::Network;
use crate::programs::{run, run_installed};

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

/// Writes into the file that is named last what stands for the keys that the node expects there.
const APT_HELPER: &str = r#"#!/bin/bash
{ echo '-----BEGIN PGP PUBLIC KEY BLOCK-----'; grep -F " ${@: -2:1} " /root/hagen/node.sh; } >"${@: -1}"
"#;

/// Finds them.
const GPG: &str = r#"#!/bin/bash
case $* in
  *--import*) cp "${@: -1}" "$4/keys" ;;
  *) grep -oE '[0-9A-F]{40}' "$3/keys" | sed 's/.*/pub:-:\nfpr:::::::::&:/' ;;
esac
"#;

/// The scripts among these files, and the words that the steps read.
pub(crate) fn scripts(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let is_script = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        // The steps are the same in every tree, and are linted once.
        let step = file.parent().unwrap().ends_with("steps");
        !step && (first.starts_with("#!") && first.contains("sh") || file.ends_with("node.sh"))
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
        line.split_once(" | grep ")
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
    machine.place_script("/usr/local/bin/gpg", GPG);
    copy(node, &machine);
    machine
}

/// `steps/` and `nodes/<node>/` in one folder, in the place of what was copied before.
fn copy(node: &Node, machine: &Machine) {
    let folder = machine.path("/root/hagen");
    fs::remove_dir_all(&folder).ok();
    let steps = node.folder.join("../../steps");
    for from in [&steps, &node.folder] {
        for entry in WalkDir::new(from) {
            let entry = entry.unwrap();
            let to = folder.join(entry.path().strip_prefix(from).unwrap());
            if entry.file_type().is_dir() {
                fs::create_dir_all(to).unwrap();
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    machine.run("chmod", &["-R", "go=", "/root/hagen"]).succeeded();
}

/// The words of one list of `node.sh`, as bash reads them.
fn list(node: &Node, name: &str) -> Vec<String> {
    let file = node.folder.join("node.sh");
    let script = format!(r#". "$1"; [ -z "${{{name}[*]-}}" ] || printf '%s\n' "${{{name}[@]}}""#);
    let words = ["-c", &script, "bash", file.to_str().unwrap()];
    let ran = run_installed("bash", "bash", words.map(Path::new)).succeeded();
    ran.stdout.lines().map(str::to_owned).collect()
}

/// Where packages are said to be preinstalled, the step looks for their programs, and for the
/// release of etcd. Stand-ins take the place of those that this host lacks.
fn preinstall(node: &Node, machine: &Machine) {
    for program in list(node, "programs") {
        if !machine.run("bash", &["-c", &format!("command -v {program}")]).ok() {
            machine.place_script(&format!("/usr/local/bin/{program}"), "#!/bin/sh\nexit 0\n");
        }
    }
    if let [_, _, release, _] = &list(node, "archives")[..] {
        let says = format!("#!/bin/sh\necho '{release}'\n");
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
    // Each of the two was built with a bundle of its own.
    let owner = r#". /root/hagen/node.sh
        echo "$cluster $bundle" >/var/lib/hagen/owner
        rm -r /etc/kubernetes/pki"#;
    machine.run("bash", &["-ec", owner]).succeeded();
    let (said, asked) = run("20-install.sh");
    for path in &gone {
        // What was there before is there again: this host has the packages' own.
        let theirs = fs::read(path).ok();
        assert!(fs::read(machine.path(path)).ok() == theirs, "{path} is still there");
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

/// The steps as they stand, beside words that mean something to a shell.
fn beside_hostile_words() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in fs::read_dir(root.join("tests/real/steps")).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    for (name, text) in crate::parts::steps() {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

fn in_order(folder: &Path) -> Vec<PathBuf> {
    crate::cluster::files_under(folder)
        .into_iter()
        .filter(|file| !file.ends_with("node.sh"))
        .collect()
}

#[test]
fn the_steps_are_clean() {
    let folder = beside_hostile_words();
    let files = in_order(folder.path());
    for file in &files {
        judge(file);
    }
    let source = format!("--source-path={}", folder.path().display());
    let options = ["-x", "-S", "style", &source].map(PathBuf::from);
    run_installed("shellcheck", "shellcheck", options.iter().chain(&files)).succeeded();
}

/// None of the steps gets further than the question whose host this is: the address is nobody's.
#[test]
fn words_stay_words() {
    let folder = beside_hostile_words();
    for step in in_order(folder.path()) {
        let name = step.file_name().unwrap().to_str().unwrap();
        if !name.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let ran = run_installed("bash", "bash", [&step]);
        assert_eq!(ran.code, Some(1), "{name}: {ran}");
        let says = "error: no interface of this host has the address 192.0.2.1";
        assert!(ran.stderr.contains(says), "{name}: {ran}");
    }
    let hacked = [folder.path(), Path::new(".")].map(|place| place.join("hacked"));
    assert!(!hacked.iter().any(|file| file.exists()), "a word was run");
}

#[test]
fn half_of_a_file_does_nothing() {
    let folder = beside_hostile_words();
    // What a step would say once it has begun.
    let begun = "has the address 192.0.2.1";
    for name in ["lib.sh", "node.sh", "20-install.sh", "90-reset.sh"] {
        let file = folder.path().join(name);
        let whole = fs::read(&file).unwrap();
        let step = folder.path().join(if name == "90-reset.sh" { name } else { "20-install.sh" });
        let from = whole.windows(3).position(|three| three == b"\n{ ").unwrap_or(0) + 2;
        let lines = (from..whole.len() - 1).filter(|cut| whole[*cut] == b'\n');
        for cut in lines.chain((from..whole.len() - 2).step_by(97)) {
            fs::write(&file, &whole[..cut]).unwrap();
            let ran = run_installed("bash", "bash", [&step]);
            assert!(!ran.ok(), "{name} cut after {cut} bytes: {ran}");
            assert!(!ran.text().contains(begun), "{name} cut after {cut} bytes: {ran}");
        }
        fs::write(&file, &whole).unwrap();
    }
}

/// A machine on which the first control plane of `nginx-keepalived` is installed.
fn installed(network: &Network) -> (std::sync::Arc<crate::cluster::Cluster>, Machine) {
    let cluster = compiled(&NGINX_1_30);
    let machine = delivered(&cluster.nodes[0], network);
    preinstall(&cluster.nodes[0], &machine);
    for step in ["10-prepare", "20-install"] {
        machine.run(&format!("/root/hagen/{step}.sh"), &[]).succeeded();
    }
    (cluster, machine)
}

/// The step stops, says these words, and has changed nothing.
fn refuses(machine: &Machine, step: &str, words: &[&str], says: &[&str]) {
    let before = disk(machine);
    let ran = machine.run(&format!("/root/hagen/{step}.sh"), words);
    assert_eq!(ran.code, Some(1), "{step}: {ran}");
    for says in says {
        assert!(ran.stderr.contains(says), "{step}: {says:?} in {ran}");
    }
    let after = disk(machine);
    let differs = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let changed: Vec<_> = before.keys().chain(after.keys()).filter(differs).collect();
    assert!(changed.is_empty(), "{step} changed {changed:?}");
}

#[test]
fn a_host_of_another_cluster_is_left_alone() {
    let network = Network::start();
    let (_, machine) = installed(&network);
    fs::write(machine.path("/var/lib/hagen/owner"), "prod 0123456789abcdef\n").unwrap();
    let says = ["this host belongs to cluster prod (bundle 0123456789abcdef)"];
    for step in ["10-prepare", "20-install", "30-balancer", "50-init", "60-verify"] {
        refuses(&machine, step, &[], &says);
    }
    refuses(&machine, "90-reset", &["--yes", "lab"], &says);
}

#[test]
fn another_clusters_authority_is_no_seed_of_this_one() {
    let network = Network::start();
    let (_, machine) = installed(&network);
    for name in ["ca.key", "front-proxy-ca.key", "etcd/ca.key", "sa.key"] {
        let path = machine.path(&format!("/etc/kubernetes/pki/{name}"));
        let own = fs::read(&path).unwrap();
        fs::write(&path, "another").unwrap();
        let says = format!("/etc/kubernetes/pki/{name} is not this bundle's");
        refuses(&machine, "20-install", &[], &[&says]);
        fs::write(&path, own).unwrap();
    }
    // `secrets renew` dates the certificate anew.
    replace(&machine, "/etc/kubernetes/pki/ca.crt", "renewed");
    machine.run("/root/hagen/20-install.sh", &[]).succeeded();
}

#[test]
fn another_host_another_role_and_an_open_folder_are_refused() {
    let network = Network::start();
    let (cluster, machine) = installed(&network);
    let folder = cluster.nodes[0].folder.join("../../steps");
    fs::copy(folder.join("20-install.sh"), machine.path("/root/hagen/40-etcd.sh")).unwrap();
    let text = fs::read_to_string(folder.join("20-install.sh")).unwrap();
    fs::write(
        machine.path("/root/hagen/40-etcd.sh"),
        text.replace("run 20-install", "run 40-etcd"),
    )
    .unwrap();
    refuses(
        &machine,
        "40-etcd",
        &[],
        &["this is no step of ", "the steps of this host are 10-pre"],
    );

    machine.run("chmod", &["0755", "/root/hagen"]).succeeded();
    refuses(&machine, "20-install", &[], &["others than root can read or write /root/hagen"]);
    machine.run("chmod", &["0700", "/root/hagen"]).succeeded();
    machine.run("chmod", &["0666", "/root/hagen/node.sh"]).succeeded();
    refuses(&machine, "20-install", &[], &["can read or write /root/hagen/node.sh"]);
    machine.run("chmod", &["0600", "/root/hagen/node.sh"]).succeeded();

    machine.run("hostname", &["other"]).succeeded();
    refuses(&machine, "20-install", &[], &["this host is called other"]);
    machine.run("hostname", &[&cluster.nodes[0].name]).succeeded();
    let node = &cluster.nodes[0];
    let own = format!("{}/{}", node.address, node.prefix);
    machine.run("ip", &["addr", "del", &own, "dev", &node.interface]).succeeded();
    refuses(&machine, "20-install", &[], &["no interface of this host has the address"]);
}

#[test]
fn a_list_that_was_cut_short_takes_nothing_away() {
    let network = Network::start();
    let (cluster, machine) = installed(&network);
    let list = fs::read_to_string(cluster.nodes[0].folder.join("files.tsv")).unwrap();
    let lines: Vec<&str> = list.lines().collect();
    for cut in [1, lines.len() / 2, lines.len() - 1] {
        let text = lines[..cut].join("\n") + "\n";
        fs::write(machine.path("/root/hagen/files.tsv"), text).unwrap();
        refuses(&machine, "20-install", &[], &["files.tsv is cut short or altered"]);
    }
}

/// Replaces a file of the copied folder, and its sum in the list.
fn replace(machine: &Machine, path: &str, text: &str) {
    let script = r#"
        cd /root/hagen
        folder=$(awk -F'\t' -v path="$1" '$1 == path { print $9 }' files.tsv)
        printf '%s' "$2" >"$folder$1"
        sum=$(sha256sum <"$folder$1" | cut -d' ' -f1)
        rows=$(sed '$d' files.tsv | awk -v path="$1" -v sum="$sum" 'BEGIN { FS = OFS = "\t" } $1 == path { $5 = sum } { print }')
        printf '%s\n' "$rows" >files.tsv
        printf 'end\t0\t-\t-\t%s\t-\t-\t-\t-\n' "$(sha256sum <files.tsv | cut -d' ' -f1)" >>files.tsv
    "#;
    machine.run("bash", &["-ec", script, "bash", path, text]).succeeded();
}

#[test]
fn a_configuration_that_its_program_refuses_never_takes_the_place() {
    let network = Network::start();
    let (_, machine) = installed(&network);
    for path in ["/etc/nginx/nginx.conf", "/etc/keepalived/keepalived.conf"] {
        let good = fs::read(machine.path(path)).unwrap();
        replace(&machine, path, "no { such thing\n");
        let ran = machine.run("/root/hagen/20-install.sh", &[]);
        assert_eq!(ran.code, Some(1), "{ran}");
        assert!(ran.stderr.contains(&format!("refuses the new {path}")), "{ran}");
        assert!(fs::read(machine.path(path)).unwrap() == good, "{path} was replaced");
        assert!(
            !fs::read_dir(machine.path(path).parent().unwrap()).unwrap().any(|entry| {
                entry.unwrap().file_name().to_string_lossy().ends_with(".hagen-new")
            })
        );
        replace(&machine, path, &String::from_utf8(good).unwrap());
    }
}

/// Whoever built the tree: the steps refuse a folder that is not root's alone.
#[test]
fn the_runbook_s_own_copy_is_root_s() {
    let cluster = compiled(&NGINX_1_30);
    let folder = tempfile::tempdir().unwrap();
    let [tree, host] = ["tree", "host"].map(|name| folder.path().join(name));
    let built = cluster.nodes[0].folder.join("../..");
    run_installed("cp", "coreutils", [Path::new("-r"), &built, &tree]).succeeded();
    let somebody = "65534:65534".as_ref();
    run_installed("chown", "coreutils", [Path::new("-R"), somebody, &tree]).succeeded();
    let runbook = fs::read_to_string(tree.join("README.md")).unwrap();
    let line = runbook.lines().find(|line| line.trim_start().starts_with("rsync "));
    let mut words: Vec<&str> = line.expect("a line of rsync").split_whitespace().collect();
    let to = words.pop().unwrap();
    assert!(to.ends_with(":/root/hagen/"), "{to}");
    crate::programs::installed("rsync", "rsync");
    run(std::process::Command::new(words[0]).args(&words[1..]).arg(&host).current_dir(&tree))
        .succeeded();
    let open = [host.to_str().unwrap(), "!", "-uid", "0", "-o", "-perm", "/077"];
    let found = run_installed("find", "findutils", open).succeeded();
    assert_eq!(found.stdout, "");
    assert!(host.join("10-prepare.sh").exists() && host.join("files.tsv").exists());
}

#[test]
fn a_hosts_file_without_one_of_its_marks_is_left_alone() {
    let network = Network::start();
    let (_, machine) = installed(&network);
    for marks in
        [["# begin hagen\n", ""], ["", "# end hagen\n"], ["# end hagen\n", "# begin hagen\n"]]
    {
        let [first, second] = marks;
        let hosts = format!("127.0.0.1 localhost\n{first}192.0.2.1 a\n{second}192.0.2.9 theirs\n");
        fs::write(machine.path("/etc/hosts"), hosts).unwrap();
        refuses(&machine, "10-prepare", &[], &["in /etc/hosts are not one block"]);
    }
}

#[test]
fn the_callers_environment_changes_nothing() {
    let network = Network::start();
    let (_, machine) = installed(&network);
    let before = disk(&machine);
    let script = r#"
        cd /root
        export CDPATH=/tmp:. GREP_OPTIONS=-v LC_ALL=tr_TR.UTF-8 HTTPS_PROXY=http://192.0.2.1:3128 POSIXLY_CORRECT=1
        umask 0
        shopt -s expand_aliases
        alias install=false
        sha256sum() { echo nothing; }
        export -f sha256sum
        hagen/20-install.sh && bash hagen/20-install.sh && cd hagen && ./20-install.sh && bash 20-install.sh
    "#;
    machine.run("bash", &["-ec", script]).succeeded();
    assert!(before == disk(&machine), "something changed");
}

#[test]
fn what_was_there_before_comes_back() {
    let network = Network::start();
    let cluster = compiled(&NGINX_1_30);
    let machine = delivered(&cluster.nodes[0], &network);
    preinstall(&cluster.nodes[0], &machine);
    for program in ["kubeadm", "umount", "ip"] {
        let real = if program == "ip" { "exec /usr/bin/ip" } else { "exit 0 #" };
        machine.place_script(
            &format!("/usr/local/sbin/{program}"),
            &format!("#!/bin/sh\ncase $1$2 in linkdelete) exit 1 ;; esac\n{real} \"$@\"\n"),
        );
    }
    let path = "/etc/sysctl.d/90-hagen-kubernetes.conf";
    machine.place_script(path, "# somebody's\n");
    let theirs = || fs::read(machine.path(path)).is_ok_and(|text| text == b"# somebody's\n");
    machine.run("/root/hagen/10-prepare.sh", &[]).succeeded();
    let name = fs::read_to_string(machine.path("/var/lib/hagen/owner")).unwrap();
    let name = name.split(' ').next().unwrap();
    let reset = || machine.run("/root/hagen/90-reset.sh", &["--yes", name]);
    reset().succeeded();
    assert!(theirs(), "after 10-prepare alone");

    for step in ["10-prepare", "20-install"] {
        machine.run(&format!("/root/hagen/{step}.sh"), &[]).succeeded();
    }
    assert!(!theirs());
    refuses(&machine, "90-reset", &[], &["nothing was deleted", &format!("--yes {name}")]);
    refuses(&machine, "90-reset", &["--yes", "other"], &["nothing was deleted"]);
    // What is emptied is looked at after files have come back.
    machine.place_script("/usr/local/sbin/mountpoint", "#!/bin/sh\nkill -9 $PPID\n");
    assert!(!reset().ok(), "nothing has killed it");
    assert!(theirs(), "half of a reset");
    fs::remove_file(machine.path("/usr/local/sbin/mountpoint")).unwrap();
    for run in ["after half of one", "after a whole one"] {
        reset().succeeded();
        assert!(theirs(), "a reset {run}");
        assert!(!machine.path("/var/lib/hagen").exists());
        assert!(!machine.path("/etc/crictl.yaml").exists());
    }
}

/// A member of etcd without a kubelet.
const APART: Case = Case {
    name: "apart",
    edit: |text| {
        let apart = text.replace("10.0.0.22, roles: [worker]", "10.0.0.22, roles: [etcd]");
        apart + "etcd: {mode: external}\npackages: {source: preinstalled}\n"
    },
    ..MINIMAL
};

#[test]
fn a_host_without_kubernetes_has_no_part_of_it() {
    let cluster = compiled(&APART);
    let node = cluster.nodes.last().unwrap();
    let parts = list(node, "parts");
    assert_eq!(parts, ["apt", "host", "firewall", "etcd"]);
    let network = Network::start();
    let machine = delivered(node, &network);
    preinstall(node, &machine);
    // Nor does it need one.
    let own: Vec<_> = parts.into_iter().chain(list(node, "steps")).collect();
    for file in fs::read_dir(machine.path("/root/hagen")).unwrap().map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        let Some(script) = name.strip_suffix(".sh") else { continue };
        if !["lib", "node"].contains(&script) && !own.iter().any(|own| own == script) {
            fs::remove_file(file.path()).unwrap();
        }
    }
    machine.place_script("/usr/bin/curl", "#!/bin/sh\necho '{\"health\":\"true\"}'\n");
    machine.place_script("/usr/bin/chronyc", "#!/bin/sh\nexit 0\n");
    let run = |step: &str, words: &[&str]| machine.run(&format!("/root/hagen/{step}.sh"), words);
    run("10-prepare", &[]).succeeded();
    run("20-install", &[]).succeeded();
    // As 40-etcd.sh leaves them, once there is a quorum.
    machine.run("rm", &["-r", "/var/lib/hagen/pending"]).succeeded();
    let ran = run("60-verify", &[]).succeeded();
    assert!(ran.stdout.contains("everything that belongs here works"), "{ran}");
    let says = ["nothing was deleted", "next: run it with --yes minimal --etcd\n"];
    refuses(&machine, "90-reset", &["--yes", "minimal"], &says);
    let ran = run("90-reset", &["--yes", "minimal", "--etcd"]).succeeded();
    assert!(!ran.text().contains("kube"), "{ran}");
    for gone in ["/var/lib/hagen", "/etc/etcd/etcd.conf"] {
        assert!(!machine.path(gone).exists(), "{gone}: {ran}");
    }
}

#[test]
fn a_member_of_etcd_stays_until_its_name_is_said() {
    let cluster = compiled(&HAPROXY_1_21);
    let node = &cluster.nodes[0];
    let network = Network::start();
    let machine = delivered(node, &network);
    preinstall(node, &machine);
    for program in ["kubeadm", "umount", "ip"] {
        let real = if program == "ip" { "exec /usr/bin/ip" } else { "exit 0 #" };
        let script = format!("#!/bin/sh\ncase $1$2 in linkdelete) exit 1 ;; esac\n{real} \"$@\"\n");
        machine.place_script(&format!("/usr/local/sbin/{program}"), &script);
    }
    for step in ["10-prepare", "20-install"] {
        machine.run(&format!("/root/hagen/{step}.sh"), &[]).succeeded();
    }
    let owner = fs::read_to_string(machine.path("/var/lib/hagen/owner")).unwrap();
    let (name, _) = owner.split_once(' ').unwrap();
    machine.place_script("/usr/bin/systemctl", RECORDING);
    let both = format!("--yes {name}, or with --yes {name} --etcd, which deletes its member");
    refuses(&machine, "90-reset", &[], &[&both]);

    let ran = machine.run("/root/hagen/90-reset.sh", &["--yes", name]).succeeded();
    assert!(ran.stdout.contains("its member of etcd was left as it is"), "{ran}");
    let asked = || fs::read_to_string(machine.path("/root/systemctl")).unwrap();
    assert!(asked().contains("disable --now --quiet keepalived.service\n"), "{}", asked());
    assert!(!asked().contains("etcd"), "{}", asked());
    assert!(machine.path("/etc/etcd/etcd.conf").exists());
    assert!(!machine.path("/etc/keepalived/keepalived.conf").exists());
    let placed = fs::read_to_string(machine.path("/var/lib/hagen/placed.tsv")).unwrap();
    assert!(placed.lines().count() > 5 && placed.lines().all(|row| row.contains("etcd")));
    // What may not go unasked is still known to run.
    assert_eq!(
        fs::read_to_string(machine.path("/var/lib/hagen/started")).unwrap(),
        "etcd.service\netcd-backup.timer\n"
    );

    let ran = machine.run("/root/hagen/90-reset.sh", &["--yes", name, "--etcd"]).succeeded();
    assert!(ran.stdout.contains("its member of etcd has lost its data"), "{ran}");
    assert!(asked().contains("disable --now --quiet etcd.service\n"), "{}", asked());
    for gone in ["/var/lib/hagen", "/etc/etcd/etcd.conf"] {
        assert!(!machine.path(gone).exists(), "{gone}: {ran}");
    }
}

/// A key pair of this moment, in the armour that repositories serve, and its fingerprint.
fn key(folder: &Path, name: &str, faked: &[&str], expires: &str) -> (Vec<u8>, String) {
    let home = folder.join(name);
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    let gpg = |arguments: &[&str]| {
        let common = ["gpg", "--batch", "--quiet", "--passphrase", "", "--homedir"];
        let words = [faked, &common, &[home.to_str().unwrap()], arguments].concat();
        run(std::process::Command::new(words[0]).args(&words[1..])).succeeded().stdout
    };
    gpg(&["--quick-gen-key", name, "ed25519", "sign", expires]);
    let listed = gpg(&["--with-colons", "--fingerprint"]);
    let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:")).unwrap();
    (gpg(&["--armor", "--export"]).into_bytes(), fingerprint.trim_matches(':').to_owned())
}

#[test]
fn a_fetched_key_is_the_one_that_was_meant_and_still_valid() {
    let folder = tempfile::tempdir().unwrap();
    let past = ["faketime", "2020-01-01 00:00:00"];
    let (right, fingerprint) = key(folder.path(), "right", &[], "never");
    let (wrong, other) = key(folder.path(), "wrong", &[], "never");
    let (old, old_fingerprint) = key(folder.path(), "old", &past, "1y");
    let inventory = MINIMAL.inventory();
    let of = |name: &str, fingerprint: &str| {
        let repository = format!(
            "{{url: 'http://192.0.2.1/deb/', keys: [{{url: 'http://192.0.2.1/key', fingerprints: \
             [{fingerprint}]}}]}}"
        );
        let repositories = format!("{{kubernetes: {repository}, runtime: {repository}}}");
        let text = format!("{inventory}packages: {{repositories: {repositories}}}\n");
        compile(name, &text).unwrap_or_else(|refused| panic!("{refused}"))
    };
    let network = Network::start();
    let cluster = of("key-right", &fingerprint);
    let machine = delivered(&cluster.nodes[0], &network);
    fs::remove_file(machine.path("/usr/local/bin/gpg")).unwrap();
    let serving = "#!/bin/bash\necho \"$*\" >>/root/asked; cat /root/served >\"${@: -1}\"\n";
    machine.place_script("/usr/lib/apt/apt-helper", serving);
    preinstall(&cluster.nodes[0], &machine);
    let serve = |key: &[u8]| fs::write(machine.path("/root/served"), key).unwrap();
    let asked = || fs::read_to_string(machine.path("/root/asked")).unwrap().lines().count();

    let prepare = || machine.run("/root/hagen/10-prepare.sh", &[]);
    let mut both = [fingerprint.as_str(), &other];
    both.sort();
    for (served, found) in
        [(wrong.clone(), other.clone()), ([&right[..], &wrong].concat(), both.join(", "))]
    {
        serve(&served);
        let ran = prepare();
        let says = format!("holds the keys {found}, not {fingerprint}; next:");
        assert!(!ran.ok() && ran.stderr.contains(&says), "{ran}");
    }
    // gpg passes over what apt would take for a key as well.
    let hidden = String::from_utf8(wrong).unwrap().replace("PGP PUBLIC KEY BLOCK", "PGP OTHER");
    serve(&[hidden.as_bytes(), &right].concat());
    prepare().succeeded();
    let kept = fs::read_to_string(machine.path("/etc/apt/keyrings/hagen-kubernetes.asc")).unwrap();
    let secret = hidden.lines().find(|line| line.len() == 64).unwrap();
    assert!(kept.contains("PGP PUBLIC KEY BLOCK") && !kept.contains(secret), "{kept}");
    let before = asked();
    prepare().succeeded();
    assert_eq!(asked(), before, "a key that is here was fetched");

    // One that has ended is asked for again: its publisher may have given it more years.
    copy(&of("key-old", &old_fingerprint).nodes[0], &machine);
    fs::remove_file(machine.path("/var/lib/hagen/owner")).unwrap();
    serve(&old);
    prepare().succeeded();
    let before = asked();
    prepare().succeeded();
    assert!(asked() > before, "a key that has ended was kept");
}
