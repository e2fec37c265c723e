// HTTP/2 callers and upstreams of the data plane's tests: Node's own codec, so that ours is not its own witness.
import http2 from "node:http2";
import type net from "node:net";
import { once } from "node:events";

export interface Http2Answer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  readonly informational: readonly number[];
  readonly trailers: http2.IncomingHttpHeaders | undefined;
  readonly body: string;
  /** RST_STREAM's code; 0 = it ended well. */
  readonly code: number;
}

export interface Http2Call {
  readonly headers?: http2.OutgoingHttpHeaders;
  /** Sent and ended; left out: there is none. A list is sent in parts. */
  readonly body?: string | Buffer | readonly (string | Buffer)[];
  /** Trailers after the body. */
  readonly trailers?: http2.OutgoingHttpHeaders;
  /** Run with the open stream: for those that steer it themselves. */
  readonly steer?: (stream: http2.ClientHttp2Stream) => void;
}

export interface Http2Caller {
  readonly session: http2.ClientHttp2Session;
  call(path: string, options?: Http2Call): Promise<Http2Answer>;
  stop(): void;
}

export function http2Caller(port: number, settings: http2.Settings = {}): Http2Caller {
  const session = http2.connect(`http://127.0.0.1:${port}`, { settings });
  session.on("error", () => undefined);
  return {
    session,
    stop: () => session.destroy(),
    call(path, options = {}) {
      const { body, trailers, steer } = options;
      const stream = session.request(
        { ":path": path, ":authority": "demo", ...options.headers },
        { endStream: body === undefined && steer === undefined, waitForTrailers: trailers !== undefined },
      );
      if (trailers !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      const answer = readAnswer(stream);
      if (steer !== undefined) steer(stream);
      else if (body !== undefined) {
        const parts = typeof body === "string" || Buffer.isBuffer(body) ? [body] : body;
        for (const part of parts) stream.write(part);
        stream.end();
      }
      return answer;
    },
  };
}

function readAnswer(stream: http2.ClientHttp2Stream): Promise<Http2Answer> {
  const informational: number[] = [];
  let headers: Http2Answer["headers"] = {};
  let trailers: http2.IncomingHttpHeaders | undefined;
  const parts: Buffer[] = [];
  stream.on("headers", (block) => informational.push(Number(block[":status"])));
  stream.on("response", (block) => (headers = block));
  stream.on("trailers", (block) => (trailers = block));
  stream.on("data", (part: Buffer) => parts.push(part));
  stream.on("error", () => undefined);
  return new Promise((done) => {
    stream.on("close", () => {
      const body = Buffer.concat(parts).toString("latin1");
      done({ status: Number(headers[":status"] ?? 0), headers, informational, trailers, body, code: stream.rstCode ?? 0 });
    });
  });
}

export interface Http2Upstream {
  readonly port: number;
  readonly sessions: Set<http2.ServerHttp2Session>;
  /** Streams that have ended, with their RST_STREAM codes. */
  readonly ended: string[];
  stop(): void;
}

export async function startHttp2(
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  settings: http2.Settings = {},
): Promise<Http2Upstream> {
  const server = http2.createServer({ settings });
  const sessions = new Set<http2.ServerHttp2Session>();
  const ended: string[] = [];
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => undefined);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    stream.on("close", () => ended.push(`${headers[":path"] ?? headers[":authority"] ?? ""} ${stream.rstCode}`));
    onStream(stream as http2.ServerHttp2Stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as net.AddressInfo).port,
    sessions,
    ended,
    stop() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}
