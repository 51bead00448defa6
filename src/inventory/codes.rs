//! What can be wrong with the form of an inventory.

crate::codes! { "inventory":
    UNKNOWN_KEY = Error "unknown-key",
    MISSING_KEY = Error "missing-key",
    TYPE = Error "type",
    HIDDEN_CHARACTER = Error "hidden-character",
    PRIVATE_KEY = Error "private-key",
    LOOKS_SECRET = Warning "looks-secret",
    API_VERSION = Error "api-version",
    TOO_MANY_NODES = Error "too-many-nodes",
    UNUSED_ALLOW = Warning "unused-allow",
}
