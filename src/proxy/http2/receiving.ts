// What the peer's frames mean for the session and its streams (RFC 9113 sections 5, 6 and 8): which are errors of a stream, which of the connection.
import { BAD_MESSAGE, Block, UNDERSCORE } from "./block.ts";
import type { FrameFlood, FrameSink } from "./frame-reader.ts";
import * as F from "./frames.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import type { OpenStream } from "./open-stream.ts";
import { ENDED, RESET_BY_PEER, RESET_HERE } from "./past-streams.ts";
import type { Session } from "./session.ts";

const { H2 } = F;

/** Informational responses to one request. */
const MAX_INFORMATIONAL = 32;
const NO_LIMIT = 0xffff_ffff;

const TOO_LARGE = { bytes: "http2.header_list_size_too_large", count: "http2.too_many_headers" } as const;

export class Receiving implements FrameSink {
  private readonly session: Session;
  private readonly decoder: HpackDecoder;
  /** Whose DATA is under way; undefined = nobody wants it. */
  private dataStream: OpenStream | undefined = undefined;
  private dataEnds = false;

  constructor(session: Session) {
    this.session = session;
    this.decoder = new HpackDecoder(session.limits);
  }

  onBroken(code: number): void {
    this.session.fail(code, "protocol");
  }

  onFlood(what: FrameFlood): void {
    this.session.onInboundFlood(what);
  }

  private isIdle(id: number): boolean {
    const { session } = this;
    if ((id & 1) === 0) return true;
    return session.server ? id > session.lastPeerId && id <= session.acceptUpTo : id >= session.nextId;
  }

  /** DATA or HEADERS for a stream that is no more. */
  private onPastStream(id: number, data: boolean): void {
    const { session } = this;
    if (session.server && id > session.acceptUpTo) return;
    switch (session.past.howEnded(id)) {
      case ENDED:
        session.fail(H2.STREAM_CLOSED, "protocol");
        break;
      case RESET_BY_PEER:
        session.refuse(id, H2.STREAM_CLOSED);
        break;
      case RESET_HERE:
        // Was on its way when it was reset: up to a whole window of data.
        if (!data && !session.guard.fault()) session.flood();
        break;
      default:
        if (!session.guard.fault()) session.flood();
    }
  }

  // DATA

  onData(id: number, cost: number, length: number, endStream: boolean): void {
    const { session } = this;
    this.dataStream = undefined;
    if (this.isIdle(id)) {
      session.fail(H2.PROTOCOL_ERROR, "protocol");
      return;
    }
    if (!session.window.take(cost)) {
      session.fail(H2.FLOW_CONTROL_ERROR, "protocol");
      return;
    }
    if (cost > length) session.creditConnection(cost - length);
    session.guard.receivedData();
    const stream = session.streams.get(id);
    if (stream === undefined) {
      this.onPastStream(id, true);
      return;
    }
    stream.recvWindow -= cost;
    stream.received += length;
    if (stream.remoteDone) session.streamError(stream, H2.STREAM_CLOSED);
    else if (stream.recvWindow < 0) session.streamError(stream, H2.FLOW_CONTROL_ERROR);
    else if ((!session.server && !stream.headed) || !fitsLength(stream, endStream)) this.malformed(stream, BAD_MESSAGE);
    else {
      this.dataStream = stream;
      this.dataEnds = endStream;
      // Padding alone earns credit too.
      if (length === 0) stream.creditStream();
    }
  }

  onDataPart(buf: Buffer, from: number, to: number, last: boolean): void {
    const stream = this.dataStream;
    if (last) this.dataStream = undefined;
    if (stream === undefined || stream.closed) this.session.creditConnection(to - from);
    else stream.receive(buf.subarray(from, to), last && this.dataEnds);
  }

  // HEADERS

  onBlock(id: number, endStream: boolean, buf: Buffer, from: number, to: number): void {
    const { session, decoder } = this;
    if (!decoder.decode(buf, from, to)) {
      session.fail(H2.COMPRESSION_ERROR, "protocol");
      return;
    }
    const stream = session.streams.get(id);
    if (stream !== undefined) {
      if (session.depends === id) session.streamError(stream, H2.PROTOCOL_ERROR);
      else if (stream.remoteDone) session.streamError(stream, H2.STREAM_CLOSED);
      else if (session.server || stream.headed) this.onTrailers(stream, endStream);
      else this.onResponse(stream, endStream);
      return;
    }
    if (session.server && (id & 1) === 1 && id > session.lastPeerId) {
      if (id <= session.acceptUpTo) this.onRequest(id, endStream);
      return;
    }
    session.stats.headersCbNoStream.value++;
    if (this.isIdle(id) || (session.server && session.past.howEnded(id) === 0)) session.fail(H2.PROTOCOL_ERROR, "protocol");
    else this.onPastStream(id, false);
  }

