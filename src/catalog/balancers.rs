//! What each version of haproxy, nginx and keepalived can do.

use super::feature::features;

features! {
    /// What a version of haproxy can do. Source of every field: the "configuration.txt" of the
    /// version, <https://docs.haproxy.org/>, and the CHANGELOG of the release that brought it.
    Haproxy,
    /// The features of haproxy `version`.
    haproxy, "haproxy.json",
    {
        /// `http-check send meth … uri … hdr …` (2.2). Before, a check's headers can only be
        /// smuggled into the version field of `option httpchk`.
        http_check_send,
        /// Checks over TLS with a verified certificate: `check-ssl`, `verifyhost` (1.5).
        tls_checks,
        /// `check-sni` on a server line (1.8).
        check_sni,
        /// `check`, `check-ssl`, `verify` and the like on a `default-server` line (1.8); before,
        /// each server line repeats them.
        default_server_checks,
        /// `hard-stop-after` (1.8): old processes of a reload end although long connections
        /// are open.
        hard_stop_after,
        /// `log stdout format raw local0` (1.9).
        log_stdout,
        /// `http-request use-service prometheus-exporter` (2.0 as a build option; in
        /// distributions' packages since 2.2).
        prometheus_exporter,
    }
}

features! {
    /// What a version of nginx's stream module can do.
    /// <https://nginx.org/en/docs/stream/ngx_stream_core_module.html> and its neighbours.
    Nginx,
    /// The features of nginx `version`.
    nginx, "nginx.json",
    {
        /// `log_format` and `access_log` in `stream` (1.11.4).
        stream_access_log,
        /// `return` and `map` in `stream` (1.11.2).
        stream_return,
        /// `worker_shutdown_timeout` (1.11.11): reloads end although long connections are open.
        worker_shutdown_timeout,
        /// `proxy_socket_keepalive` (1.15.6).
        proxy_socket_keepalive,
    }
}

features! {
    /// What a version of keepalived can do. Source: its man page keepalived.conf(5) and its
    /// release notes, <https://www.keepalived.org/changelog.html>.
    Keepalived,
    /// The features of keepalived `version`.
    keepalived, "keepalived.json",
    {
        /// `vrrp_version 3` and with it advertisement intervals below a second (1.2.8).
        vrrp_v3,
        /// Adverts of version 3 reach every IPv4 unicast peer (1.3.7). Before, the checksum for one
        /// peer went into that for the next (`vrrp_build_vrrp_v3` in keepalived/vrrp/vrrp.c), so
        /// all but the first called the adverts bogus.
        vrrp_v3_unicast,
        /// `script_user` and `enable_script_security` (1.3.0); without them a script runs as
        /// root with a complaint.
        enable_script_security,
        /// `init_fail` of a `vrrp_script` (1.3.5): a check counts as failed until it passed.
        init_fail,
        /// `keepalived --config-test` (2.0.4).
        config_test,
        /// `vrrp_check_unicast_src` (1.2.20): an advert of nobody in `unicast_peer` is refused.
        check_unicast_src,
        /// `unicast_ttl`, and `min_ttl` of a peer in `unicast_peer` (2.1.0).
        unicast_ttl,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Version;

    fn at(text: &str) -> Version {
        text.parse().expect("a version")
    }

    /// One row per feature: the last version without it, the first with it, and the fact.
    #[test]
    fn haproxy_features_begin_where_upstream_says() {
        type Fact = fn(&Haproxy) -> bool;
        let since: [(&str, &str, Fact); 7] = [
            ("2.1.12", "2.2.0", |h| h.http_check_send),
            ("1.4.27", "1.5.0", |h| h.tls_checks),
            ("1.7.14", "1.8.0", |h| h.check_sni),
            ("1.7.14", "1.8.0", |h| h.default_server_checks),
            ("1.7.14", "1.8.0", |h| h.hard_stop_after),
            ("1.8.31", "1.9.0", |h| h.log_stdout),
            ("2.1.12", "2.2.0", |h| h.prometheus_exporter),
        ];
        for (before, first, fact) in since {
            assert!(!fact(&haproxy(at(before))), "{before}");
            assert!(fact(&haproxy(at(first))), "{first}");
        }
    }

    #[test]
    fn nginx_features_begin_where_upstream_says() {
        type Fact = fn(&Nginx) -> bool;
        let since: [(&str, &str, Fact); 4] = [
            ("1.11.1", "1.11.2", |n| n.stream_return),
            ("1.11.3", "1.11.4", |n| n.stream_access_log),
            ("1.15.5", "1.15.6", |n| n.proxy_socket_keepalive),
            ("1.11.10", "1.11.11", |n| n.worker_shutdown_timeout),
        ];
        for (before, first, fact) in since {
            assert!(!fact(&nginx(at(before))), "{before}");
            assert!(fact(&nginx(at(first))), "{first}");
        }
    }

    #[test]
    fn keepalived_features_begin_where_upstream_says() {
        type Fact = fn(&Keepalived) -> bool;
        let since: [(&str, &str, Fact); 7] = [
            ("1.2.7", "1.2.8", |k| k.vrrp_v3),
            ("1.3.6", "1.3.7", |k| k.vrrp_v3_unicast),
            ("1.2.19", "1.2.20", |k| k.check_unicast_src),
            ("1.2.24", "1.3.0", |k| k.enable_script_security),
            ("2.0.3", "2.0.4", |k| k.config_test),
            ("1.3.4", "1.3.5", |k| k.init_fail),
            ("2.0.20", "2.1.0", |k| k.unicast_ttl),
        ];
        for (before, first, fact) in since {
            assert!(!fact(&keepalived(at(before))), "{before}");
            assert!(fact(&keepalived(at(first))), "{first}");
        }
    }
}
