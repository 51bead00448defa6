//! Codes of endpoints.

crate::codes! { "endpoint":
    LACKS_KEY = Error "lacks-key",
    NAME_TAKEN = Error "name-taken",
    NO_SAN = Error "no-san",
    PORT_EPHEMERAL = Warning "port-ephemeral",
    PORT_IN_NODEPORT_RANGE = Error "port-in-nodeport-range",
    PORT_TAKEN = Error "port-taken",
    ROLE_UNUSED = Error "role-unused",
    SINGLE_POINT = Warning "single-point",
    UNUSED_KEY = Error "unused-key",
    VIP_IN_CLUSTER_RANGE = Error "vip-in-cluster-range",
    VIP_IS_NODE = Error "vip-is-node",
    VIP_OUTSIDE_SUBNET = Error "vip-outside-subnet",
    WRONG_PORT = Error "wrong-port",
}
