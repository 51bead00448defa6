//! Codes of the model itself.

crate::codes! { "cluster":
    ADDRESS_FAMILY = Error "address-family",
    CGROUP_DRIVER = Error "cgroup-driver",
    DOCKERSHIM = Error "dockershim",
    DUPLICATE_ADDRESS = Error "duplicate-address",
    DUPLICATE_NODE = Error "duplicate-node",
    END_OF_LIFE = Note "end-of-life",
    EVEN_CONTROL_PLANES = Warning "even-control-planes",
    EXTRA_ARG_OWNED = Error "extra-arg-owned",
    EXTRA_ARG_REMOVED = Error "extra-arg-removed",
    NETWORKS_OVERLAP = Error "networks-overlap",
    NO_CONTROL_PLANE = Error "no-control-plane",
    OS_UNKNOWN = Error "os-unknown",
    PATCH_TARGET = Error "patch-target",
    POD_RANGE_TOO_SMALL = Error "pod-range-too-small",
    PUBLIC_NETWORK = Warning "public-network",
    SERVICE_RANGE_TOO_SMALL = Error "service-range-too-small",
    SINGLE_CONTROL_PLANE = Warning "single-control-plane",
    VERSION_UNKNOWN = Error "version-unknown",
}
