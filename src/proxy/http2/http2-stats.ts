// Envoy's HTTP/2 codec statistics, bound once: `http2.NAME` under the listener's or the cluster's scope.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/stats#http-2-codec-statistics
import type { Counter, Gauge } from "../observe/stats.ts";
import type { Http2Stats } from "./stream.ts";

/** `counter` and `gauge` are given Envoy's name without the `http2.` in front. */
export function createHttp2Stats(counter: (name: string) => Counter, gauge: (name: string) => Gauge): Http2Stats {
  return {
    droppedHeadersWithUnderscores: counter("dropped_headers_with_underscores"),
    goawaySent: counter("goaway_sent"),
    headerOverflow: counter("header_overflow"),
    headersCbNoStream: counter("headers_cb_no_stream"),
    inboundEmptyFramesFlood: counter("inbound_empty_frames_flood"),
    inboundPriorityFramesFlood: counter("inbound_priority_frames_flood"),
    inboundWindowUpdateFramesFlood: counter("inbound_window_update_frames_flood"),
    keepaliveTimeout: counter("keepalive_timeout"),
    outboundControlFlood: counter("outbound_control_flood"),
    outboundFlood: counter("outbound_flood"),
    requestsRejectedWithUnderscores: counter("requests_rejected_with_underscores_in_headers"),
    rxMessagingError: counter("rx_messaging_error"),
    rxReset: counter("rx_reset"),
    streamRefusedErrors: counter("stream_refused_errors"),
    trailers: counter("trailers"),
    txFlushTimeout: counter("tx_flush_timeout"),
    txReset: counter("tx_reset"),
    streamsActive: gauge("streams_active"),
    pendingSendBytes: gauge("pending_send_bytes"),
  };
}
