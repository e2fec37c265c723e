// A listener's counters under Envoy's names. https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/stats
import { type Counter, type Gauge, scopedSpec, type Stats } from "../observe/stats.ts";
import { isSocketPath } from "../transport/socket-path.ts";
import { createSslStats, type SslStats } from "../transport/ssl-stats.ts";

export interface ListenerStats {
  readonly cxTotal: Counter;
  readonly cxActive: Gauge;
  readonly cxDestroy: Counter;
  readonly preCxTimeout: Counter;
  readonly filterError: Counter;
  readonly noFilterChain: Counter;
  readonly overloadReject: Counter;
  readonly globalOverflow: Counter;
  readonly secretsNotReady: Counter;
  readonly ssl: SslStats;
}

/** Of the inspector of all listeners. */
export interface TlsInspectorStats {
  found(serverName: string, protocols: readonly string[]): void;
  readonly notFound: Counter;
  readonly tooLarge: Counter;
}

function socketText({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(":") ? `[${host.replaceAll(":", "_")}]` : host}_${port}`;
}

export function createListenerStats(stats: Stats, address: { readonly host: string; readonly port: number }): ListenerStats {
  const value = isSocketPath(address.host) ? address.host.replaceAll(":", "_") : socketText(address);
  const scope = { prefix: "listener", tag: "envoy.listener_address", value };
  const counter = (suffix: string): Counter => stats.counter(scopedSpec(scope, suffix));
  return {
    cxTotal: counter("downstream_cx_total"),
    cxActive: stats.gauge(scopedSpec(scope, "downstream_cx_active")),
    cxDestroy: counter("downstream_cx_destroy"),
    preCxTimeout: counter("downstream_pre_cx_timeout"),
    filterError: counter("downstream_listener_filter_error"),
    noFilterChain: counter("no_filter_chain_match"),
    overloadReject: counter("downstream_cx_overload_reject"),
    globalOverflow: counter("downstream_global_cx_overflow"),
    secretsNotReady: counter("server_ssl_socket_factory.downstream_context_secrets_not_ready"),
    ssl: createSslStats(stats, scope),
  };
}

export function createTlsInspectorStats(stats: Stats): TlsInspectorStats {
  const counter = (name: string): Counter => stats.counter({ name: `tls_inspector.${name}`, tags: {}, fullName: `tls_inspector.${name}` });
  const tls = counter("tls_found");
  const sni = { found: counter("sni_found"), missing: counter("sni_not_found") };
  const alpn = { found: counter("alpn_found"), missing: counter("alpn_not_found") };
  return {
    notFound: counter("tls_not_found"),
    tooLarge: counter("client_hello_too_large"),
    found(serverName, protocols) {
      tls.value++;
      (serverName === "" ? sni.missing : sni.found).value++;
      (protocols.length === 0 ? alpn.missing : alpn.found).value++;
    },
  };
}
