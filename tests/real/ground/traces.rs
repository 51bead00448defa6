//! Whether a ground that is killed leaves nothing on the host.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use walkdir::WalkDir;

use crate::programs::run;
use crate::sandbox;

/// The control group that each ground is started in: it has all that the ground starts.
const GROUP: &str = "traces";
/// How long machines may take to be on.
const BOOT: Duration = Duration::from_secs(90);
/// How long that may take to go: the janitor gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(12);
/// Where programs of the ground keep files outside of the checkout.
const FOLDERS: [&str; 3] = ["/run/netns", "/run/systemd/machines", "/run/systemd/nspawn"];

/// A moment at which a ground is killed.
struct Moment {
    what: &'static str,
    /// A file of the ground's state, there as soon as it is time.
    file: &'static str,
}

const MOMENTS: [Moment; 2] = [
    Moment { what: "when its machines start", file: "cp1/console.log" },
    Moment { what: "when its machines are on", file: "w1/init" },
];

/// Starts grounds, kills them, and looks for what they leave.
pub(crate) fn judge() -> ExitCode {
    let mut clean = sandbox::clean();
    for moment in &MOMENTS {
        if !clean {
            break;
        }
        let begun = Instant::now();
        let found = moment.judge();
        let seconds = begun.elapsed().as_secs_f64();
        match &found {
            Ok(()) => eprintln!("a ground killed {} leaves nothing ({seconds:.1} s)", moment.what),
            Err(defect) => eprintln!("FAILED: a ground killed {}: {defect}", moment.what),
        }
        clean = sandbox::clean() && found.is_ok();
    }
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Moment {
    fn judge(&self) -> Result<(), String> {
        let groups = sandbox::fresh_groups(GROUP);
        let before = traces(&groups, &BTreeSet::new());
        let mut ground = start(&groups);
        let inside = self.wait(&mut ground, &groups);
        ground.kill().ok();
        ground.wait().unwrap();
        let inside = inside?;
        let begun = Instant::now();
        loop {
            let left = &traces(&groups, &inside) - &before;
            if left.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(left.into_iter().collect::<Vec<_>>().join("\n  "));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits for the moment and looks at the ground; the namespaces that it has.
    fn wait(&self, ground: &mut Child, groups: &[PathBuf]) -> Result<BTreeSet<String>, String> {
        let begun = Instant::now();
        while !sandbox::state().join(self.file).exists() {
            if begun.elapsed() > BOOT || ground.try_wait().unwrap().is_some() {
                return Err("it has not come that far".to_owned());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let processes = processes(groups);
        let listening = listeners(&processes);
        if !listening.is_empty() {
            return Err(format!("on the host's network listens {listening:?}"));
        }
        eprintln!("a second ground:");
        if sandbox::clean() {
            return Err("a second one would have ended it".to_owned());
        }
        let inside: BTreeSet<String> = processes.iter().flat_map(|id| namespaces(id)).collect();
        let inside = &inside - &namespaces("self");
        if inside.is_empty() {
            return Err("it has no namespaces of its own".to_owned());
        }
        Ok(inside)
    }
}

/// A ground with machines, in these groups.
fn start(groups: &[PathBuf]) -> Child {
    let join: String = groups
        .iter()
        .map(|group| format!("echo 0 >'{}/cgroup.procs'; ", group.display()))
        .collect();
    let mut ground = Command::new("sh");
    ground.args(["-c", &format!("{join}exec \"$@\""), "sh"]).arg(std::env::current_exe().unwrap());
    ground.args(["up", "--topology", crate::TOPOLOGIES[0].name]);
    ground.stdin(Stdio::null()).spawn().expect("sh starts")
}

/// What a ground could leave, a line each: mounts, listeners, control groups and processes in its
/// groups, folders, and those of its namespaces that any process is in.
fn traces(groups: &[PathBuf], inside: &BTreeSet<String>) -> BTreeSet<String> {
    let processes = processes(groups);
    let mut traces = listeners(&processes);
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    traces.extend(mounts.lines().map(|mount| format!("mount {mount}")));
    traces.extend(processes.iter().map(|process| {
        let line = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        format!("process {process} {}", line.replace('\0', " "))
    }));
    let left = groups.iter().flat_map(|group| files(group, 1));
    traces.extend(left.filter(|path| path.is_dir()).map(|path| format!("{}", path.display())));
    let folders = FOLDERS.iter().flat_map(|folder| files(Path::new(folder), 0));
    traces.extend(folders.map(|path| format!("{}", path.display())));
    traces.extend(sandbox::state().exists().then(|| format!("{}", sandbox::state().display())));
    for process in fs::read_dir("/proc").unwrap() {
        let process = process.unwrap().file_name();
        let held = &namespaces(process.to_str().unwrap()) & inside;
        traces.extend(held.into_iter().map(|name| format!("{name} of process {process:?}")));
    }
    traces
}

/// All files below a folder, at least so deep.
fn files(folder: &Path, depth: usize) -> impl Iterator<Item = PathBuf> {
    let files = WalkDir::new(folder).min_depth(depth).into_iter();
    files.filter_map(|entry| Some(entry.ok()?.into_path()))
}

/// Sockets of these processes on the host's own network that wait for somebody.
fn listeners(processes: &BTreeSet<String>) -> BTreeSet<String> {
    let sockets = run(Command::new("ss").args(["-Hltnup"])).succeeded().stdout;
    let owner = |socket: &str| {
        let mut owners = socket.split("pid=").skip(1);
        owners.any(|owner| processes.contains(owner.split(',').next().unwrap()))
    };
    sockets.lines().filter(|socket| owner(socket)).map(str::to_owned).collect()
}

/// The numbers of all processes in the groups and below them.
fn processes(groups: &[PathBuf]) -> BTreeSet<String> {
    let lists = groups.iter().flat_map(|group| files(group, 1));
    let lists = lists.filter(|path| path.ends_with("cgroup.procs"));
    let numbers: Vec<String> = lists.filter_map(|list| fs::read_to_string(list).ok()).collect();
    numbers.iter().flat_map(|list| list.lines()).map(str::to_owned).collect()
}

/// A process's namespaces, such as `net:[4026531840]`.
fn namespaces(process: &str) -> BTreeSet<String> {
    let links = fs::read_dir(format!("/proc/{process}/ns")).into_iter().flatten();
    let links = links.filter_map(|link| fs::read_link(link.ok()?.path()).ok());
    links.map(|link| link.display().to_string()).collect()
}
