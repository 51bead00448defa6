use std::net::SocketAddr;

/// When something happens: in which step, and where in it. A room of its own step says its number; these
/// are the phases that several rooms meet in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Phase {
    /// The number in the step's name.
    pub step: u8,
    /// What comes before what in it.
    pub place: u8,
}

impl Phase {
    /// `20-install.sh`.
    pub const INSTALL: Self = Self::of(20);
    /// `30-balancer.sh`.
    pub const BALANCER: Self = Self::of(30);
    /// `50-init.sh` or `50-join.sh`.
    pub const KUBERNETES: Self = Self::of(50);

    /// The step of this number.
    pub const fn of(step: u8) -> Self {
        Self { step, place: 0 }
    }

    /// What comes behind it in the same step.
    pub const fn behind(self) -> Self {
        Self { place: self.place + 1, ..self }
    }
}

/// A script of `steps/`, the same on every node that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name there without `.sh`. A step's starts with its number: `40-etcd`.
    pub name: &'static str,
    /// What it is to the others.
    pub role: Role,
    /// The text below `templates/`.
    pub template: &'static str,
}

/// What a script is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A person runs it.
    Step,
    /// What a room adds to the steps: functions, and hooks by its name (`etcd_verify`). Each step reads the
    /// parts of its host in the order of the steps that they are of.
    Part(u8),
    /// What every step and every part builds on.
    Library,
}

impl Script {
    /// What a person runs.
    pub const fn step(name: &'static str, template: &'static str) -> Self {
        Self { name, role: Role::Step, template }
    }

    /// What steps read, beside the step of this number.
    pub const fn part(name: &'static str, step: u8, template: &'static str) -> Self {
        Self { name, role: Role::Part(step), template }
    }
}

/// One systemd unit that a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its name, such as `haproxy.service`.
    pub name: String,
    /// The phase that enables and starts it; that of [`Phase::INSTALL`] does at its end.
    pub phase: Phase,
    /// A command that must succeed before the unit is (re)started: `haproxy -c -f …`. Words, never
    /// a shell line.
    pub check: Vec<String>,
    /// Whether starting waits (`false`: `--no-block`, the phase waits for its effect).
    pub wait: bool,
    /// Whether the script starts it (`false`: enabled only; kubeadm starts the kubelet).
    pub start: bool,
    /// Where connections are accepted once it works, on this machine or through its doing.
    pub answers: Vec<SocketAddr>,
    /// The boolean of SELinux's policy without which it is kept from what it connects to.
    pub selinux_boolean: Option<&'static str>,
}

impl Unit {
    /// One that a phase starts and waits for, if this command succeeds; without words it asks
    /// nothing.
    pub fn started<'a>(name: &str, phase: Phase, check: impl IntoIterator<Item = &'a str>) -> Self {
        let check = check.into_iter().map(str::to_owned).collect();
        Self {
            name: name.to_owned(),
            phase,
            check,
            wait: true,
            start: true,
            answers: Vec::new(),
            selinux_boolean: None,
        }
    }

    /// Whether it stays at a reset: the runtime, which `kubeadm reset` needs, and what belongs to
    /// the host. One whose file the tree brings goes with it.
    pub fn survives_reset(&self) -> bool {
        self.phase.step == Phase::INSTALL.step && !self.name.starts_with("hagen-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::{Claims, RoomClaims};

    #[test]
    fn a_step_of_a_rooms_own_has_its_place_among_those_of_others() {
        let room = |scripts: &[Script], units: &[(&str, Phase)]| {
            let mut claims = RoomClaims::default();
            let unit = |(name, phase): &(&str, Phase)| Unit::started(name, *phase, []);
            claims.node(0).scripts.extend_from_slice(scripts);
            claims.node(0).units.extend(units.iter().map(unit));
            claims
        };
        let script = Script::step;
        let vip = ("vip", Phase::BALANCER.behind());
        let others = room(
            &[script("40-etcd", ""), Script::part("etcd", 40, ""), script("30-balancer", "")],
            &[("member", Phase::of(40)), vip, ("balancer", Phase::BALANCER)],
        );
        let own = room(
            &[Script::part("registry", 35, ""), script("35-registry", "")],
            &[("registry", Phase::of(35)), ("runtime", Phase::INSTALL)],
        );
        let claims = Claims::merge(1, vec![("others", others), ("own", own)]);
        let node = claims.of(0);
        assert!(node.steps().eq(["30-balancer", "35-registry", "40-etcd"]));
        assert!(node.parts().eq(["registry", "etcd"]));
        let units = node.units.iter().map(|unit| &*unit.name);
        assert!(units.eq(["runtime", "balancer", "vip", "registry", "member"]));
    }
}
