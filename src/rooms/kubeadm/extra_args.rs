//! Flags in the form of the release: a map of texts, or a list of names and values (v1beta4).

use serde_json::{Map, Value, json};

use crate::catalog::ExtraArgsForm;
use crate::control_plane::arguments::Flags;

pub(super) fn written(form: ExtraArgsForm, flags: &Flags) -> Value {
    match form {
        ExtraArgsForm::Map => flags
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect::<Map<_, _>>()
            .into(),
        ExtraArgsForm::List => {
            flags.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn flags_are_texts_in_both_forms() {
        let flags = BTreeMap::from([("v".to_owned(), "2".to_owned())]);
        assert_eq!(written(ExtraArgsForm::Map, &flags), json!({"v": "2"}));
        assert_eq!(written(ExtraArgsForm::List, &flags), json!([{"name": "v", "value": "2"}]));
    }
}
