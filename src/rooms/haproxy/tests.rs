use serde_json::json;

use super::Haproxy;
use crate::rooms::overlaid::complaints;

#[test]
fn what_a_version_cannot_do_and_times_that_mislead_are_told() {
    for (settings, found) in [
        (json!({}), &[][..]),
        (json!({"version": "1.4"}), &["directive-version at version"]),
        (json!({"version": "1.5"}), &[]),
        (json!({"version": "2.1", "metrics": true}), &["directive-version at metrics"]),
        (json!({"version": "2.1", "metrics": false}), &[]),
        (json!({"version": "2.2", "metrics": true}), &[]),
        (json!({"idleTimeout": "2147483647ms"}), &[]),
        (json!({"idleTimeout": "2147483648ms"}), &["timeout-range at idleTimeout"]),
        (json!({"checkTimeout": "2s"}), &["slow-is-down at checkTimeout"]),
        (json!({"checkTimeout": "2001ms"}), &[]),
        (json!({"fall": 1, "checkInterval": "1s"}), &["slow-is-down at fall"]),
        (json!({"fall": 1, "checkInterval": "1001ms"}), &[]),
        (json!({"fall": 2, "checkInterval": "1s"}), &[]),
    ] {
        let said = complaints(&Haproxy, &json!({"loadBalancer": {"haproxy": settings}}));
        let short = |one: &String| one.replace("haproxy/", "").replace("loadBalancer.haproxy.", "");
        assert_eq!(said.iter().map(short).collect::<Vec<_>>(), found, "{settings}");
    }
}
