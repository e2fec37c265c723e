// Upstreams that break HTTP: the caller gets an answer of the proxy's own or a connection that breaks off, never another's bytes, and the connection
// that lied is not used again. Statuses, flags and details as real Envoy 1.40 gave them, but where it is more lenient than is good.
import type net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { oneRoute } from "../testing/config.ts";
import { raw, type Scene, startScene, startTcp, until } from "../testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

const FORMAT = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n";
const HONEST = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhonest";
const OK = "HTTP/1.1 200 OK\r\n";

interface Met {
  readonly scene: Scene;
  readonly lie: string;
  readonly next: string;
  readonly log: string;
  /** Connections that the upstream got. */
  readonly connections: number;
}

/** What the first caller gets of the lie, what the next one gets, and what the first is logged as. Parts come one after the other; "FIN" and "RST" end. */
async function meet(parts: readonly string[], request = "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"): Promise<Met> {
  let connections = 0;
  let told = false;
  const tell = (socket: net.Socket): void => {
    if (told) {
      socket.write(HONEST);
      return;
    }
    told = true;
    const say = (at: number): void => {
      const part = parts[at];
      if (part === undefined) return;
      if (part === "FIN") socket.end();
      else if (part === "RST") socket.resetAndDestroy();
      else socket.write(part, "latin1");
      setImmediate(() => setImmediate(() => say(at + 1)));
    };
    say(0);
  };
  const up = await startTcp((socket) => {
    connections++;
    socket.on("data", () => tell(socket));
  });
  started.push(up);
  const accessLogs = [{ path: "-", format: { kind: "text", text: FORMAT }, responseFlags: undefined }] as const;
  const scene = await startScene(oneRoute([up.port], { manager: { accessLogs } }));
  started.push(scene);
  const lie = await raw(scene.port(), request);
  const next = await raw(scene.port(), "GET /next HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  await until("both are logged", () => scene.logs.join("").split("\n").length > 2);
  return { scene, lie, next, log: scene.logs.join("").split("\n")[0] ?? "", connections };
}

const many = (count: number): string => Array.from({ length: count }, (_, i) => `h${i}: 1\r\n`).join("");
const EARLY = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";

describe("no answer at all: 502", () => {
  test.each<[string, readonly string[]]>([
    ["a length twice", [`${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nok`]],
    ["a length and chunks", [`${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`]],
    ["a length that is none", [`${OK}content-length: +2\r\n\r\nok`]],
    ["another coding", [`${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`]],
    ["a chunk's size that is none", [`${OK}transfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n`]],
    ["half a head", ["HTTP/1.1 200 O", "FIN"]],
    ["half a head, reset", ["HTTP/1.1 200 O", "RST"]],
    ["no HTTP", ["SSH-2.0-x\r\n"]],
    ["another version", ["HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nok"]],
    ["a status that is none", ["HTTP/1.1 99 X\r\ncontent-length: 0\r\n\r\n"]],
    ["a header without a name", [`${OK}: x\r\ncontent-length: 0\r\n\r\n`]],
    ["a folded header", [`${OK}x: 1\r\n y\r\ncontent-length: 0\r\n\r\n`]],
    ["a header split by a bare CR", [`${OK}x: a\rset-cookie: x-leak\r\ncontent-length: 0\r\n\r\n`]],
    ["a header with a NUL", [`${OK}x: a\0b\r\ncontent-length: 0\r\n\r\n`]],
    ["101 headers", [`${OK}${many(100)}content-length: 0\r\n\r\n`]],
    ["81 KiB of head", [`${OK}h: ${"x".repeat(81 * 1024)}\r\ncontent-length: 0\r\n\r\n`]],
    ["a flood of 1xx", [EARLY.repeat(50), HONEST]],
    ["a 204 that announces a body", ["HTTP/1.1 204 No Content\r\ncontent-length: 6\r\n\r\nx-leak"]],
    ["a 204 in chunks", ["HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"]],
    [
      "101 that nobody asked for, and an answer behind it",
      ["HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n" + HONEST],
    ],
  ])("%s", async (_, parts) => {
    const { lie, next, log, connections } = await meet(parts);
    expect(lie).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[^]*reset reason: protocol error$/);
    expect(lie).not.toContain("x-leak");
    expect(log).toBe("502 UPE upstream_reset_before_response_started{protocol_error}");
    expect([next.slice(-6), connections]).toEqual(["honest", 2]);
  });
});

describe("an answer that breaks off: so does the caller's connection", () => {
  test.each<[string, readonly string[]]>([
    ["a body shorter than its length", [`${OK}content-length: 10\r\n\r\nok`, "FIN"]],
    ["the same by a reset", [`${OK}content-length: 10\r\n\r\nok`, "RST"]],
    ["chunks without an end", [`${OK}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n`, "FIN"]],
    ["a chunk that is none, later", [`${OK}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n`, "zz\r\n"]],
  ])("%s", async (_, parts) => {
    const { lie, next, log, connections } = await meet(parts);
    expect(lie).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*ok(?:\r\n)?$/);
    expect(lie).not.toMatch(/\r\n0\r\n/);
    expect(log).toBe("200 UPE upstream_reset_after_response_started{protocol_error}");
    expect([next.slice(-6), connections]).toEqual(["honest", 2]);
  });
});

describe("more than the answer: the rest goes nowhere", () => {
  const STOLEN = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen";
  test.each<[string, readonly string[]]>([
    ["in the same packet", [`${OK}content-length: 2\r\n\r\nok${STOLEN}`]],
    ["a moment later", [`${OK}content-length: 2\r\n\r\nok`, STOLEN]],
    ["behind chunks", [`${OK}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${STOLEN}`]],
    ["a body behind 304", [`HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n${STOLEN}`]],
  ])("%s", async (_, parts) => {
    const { lie, next, log } = await meet(parts);
    expect(lie).toMatch(/^HTTP\/1\.1 (?:200 OK|304 Not Modified)\r\n/);
    expect([lie.includes("stolen"), next.slice(-6)]).toEqual([false, "honest"]);
    expect(log).toMatch(/^(?:200|304) - via_upstream$/);
  });
});

test("nothing but the end: 503", async () => {
  const { lie, next, log } = await meet(["FIN"]);
  expect(lie).toMatch(/^HTTP\/1\.1 503 [^]*reset reason: connection termination$/);
  expect([log, next.slice(-6)]).toEqual(["503 UC upstream_reset_before_response_started{connection_termination}", "honest"]);
});

describe("an upgrade that does not come about", () => {
  const UPGRADE = "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

  test("with a status below 400: the head without a body", async () => {
    const { lie, log } = await meet([`${OK}x-a: 1\r\ncontent-length: 2\r\n\r\nok`], UPGRADE);
    expect(lie).toMatch(/^HTTP\/1\.1 200 OK\r\nx-a: 1\r\n[^]*content-length: 0\r\nconnection: close\r\n\r\n$/);
    expect(log).toBe("200 - websocket_handshake_unsuccessful");
  });

  test("with another: as it is, and the connection ends", async () => {
    const { lie, log } = await meet(["HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"], UPGRADE);
    expect(lie).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n[^]*connection: close\r\n\r\nno$/);
    expect(lie).not.toContain("x-envoy-upstream-service-time");
    expect(log).toBe("403 - via_upstream");
  });
});
