use super::{Map, Value};

/// Applies a JSON merge patch (RFC 7386): maps merge, `null` removes, anything else replaces.
pub fn merge(target: &mut Value, patch: &Value) {
    merge_checked(target, patch);
}

/// As [`merge`], and returns each field that the patch removes although it is not there, as a
/// list of keys from the root. Such a patch does less than its author believes.
pub fn merge_checked(target: &mut Value, patch: &Value) -> Vec<Vec<String>> {
    let mut absent = Vec::new();
    apply(target, patch, &mut Vec::new(), &mut absent);
    absent
}

fn apply(target: &mut Value, patch: &Value, at: &mut Vec<String>, absent: &mut Vec<Vec<String>>) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (key, value) in patch {
        at.push(key.clone());
        if !value.is_null() {
            apply(fields.entry(key.clone()).or_insert(Value::Null), value, at, absent);
        } else if fields.shift_remove(key).is_none() {
            absent.push(at.clone());
        }
        at.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::{merge, merge_checked};
    use serde_json::json;

    /// The table of RFC 7386, appendix A.
    #[test]
    fn the_examples_of_the_rfc_hold() {
        for (mut target, patch, expected) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            merge(&mut target, &patch);
            assert_eq!(target, expected);
        }
    }

    #[test]
    fn removing_what_is_not_there_is_noticed() {
        let mut target = json!({"a": {"b": 1}});
        let absent = merge_checked(&mut target, &json!({"a": {"c": null, "b": null}, "d": null}));
        assert_eq!(absent, [vec!["a", "c"], vec!["d"]]);
    }

    #[test]
    fn a_removal_keeps_the_order_of_the_rest() {
        let mut target = json!({"a": 1, "b": 2, "c": 3, "d": 4});
        merge(&mut target, &json!({"a": null}));
        assert_eq!(target.to_string(), r#"{"b":2,"c":3,"d":4}"#);
    }
}