  private onRequest(id: number, endStream: boolean): void {
    const { session, decoder } = this;
    session.lastPeerId = id;
    if (session.streams.size >= session.limits.maxConcurrentStreams) {
      session.stats.streamRefusedErrors.value++;
      session.refuse(id, H2.REFUSED_STREAM);
      return;
    }
    if (session.depends === id) {
      session.refuse(id, H2.PROTOCOL_ERROR);
      return;
    }
    const block = new Block(decoder.headers);
    if (decoder.oversized !== "") {
      this.onOversizedRequest(id, block, endStream);
      return;
    }
    const wrong = block.readRequest(session.limits);
    session.stats.droppedHeadersWithUnderscores.value += block.dropped;
    if (wrong !== "" || (endStream && block.contentLength > 0 && block.method !== "CONNECT")) {
      this.malformedRequest(id, wrong === "" ? BAD_MESSAGE : wrong);
      return;
    }
    const stream = session.addStream(id);
    stream.tunnel = block.method === "CONNECT";
    if (!stream.tunnel) stream.expected = block.contentLength;
    stream.remoteDone = endStream;
    stream.remoteEnded = endStream;
    session.handler.onRequest(stream, block, endStream);
  }

  private malformedRequest(id: number, details: string): void {
    const { session } = this;
    if (details === UNDERSCORE) session.stats.requestsRejectedWithUnderscores.value++;
    else session.stats.rxMessagingError.value++;
    session.handler.onMalformedRequest(details);
    session.refuse(id, H2.PROTOCOL_ERROR);
  }

  private onOversizedRequest(id: number, block: Block, endStream: boolean): void {
    const { session, decoder } = this;
    session.stats.headerOverflow.value++;
    block.readOversized();
    const stream = session.addStream(id);
    if (decoder.oversized !== "") stream.details = TOO_LARGE[decoder.oversized];
    stream.remoteDone = endStream;
    stream.remoteEnded = endStream;
    session.handler.onOversizedRequest(stream, block);
    if (!session.guard.oversized()) session.flood();
  }

  private onResponse(stream: OpenStream, endStream: boolean): void {
    const { session, decoder } = this;
    if (decoder.oversized !== "") {
      this.tooLarge(stream, decoder.oversized);
      return;
    }
    const block = new Block(decoder.headers);
    const wrong = block.readResponse();
    if (wrong !== "") {
      this.malformed(stream, wrong);
      return;
    }
    const { status } = block;
    if (status < 200) {
      if (endStream || ++stream.informational > MAX_INFORMATIONAL) this.malformed(stream, BAD_MESSAGE);
      else stream.user?.onHeaders(block, false);
      return;
    }
    stream.headed = true;
    if (stream.tunnel && status < 300) stream.expected = -1;
    else if (stream.bodiless || status === 204 || status === 304) {
      // The length is what the body would have had.
      stream.expected = 0;
    } else stream.expected = block.contentLength;
    if (endStream && stream.expected > 0) {
      this.malformed(stream, BAD_MESSAGE);
      return;
    }
    stream.remoteDone = endStream;
    stream.remoteEnded = endStream;
    stream.user?.onHeaders(block, endStream);
    if (endStream) session.onRemoteDone(stream);
  }

  /** Answers and trailers, of which there is no smaller version to go on with. */
  private tooLarge(stream: OpenStream, what: keyof typeof TOO_LARGE): void {
    this.session.stats.headerOverflow.value++;
    stream.details = TOO_LARGE[what];
    this.session.streamError(stream, H2.ENHANCE_YOUR_CALM);
  }

  private onTrailers(stream: OpenStream, endStream: boolean): void {
    const { session, decoder } = this;
    session.stats.trailers.value++;
    if (decoder.oversized !== "") {
      this.tooLarge(stream, decoder.oversized);
      return;
    }
    const block = new Block(decoder.headers);
    const wrong = block.readTrailers(session.server ? session.limits.underscores : "allow");
    // A tunnel has no trailers (section 8.5).
    if (wrong !== "" || !endStream || stream.tunnel || !fitsLength(stream, true))
      this.malformed(stream, wrong === "" ? BAD_MESSAGE : wrong);
    else stream.receiveTrailers(block);
  }

  private malformed(stream: OpenStream, details: string): void {
    stream.details = details;
    this.session.stats.rxMessagingError.value++;
    this.session.streamError(stream, H2.PROTOCOL_ERROR);
  }

  // The rest

  onPriority(id: number, depends: number): void {
    const { session } = this;
    if (!session.guard.priority()) {
      session.stats.inboundPriorityFramesFlood.value++;
      session.flood();
      return;
    }
    if (depends >= 0 && depends !== id) return;
    const code = depends < 0 ? H2.FRAME_SIZE_ERROR : H2.PROTOCOL_ERROR;
    const stream = session.streams.get(id);
    if (stream !== undefined) session.streamError(stream, code);
    // No stream that could be reset.
    else session.fail(code, "protocol");
  }

