use super::{Map, Value};

/// Applies a JSON merge patch (RFC 7386): maps merge, `null` removes, anything else replaces.
pub fn merge(target: &mut Value, patch: &Value) {
    merge_checked(target, patch);
}

/// What a patch did beside what it says, each field as a list of keys from the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Fields that it removes although they are not there: it does less than its author believes.
    pub absent: Vec<Vec<String>>,
    /// Lists of named things that it replaces, and all that it removes, with the names that are gone:
    /// it does more.
    pub lost: Vec<(Vec<String>, Vec<String>)>,
}

/// As [`merge`], and says what else happened.
pub fn merge_checked(target: &mut Value, patch: &Value) -> Merged {
    let mut merged = Merged::default();
    apply(target, patch, &mut Vec::new(), &mut merged);
    merged
}

/// The names of a list of named things, such as `[{name: v, value: "2"}]`.
fn names(list: &Value) -> Vec<&str> {
    let things = list.as_array().into_iter().flatten();
    things.filter_map(|thing| thing.get("name")?.as_str()).collect()
}

/// What goes with a field that is removed: the named things of its lists, the fields of its maps.
fn lost_below(removed: &Value, at: &mut Vec<String>, merged: &mut Merged) {
    if let Value::Object(fields) = removed {
        for (key, value) in fields {
            at.push(key.clone());
            lost_below(value, at, merged);
            at.pop();
        }
    }
    let fields = removed.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
    let gone: Vec<String> = names(removed).into_iter().chain(fields).map(str::to_owned).collect();
    if !gone.is_empty() {
        merged.lost.push((at.clone(), gone));
    }
}

fn apply(target: &mut Value, patch: &Value, at: &mut Vec<String>, merged: &mut Merged) {
    let Value::Object(patch) = patch else {
        let kept = names(patch);
        let gone = names(target).into_iter().filter(|name| !kept.contains(name));
        let gone: Vec<String> = gone.map(str::to_owned).collect();
        if patch.is_array() && !gone.is_empty() {
            merged.lost.push((at.clone(), gone));
        }
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
            apply(fields.entry(key.clone()).or_insert(Value::Null), value, at, merged);
        } else {
            match fields.shift_remove(key) {
                Some(removed) => lost_below(&removed, at, merged),
                None => merged.absent.push(at.clone()),
            }
        }
        at.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::{Merged, merge, merge_checked};
    use serde_json::json;

    #[test]
    fn a_list_of_named_things_that_loses_some_is_told() {
        let lost = |patch| {
            let mut flags = json!({"a": {"args": [{"name": "v", "value": "2"}, {"name": "ip"}]}});
            merge_checked(&mut flags, &json!({"a": {"args": patch}})).lost
        };
        let place = vec!["a".to_owned(), "args".to_owned()];
        assert_eq!(lost(json!([{"name": "v"}])), [(place, vec!["ip".to_owned()])]);
        assert_eq!(lost(json!([{"name": "x"}, {"name": "ip"}, {"name": "v"}])), []);
        let place = vec!["a".to_owned(), "args".to_owned()];
        assert_eq!(lost(json!(null)), [(place, vec!["v".to_owned(), "ip".to_owned()])]);
    }

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
        let Merged { absent, .. } =
            merge_checked(&mut target, &json!({"a": {"c": null, "b": null}, "d": null}));
        assert_eq!(absent, [vec!["a", "c"], vec!["d"]]);
    }

    #[test]
    fn a_removal_keeps_the_order_of_the_rest() {
        let mut target = json!({"a": 1, "b": 2, "c": 3, "d": 4});
        merge(&mut target, &json!({"a": null}));
        assert_eq!(target.to_string(), r#"{"b":2,"c":3,"d":4}"#);
    }
}
