// HTTP/1.1 client of the cases, and WebSocket over it.
import { randomBytes } from "node:crypto";
import http from "node:http";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import type { Call } from "./case.ts";
import { codeOf, connection, headerList, pairsOf, presented, rawPath, type Target } from "./client.ts";
import { type CallResult, httpResult } from "./result.ts";

// The tunnel must echo; with `hold` it must still do so that many ms later (end: open, broken or closed).
function tunnel(call: Call, response: http.IncomingMessage, socket: Duplex): Promise<CallResult> {
  return new Promise((resolve) => {
    const mark = randomBytes(4).toString("hex");
    let got = "";
    let first: CallResult | undefined;
    const finish = (result: CallResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.on("error", () => {});
    socket.on("close", () => first !== undefined && resolve({ ...first, end: "closed" }));
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString("latin1");
      if (got.length < mark.length) return;
      const good = got === mark;
      if (first !== undefined) return finish({ ...first, end: good ? "open" : "broken" });
      const result: CallResult = { status: 101, server: Number(response.headers["x-server"]), tunnel: good ? "echo" : "broken" };
      if (call.hold === undefined) return finish(result);
      first = result;
      got = "";
      setTimeout(() => socket.write(mark), call.hold);
    });
    const silent = (): void => finish(first === undefined ? { status: 101, tunnel: "silent" } : { ...first, end: "silent" });
    setTimeout(silent, 2000 + (call.hold ?? 0)).unref();
    socket.write(mark);
  });
}

function send(call: Call, target: Target, via: { agent: http.Agent | undefined; socket: TLSSocket | undefined }): Promise<CallResult> {
  return new Promise((resolve) => {
    const url = new URL(call.url ?? "");
    const at = connection(call, target);
    const socket = via.socket;
    const path = rawPath(call.url ?? "");
    const request = http.request({
      ...(via.agent === undefined ? {} : { agent: via.agent }),
      ...(at.path === undefined ? { host: at.host, port: at.port } : { socketPath: at.path, agent: false }),
      ...(at.localAddress === undefined ? {} : { localAddress: at.localAddress }),
      ...(socket === undefined ? {} : { createConnection: () => socket }),
      method: call.method ?? "GET",
      path: target.explicit ? `http://${url.host}${path}` : path,
      headers: [["host", call.host ?? url.host] as const, ...headerList(call)].flat(),
      setHost: false,
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (b: Buffer) => chunks.push(b));
      response.on("error", () => resolve({ error: "reset in body" }));
      response.on("end", () => {
        const answer = {
          status: response.statusCode ?? 0,
          headers: pairsOf(response.rawHeaders),
          body: Buffer.concat(chunks).toString("latin1"),
        };
        resolve({ ...httpResult(call, answer), ...(socket === undefined ? {} : presented(call, socket)) });
      });
    });
    request.on("upgrade", (response, stream) => resolve(tunnel(call, response, stream)));
    request.setTimeout(call.wait ?? 10_000, () => {
      request.destroy();
      resolve({ error: "timeout" });
    });
    request.on("error", (e) => resolve({ error: codeOf(e) }));
    if (call.body !== undefined) request.write(call.body);
    request.end();
  });
}

export function http1Call(call: Call, target: Target, agent: http.Agent): Promise<CallResult> {
  if (call.tls === undefined) return send(call, target, { agent, socket: undefined });
  return new Promise((resolve) => {
    const socket = connect(connection(call, target, ["http/1.1"]));
    socket.setTimeout(call.wait ?? 10_000, () => {
      socket.destroy();
      resolve({ error: "timeout" });
    });
    socket.once("secureConnect", () => void send(call, target, { agent: undefined, socket }).then(resolve));
    socket.on("error", (e) => resolve({ error: `tls ${codeOf(e)}` }));
    socket.on("close", () => resolve({ error: "tls closed" }));
  });
}
