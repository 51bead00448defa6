//! Starts `probe.py` where users are, and waits for what its log has to say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::outage::{Log, Outage, Window};
use super::programs::{installed, run};

/// Seconds between two probes of a kind.
pub(crate) const INTERVAL: f64 = 0.1;
/// Seconds after which a probe has failed.
pub(crate) const DEADLINE: f64 = 1.0;
/// How often the log is read while something is waited for.
const GLANCE: Duration = Duration::from_millis(200);
/// How long the log may take to become complete: several deadlines of its probes.
const COMPLETION: Duration = Duration::from_secs(30);

/// Makes a command that will run where clients are, from a program's name.
pub(crate) type Client<'a> = Box<dyn Fn(&str) -> Command + 'a>;

/// A running `probe.py`. It ends when this value is dropped, or with the whole test.
pub(crate) struct Prober<'a> {
    child: Child,
    /// How it was started: where clients are, with which arguments.
    client: Client<'a>,
    arguments: Vec<String>,
    log: PathBuf,
}

/// What pods use.
#[derive(Debug)]
pub(crate) struct Service {
    /// The address of the name service.
    pub(crate) resolver: String,
    /// What is asked for there.
    pub(crate) name: String,
    /// What is fetched, by the service's address.
    pub(crate) url: String,
}

/// What `probe.py --verify` prints.
#[derive(Debug, Deserialize)]
pub(crate) struct Writes {
    pub(crate) acknowledged: usize,
    /// Of those not acknowledged, how many happened all the same. That is nobody's fault.
    pub(crate) unacknowledged: usize,
    /// Names of acknowledged writes that are gone.
    pub(crate) lost: Vec<String>,
}

impl<'a> Prober<'a> {
    /// Starts probing `server` (`https://VIP:PORT`) with a kubeconfig's authority and credential,
    /// into a log that must not exist yet.
    pub(crate) fn start(client: Client<'a>, server: &str, kubeconfig: &Path, log: &Path) -> Self {
        Self::of(client, &["--server", server, "--kubeconfig", text(kubeconfig)], log)
    }

    /// The same of names and services, where `client` enters the network of a pod.
    pub(crate) fn in_pod(client: Client<'a>, service: &Service, log: &Path) -> Self {
        let Service { resolver, name, url } = service;
        Self::of(client, &["--resolver", resolver, "--name", name, "--service", url], log)
    }

    fn of(client: Client<'a>, what: &[&str], log: &Path) -> Self {
        installed("python3", "python3 python3-yaml");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/ground/probe.py");
        let [interval, deadline] = [INTERVAL, DEADLINE].map(|seconds| seconds.to_string());
        let common = ["--log", text(log), "--interval", &interval, "--deadline", &deadline];
        let arguments = [&[text(&script)], what, &common].concat();
        let mut command = client("python3");
        // It ends with its standard input, so with this process, however that ends.
        let child = command.args(&arguments).stdin(Stdio::piped()).spawn().unwrap();
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        Self { child, client, arguments, log: log.to_owned() }
    }

    /// Seconds since boot, the clock of the log.
    pub(crate) fn now() -> f64 {
        let uptime = fs::read_to_string("/proc/uptime").unwrap();
        uptime.split(' ').next().and_then(|seconds| seconds.parse().ok()).expect("proc(5)")
    }

    /// What the log holds so far; `None` before the first probe.
    pub(crate) fn log(&self) -> Option<Log> {
        Log::parse(&fs::read_to_string(&self.log).ok()?)
    }

    /// Whether all probes of the latest `seconds` went well.
    pub(crate) fn steady(&self, seconds: f64) -> bool {
        self.log().is_some_and(|log| log.steady(Self::now(), seconds))
    }

    /// What happened in a window, once every probe of it has ended.
    pub(crate) fn outage(&self, window: Window) -> Outage {
        let begun = Instant::now();
        loop {
            if let Some(log) = self.log().filter(|log| log.complete_until() >= window.to) {
                return log.outage(window);
            }
            assert!(begun.elapsed() < COMPLETION, "probe.py is stuck: {}", self.log.display());
            sleep(GLANCE);
        }
    }

    /// Looks for every write that was acknowledged so far.
    pub(crate) fn writes(&self) -> Writes {
        let mut command = (self.client)("python3");
        let ran = run(command.args(&self.arguments).arg("--verify")).succeeded();
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
    }

    /// Stops probing and deletes what the probes wrote.
    pub(crate) fn finish(mut self) {
        self.stop();
        let mut command = (self.client)("python3");
        run(command.args(&self.arguments).arg("--delete")).succeeded();
    }

    fn stop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

impl Drop for Prober<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of the tests are UTF-8")
}
