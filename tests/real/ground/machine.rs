//! One machine: a server with a systemd of its own in systemd-nspawn, on a disk that starts as a
//! freshly installed server's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use walkdir::WalkDir;

use crate::programs::{Ran, run};
use crate::sandbox;
use crate::switch::Switch;
use crate::tree::Node;

/// Longest time for one command in a machine.
const PATIENCE: Duration = Duration::from_secs(600);
/// Longest time for systemd to come up.
const BOOT: Duration = Duration::from_secs(60);

/// Folders of programs that put overlays of their own on disk: overlayfs cannot be stacked there.
const REAL_DISK: [&str; 3] = ["/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd"];

/// A machine, running or not.
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) address: String,
    interface: String,
    /// Its disk and the console's log.
    folder: PathBuf,
    /// The freshly installed system.
    base: PathBuf,
    /// Archives of images, which all machines share.
    images: PathBuf,
    running: Option<Running>,
    /// When its power was cut, or when it was made.
    off_since: Instant,
}

struct Running {
    nspawn: Child,
    /// The first process, as seen from here.
    init: u32,
}

impl Machine {
    /// A machine that was never started, with an empty disk over the base system.
    pub(crate) fn new(node: &Node, supply: &Path) -> Self {
        let folder = sandbox::state().join(&node.name);
        let [name, address, interface] =
            [&node.name, &node.address, &node.interface].map(String::clone);
        let base = node.system.base(supply);
        let images = supply.join("images");
        let (running, off_since) = (None, Instant::now());
        let machine = Self { name, address, interface, folder, base, images, running, off_since };
        machine.new_disk();
        machine
    }

