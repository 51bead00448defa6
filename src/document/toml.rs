//! TOML through the crate `toml`, which puts a table's own values before its tables, as the
//! syntax wants it.

use super::{HEADER, Value};

/// What TOML has no form for: a `null` (in a list, where a merge patch keeps it), or an integer
/// beyond 64 bits with a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoTomlForm(String);

impl std::fmt::Display for NoTomlForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A TOML document under [`HEADER`] and these lines of comment.
///
/// # Errors
/// Where a value has no form in TOML.
pub fn toml(document: &Value, comment: &str) -> Result<Vec<u8>, NoTomlForm> {
    let faulty = |error: toml::ser::Error| NoTomlForm(error.to_string());
    // A table of its own first: the writer alone lets integers pass that no reader takes.
    let table = toml::Table::try_from(document).map_err(faulty)?;
    let text = toml::to_string(&table).map_err(faulty)?;
    let mut out = HEADER.to_owned();
    for line in comment.lines() {
        out.push_str(&format!("# {line}\n"));
    }
    out.push_str(&text);
    Ok(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::toml;

    #[test]
    fn values_stand_before_tables_wherever_they_were() {
        let document =
            json!({"plugins": {"io.b/c": {"z": {"k": ["a"]}, "on": true}}, "version": 3});
        let text = String::from_utf8(toml(&document, "Why.").unwrap()).unwrap();
        assert_eq!(text.lines().nth(1), Some("# Why."));
        let read: toml::Table = text.parse().unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), document);
    }

    #[test]
    fn what_toml_cannot_say_is_an_error() {
        for document in [json!({"a": [null]}), json!({"a": u64::MAX}), json!({"a": {"b": null}})] {
            assert!(toml(&document, "").is_err(), "{document}");
        }
    }
}
