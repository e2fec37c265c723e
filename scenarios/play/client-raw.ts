// Raw bytes that should be answered in HTTP/1, and plain TCP.
import net from "node:net";
import tls from "node:tls";
import type { Call } from "./case.ts";
import { codeOf, connection, type Target } from "./client.ts";
import { type Answer, type CallResult, httpResult, type Pair, tcpResult } from "./result.ts";

function dechunk(body: string): string {
  let whole = "";
  let at = 0;
  for (;;) {
    const eol = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.slice(at, eol), 16);
    if (!(size > 0)) return whole;
    whole += body.slice(eol + 2, eol + 2 + size);
    at = eol + 2 + size + 2;
  }
}

// The first HTTP/1 answer in the bytes so far, or undefined while it is not complete. `ended`: nothing more will come.
function parseAnswer(bytes: Buffer, ended: boolean): (Answer & { version: string }) | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = "", ...rest] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = rest.map((h): Pair => [h.slice(0, h.indexOf(":")).toLowerCase(), h.slice(h.indexOf(":") + 1).trim()]);
  const first = (name: string): string | undefined => headers.find(([k]) => k === name)?.[1];
  let body = bytes.subarray(end + 4).toString("latin1");
  const length = first("content-length");
  if (length !== undefined) {
    if (body.length < Number(length) && !ended) return undefined;
  } else if ((first("transfer-encoding") ?? "").includes("chunked")) {
    if (!body.endsWith("0\r\n\r\n") && !ended) return undefined;
    body = dechunk(body);
  } else if (!ended) return undefined;
  return { version: line.split(" ")[0] ?? "", status: Number(line.split(" ")[1]), headers, body };
}

export function rawCall(call: Call, target: Target): Promise<CallResult> {
  return new Promise((resolve) => {
    const at = connection(call, target, ["http/1.1"]);
    const socket = call.tls === undefined ? net.connect(at) : tls.connect(at);
    let bytes = Buffer.alloc(0);
    const done = (result: CallResult): void => {
      socket.destroy();
      resolve(result);
    };
    const look = (ended: boolean): void => {
      const answer = parseAnswer(bytes, ended);
      if (answer !== undefined) done({ version: answer.version, ...httpResult(call, answer) });
      else if (ended) done({ error: bytes.length > 0 ? "half answer" : "closed" });
    };
    socket.on("data", (b: Buffer) => {
      bytes = Buffer.concat([bytes, b]);
      look(false);
    });
    socket.on("end", () => look(true));
    socket.on("close", () => look(true));
    socket.on("error", (e) => done({ error: (call.tls === undefined ? "" : "tls ") + codeOf(e) }));
    socket.setTimeout(call.wait ?? 3000, () => {
      if (bytes.length > 0) look(true);
      done({ error: "silent" });
    });
    socket.write(call.send ?? "");
  });
}

/** Writes `send`, and `more` once the first line is there; ends when all that was sent came back. */
export function tcpCall(call: Call, target: Target): Promise<CallResult> {
  return new Promise((resolve) => {
    const at = connection(call, target);
    const socket = call.tls === undefined ? net.connect(at) : tls.connect(at);
    const echoed = (call.send ?? "").length + (call.more ?? "").length;
    let got = "";
    let answered = false;
    const done = (result: CallResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.on("error", (e) => done(got === "" ? { error: codeOf(e) } : { ...tcpResult(got), end: "reset" }));
    socket.on("close", () =>
      done(got === "" ? { error: "closed" } : { ...tcpResult(got), ...(call.hold === undefined ? {} : { end: "closed" }) }),
    );
    socket.on("data", (b: Buffer) => {
      got += b.toString("latin1");
      const line = got.indexOf("\n");
      if (line < 0) return;
      if (!answered) {
        answered = true;
        if (call.more !== undefined) socket.write(call.more);
        if (call.hold !== undefined) setTimeout(() => done({ ...tcpResult(got), end: "open" }), call.hold);
      }
      if (call.hold !== undefined) return;
      if (!/^\d+\n/.test(got) || got.length - line - 1 >= echoed) done(tcpResult(got));
    });
    const late = (): void => {
      if (call.hold !== undefined && answered) return;
      done(got === "" ? { error: "silent" } : { ...tcpResult(got), end: "open" });
    };
    setTimeout(late, call.wait ?? 3000).unref();
    if (call.send !== undefined) socket.write(call.send);
  });
}
