//! Codes of the model itself.

crate::codes! { "cluster":
    VERSION_UNKNOWN = Error "version-unknown",
    DOCKERSHIM = Error "dockershim",
}
