// How long callers' HTTP/2 connections and streams live, and how they are told of the end.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto (HttpProtocolOptions) and arch_overview/operations/draining
import http2 from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import type { ForwardAction, HttpConnectionManagerConfig, RuntimeConfig } from "./config/index.ts";
import { runtimeConfig, oneRoute } from "./testing/config.ts";
import { http2Caller, type Http2Caller } from "./testing/http2.ts";
import { call, counter, type Scene, startHttp, startScene, until } from "./testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0).toReversed()) thing.stop();
});

const LOG = { path: "-", format: { kind: "text", text: "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n" } } as const;

type Manager = Partial<HttpConnectionManagerConfig>;

function config(port: number, manager: Manager = {}, action: Partial<ForwardAction> = {}): RuntimeConfig {
  return oneRoute([port], { action, manager: { accessLogs: [{ ...LOG, responseFlags: undefined }], ...manager } });
}

/** An upstream that answers /wait when it is told to, and all else at once. */
async function setUp(
  manager: Manager = {},
  action: Partial<ForwardAction> = {},
): Promise<{ scene: Scene; up: number; waiting: (() => void)[] }> {
  const waiting: (() => void)[] = [];
  const upstream = await startHttp((request, response) => {
    if (request.url === "/wait") waiting.push(() => void response.end("late"));
    else response.end("ok");
  });
  started.push(upstream);
  const scene = await startScene(config(upstream.port, manager, action));
  started.push(scene);
  return { scene, up: upstream.port, waiting };
}

interface Watched extends Http2Caller {
  /** Last stream of each GOAWAY. */
  readonly goaways: number[];
  readonly closed: () => boolean;
}

function caller(scene: Scene): Watched {
  const made = http2Caller(scene.port());
  started.push(made);
  const goaways: number[] = [];
  let closed = false;
  made.session.on("goaway", (code: number, last: number) => void goaways.push(code === 0 ? last : -code));
  made.session.on("close", () => (closed = true));
  return { ...made, goaways, closed: () => closed };
}

/** Any stream, then the last one that was served (RFC 9113 section 6.8). Node leaves at the first of them when it has nothing under way. */
const twoPhases = (last: number): number[] => [2 ** 31 - 1, last];

describe("a connection ends", () => {
  test("when it idles", async () => {
    const { scene } = await setUp({ idleTimeoutMs: 40 });
    const { call: request, goaways, closed } = caller(scene);
    expect((await request("/")).status).toBe(200);
    await until("it is closed", closed);
    expect([goaways[0], counter(scene, "downstream_cx_idle_timeout")]).toEqual([twoPhases(1)[0], 1]);
  });

  test("not while a request is under way", async () => {
    const { scene, waiting } = await setUp({ idleTimeoutMs: 40 });
    const { call: request, goaways, closed } = caller(scene);
    const slow = request("/wait");
    await until("it waits", () => waiting.length === 1);
    // Another connection lives and dies meanwhile.
    const other = caller(scene);
    await until("the other is closed", other.closed);
    expect([goaways, closed()]).toEqual([[], false]);
    waiting[0]?.();
    expect((await slow).body).toBe("late");
    await until("it is closed", closed);
  });

  test("when it is old: what is under way is answered", async () => {
    const { scene, waiting } = await setUp({ maxConnectionDurationMs: 30 });
    const { call: request, goaways, closed } = caller(scene);
    const slow = request("/wait");
    await until("it is told", () => goaways.length === 2);
    expect([goaways, closed(), counter(scene, "downstream_cx_max_duration_reached")]).toEqual([twoPhases(1), false, 1]);
    waiting[0]?.();
    expect((await slow).body).toBe("late");
    await until("it is closed", closed);
  });

  test("when it has had its number of requests", async () => {
    const { scene } = await setUp({ maxRequestsPerConnection: 2 });
    const { call: request, goaways, closed } = caller(scene);
    expect((await request("/")).status).toBe(200);
    expect(goaways).toEqual([]);
    expect((await request("/")).status).toBe(200);
    await until("it is closed", closed);
    expect([goaways[0], counter(scene, "downstream_cx_max_requests_reached")]).toEqual([twoPhases(3)[0], 1]);
  });

  test("when its listener goes", async () => {
    const { scene, waiting } = await setUp();
    const { call: request, goaways, closed } = caller(scene);
    const slow = request("/wait");
    await until("it waits", () => waiting.length === 1);
    scene.publish(runtimeConfig([], []));
    await until("it is told", () => goaways.length === 2);
    expect(closed()).toBe(false);
    waiting[0]?.();
    expect((await slow).body).toBe("late");
    await until("it is closed", closed);
  });

  test("when the proxy drains: its next answer says so", async () => {
    const { scene, waiting } = await setUp();
    const [busy, idle] = [caller(scene), caller(scene)];
    const slow = busy.call("/wait");
    await until("it waits", () => waiting.length === 1);
    await idle.call("/");
    const drained = scene.plane.drain({ limitMs: 10_000, idleMs: 20 });
    await until("the one that idles is closed", idle.closed);
    await until("the busy one is told", () => busy.goaways.length === 2);
    expect(busy.closed()).toBe(false);
    waiting[0]?.();
    expect((await slow).body).toBe("late");
    await drained;
    await until("both are closed", busy.closed);
  });

  test("not when only its routes change: the next request sees them", async () => {
    const { scene, up } = await setUp();
    const { call: request, goaways } = caller(scene);
    await request("/");
    scene.publish(config(up, {}, { timeoutMs: 1234 }));
    expect((await request("/")).status).toBe(200);
    expect(goaways).toEqual([]);
  });
});

