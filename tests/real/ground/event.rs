//! One loss and its repair: what users felt of it, and what of that must not be.

use serde::{Deserialize, Serialize};

use super::outage::Outage;

/// The loss of any one node costs clients no more than this, in seconds, and pods have no name
/// resolved or no service reached for no longer.
pub(crate) const BAR: f64 = 4.0;
/// A prober that has started nothing for longer than this, in seconds, has not seen what happened.
const STALL: f64 = 1.0;

/// One scenario on one node.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Event {
    /// `powered off`; the same words in every run.
    pub(crate) what: String,
    /// To whom it happened, and what that node was: `cp1 (VIP)`.
    pub(crate) node: String,
    /// From the event to the beginning of the repair.
    pub(crate) lost: Outage,
    /// From the beginning of the repair to a healthy cluster.
    pub(crate) healed: Outage,
    /// Names of acknowledged writes that were gone afterwards.
    pub(crate) lost_writes: Vec<String>,
    /// Who held the VIP when the watch was over, before the repair.
    pub(crate) holders: Vec<String>,
    /// The same once the cluster was healthy.
    pub(crate) holders_healed: Vec<String>,
    /// Seconds from the beginning of the repair to a healthy cluster.
    pub(crate) heal: f64,
}

/// How long clients may be without the API, in seconds.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Bar {
    /// Whatever balances.
    Promised(f64),
    /// Where the balancer looks for itself: nginx goes on sending its share of the clients to an
    /// API server that accepts connections and says nothing (`nginx/passive-checks`).
    PromisedByChecks(f64),
    /// Nothing is left to answer.
    None,
}

impl Event {
    /// The longer outage: after the loss or during its repair.
    pub(crate) fn seconds(&self) -> f64 {
        self.lost.seconds().max(self.healed.seconds())
    }

    /// The longer time without a name or a service.
    pub(crate) fn silence(&self) -> f64 {
        self.lost.silence().max(self.healed.silence())
    }

    /// The longest time in which nothing was asked, of whichever kind.
    fn stall(&self) -> f64 {
        let kinds = self.lost.kinds().into_iter().chain(self.healed.kinds());
        kinds.map(|(_, measured)| measured.stall).fold(0.0, f64::max)
    }

    /// What must not be however busy the host is, where so many VIPs have a holder each.
    pub(crate) fn defects(&self, vips: usize) -> Vec<String> {
        let Self { what, node, lost_writes, holders, holders_healed, .. } = self;
        let mut defects = Vec::new();
        if !lost_writes.is_empty() {
            defects.push(format!("{node} {what}: acknowledged writes are gone: {lost_writes:?}"));
        }
        if holders.len() > vips || holders_healed.len() != vips {
            defects.push(format!(
                "{node} {what}: the VIP was held by {holders:?}, once healed by {holders_healed:?}"
            ));
        }
        defects
    }
}

impl Bar {
    /// What of an event is too long, or was not seen; `None` where it is within the bar.
    pub(crate) fn missed(self, event: &Event, balancer_checks: bool) -> Option<String> {
        let bar = match self {
            Self::Promised(seconds) => seconds,
            Self::PromisedByChecks(seconds) if balancer_checks => seconds,
            Self::PromisedByChecks(_) => f64::INFINITY,
            Self::None => return None,
        };
        // A node on its way back accepts connections before it can answer, which only a balancer
        // that checks finds out.
        let seconds = if balancer_checks { event.seconds() } else { event.lost.seconds() };
        let (silence, stall) = (event.silence(), event.stall());
        let Event { what, node, .. } = event;
        if stall > STALL {
            return Some(format!(
                "{node} {what}: nothing was asked for {stall:.1} s, the host is too busy"
            ));
        }
        (seconds > bar || silence > BAR).then(|| {
            format!(
                "{node} {what}: {seconds:.1} s without the API, {silence:.1} s without a name or a \
                 service"
            )
        })
    }
}
