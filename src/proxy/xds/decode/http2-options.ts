// HTTP/2's settings and bounds, of listeners and of clusters. What is left out has Envoy's default.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto#config-core-v3-http2protocoloptions
import type { Http2Limits } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";

type Bounds = { -readonly [K in keyof Http2Limits]?: Http2Limits[K] };
type NumberBound = Exclude<keyof Http2Limits, "allowConnect" | "underscores">;

/** [least, most] as Envoy's API says. */
const ANY = [0, 2 ** 32 - 1] as const;
const SOME = [1, 2 ** 32 - 1] as const;
const STREAMS = [1, 2 ** 31 - 1] as const;
const WINDOW = [65_535, 2 ** 31 - 1] as const;

const NUMBERS: readonly (readonly [string, NumberBound, readonly [number, number]])[] = [
  ["hpack_table_size", "headerTableSize", ANY],
  ["max_concurrent_streams", "maxConcurrentStreams", STREAMS],
  ["initial_stream_window_size", "streamWindow", WINDOW],
  ["initial_connection_window_size", "connectionWindow", WINDOW],
  ["max_outbound_frames", "outboundFrames", SOME],
  ["max_outbound_control_frames", "outboundControlFrames", SOME],
  ["max_consecutive_inbound_frames_with_empty_payload", "emptyFrames", ANY],
  ["max_inbound_priority_frames_per_stream", "priorityFramesPerStream", ANY],
  ["max_inbound_window_update_frames_per_data_frame_sent", "windowUpdatesPerData", SOME],
];

export function decodeHttp2Options(reader: Reader | undefined): Partial<Http2Limits> {
  const bounds: Bounds = {};
  if (reader === undefined) return bounds;
  for (const [field, bound, [least, most]] of NUMBERS) {
    const value = reader.optionalNumber(field);
    if (value === undefined) continue;
    if (value < least || value > most) reader.refuse(field, `must be from ${least} to ${most}`);
    bounds[bound] = value;
  }
  if (reader.flag("allow_connect")) bounds.allowConnect = true;
  if (reader.flag("allow_metadata")) reader.refuse("allow_metadata", "is not supported");
  const keepAlive = reader.message("connection_keepalive");
  if (keepAlive !== undefined) {
    bounds.keepAliveIntervalMs = keepAlive.number("interval", 0);
    bounds.keepAliveTimeoutMs = keepAlive.number("timeout", 0);
    if (bounds.keepAliveTimeoutMs === 0) keepAlive.refuse("timeout", "is missing");
  }
  return bounds;
}
