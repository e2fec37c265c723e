// Upstreams that break HTTP: the caller gets an answer of the proxy's own or a connection that breaks off, never another's bytes, and the connection
// that lied is not used again. Statuses, flags and details as real Envoy 1.40 gave them, but where it is more lenient than is good.
import type net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { oneRoute } from "../testing/config.ts";
import { BROKEN_OFF, EXCESS, HONEST, REFUSED, tellLie } from "../testing/lies.ts";
import { raw, type Scene, startScene, startTcp, until } from "../testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

const FORMAT = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n";
const OK = "HTTP/1.1 200 OK\r\n";

interface Met {
  readonly scene: Scene;
  readonly lie: string;
  readonly next: string;
  readonly log: string;
  /** Connections that the upstream got. */
  readonly connections: number;
}

/** What the first caller gets of the lie, what the next one gets, and what the first is logged as. */
async function meet(parts: readonly string[], request = "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"): Promise<Met> {
  let connections = 0;
  let told = false;
  const tell = (socket: net.Socket): void => {
    if (told) {
      socket.write(HONEST);
      return;
    }
    told = true;
    tellLie(socket, parts);
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

describe("no answer at all: 502", () => {
  test.each(Object.entries(REFUSED))("%s", async (_, parts) => {
    const { lie, next, log, connections } = await meet(parts);
    expect(lie).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[^]*reset reason: protocol error$/);
    expect(lie).not.toContain("x-leak");
    expect(log).toBe("502 UPE upstream_reset_before_response_started{protocol_error}");
    expect([next.slice(-6), connections]).toEqual(["honest", 2]);
  });
});

describe("an answer that breaks off: so does the caller's connection", () => {
  test.each(Object.entries(BROKEN_OFF))("%s", async (_, parts) => {
    const { lie, next, log, connections } = await meet(parts);
    expect(lie).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*ok(?:\r\n)?$/);
    expect(lie).not.toMatch(/\r\n0\r\n/);
    expect(log).toBe("200 UPE upstream_reset_after_response_started{protocol_error}");
    expect([next.slice(-6), connections]).toEqual(["honest", 2]);
  });
});

describe("more than the answer: the rest goes nowhere", () => {
  test.each(Object.entries(EXCESS))("%s", async (_, parts) => {
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
