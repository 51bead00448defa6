//! The users of a cluster: clients that use the API through the endpoint, outside of the cluster where
//! it has a way in, and a pod on a worker that uses the cluster's names and services.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::health::{kubectl, until};
use crate::machine::Machine;
use crate::outage::{Outage, Window};
use crate::probe::{Prober, Service, Writes};
use crate::switch;

/// How long their pods may take to be there.
const PODS: Duration = Duration::from_secs(90);

/// The pod that asks, on a node of its own choice, and a service with a backend on every worker.
const OBJECTS: &str = r#"---
apiVersion: v1
kind: Pod
metadata: {name: user}
spec:
  nodeName: NODE
  terminationGracePeriodSeconds: 0
  tolerations: [{operator: Exists}]
  containers: [{name: user, image: "hagen.test/toolbox:1"}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: backend}
spec:
  selector: {matchLabels: {app: backend}}
  template:
    metadata: {labels: {app: backend}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: backend
          image: hagen.test/toolbox:1
          command: [sh, -c, "echo {} >/tmp/index.html; exec httpd -f -p 8080 -h /tmp"]
          readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 2}
---
apiVersion: v1
kind: Service
metadata: {name: backend}
spec:
  selector: {app: backend}
  ports: [{port: 80, targetPort: 8080}]
"#;

/// All of them, at work.
pub(crate) struct Users<'a> {
    pub(crate) client: Prober<'a>,
    pub(crate) pod: Prober<'a>,
}

impl Users<'_> {
    /// Makes the pods, and starts with logs of this name in a folder.
    pub(crate) fn start(cluster: &Cluster, folder: &Path, name: &str) -> Self {
        let [client, pod] = ["", "-pod"].map(|who| folder.join(format!("{name}{who}.log")));
        for log in [&client, &pod] {
            fs::remove_file(log).ok();
        }
        let (network, service) = pods(cluster).unwrap_or_else(|error| panic!("{error}"));
        let enter = move |program: &str| switch::enter(&network, program);
        let clients = cluster.clients();
        let outside = Box::new(move |program: &str| switch::command(&clients, program));
        let server = &cluster.tree.server;
        Self {
            client: Prober::start(outside, server, &cluster.kubeconfig(), &client),
            pod: Prober::in_pod(Box::new(enter), &service, &pod),
        }
    }

    /// Whether all went well for the latest `seconds`.
    pub(crate) fn steady(&self, seconds: f64) -> bool {
        self.client.steady(seconds) && self.pod.steady(seconds)
    }

    /// What all met with in a window.
    pub(crate) fn outage(&self, window: Window) -> Outage {
        let Outage { names, services, .. } = self.pod.outage(window);
        Outage { names, services, ..self.client.outage(window) }
    }

    /// Looks for every write that was acknowledged so far.
    pub(crate) fn writes(&self) -> Writes {
        self.client.writes()
    }

    /// Ends their work and deletes what was written.
    pub(crate) fn finish(self) {
        self.client.finish();
    }
}

/// Makes the pods: the network of the one that asks, and what it asks.
fn pods(cluster: &Cluster) -> Result<(String, Service), String> {
    let asks = &cluster.machines[&cluster.observer()];
    let machine = &cluster.machines[&cluster.plane()];
    let file = machine.disk("/root/users.yaml");
    fs::write(&file, OBJECTS.replace("NODE", &asks.name)).unwrap();
    kubectl(machine, &["apply", "-f", "/root/users.yaml"])?;
    fs::remove_file(file).unwrap();
    let all = r#"jsonpath={.status.desiredNumberScheduled} {.status.numberReady}"#;
    let workers = cluster.workers().len();
    until(PODS, || {
        let phase = kubectl(machine, &["get", "pod", "user", "-o", "jsonpath={.status.phase}"])?;
        let ready = kubectl(machine, &["get", "daemonset", "backend", "-o", all])?;
        let wanted = format!("{workers} {workers}");
        match phase == "Running" && ready == wanted {
            true => Ok(()),
            false => Err(format!("the pod of the users is {phase}, their backends are {ready}")),
        }
    })?;
    let field = |object: &[&str], path: &str| {
        kubectl(machine, &[&["get"], object, &["-o", &format!("jsonpath={{{path}}}")]].concat())
    };
    let service = Service {
        resolver: field(&["service", "kube-dns", "-n", "kube-system"], ".spec.clusterIP")?,
        name: "backend.default.svc.cluster.local".to_owned(),
        url: format!("http://{}/", field(&["service", "backend"], ".spec.clusterIP")?),
    };
    let address = field(&["pod", "user"], ".status.podIP")?;
    Ok((network(asks, &address)?, service))
}

/// The namespace of a pod's network, as seen from here.
fn network(machine: &Machine, address: &str) -> Result<String, String> {
    let name = machine.shell(&format!(
        "for name in $(ip netns list | cut -d' ' -f1); do
           ! ip -n \"$name\" -o address | grep -qF ' {address}/' || echo \"$name\"
         done"
    ));
    match name.stdout.trim() {
        "" => Err(format!("no network on {} has {address}: {name}", machine.name)),
        name => Ok(format!("/proc/{}/root/run/netns/{name}", machine.init())),
    }
}
