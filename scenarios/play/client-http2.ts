// HTTP/2 client of the cases (h2c, or h2 over TLS).
import http2, { type OutgoingHttpHeaders } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Call } from "./case.ts";
import { codeOf, connection, headerList, pairsOf, presented, type Target } from "./client.ts";
import { type CallResult, httpResult, type Pair } from "./result.ts";

function requestHeaders(call: Call): OutgoingHttpHeaders {
  const url = new URL(call.url ?? "");
  const headers: OutgoingHttpHeaders = {
    ":method": call.method ?? "GET",
    ":path": url.pathname + url.search,
    ":authority": call.host ?? url.host,
    ":scheme": call.tls === undefined ? "http" : "https",
  };
  // Repeated headers go out as several fields.
  for (const [name, value] of headerList(call)) {
    const key = name.toLowerCase();
    const before = headers[key];
    headers[key] = before === undefined || key.startsWith(":") ? value : [before, value].flat().map(String);
  }
  return headers;
}

export function http2Call(call: Call, target: Target): Promise<CallResult> {
  return new Promise((resolve) => {
    const at = connection(call, target, ["h2"]);
    const session = http2.connect(`${call.tls === undefined ? "http" : "https"}://${at.host}:${at.port}`, at);
    const done = (result: CallResult): void => {
      session.destroy();
      resolve(result);
    };
    session.on("error", (e) => done({ error: codeOf(e) }));
    session.on("close", () => done({ error: "closed" }));
    session.setTimeout(call.wait ?? 10_000, () => done({ error: "timeout" }));
    const request = session.request(requestHeaders(call));
    const chunks: Buffer[] = [];
    let status = 0;
    let got: Pair[] = [];
    let trailers: Record<string, unknown> | undefined;
    request.on("response", (headers, _flags, raw?: string[]) => {
      status = headers[":status"] ?? 0;
      const all = raw === undefined ? Object.entries(headers).map(([k, v]): Pair => [k, String(v)]) : pairsOf(raw);
      got = all.filter(([name]) => !name.startsWith(":"));
    });
    request.on("trailers", (t) => {
      trailers = Object.fromEntries(Object.entries(t));
    });
    request.on("data", (b: Buffer) => chunks.push(b));
    request.on("end", () => {
      if (status === 0) return;
      const answer = {
        status,
        headers: got,
        body: Buffer.concat(chunks).toString("latin1"),
        ...(trailers === undefined ? {} : { trailers }),
      };
      done({ ...httpResult(call, answer), ...(call.tls === undefined ? {} : presented(call, session.socket as TLSSocket)) });
    });
    request.on("error", (e) => done({ error: codeOf(e) }));
    request.on("close", () => done({ error: "stream closed" }));
    if (call.body !== undefined) request.write(call.body);
    request.end();
  });
}
