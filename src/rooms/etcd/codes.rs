//! Codes of etcd.

crate::codes! { "etcd":
    VERSION_UNKNOWN = Error "version-unknown",
    TOO_OLD = Error "too-old",
    DATA_LOSS = Warning "data-loss",
    EVEN_MEMBERS = Warning "even-members",
    SINGLE_MEMBER = Warning "single-member",
    TOO_MANY_MEMBERS = Warning "too-many-members",
    ON_CONTROL_PLANES = Note "on-control-planes",
    ALL_ENDPOINTS = Note "all-endpoints",
    EXTERNAL_ONLY = Error "external-only",
    FLAG_VERSION = Error "flag-version",
    SETTING_OWNED = Error "setting-owned",
    ELECTION_TIMEOUT = Error "election-timeout",
    PATH_UNSEEN = Error "path-unseen",
    LOG_OUTPUT = Error "log-output",
    LOG_ROTATION = Error "log-rotation",
    SYSTEM_FOLDER = Error "system-folder",
}
