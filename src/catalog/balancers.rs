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
        /// `http-check connect ssl sni …` and several `http-check` rules in order (2.2).
        http_check_connect,
        /// A check's request that carries headers after `HTTP/1.1\r\n` in `option httpchk`: the
        /// only way before 2.2, deprecated since.
        httpchk_header_hack,
        /// Checks over TLS with a verified certificate: `check-ssl`, `verifyhost` (1.5).
        tls_checks,
        /// `check-sni` on a server line (1.8).
        check_sni,
        /// `check`, `check-ssl`, `verify` and the like on a `default-server` line (1.8); before,
        /// each server line repeats them.
        default_server_checks,
        /// `check-alpn` on a server line (1.9): an API server's check speaks HTTP/1.1 with it.
        check_alpn,
        /// `nbthread` (1.8).
        nbthread,
        /// `master-worker` and the `-Ws` option that packages' units use (1.8).
        master_worker,
        /// `stats socket … expose-fd listeners` (1.8): reloads hand sockets over.
        expose_fd_listeners,
        /// `hard-stop-after` (1.8): old processes of a reload end although long connections
        /// are open.
        hard_stop_after,
        /// `ssl-min-ver` in `ssl-default-server-options` (1.8).
        ssl_min_ver,
        /// `init-addr last,libc,none` (1.7).
        init_addr,
        /// `log stdout format raw local0` (1.9).
        log_stdout,
        /// `http-request use-service prometheus-exporter` (2.0 as a build option; in
        /// distributions' packages since 2.2).
        prometheus_exporter,
        /// `strict-limits` exists (2.1): too low a file limit stops the start; on by default
        /// since 2.3.
        strict_limits,
        /// `http-request return` (2.2).
        http_request_return,
        /// `localpeer` (2.2).
        localpeer,
        /// `defaults NAME` and `frontend X from NAME` (2.4).
        named_defaults,
        /// `nbproc` still exists (until 2.4, removed in 2.5).
        nbproc,
        /// `bind … shards` and thread groups (2.5).
        shards,
        /// `option idle-close-on-response` (2.6).
        idle_close_on_response,
        /// `program` sections still exist (2.0 until 3.2, removed in 3.3).
        program_section,
        /// A frontend and a backend of the same name are warned of (3.1).
        same_name_warning,
        /// They stop haproxy (3.3).
        same_name_error,
    }
}

