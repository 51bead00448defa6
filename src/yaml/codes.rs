//! What can be wrong with the text itself.

crate::codes! { "yaml":
    SYNTAX = Error "syntax",
    ENCODING = Error "encoding",
    BUDGET = Error "budget",
    DUPLICATE_KEY = Error "duplicate-key",
}
