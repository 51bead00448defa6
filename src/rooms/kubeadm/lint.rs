mod breaks;
mod dns;
mod gates;
mod paths;
mod phases;
mod preflight;
pub(super) mod service_account;
mod stacked_etcd;
mod words;

use super::plan::{KubeadmPlan, Said, patched, texts};
use super::{ANONYMOUS_AUTH, PULL_POLICY};
use crate::control_plane::{Part, arguments};
use crate::inventory::images::PullPolicy;
use crate::inventory::{ExtraArgsSection, Inventory};
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, LoadBalancerKind, said_flags};

/// Reports what a valid inventory still gets wrong about kubeadm and what it starts.
pub(super) fn lint(
    said: &Inventory,
    plan: &KubeadmPlan,
    cluster: &Cluster<'_>,
    report: &mut Report,
) {
    flags(&said.extra_args, cluster, report);
    pull_policy(said, cluster, report);
    anonymous_auth(plan, cluster, report);
    preflight::lint(&said.kubeadm, report);
    phases::lint(cluster, report);
    breaks::lint(plan, cluster, report);
    words::lint(plan, cluster, report);
    gates::lint(cluster, report);
    dns::lint(cluster, report);
    stacked_etcd::lint(cluster, report);
    paths::lint(plan, cluster, report);
}

/// Reports flags that the release lacks or that have another owner.
fn flags(said: &ExtraArgsSection, cluster: &Cluster<'_>, report: &mut Report) {
    // The kubelet's flags are its own room's matter.
    let ExtraArgsSection { api_server, controller_manager, scheduler, kubelet: _, host_files: _ } =
        said;
    let of = |part: Part| -> &Said {
        match part {
            Part::ApiServer => api_server,
            Part::ControllerManager => controller_manager,
            Part::Scheduler => scheduler,
        }
    };
    for part in Part::ALL {
        let section = Path::of(&["extraArgs", part.key()]);
        let owned = arguments::owned(part);
        said_flags::lint(cluster, part.component(), &section, of(part), owned, report);
    }
    let own = arguments::of_controller_manager(texts(controller_manager), cluster);
    for (part, flag) in patched(cluster) {
        let said = of(part);
        let repeats = part == Part::ControllerManager
            && own.get(flag.name).is_some_and(|own| Some(own.as_str()) == flag.value);
        // A list has to repeat what `extraArgs` says, which the rest of the site follows.
        let mut said = said.iter();
        let followed = said
            .any(|(name, value)| name.as_str() == flag.name && Some(value.as_str()) == flag.value);
        match said_flags::owner(flag.name, arguments::FOLLOWED, &flag.at).filter(|_| !followed) {
            Some(finding) => report.push(finding),
            None => flag.lint(cluster, part.component(), arguments::owned(part), repeats, report),
        }
    }
}

fn anonymous_auth(plan: &KubeadmPlan, cluster: &Cluster<'_>, report: &mut Report) {
    let anonymous = plan.flags[Part::ApiServer as usize].get("anonymous-auth");
    if anonymous.is_some_and(|value| value == "false") {
        let mut finding = Finding::new(
            &ANONYMOUS_AUTH,
            plan.at(Part::ApiServer, "anonymous-auth"),
            "without anonymous requests nobody may ask an API server whether it is ready",
        )
        .label("health checks would get 401")
        .help("remove it: anonymous clients may read the health pages only");
        if cluster.endpoint.is_balanced_by(LoadBalancerKind::Haproxy) {
            let kind = Path::of(&["loadBalancer", "kind"]);
            finding = finding.because(kind, "haproxy checks readiness without a certificate");
        }
        report.push(finding);
    }
}

/// Releases without the field do what `IfNotPresent` says.
fn pull_policy(said: &Inventory, cluster: &Cluster<'_>, report: &mut Report) {
    let Some(policy) = said.images.pull_policy else { return };
    if cluster.release.kubeadm.image_pull_policy_field || policy == PullPolicy::IfNotPresent {
        return;
    }
    report.push(
        Finding::new(
            &PULL_POLICY,
            Path::of(&["images", "pullPolicy"]),
            format!("kubeadm of {} pulls what the node lacks, and nothing else", cluster.version),
        )
        .label("from Kubernetes 1.22 on")
        .because(Path::of(&["cluster", "kubernetes"]), "this release")
        .help("remove it; what `images.archives` brings is not pulled"),
    );
}