features! {
    /// What a version of nginx's stream module can do.
    /// <https://nginx.org/en/docs/stream/ngx_stream_core_module.html> and its neighbours.
    Nginx,
    /// The features of nginx `version`.
    nginx, "nginx.json",
    {
        /// The stream module exists (1.9.0).
        stream,
        /// Modules can be loaded with `load_module` (1.9.11).
        dynamic_modules,
        /// `log_format` and `access_log` in `stream` (1.11.4).
        stream_access_log,
        /// `return` and `map` in `stream` (1.11.2).
        stream_return,
        /// `max_conns` of an upstream server without a subscription (1.11.5).
        max_conns,
        /// `worker_shutdown_timeout` (1.11.11): reloads end although long connections are open.
        worker_shutdown_timeout,
        /// `random two least_conn` in `upstream` (1.15.1).
        random_two,
        /// `proxy_socket_keepalive` (1.15.6).
        proxy_socket_keepalive,
        /// `resolve` on an upstream server without a subscription (1.27.3).
        upstream_resolve,
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
        /// `vrrp_track_process` (2.0.11).
        track_process,
        /// `vrrp_check_unicast_src` (1.2.20): an advert of nobody in `unicast_peer` is refused.
        check_unicast_src,
        /// `unicast_ttl`, and `min_ttl` of a peer in `unicast_peer` (2.1.0).
        unicast_ttl,
        /// `max_auto_priority` (2.1.0).
        max_auto_priority,
        /// `garp_extra_if` (2.2.4).
        garp_extra_if,
        /// `unicast_fault_no_peer` (2.2.8).
        unicast_fault_no_peer,
        /// `auth_hmac`: HMAC-SHA-256 for VRRP version 3 (2.4.0).
        auth_hmac,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Version;

    fn at(text: &str) -> Version {
        text.parse().expect("a version")
    }

    /// One row per feature: the last version without it (or with it, for what went away), the
    /// first with it, and the fact.
    #[test]
    fn haproxy_features_begin_and_end_where_upstream_says() {
        type Fact = fn(&Haproxy) -> bool;
        let since: [(&str, &str, Fact); 21] = [
            ("2.1.12", "2.2.0", |h| h.http_check_send),
            ("2.1.12", "2.2.0", |h| h.http_check_connect),
            ("1.4.27", "1.5.0", |h| h.tls_checks),
            ("1.7.14", "1.8.0", |h| h.check_sni),
            ("1.7.14", "1.8.0", |h| h.default_server_checks),
            ("1.8.31", "1.9.0", |h| h.check_alpn),
            ("1.7.14", "1.8.0", |h| h.nbthread),
            ("1.7.14", "1.8.0", |h| h.master_worker),
            ("1.7.14", "1.8.0", |h| h.expose_fd_listeners),
            ("1.7.14", "1.8.0", |h| h.hard_stop_after),
            ("1.7.14", "1.8.0", |h| h.ssl_min_ver),
            ("1.6.16", "1.7.0", |h| h.init_addr),
            ("1.8.31", "1.9.0", |h| h.log_stdout),
            ("2.1.12", "2.2.0", |h| h.prometheus_exporter),
            ("2.0.35", "2.1.0", |h| h.strict_limits),
            ("2.1.12", "2.2.0", |h| h.localpeer),
            ("2.3.21", "2.4.0", |h| h.named_defaults),
            ("2.4.30", "2.5.0", |h| h.shards),
            ("1.9.16", "2.0.0", |h| h.program_section),
            ("3.0.10", "3.1.0", |h| h.same_name_warning),
            ("3.2.9", "3.3.0", |h| h.same_name_error),
        ];
        for (before, first, fact) in since {
            assert!(!fact(&haproxy(at(before))), "{before}");
            assert!(fact(&haproxy(at(first))), "{first}");
        }
        let until: [(&str, &str, Fact); 3] = [
            ("2.4.30", "2.5.0", |h| h.nbproc),
            ("3.2.9", "3.3.0", |h| h.program_section),
            ("2.1.12", "2.2.0", |h| h.httpchk_header_hack),
        ];
        for (last, after, fact) in until {
            assert!(fact(&haproxy(at(last))), "{last}");
            assert!(!fact(&haproxy(at(after))), "{after}");
        }
    }

    #[test]
    fn nginx_features_begin_where_upstream_says() {
        type Fact = fn(&Nginx) -> bool;
        let since: [(&str, &str, Fact); 6] = [
            ("1.11.1", "1.11.2", |n| n.stream_return),
            ("1.11.4", "1.11.5", |n| n.max_conns),
            ("1.15.0", "1.15.1", |n| n.random_two),
            ("1.15.5", "1.15.6", |n| n.proxy_socket_keepalive),
            ("1.11.10", "1.11.11", |n| n.worker_shutdown_timeout),
            ("1.27.2", "1.27.3", |n| n.upstream_resolve),
        ];
        for (before, first, fact) in since {
            assert!(!fact(&nginx(at(before))), "{before}");
            assert!(fact(&nginx(at(first))), "{first}");
        }
    }

    #[test]
    fn keepalived_features_begin_where_upstream_says() {
        type Fact = fn(&Keepalived) -> bool;
        let since: [(&str, &str, Fact); 11] = [
            ("1.3.6", "1.3.7", |k| k.vrrp_v3_unicast),
            ("1.2.19", "1.2.20", |k| k.check_unicast_src),
            ("1.2.24", "1.3.0", |k| k.enable_script_security),
            ("2.0.3", "2.0.4", |k| k.config_test),
            ("1.3.4", "1.3.5", |k| k.init_fail),
            ("2.0.10", "2.0.11", |k| k.track_process),
            ("2.0.20", "2.1.0", |k| k.unicast_ttl),
            ("2.0.20", "2.1.0", |k| k.max_auto_priority),
            ("2.2.3", "2.2.4", |k| k.garp_extra_if),
            ("2.2.7", "2.2.8", |k| k.unicast_fault_no_peer),
            ("2.3.4", "2.4.0", |k| k.auth_hmac),
        ];
        for (before, first, fact) in since {
            assert!(!fact(&keepalived(at(before))), "{before}");
            assert!(fact(&keepalived(at(first))), "{first}");
        }
        // CentOS 7's own, and Debian 12's.
        assert!(keepalived(at("1.3.5")).vrrp_v3 && !keepalived(at("1.3.5")).track_process);
        assert!(keepalived(at("2.2.7")).track_process);
    }
}
