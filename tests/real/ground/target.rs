//! Who is hit by a loss. A cluster may have nobody of a kind.

use crate::cluster::Cluster;

/// Who is hit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Whoever holds the VIP: where it hurts most.
    Holder,
    /// A control plane that does not.
    Other,
    /// A control plane: the holder of the VIP, if that is one.
    Plane,
    /// Whose balancer the clients come through.
    Door,
    /// Each worker but the one with the pod that asks.
    Worker,
    /// Each machine with nothing but a member of etcd, one after another.
    EachSeparateMember,
    /// All control planes at once.
    All,
}

impl Target {
    /// Their names.
    pub(crate) fn nodes(self, cluster: &Cluster) -> Vec<String> {
        match self {
            // With the only one, all are gone.
            Self::Other | Self::Plane if cluster.control_planes().len() == 1 => vec![],
            Self::Holder => cluster.holder().into_iter().collect(),
            Self::Other => {
                let holder = cluster.holder();
                let mut others = cluster.control_planes();
                others.retain(|node| holder.as_ref() != Some(node));
                others.truncate(1);
                others
            }
            Self::Plane => vec![cluster.plane()],
            Self::Door => cluster.door().into_iter().collect(),
            Self::Worker => {
                let observer = cluster.observer();
                cluster.workers().into_iter().filter(|worker| *worker != observer).collect()
            }
            Self::EachSeparateMember => cluster.separate_members(),
            Self::All => vec!["all control planes".to_owned()],
        }
    }
}

/// Who is hit where `node` was before: the VIP moves away from a machine that is lost, and the loss of
/// whoever holds it is another one than the loss of somebody else.
pub(crate) fn same_role(cluster: &Cluster, node: String, held: bool) -> String {
    let holder = cluster.holder();
    if held {
        return holder.unwrap_or(node);
    }
    if holder.as_ref() != Some(&node) {
        return node;
    }
    Target::Other.nodes(cluster).pop().unwrap_or(node)
}
