use crate::report::{Finding, Path, Report};
use crate::rooms::kubeadm::ETCD_REFUSED;
use crate::site::{Cluster, EtcdMode};

/// Reports a release whose kubelet now and then refuses the etcd pod that its kubeadm writes.
pub(super) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    let (release, version) = (cluster.release, cluster.version);
    if cluster.etcd.mode != EtcdMode::Stacked || !release.etcd_disk_request(version.patch) {
        return;
    }
    let message = format!(
        "the kubelet of {version} now and then refuses the etcd pod that kubeadm writes, and an init \
         or a join waits for it until it fails"
    );
    report.push(
        Finding::new(&ETCD_REFUSED, Path::of(&["cluster", "kubernetes"]), message)
            .label("this release")
            .help(match release.etcd_disk_request_until() {
                Some(mended) => format!("take Kubernetes {mended} or newer"),
                None => "take another minor of Kubernetes".to_owned(),
            }),
    );
}

#[cfg(test)]
mod tests {
    use crate::rooms::overlaid::codes;

    #[test]
    fn releases_whose_etcd_may_be_refused_are_told() {
        for (version, told) in [
            ("1.19.16", false),
            ("1.20.7", true),
            ("1.20.8", false),
            ("1.21.1", true),
            ("1.21.2", false),
        ] {
            let of = |etcd: &str| {
                let codes = codes(&format!(
                    "{{cluster: {{kubernetes: {version}}}, etcd: {{mode: {etcd}}}}}"
                ));
                codes.contains(&"kubeadm/etcd-refused")
            };
            assert_eq!(of("stacked"), told, "{version}");
            assert!(!of("external"), "{version}");
        }
    }
}