    /// Gives a machine that is off an empty disk in place of the one it had.
    pub(crate) fn new_disk(&self) {
        assert!(self.running.is_none(), "{} is on", self.name);
        let root = self.folder.join("root");
        run(Command::new("umount").arg("--quiet").arg(&root));
        run(Command::new("rm").args(["-rf", "--one-file-system"]).arg(&self.folder)).succeeded();
        for part in ["upper", "work", "root"] {
            fs::create_dir_all(self.folder.join(part)).unwrap();
        }
        for path in REAL_DISK {
            fs::create_dir_all(self.disk(path)).unwrap();
        }
        let [lower, upper, work] =
            [&self.base, &self.folder.join("upper"), &self.folder.join("work")]
                .map(|path| path.to_str().expect("the target folder has a plain name").to_owned());
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "overlay", "-o", &options, "overlay"]).arg(&root);
        run(&mut mount).succeeded();
        // What an installer asks for.
        fs::write(root.join("etc/hostname"), format!("{}\n", self.name)).unwrap();
    }

    /// Where an absolute path of the machine's disk is seen from here.
    pub(crate) fn disk(&self, path: &str) -> PathBuf {
        let real = REAL_DISK.iter().find(|real| path.starts_with(**real));
        match real {
            Some(real) => {
                let rest = path[real.len()..].trim_start_matches('/');
                self.folder.join(real.replace('/', "_")).join(rest)
            }
            None => self.folder.join("root").join(path.trim_start_matches('/')),
        }
    }

    /// Copies folders into one on the machine's disk, readable for root only.
    pub(crate) fn deliver(&self, from: [&Path; 2], to: &str) {
        let to = self.disk(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        for from in from {
            run(Command::new("cp").args(["-rT"]).args([from, &to])).succeeded();
        }
        run(Command::new("chmod").args(["-R", "go="]).arg(&to)).succeeded();
    }

    /// Turns the machine on and waits until systemd is up.
    pub(crate) fn boot(&mut self, switch: &Switch) {
        assert!(self.running.is_none(), "{} runs already", self.name);
        switch.plug(&self.name, &self.interface, &self.address);
        let join: String = sandbox::fresh_groups(&self.name)
            .iter()
            .map(|group| format!("echo 0 >'{}/cgroup.procs'; ", group.display()))
            .collect();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("console.log"))
            .unwrap();
        let init = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/ground/init.sh");
        let mut nspawn = Command::new("sh");
        nspawn
            .args(["-c", &format!("{join}exec \"$@\""), "sh"])
            // runc wants a session keyring, which nspawn's filter refuses.
            .args(["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_SECCOMP=0"])
            .args(["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--capability=all"])
            .args([
                "--resolv-conf=off",
                "--timezone=off",
                "--link-journal=no",
                "--console=read-only",
            ])
            .args(["--kill-signal=SIGRTMIN+3", "--setenv=container=systemd-nspawn"])
            .arg(format!("--directory={}", self.folder.join("root").display()))
            .arg(format!("--machine={0}", self.name))
            .arg(format!("--hostname={0}", self.name))
            .arg(format!("--network-namespace-path=/run/netns/{}", self.name))
            .arg("--bind=/dev/kmsg")
            .arg(format!("--bind-ro={}:/sbin/ground-init", init.display()))
            .arg(format!("--bind-ro={}:/srv/images", self.images.display()));
        for path in REAL_DISK {
            nspawn.arg(format!("--bind={}:{path}", self.disk(path).display()));
        }
        let nspawn = nspawn
            .arg("/sbin/ground-init")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("systemd-nspawn is in the package systemd-container");
        let init = self.await_systemd(&nspawn);
        self.running = Some(Running { nspawn, init });
        self.await_boot();
    }

    /// The child of nspawn that has become systemd.
    fn await_systemd(&self, nspawn: &Child) -> u32 {
        let begun = Instant::now();
        loop {
            let found = descendants(nspawn.id()).into_iter().find(|process| {
                fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|c| c == "systemd\n")
            });
            if let Some(process) = found {
                return process;
            }
            assert!(begun.elapsed() < BOOT, "{} does not start\n{}", self.name, self.console());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn await_boot(&self) {
        let begun = Instant::now();
        loop {
            let ran = self.run("systemctl", &["is-system-running"]);
            if ["running", "degraded"].contains(&ran.stdout.trim()) {
                return;
            }
            assert!(
                begun.elapsed() < BOOT,
                "{} does not boot: {ran}\n{}",
                self.name,
                self.console()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What the machine printed on its console.
    pub(crate) fn console(&self) -> String {
        fs::read_to_string(self.folder.join("console.log")).unwrap_or_default()
    }

    /// Cuts the power: no process says goodbye, no packet leaves.
    pub(crate) fn power_off(&mut self, switch: &Switch) {
        let Some(mut running) = self.running.take() else { return };
        switch.cable(&self.name, false);
        self.off_since = Instant::now();
        run(Command::new("kill").args(["-KILL", &running.init.to_string()]));
        running.nspawn.wait().unwrap();
        switch.unplug(&self.name);
    }

    /// Whether it is on.
    pub(crate) fn is_on(&self) -> bool {
        self.running.is_some()
    }

    /// Waits until it has been off for so long.
    pub(crate) fn await_off(&self, long: Duration) {
        assert!(!self.is_on(), "{} is on", self.name);
        std::thread::sleep(long.saturating_sub(self.off_since.elapsed()));
    }

    /// The machine's first process, as seen from here.
    pub(crate) fn init(&self) -> u32 {
        self.running.as_ref().unwrap_or_else(|| panic!("{} is off", self.name)).init
    }

    /// A command that will run in the machine as root's login would.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("env");
        enter(&mut command, &self.init().to_string());
        command.args(["timeout", "--kill-after=5", &PATIENCE.as_secs().to_string(), program]);
        command
    }

    /// Runs a program in the machine to its end.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        run(self.command(program).args(arguments))
    }

    /// Runs a line of shell in the machine.
    pub(crate) fn shell(&self, line: &str) -> Ran {
        self.run("bash", &["-c", line])
    }

    /// Every file, folder and link of the disk that is not the base system's, for comparison.
    pub(crate) fn upper(&self) -> Vec<PathBuf> {
        WalkDir::new(self.folder.join("upper"))
            .sort_by_file_name()
            .into_iter()
            .map(|entry| entry.unwrap().into_path())
            .collect()
    }
}

/// Goes on, in a command, with what runs in the machine of this first process.
pub(crate) fn enter<'a>(command: &'a mut Command, init: &str) -> &'a mut Command {
    command
        .args(["nsenter", "--target", init])
        .args(["--mount", "--net", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wd"])
        .args(["env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=linux"])
        .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
}

fn descendants(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let direct = children.split_whitespace().map(|child| child.parse::<u32>().unwrap());
    direct.flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}
