use super::mounts::Part;
use super::plan::{Kubeadm, Said, of_controller_manager, patched};
use super::{ANONYMOUS_AUTH, PULL_POLICY, args};
use crate::catalog::flags::Component;
use crate::inventory::images::PullPolicy;
use crate::inventory::{ExtraArgsSection, Inventory};
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, LoadBalancerKind, extra};

/// Reports flags that the release lacks or that have another owner.
pub(super) fn lint(said: &Inventory, plan: &Kubeadm, cluster: &Cluster<'_>, report: &mut Report) {
    // The kubelet's flags are its own room's matter.
    let ExtraArgsSection { api_server, controller_manager, scheduler, kubelet: _, host_files: _ } =
        &said.extra_args;
    let section = Path::of(&["extraArgs"]);
    let mut lint = |component, key: &str, flags: &Said, owned| {
        extra::lint(cluster, component, &section.key(key), flags, owned, report);
    };
    lint(Component::KubeApiserver, "apiServer", api_server, args::API_SERVER);
    lint(
        Component::KubeControllerManager,
        "controllerManager",
        controller_manager,
        args::CONTROLLER_MANAGER,
    );
    lint(Component::KubeScheduler, "scheduler", scheduler, args::SCHEDULER);
    let own = of_controller_manager(controller_manager, cluster);
    for (part, flag) in patched(cluster) {
        let (owned, said) = match part {
            Part::ApiServer => (args::API_SERVER, api_server),
            Part::ControllerManager => (args::CONTROLLER_MANAGER, controller_manager),
            Part::Scheduler => (args::SCHEDULER, scheduler),
        };
        let repeats = part == Part::ControllerManager
            && own.get(flag.name).is_some_and(|own| Some(own.as_str()) == flag.value);
        // A list has to repeat what `extraArgs` says, which the rest of the site follows.
        let mut said = said.iter();
        let followed = said
            .any(|(name, value)| name.as_str() == flag.name && Some(value.as_str()) == flag.value);
        match extra::owner(flag.name, args::FOLLOWED, &flag.at).filter(|_| !followed) {
            Some(finding) => report.push(finding),
            None => flag.lint(cluster, part.component(), owned, repeats, report),
        }
    }
    pull_policy(said, cluster, report);
    let anonymous = plan.flags[Part::ApiServer as usize].get("anonymous-auth");
    if anonymous.is_some_and(|value| value == "false") {
        let mut finding = Finding::new(
            &ANONYMOUS_AUTH,
            plan.at(Part::ApiServer, "anonymous-auth"),
            "without anonymous requests nobody may ask an API server whether it is ready",
        )
        .label("health checks would get 401")
        .help("remove it: anonymous clients may read the health pages only");
        if cluster.endpoint.balancer.kind == LoadBalancerKind::Haproxy {
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
