// Envoy's defaults for HTTP/2 (Http2ProtocolOptions and HttpProtocolOptions), which Istio leaves as they are.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto#config-core-v3-http2protocoloptions
import type { Http2Limits } from "../config/index.ts";

const DEFAULTS: Http2Limits = {
  maxConcurrentStreams: 1024,
  streamWindow: 16 * 1024 * 1024,
  connectionWindow: 24 * 1024 * 1024,
  headerTableSize: 4096,
  headerListBytes: 60 * 1024,
  headerCount: 100,
  queuedBytes: 16 * 1024 * 1024,
  outboundControlFrames: 1000,
  outboundFrames: 10_000,
  emptyFrames: 1,
  priorityFramesPerStream: 100,
  windowUpdatesPerData: 10,
  // The stream idle timeout's default.
  flushTimeoutMs: 300_000,
  allowConnect: false,
  underscores: "allow",
  keepAliveIntervalMs: 0,
  keepAliveTimeoutMs: 0,
};

/** The defaults with what the config says otherwise; windows within what HTTP/2 allows. */
export function http2Limits(own: Partial<Http2Limits> = {}): Http2Limits {
  const limits = { ...DEFAULTS, ...own };
  return {
    ...limits,
    streamWindow: Math.min(Math.max(limits.streamWindow, 1), 0x7fff_ffff),
    connectionWindow: Math.min(Math.max(limits.connectionWindow, 65_535), 0x7fff_ffff),
  };
}
