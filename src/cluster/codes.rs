//! Codes of the model itself.

crate::codes! { "cluster":
    VERSION_UNKNOWN = Error "version-unknown",
    DOCKERSHIM = Error "dockershim",
    EXTRA_ARG_REMOVED = Error "extra-arg-removed",
    EXTRA_ARG_OWNED = Error "extra-arg-owned",
}
