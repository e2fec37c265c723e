// The first bytes of a session: a client's preface, and SETTINGS with what differs from RFC 9113's defaults.
import * as F from "./frames.ts";
import type { Output } from "./output.ts";
import type { Http2Limits } from "../config/index.ts";

/** `window` is what each stream starts with. */
export function writeGreeting(output: Output, limits: Http2Limits, options: { readonly server: boolean; readonly window: number }): void {
  const settings: [id: number, value: number][] = [[F.SET_INITIAL_WINDOW_SIZE, options.window]];
  if (limits.headerTableSize !== 4096) settings.push([F.SET_HEADER_TABLE_SIZE, limits.headerTableSize]);
  if (options.server) {
    settings.push([F.SET_MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams]);
    if (limits.allowConnect) settings.push([F.SET_ENABLE_CONNECT_PROTOCOL, 1]);
  } else {
    output.text(F.PREFACE);
    settings.push([F.SET_ENABLE_PUSH, 0]);
  }
  output.frame(F.SETTINGS, 0, 0, settings.length * 6);
  for (const [id, value] of settings) {
    output.u16(id);
    output.u32(value);
  }
}
