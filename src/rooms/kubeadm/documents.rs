//! The documents that patches may name, with the fields that others agree with.

use crate::rooms::DocumentName;

pub(super) const INIT: &str = "kubeadm/InitConfiguration";
pub(super) const CLUSTER: &str = "kubeadm/ClusterConfiguration";
pub(super) const JOIN: &str = "kubeadm/JoinConfiguration";
pub(super) const JOIN_RBAC: &str = "kubeadm/RoleBinding";

/// Certificates, the balancer, kubeconfigs or other nodes agree with these fields.
pub(super) const DOCUMENTS: &[DocumentName] = &[
    DocumentName {
        name: INIT,
        owned: &[
            "/apiVersion",
            "/kind",
            "/localAPIEndpoint",
            "/nodeRegistration/name",
            "/nodeRegistration/criSocket",
            "/nodeRegistration/ignorePreflightErrors",
            "/nodeRegistration/imagePullPolicy",
            "/bootstrapTokens",
            "/certificateKey",
            "/patches",
        ],
    },
    DocumentName {
        name: CLUSTER,
        owned: &[
            "/apiVersion",
            "/kind",
            "/kubernetesVersion",
            "/clusterName",
            "/controlPlaneEndpoint",
            "/certificatesDir",
            "/imageRepository",
            "/networking",
            "/apiServer/certSANs",
            "/etcd/external",
            "/etcd/local/dataDir",
            "/etcd/local/extraArgs",
            "/etcd/local/extraEnvs",
            "/etcd/local/imageRepository",
            "/etcd/local/imageTag",
        ],
    },
    DocumentName {
        name: JOIN,
        owned: &[
            "/apiVersion",
            "/kind",
            "/discovery",
            "/caCertPath",
            "/nodeRegistration/name",
            "/nodeRegistration/criSocket",
            "/nodeRegistration/ignorePreflightErrors",
            "/nodeRegistration/imagePullPolicy",
            "/controlPlane",
            "/patches",
        ],
    },
    DocumentName { name: JOIN_RBAC, owned: &["/apiVersion", "/kind", "/metadata/namespace"] },
];
