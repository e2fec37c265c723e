/** Bounds and settings of a session; `http2Limits()` of the codec gives Envoy's defaults. */
export interface Http2Limits {
  /** SETTINGS_MAX_CONCURRENT_STREAMS for what the peer opens. */
  readonly maxConcurrentStreams: number;
  /** Bytes a peer may have under way on a stream and on the connection. A stream starts with at most 256 KiB and grows to this while its reader keeps up. */
  readonly streamWindow: number;
  readonly connectionWindow: number;
  /** Dynamic tables of HPACK, both ways. */
  readonly headerTableSize: number;
  /** Names and values of one block with 32 bytes each, and their number. */
  readonly headerListBytes: number;
  readonly headerCount: number;
  /** Bytes that may wait in one stream. */
  readonly queuedBytes: number;
  /** PING and SETTINGS acknowledgements and RST_STREAM that wait to be written. */
  readonly outboundControlFrames: number;
  /** All frames that wait to be written. */
  readonly outboundFrames: number;
  /** DATA, HEADERS and CONTINUATION frames in a row without payload or end. */
  readonly emptyFrames: number;
  /** PRIORITY frames for each stream that is open, and this many to begin with. */
  readonly priorityFramesPerStream: number;
  /** WINDOW_UPDATE frames for each DATA frame that was sent. */
  readonly windowUpdatesPerData: number;
  /** How long a message whose end was handed over may wait for the peer's windows without any progress (at most twice that); 0 = for ever. */
  readonly flushTimeoutMs: number;
  /** Extended CONNECT is offered to clients. */
  readonly allowConnect: boolean;
  /** `x_y: z`: kept, left out, or its request reset. */
  readonly underscores: "allow" | "drop" | "reject";
  /** Keep-alive PINGs; 0 = none. */
  readonly keepAliveIntervalMs: number;
  readonly keepAliveTimeoutMs: number;
}
