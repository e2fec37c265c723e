// Upstreams of the cases, all on 127.0.0.1:
//   31001-31012 HTTP/1.1 and WebSocket      32001-32006 TCP: sends its port as a line, then echoes
//   33001-33006 HTTP/2 without TLS          34001-34004 TLS, h2 or http/1.1
//   34005-34006 HTTP/1.1 in TLS that accepts any ALPN, as a sidecar's inbound side does
// and on the Unix sockets @serin-31013 (HTTP/1.1) and @serin-32007 (TCP), which have no file.
// Every HTTP answer holds what the upstream saw. The request header x-echo steers it ("key=value;key=value", see README.md).
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import http2, { type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import https from "node:https";
import net, { type Server, type Socket } from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

type Request = http.IncomingMessage | Http2ServerRequest;
type Response = http.ServerResponse | Http2ServerResponse;
type Plan = Partial<Record<string, string>> & { readonly hdrs: readonly string[] };

export interface Echo {
  /** Forgets what earlier cases asked for and cuts what they left open. */
  reset(): void;
}

// x-echo as an object; hdr may stand several times. With at=, status, delay, fail and reset count only for the ports named there.
function planFor(text: string | undefined, port: number): Plan {
  const hdrs: string[] = [];
  const plan: Record<string, string> = {};
  for (const part of (text ?? "").split(";")) {
    const at = part.indexOf("=");
    if (at <= 0) continue;
    const key = part.slice(0, at).trim();
    const value = part.slice(at + 1).trim();
    if (key === "hdr") hdrs.push(value);
    else plan[key] = value;
  }
  if (plan["at"] !== undefined && !plan["at"].split(",").includes(String(port))) {
    for (const key of ["status", "delay", "fail", "reset"]) delete plan[key];
  }
  return Object.assign(plan, { hdrs }) as Plan;
}

function headerPairs(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([(raw[i] ?? "").toLowerCase(), raw[i + 1] ?? ""]);
  return pairs.filter(([name]) => !name.startsWith(":"));
}

const streamOf = (x: Request | Response): http2.ServerHttp2Stream | undefined =>
  "stream" in x ? (x.stream as http2.ServerHttp2Stream) : undefined;

function tlsInfo(request: Request): unknown {
  const socket = (streamOf(request)?.session?.socket ?? request.socket) as TLSSocket;
  return {
    sni: (socket as { servername?: string | false }).servername || null,
    alpn: socket.alpnProtocol || null,
    version: socket.getProtocol?.() ?? null,
    peer: socket.getPeerCertificate?.()?.subjectaltname ?? null,
  };
}

function cut(request: Request): void {
  const session = streamOf(request)?.session;
  if (session) session.destroy();
  else request.socket.destroy();
}

function answerGrpc(response: Response, options: { status: number; plan: Plan; only: string | undefined }): void {
  const { plan, only } = options;
  const stream = streamOf(response);
  if (stream === undefined) return;
  const message = plan["msg"] === undefined ? {} : { "grpc-message": plan["msg"] };
  if (only !== undefined) {
    stream.respond({ ":status": 200, ...response.getHeaders(), "grpc-status": only, ...message }, { endStream: true });
    return;
  }
  const h2 = response as Http2ServerResponse & { setTrailer(name: string, value: string): void };
  h2.setTrailer("grpc-status", plan["grpc"] ?? "0");
  if (plan["msg"] !== undefined) h2.setTrailer("grpc-message", plan["msg"]);
  h2.writeHead(options.status);
  h2.end();
}

interface Exchange {
  readonly port: number;
  readonly request: Request;
  readonly response: Response;
  readonly plan: Plan;
  readonly info: unknown;
  readonly nth: number;
}

function createAnswers(attempts: Map<string, number>): (exchange: Exchange) => void {
  return ({ port, request, response, plan, info, nth }) => {
    let status = Number(plan["status"] ?? 200);
    let only: string | undefined;
    if (plan["fail"] !== undefined) {
      const id = plan["id"] ?? "-";
      const n = (attempts.get(id) ?? 0) + 1;
      attempts.set(id, n);
      response.setHeader("x-attempts", String(n));
      if (n <= Number(plan["fail"])) {
        if (plan["reset"] !== undefined) return cut(request);
        status = Number(plan["failstatus"] ?? (plan["failgrpc"] === undefined ? 503 : 200));
        only = plan["failgrpc"];
      }
    }
    const answer = (): void => {
      if (response.destroyed) return;
      for (const h of plan.hdrs) response.setHeader(h.slice(0, h.indexOf(":")), h.slice(h.indexOf(":") + 1));
      response.setHeader("x-server", String(port));
      if (plan["conn"] !== undefined) response.setHeader("x-conn-request", String(nth));
      if (plan["grpc"] !== undefined || (request.headers["content-type"] ?? "").startsWith("application/grpc")) {
        response.setHeader("content-type", "application/grpc");
        response.setHeader("x-seen", Buffer.from(JSON.stringify(info)).toString("base64"));
        if (streamOf(response) !== undefined) return answerGrpc(response, { status, plan, only });
      }
      response.statusCode = status;
      response.setHeader("content-type", "application/json");
      (response as http.ServerResponse).end(request.method === "HEAD" ? undefined : JSON.stringify(info));
    };
    setTimeout(answer, Number(plan["delay"] ?? 0));
  };
}

function onRequest(port: number, withTls: boolean, answer: (exchange: Exchange) => void): (request: Request, response: Response) => void {
  const onConnection = new WeakMap<object, number>();
  return (request, response) => {
    const connection = streamOf(request)?.session ?? request.socket;
    const nth = (onConnection.get(connection) ?? 0) + 1;
    onConnection.set(connection, nth);
    const chunks: Buffer[] = [];
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("data", (b: Buffer) => chunks.push(b));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("latin1");
      const info = {
        server: port,
        proto: request.httpVersion,
        method: request.method,
        path: request.url,
        authority: request.headers[":authority"] ?? request.headers["host"],
        headers: headerPairs(request.rawHeaders),
        body: body.length > 200 ? body.length : body,
        ...(withTls ? { tls: tlsInfo(request) } : {}),
      };
      const echo = request.headers["x-echo"];
      answer({ port, request, response, info, nth, plan: planFor(Array.isArray(echo) ? echo.join(", ") : echo, port) });
    });
  };
}

