//! The parts of a control plane, whoever starts it: which certificates it has, under which names
//! it is reached, what its static pods run with, where they listen, and what they see of their host. kubeadm is one
//! way to start it; a room for another way takes the same parts.

pub mod arguments;
pub mod certificates;
pub mod mounts;
pub mod names;
pub mod ports;
pub mod signing;

use crate::catalog::flags::Component;

/// One of the programs that make a control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// It answers everybody.
    ApiServer,
    /// It brings about what the API says.
    ControllerManager,
    /// It finds a node for each pod.
    Scheduler,
}

impl Part {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 3] = [Self::ApiServer, Self::ControllerManager, Self::Scheduler];

    /// Its key in `extraArgs`, as in kubeadm's ClusterConfiguration.
    pub fn key(self) -> &'static str {
        match self {
            Self::ApiServer => "apiServer",
            Self::ControllerManager => "controllerManager",
            Self::Scheduler => "scheduler",
        }
    }

    /// Its program in the catalog.
    pub fn component(self) -> Component {
        match self {
            Self::ApiServer => Component::KubeApiserver,
            Self::ControllerManager => Component::KubeControllerManager,
            Self::Scheduler => Component::KubeScheduler,
        }
    }

    /// Its program's name.
    pub fn program(self) -> &'static str {
        self.component().as_str()
    }
}
