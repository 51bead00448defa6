//! Who holds the VIP after a loss: the election of RFC 5798 as keepalived runs it, played through
//! on the model. What it does beyond the RFC: a node whose check fails with weight 0 leaves the
//! election (FAULT), with a negative weight it stays with a lower priority, and a node with
//! `nopreempt` never takes over from a holder that still sends adverts.

use std::net::IpAddr;

/// One node of the election.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voter {
    /// 1–254.
    pub(super) priority: u32,
    /// Decides between equal priorities: the higher wins.
    pub(super) address: IpAddr,
}

/// What all nodes of an election have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Whether a higher priority takes the VIP from a lower one.
    pub(super) preempt: bool,
    /// What a failed check takes from the priority; 0 is FAULT.
    pub(super) weight: i32,
}

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// A whole node.
    Node(usize),
    /// The balancer of a node that still runs keepalived.
    Balancer(usize),
}

impl Loss {
    fn at(self) -> usize {
        match self {
            Self::Node(index) | Self::Balancer(index) => index,
        }
    }
}

/// A loss after which the VIP does not lie on exactly one healthy node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What was lost.
    pub(super) loss: Loss,
    /// Who held the VIP before.
    pub(super) before: usize,
    /// Who holds it afterwards; `None` is nobody.
    pub(super) after: Option<usize>,
}

/// The first loss that the VIP does not survive, tried for each node that can hold it and for
/// each loss of one node or balancer. `None` is the proof that there is none.
pub(super) fn first_failure(voters: &[Voter], rules: Rules) -> Option<Failure> {
    let everyone = 0..voters.len();
    // Without preemption anybody may hold the VIP, as history has it.
    let holders = everyone.clone().map(|holder| settle(voters, rules, None, Some(holder)));
    for before in holders.flatten() {
        let losses = everyone.clone().flat_map(|index| [Loss::Node(index), Loss::Balancer(index)]);
        for loss in losses {
            let after = settle(voters, rules, Some(loss), Some(before));
            if after.is_none_or(|after| after == loss.at()) {
                return Some(Failure { loss, before, after });
            }
        }
    }
    None
}

/// Who holds the VIP once nothing changes any more, given who held it before.
fn settle(
    voters: &[Voter],
    rules: Rules,
    loss: Option<Loss>,
    mut holder: Option<usize>,
) -> Option<usize> {
    let standing: Vec<Option<u32>> =
        (0..voters.len()).map(|index| effective(voters, rules, loss, index)).collect();
    // A holder that is gone, or in FAULT, is silent: the timers of the others run out.
    holder = holder.filter(|index| standing[*index].is_some());
    let strongest = (0..voters.len())
        .filter(|index| standing[*index].is_some())
        .max_by_key(|index| (standing[*index], voters[*index].address));
    match (holder, strongest) {
        // Adverts of a lower priority are ignored, so the holder is replaced. Equal ones are not.
        (Some(held), Some(other)) if rules.preempt && standing[other] > standing[held] => strongest,
        (Some(_), _) => holder,
        // The highest priority has the shortest timer; should two run out at once, the higher
        // address makes the other step back.
        (None, _) => strongest,
    }
}

/// The priority that a node shows; `None` where it takes no part.
fn effective(voters: &[Voter], rules: Rules, loss: Option<Loss>, index: usize) -> Option<u32> {
    let priority = voters[index].priority;
    match loss {
        Some(Loss::Node(lost)) if lost == index => None,
        Some(Loss::Balancer(lost)) if lost == index => match rules.weight {
            0 => None,
            // keepalived keeps it within 1 and 254.
            weight => Some(priority.saturating_add_signed(weight).clamp(1, 254)),
        },
        _ => Some(priority),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voters(priorities: &[u32]) -> Vec<Voter> {
        let voter = |(host, priority): (u8, &u32)| Voter {
            priority: *priority,
            address: IpAddr::from([192, 168, 1, 10 + host]),
        };
        (0..).zip(priorities).map(voter).collect()
    }

    fn failure(priorities: &[u32], preempt: bool, weight: i32) -> Option<Failure> {
        first_failure(&voters(priorities), Rules { preempt, weight })
    }

    #[test]
    fn fault_and_nopreempt_survive_every_loss() {
        assert_eq!(failure(&[150, 149, 148], false, 0), None);
        assert_eq!(failure(&[1, 254], false, 0), None);
        assert_eq!(failure(&[150, 149, 148], true, 0), None);
    }

    #[test]
    fn a_weight_without_preemption_leaves_the_vip_on_the_broken_node() {
        assert_eq!(
            failure(&[150, 149, 148], false, -50),
            Some(Failure { loss: Loss::Balancer(0), before: 0, after: Some(0) })
        );
    }

    #[test]
    fn a_weight_has_to_reach_below_the_next_priority() {
        assert_eq!(failure(&[150, 149, 148], true, -2), None);
        // Equal priorities do not preempt each other.
        let stuck = Some(Failure { loss: Loss::Balancer(0), before: 0, after: Some(0) });
        assert_eq!(failure(&[150, 149, 148], true, -1), stuck);
        assert_eq!(failure(&[150, 100, 90], true, -20), stuck);
        assert_eq!(failure(&[150, 100, 90], true, -60), None);
        // Nobody is below 1.
        assert_eq!(failure(&[2, 1], true, -253), stuck);
    }

    #[test]
    fn one_node_survives_nothing() {
        assert_eq!(
            failure(&[150], false, 0),
            Some(Failure { loss: Loss::Node(0), before: 0, after: None })
        );
    }
}
