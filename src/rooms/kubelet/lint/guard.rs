//! Who may ask a kubelet. kubeadm lets in who has a certificate of the cluster, and the API server
//! says what each may do.

use crate::report::{Finding, Path, Report};
use crate::rooms::kubelet::fields::Fields;
use crate::rooms::kubelet::{OPEN, READ_ONLY_PORT};

pub(super) fn lint(fields: &Fields<'_>, report: &mut Report) {
    if let Some((at, mode)) = mode(fields)
        && mode == "AlwaysAllow"
    {
        report.push(
            Finding::new(
                &OPEN,
                at,
                "whoever the kubelet knows may run commands in every pod of its node, each node's own \
                 certificate among them",
            )
            .label("nobody is asked")
            .help("remove it: kubeadm's `Webhook` asks the API server"),
        );
    }
    if let Some((at, port)) = fields.port("readOnlyPort", "read-only-port")
        && port != 0
    {
        report.push(
            Finding::new(
                &READ_ONLY_PORT,
                at,
                format!(
                    "whoever reaches port {port} of a node reads all pods on it, and their settings"
                ),
            )
            .label("no certificate is asked for")
            .help("remove it: port 10250 has the same for who may read it"),
        );
    }
}

fn mode(fields: &Fields<'_>) -> Option<(Path, String)> {
    let field = || {
        let (at, value) = fields.get("authorization")?;
        Some((at.key("mode"), value.get("mode")?.as_str()?.to_owned()))
    };
    fields.flag("authorization-mode").or_else(field)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::overlaid::complaints;

    #[test]
    fn a_kubelet_asks_who_is_there() {
        for (overlay, found) in [
            (
                json!({"kubelet": {"config": {"authorization": {"mode": "AlwaysAllow"}}}}),
                "kubelet/open at kubelet.config.authorization.mode",
            ),
            (
                json!({"extraArgs": {"kubelet": {"authorization-mode": "AlwaysAllow"}}}),
                "kubelet/open at extraArgs.kubelet.authorization-mode",
            ),
            (
                json!({"kubelet": {"config": {"readOnlyPort": 10255}}}),
                "kubelet/read-only-port at kubelet.config.readOnlyPort",
            ),
        ] {
            assert_eq!(complaints(&Kubelet, &overlay), [found]);
        }
        let sound = json!({"kubelet": {"config": {"authorization": {"mode": "Webhook"}, "readOnlyPort": 0}}});
        assert!(complaints(&Kubelet, &sound).is_empty());
    }
}