  onResetFrame(id: number, code: number): void {
    const { session } = this;
    const stream = session.streams.get(id);
    if (stream !== undefined) {
      session.stats.rxReset.value++;
      session.onPeerReset(stream, code);
    } else if (this.isIdle(id)) session.fail(H2.PROTOCOL_ERROR, "protocol");
    else if (!session.guard.fault()) session.flood();
  }

  onSettingsFrame(buf: Buffer, from: number, to: number): void {
    const { session } = this;
    const { sending, output } = session;
    if (!session.guard.probe()) {
      session.stats.outboundControlFlood.value++;
      session.flood();
      return;
    }
    if (!session.settled) session.peerMaxStreams = NO_LIMIT;
    let window = sending.initialWindow;
    for (let at = from; at < to; at += 6) {
      const id = buf.readUInt16BE(at);
      const value = buf.readUInt32BE(at + 2);
      const code = this.checkSetting(id, value);
      if (code !== H2.NO_ERROR) {
        session.fail(code, "protocol");
        return;
      }
      if (id === F.SET_HEADER_TABLE_SIZE) sending.encoder.resize(value);
      else if (id === F.SET_MAX_CONCURRENT_STREAMS) session.peerMaxStreams = value;
      else if (id === F.SET_INITIAL_WINDOW_SIZE) window = value;
      else if (id === F.SET_ENABLE_CONNECT_PROTOCOL) session.peerAllowsConnect = value === 1;
    }
    session.settled = true;
    if (!sending.setInitialWindow(window, session.streams)) {
      session.fail(H2.FLOW_CONTROL_ERROR, "protocol");
      return;
    }
    output.frame(F.SETTINGS, F.ACK, 0, 0);
    output.countControl();
    sending.pump();
    session.handler.onSettings();
  }

  private checkSetting(id: number, value: number): number {
    const { session } = this;
    switch (id) {
      case F.SET_ENABLE_PUSH:
        return value > 1 || (value === 1 && !session.server) ? H2.PROTOCOL_ERROR : H2.NO_ERROR;
      case F.SET_INITIAL_WINDOW_SIZE:
        return value > F.MAX_WINDOW ? H2.FLOW_CONTROL_ERROR : H2.NO_ERROR;
      case F.SET_MAX_FRAME_SIZE:
        return value < F.MAX_FRAME || value > 0xff_ffff ? H2.PROTOCOL_ERROR : H2.NO_ERROR;
      case F.SET_ENABLE_CONNECT_PROTOCOL:
        return value > 1 || (value === 0 && session.peerAllowsConnect) ? H2.PROTOCOL_ERROR : H2.NO_ERROR;
      default:
        return H2.NO_ERROR;
    }
  }

  onSettingsAck(): void {
    const { session } = this;
    if (session.acknowledged) {
      if (!session.guard.probe()) session.flood();
      return;
    }
    session.acknowledged = true;
    this.decoder.acknowledged();
  }

  onPing(buf: Buffer, from: number): void {
    const { session } = this;
    if (!session.guard.probe()) {
      session.stats.outboundControlFlood.value++;
      session.flood();
      return;
    }
    session.output.frame(F.PING, F.ACK, 0, 8);
    session.output.bytes(buf, from, from + 8);
    session.output.countControl();
  }

  onPong(buf: Buffer, from: number): void {
    const { session } = this;
    if (!session.guard.probe()) session.flood();
    else if (buf.readUInt32BE(from) === 0) session.onPong(buf.readUInt32BE(from + 4));
  }

  onGoAway(last: number, code: number): void {
    if (this.session.guard.probe()) this.session.onPeerGoAway(last, code);
    else this.session.flood();
  }

  onWindowUpdate(id: number, increment: number): void {
    const { session } = this;
    if (!session.guard.windowUpdate()) {
      session.stats.inboundWindowUpdateFramesFlood.value++;
      session.flood();
      return;
    }
    if (id === 0) {
      if (increment === 0) session.fail(H2.PROTOCOL_ERROR, "protocol");
      else if (!session.sending.widen(increment)) session.fail(H2.FLOW_CONTROL_ERROR, "protocol");
      return;
    }
    const stream = session.streams.get(id);
    if (stream === undefined) {
      if (this.isIdle(id)) session.fail(H2.PROTOCOL_ERROR, "protocol");
      return;
    }
    if (increment === 0) session.streamError(stream, H2.PROTOCOL_ERROR);
    else if (!session.sending.widenStream(stream, increment)) session.streamError(stream, H2.FLOW_CONTROL_ERROR);
  }

  onUnknownFrame(): void {
    if (!this.session.guard.probe()) this.session.flood();
  }
}

/** The bytes so far are not more than the peer said, and at the end not fewer (section 8.1.1). */
function fitsLength(stream: OpenStream, ended: boolean): boolean {
  const { expected, received } = stream;
  return expected < 0 || received === expected || (received < expected && !ended);
}
