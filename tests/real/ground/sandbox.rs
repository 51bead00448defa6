//! What keeps the host untouched: the ground runs in mount, PID and network namespaces of its own,
//! which end with their first process. Control groups and folders outlive namespaces, so a janitor
//! outside removes them as soon as the ground has ended, however it has ended.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

/// Says to this program that it already runs in its namespaces, and what it knew before.
const INSIDE: &str = "HAGEN_GROUND_INSIDE";

/// The control group, below this process's own, that holds those of all machines; each checkout
/// has one.
fn group() -> String {
    let mut checkout = DefaultHasher::new();
    state().hash(&mut checkout);
    format!("hagen-ground-{:x}", checkout.finish())
}

/// The folder of everything that is left between runs: caches, and what the last one measured.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real")
}

/// The folder of what exists while the ground runs: disks, process numbers.
pub(crate) fn state() -> PathBuf {
    target().join("ground")
}

/// What [`enter`] was given, if this process is inside already.
pub(crate) fn given() -> Option<String> {
    std::env::var(INSIDE).ok()
}

/// Runs this program again, inside, with the same arguments, and cleans up after it. What is given
/// to it is what the first one found before all else.
pub(crate) fn enter(given: &str) -> ExitCode {
    let Some(janitor) = Janitor::start() else { return ExitCode::FAILURE };
    fs::create_dir_all(state()).unwrap();
    let mut inside = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--mount", "--net", "--ipc", "--pid", "--fork"])
        .args(["--kill-child=KILL", "--mount-proc"])
        .args(std::env::args_os())
        .env(INSIDE, given)
        .spawn()
        .expect("util-linux has setpriv and unshare");
    fs::write(outside(), inside.id().to_string()).unwrap();
    let status = inside.wait().unwrap();
    let clean = janitor.finish();
    if status.success() && clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Holds the number of the process whose only child is the first one inside.
fn outside() -> PathBuf {
    state().join("outside")
}

/// A command that runs inside, from outside; `None` where no ground runs.
pub(crate) fn visit() -> Option<Command> {
    let outside = fs::read_to_string(outside()).ok()?;
    let first = fs::read_to_string(format!("/proc/{outside}/task/{outside}/children")).ok()?;
    let mut command = Command::new("nsenter");
    command.args(["--mount", "--net", "--ipc", "--pid", "--target", first.trim()]);
    Some(command)
}

/// Removes what a run has left whose janitor was killed as well. Whether nothing is left and no
/// ground runs in this checkout.
pub(crate) fn clean() -> bool {
    Janitor::start().is_some_and(Janitor::finish)
}

/// A process outside of every namespace that does its work before this process starts, and again
/// when it is gone.
struct Janitor(Child);

impl Janitor {
    /// `None` if another ground runs in this checkout, or what an earlier one has left cannot be
    /// removed; the janitor has said so.
    fn start() -> Option<Self> {
        // Its standard input ends when this process does. A group of its own: Ctrl-C is not for it.
        let mut janitor = Command::new("bash");
        janitor.args(["-c", JANITOR, "janitor"]).arg(state()).args(groups());
        janitor.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut janitor = janitor.spawn().expect("bash starts");
        let mut said = String::new();
        BufReader::new(janitor.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        let janitor = Self(janitor);
        if said == "ready\n" {
            return Some(janitor);
        }
        janitor.finish();
        None
    }

    /// Whether nothing is left.
    fn finish(mut self) -> bool {
        drop(self.0.stdin.take());
        self.0.wait().unwrap().success()
    }
}

/// Holds the checkout's lock, and ends everything in the groups: at its start, and after the end of
/// its input.
const JANITOR: &str = r#"
trap '' INT TERM HUP
state=$1
shift
exec 9<"${state%/*}"
if ! flock --nonblock 9; then
  outside=$(cat "$state/outside" 2>/dev/null)
  # The janitor of a ground that has ended needs a moment more.
  if [ -d "/proc/${outside:-none}" ] || ! flock --timeout 15 9; then
    echo "another ground runs in this checkout (process $outside): end it first" >&2
    exit 1
  fi
fi
tidy() {
  local group left
  SECONDS=0
  while [ $SECONDS -lt 10 ]; do
    left=()
    for group; do
      [ -d "$group" ] || continue
      find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null | xargs -r kill -KILL 2>/dev/null
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
      [ ! -d "$group" ] || left+=("$group")
    done
    if [ ${#left[@]} -eq 0 ] && rm -rf --one-file-system -- "$state" 2>/dev/null; then
      return
    fi
    sleep 0.1
  done
  if [ ${#left[@]} -eq 0 ]; then
    rm -rf --one-file-system -- "$state"
    return
  fi
  {
    echo "the ground has left control groups that cannot be removed; its folder is kept: $state"
    printf '%s\n' "${left[@]}"
    find "${left[@]}" -name cgroup.procs -exec cat {} + | sort -nu | xargs -r ps -o pid,stat,args -p
  } >&2
  return 1
}
tidy "$@" || exit
echo ready
cat >/dev/null
tidy "$@"
"#;

/// The ground's group in every hierarchy.
fn groups() -> Vec<PathBuf> {
    hierarchies().into_iter().map(|own| own.join(group())).collect()
}

/// This process's own group in every hierarchy, version 1 and 2.
fn hierarchies() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mounts: Vec<Vec<&str>> = mounts.lines().map(|line| line.split(' ').collect()).collect();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap();
    own.lines()
        .filter_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let mount = mounts.iter().find(|mount| match controllers {
                "" => mount[2] == "cgroup2",
                _ => {
                    mount[2] == "cgroup"
                        && mount[3].split(',').any(|o| controllers.split(',').any(|c| c == o))
                }
            })?;
            Some(Path::new(mount[1]).join(path.trim_start_matches('/')))
        })
        .collect()
}

/// Leaves a machine an eighth of what it may have of a busy host's CPUs, or gives all back. A node
/// that is alone starts its controllers over and over, one that boots starts all at once, and one
/// that is installed anew unpacks hundreds of megabytes: on CPUs of its own wherever it is not one
/// of many machines on one host.
pub(crate) fn scant(machine: &str, scant: bool) {
    let [shares, weight] = if scant { ["128", "12"] } else { ["1024", "100"] };
    for group in groups() {
        for (file, value) in [("cpu.shares", shares), ("cpu.weight", weight)] {
            let file = group.join(machine).join(file);
            if file.exists() {
                fs::write(file, value).unwrap();
            }
        }
    }
}

/// Makes a machine's groups anew and gives their folders. Groups that an earlier boot left would
/// slow the kubelet's start down: a minute for a dozen.
pub(crate) fn fresh_groups(machine: &str) -> Vec<PathBuf> {
    hierarchies()
        .into_iter()
        .map(|own| {
            let ours = own.join(group());
            let group = ours.join(machine);
            let script = r#"[ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} +"#;
            let removed = Command::new("bash").args(["-c", script, "bash"]).arg(&group).status();
            assert!(removed.unwrap().success(), "{}: still in use", group.display());
            for (parent, group) in [(&own, &ours), (&ours, &group)] {
                fs::create_dir_all(group).unwrap();
                // A group of cpuset takes no process before it has CPUs and memory.
                for file in ["cpuset.cpus", "cpuset.mems"] {
                    if let Ok(value) = fs::read(parent.join(file)) {
                        let mut to =
                            fs::OpenOptions::new().write(true).open(group.join(file)).unwrap();
                        to.write_all(&value).ok();
                    }
                }
            }
            group
        })
        .collect()
}