// WebSocket: accepts (after delay=) and echoes the bytes; status= refuses.
function onUpgrade(port: number): (request: http.IncomingMessage, socket: Duplex) => void {
  return (request, socket) => {
    socket.on("error", () => {});
    const plan = planFor(request.headers["x-echo"] as string | undefined, port);
    if (plan["status"] !== undefined) {
      const head = `HTTP/1.1 ${plan["status"]} Refused\r\nx-server: ${port}\r\ncontent-type: application/json\r\n`;
      socket.end(`${head}content-length: 2\r\nconnection: close\r\n\r\n{}`);
      return;
    }
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    const open = (): void => {
      if (socket.destroyed) return;
      const head = `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n`;
      socket.write(`${head}sec-websocket-accept: ${accept}\r\nx-server: ${port}\r\n\r\n`);
      socket.on("data", (b) => socket.write(b));
    };
    setTimeout(open, Number(plan["delay"] ?? 0));
  };
}

function tcpEcho(port: number): Server {
  return net.createServer((socket) => {
    socket.write(`${port}\n`);
    socket.pipe(socket);
  });
}

export async function startEcho(certs: string): Promise<Echo> {
  const attempts = new Map<string, number>();
  const open = new Set<Socket>();
  const answer = createAnswers(attempts);
  const listening: Promise<void>[] = [];
  const serve = (range: readonly [number, number], make: (port: number) => Server, onSocket = false): void => {
    for (let port = range[0]; port <= range[1]; port++) {
      const server = make(port);
      for (const event of ["sessionError", "tlsClientError"]) server.on(event, () => {});
      server.on("clientError", (_error: Error, socket: Socket) => socket.destroy());
      server.on("connection", (socket: Socket) => {
        open.add(socket);
        socket.on("close", () => open.delete(socket));
        socket.on("error", () => {});
      });
      const place = onSocket ? { path: `\0serin-${port}` } : { port, host: "127.0.0.1" };
      listening.push(new Promise((resolve) => server.listen(place, () => resolve())));
    }
  };
  const read = (f: string): Buffer => readFileSync(path.join(certs, f));
  const own = { key: read("leaf.key"), cert: read("leaf.crt"), ca: read("ca.crt"), requestCert: true, rejectUnauthorized: false };
  const anyAlpn = { ALPNCallback: ({ protocols }: { protocols: string[] }) => protocols[0] };
  serve([31001, 31012], (port) => http.createServer(onRequest(port, false, answer)).on("upgrade", onUpgrade(port)));
  serve([31013, 31013], (port) => http.createServer(onRequest(port, false, answer)), true);
  serve([32001, 32006], tcpEcho);
  serve([32007, 32007], tcpEcho, true);
  serve([33001, 33006], (port) => http2.createServer(onRequest(port, false, answer)) as unknown as Server);
  serve(
    [34001, 34004],
    (port) => http2.createSecureServer({ ...own, allowHTTP1: true }, onRequest(port, true, answer)) as unknown as Server,
  );
  serve([34005, 34006], (port) => https.createServer({ ...own, ...anyAlpn }, onRequest(port, true, answer)));
  await Promise.all(listening);
  return {
    reset() {
      attempts.clear();
      for (const socket of open) socket.destroy();
    },
  };
}
