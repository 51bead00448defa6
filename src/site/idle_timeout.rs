//! How long a session through a balancer may be silent. Both balancers rely on it.

use crate::inventory::values::Duration;
use crate::report::{Code, Finding, Path};

/// The kubelet's own limit for exec, attach and port-forward, which carry no pings:
/// `streamingConnectionIdleTimeout`, 4 h
/// (<https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/>). A balancer that
/// waits as long never cuts what the kubelet would have kept.
pub const DEFAULT: Duration = Duration::from_millis(4 * 60 * 60 * 1000);

/// Below this, users saw exec, logs and watches cut (kubernetes/kubeadm#2227,
/// kubernetes-sigs/kubespray#655); it is also nginx's own default for `proxy_timeout`.
pub const SHORTEST: Duration = Duration::from_millis(10 * 60 * 1000);

/// The finding, under the balancer's own code, of an idle time at `at` that cuts ordinary use.
pub fn cut(code: &'static Code, at: Path, idle: &Duration) -> Option<Finding> {
    (*idle < SHORTEST).then(|| {
        let message = format!(
            "sessions that are silent for {idle} are cut, among them exec, logs and watches"
        );
        Finding::new(code, at, message)
            .label(format!("shorter than {SHORTEST}"))
            .help(format!("leave it out for {DEFAULT}, the kubelet's own limit"))
    })
}

#[cfg(test)]
mod tests {
    use crate::rooms::overlaid::codes;

    #[test]
    fn nginx_own_limit_is_the_least_that_both_take() {
        for (kind, code) in
            [("haproxy", "haproxy/timeouts-cut-watches"), ("nginx", "nginx/timeouts-cut-watches")]
        {
            let of = |time: &str| {
                codes(&format!("loadBalancer: {{kind: {kind}, {kind}: {{idleTimeout: {time}}}}}"))
            };
            assert!(!of("10m").contains(&code), "{kind}");
            assert!(of("599s").contains(&code), "{kind}");
        }
    }
}