describe("a request ends", () => {
  test("when its stream idles before the answer", async () => {
    const { scene } = await setUp({ streamIdleTimeoutMs: 30 });
    const { status, body } = await caller(scene).call("/wait");
    await until("it is logged", () => scene.logs.length > 0);
    expect([status, body, scene.logs.join("")]).toEqual([504, "stream timeout", "504 SI stream_idle_timeout\n"]);
  });

  test("when its body stops", async () => {
    const { scene } = await setUp({ streamIdleTimeoutMs: 30 });
    const { status, body } = await caller(scene).call("/wait", {
      headers: { ":method": "POST" },
      steer: (stream) => void stream.write("some"),
    });
    await until("it is logged", () => scene.logs.length > 0);
    expect([status, body, scene.logs.join("")]).toEqual([408, "stream timeout", "408 SI stream_idle_timeout\n"]);
  });

  test("when it is not here as a whole in time", async () => {
    const { scene } = await setUp({ requestTimeoutMs: 30 });
    let asked: http2.ClientHttp2Stream | undefined;
    const answer = caller(scene).call("/wait", {
      headers: { ":method": "POST" },
      steer(stream) {
        stream.write("some");
        asked = stream;
      },
    });
    const { status, code } = await answer;
    await until("it is logged", () => scene.logs.length > 0);
    expect([status, code, scene.logs.join("")]).toEqual([408, http2.constants.NGHTTP2_NO_ERROR, "408 - request_overall_timeout\n"]);
    expect(asked?.destroyed).toBe(true);
  });
});

describe("a connection's streams", () => {
  test("no more than the caller is told", async () => {
    const { scene, waiting } = await setUp({ http2: { maxConcurrentStreams: 1 } });
    const { session, call: request } = caller(scene);
    await new Promise<void>((done) => void session.once("remoteSettings", () => done()));
    expect(session.remoteSettings.maxConcurrentStreams).toBe(1);
    const first = request("/wait");
    const second = request("/");
    await until("the first is there", () => waiting.length === 1);
    waiting[0]?.();
    expect([(await first).body, (await second).body]).toEqual(["late", "ok"]);
  });

  test("HTTP/1 on the same listener is not affected", async () => {
    const { scene } = await setUp();
    await caller(scene).call("/");
    expect((await call(scene.port(), "/")).status).toBe(200);
  });
});
