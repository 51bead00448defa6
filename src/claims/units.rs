/// The phase of the scripts in which something happens. Names and numbers are those of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// `10-prepare.sh`.
    Prepare,
    /// `20-install.sh`.
    Install,
    /// `30-balancer.sh`.
    Balancer,
    /// The same script, behind the balancers: whoever may hold the VIP has something to answer.
    Vip,
    /// `40-etcd.sh`.
    Etcd,
    /// `50-init.sh` or `50-join.sh`.
    Kubernetes,
    /// `60-verify.sh`.
    Verify,
}

impl Phase {
    /// The number in the file's name.
    pub fn number(self) -> u8 {
        match self {
            Self::Prepare => 10,
            Self::Install => 20,
            Self::Balancer | Self::Vip => 30,
            Self::Etcd => 40,
            Self::Kubernetes => 50,
            Self::Verify => 60,
        }
    }
}

/// A script of `steps/`, the same on every node that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Script {
    /// Its name there without `.sh`. What a person runs starts with the number of its place: `40-etcd`.
    pub name: &'static str,
    /// The text below `templates/`.
    pub template: &'static str,
}

impl Script {
    /// Whether a person runs it; the others only define what steps use.
    pub fn is_step(&self) -> bool {
        self.name.starts_with(|letter: char| letter.is_ascii_digit())
    }
}

/// One systemd unit that a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its name, such as `haproxy.service`.
    pub name: String,
    /// The phase that enables and starts it. Units of `Install` are started at its end.
    pub phase: Phase,
    /// A command that must succeed before the unit is (re)started: `haproxy -c -f …`. Words, never
    /// a shell line.
    pub check: Vec<String>,
    /// Whether starting waits (`false`: `--no-block`, the phase waits for its effect).
    pub wait: bool,
    /// Whether the script starts it (`false`: enabled only; kubeadm starts the kubelet).
    pub start: bool,
}

impl Unit {
    /// One that a phase starts and waits for, if this command succeeds; without words it asks
    /// nothing.
    pub fn started<'a>(name: &str, phase: Phase, check: impl IntoIterator<Item = &'a str>) -> Self {
        let check = check.into_iter().map(str::to_owned).collect();
        Self { name: name.to_owned(), phase, check, wait: true, start: true }
    }

    /// Whether it stays at a reset: the runtime, which `kubeadm reset` needs, and what belongs to
    /// the host. One whose file the tree brings goes with it.
    pub fn survives_reset(&self) -> bool {
        self.phase == Phase::Install && !self.name.starts_with("hagen-")
    }
}
