import { afterEach, describe, expect, test } from "vitest";
import { oneRoute } from "../../testing/config.ts";
import { http2Caller, startHttp2 } from "../../testing/http2.ts";
import { raw, type Scene, startScene, until } from "../../testing/scene.ts";
import { GRPC_STATS_FILTER, ROUTER_FILTER } from "../type-urls.ts";
import type { GrpcStatsConfig } from "./grpc-stats.ts";
import { MessageCounter } from "./message-counter.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0).toReversed()) thing.stop();
});

function message(length: number): Buffer {
  const made = Buffer.alloc(5 + length, 1);
  made[0] = 0;
  made.writeUInt32BE(length, 1);
  return made;
}

const CALL = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };

/** Answers with as many messages as it got, and the status that the path ends with. */
async function setUp(config: Partial<GrpcStatsConfig> = {}): Promise<Scene> {
  const up = await startHttp2((stream, headers) => {
    let bytes = 0;
    const status = /\d+$/.exec(String(headers[":path"]))?.[0] ?? "0";
    stream.on("data", (part: Buffer) => (bytes += part.length));
    stream.on("end", () => {
      if (stream.destroyed) return;
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
      for (let i = 0; i < bytes / 15; i++) stream.write(message(10));
      stream.end();
    });
  });
  const filter = {
    name: "stats",
    typeUrl: GRPC_STATS_FILTER,
    config: { named: "none", times: false, replaceDots: false, ...config } satisfies GrpcStatsConfig,
    disabled: false,
  };
  const router = { name: "router", typeUrl: ROUTER_FILTER, config: undefined, disabled: false };
  const scene = await startScene(oneRoute([up.port], { manager: { filters: [filter, router] }, cluster: { protocol: "http2" } }));
  started.push(up, scene);
  return scene;
}

/** What is counted under `cluster.up.grpc.`, where it is not zero. */
function counted({ stats }: Scene): Record<string, number> {
  const prefix = "cluster.up.grpc.";
  const found = [...stats.counters()].filter(({ fullName, metric }) => fullName.startsWith(prefix) && metric.value > 0);
  return Object.fromEntries(found.map(({ fullName, metric }) => [fullName.slice(prefix.length), metric.value]));
}

async function calls(scene: Scene, ...paths: readonly string[]): Promise<void> {
  const caller = http2Caller(scene.port());
  started.push(caller);
  for (const path of paths) await caller.call(path, { headers: CALL, body: [message(10), message(10)] });
}

describe("gRPC statistics", () => {
  test("calls and messages in sum", async () => {
    const scene = await setUp();
    await calls(scene, "/a.B/M0", "/a.B/M0", "/a.B/M5");
    expect(counted(scene)).toEqual({
      "0": 2,
      "5": 1,
      success: 2,
      failure: 1,
      total: 3,
      request_message_count: 6,
      response_message_count: 6,
    });
  });

  test("by method: those of the list, the others in sum", async () => {
    const scene = await setUp({ named: new Map([["a.B", new Set(["M0"])]]), replaceDots: true });
    await calls(scene, "/a.B/M0", "/a.B/M5", "/c/M0");
    expect(counted(scene)).toMatchObject({
      "a_B.M0.success": 1,
      "a_B.M0.0": 1,
      "a_B.M0.request_message_count": 2,
      total: 2,
      "5": 1,
      "0": 1,
    });
  });

  test("by method: all of them, but not without bound", async () => {
    const scene = await setUp({ named: "all" });
    await calls(scene, ...Array.from({ length: 520 }, (_, i) => `/s/m${i}_0`));
    const methods = Object.keys(counted(scene)).filter((name) => name.endsWith(".total"));
    expect([methods[0], methods.length, counted(scene)["total"]]).toEqual(["s.m0_0.total", 501, 19]);
  });

  test("times where they are asked for", async () => {
    const times = ({ stats }: Scene) =>
      [...stats.histograms()].find(({ fullName }) => fullName === "cluster.up.grpc.upstream_rq_time")?.metric.count;
    const [without, having] = [await setUp(), await setUp({ times: true })];
    await calls(without, "/a/b");
    await calls(having, "/a/b");
    expect([times(without), times(having)]).toEqual([undefined, 1]);
  });

  test("what is no call, or has no status, is not counted", async () => {
    const scene = await setUp();
    await calls(scene, "/not-a-method");
    expect(counted(scene)).toEqual({});
    const caller = http2Caller(scene.port());
    started.push(caller);
    await caller.call("/a/b", { headers: { ":method": "POST" }, body: message(10) });
    expect(counted(scene)).toEqual({});
    await caller.call("/a/b", { headers: CALL, steer: (stream) => void stream.write(message(10), () => stream.close(8)) });
    await until("its message is counted", () => counted(scene)["request_message_count"] === 1);
    expect(counted(scene)).toEqual({ request_message_count: 1 });
  });

  test("a caller that speaks HTTP/1", async () => {
    const scene = await setUp();
    const chunk = (part: Buffer): string => `${part.length.toString(16)}\r\n${part.toString("latin1")}\r\n`;
    const head = "POST /a/M7 HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc\r\nte: trailers\r\n";
    const enough = (got: string): boolean => got.includes("0\r\n\r\n");
    await raw(scene.port(), [`${head}transfer-encoding: chunked\r\n\r\n`, chunk(message(10)) + chunk(message(10)), "0\r\n\r\n"], {
      enough,
    });
    const whole = Buffer.concat([message(10), message(10), message(10)]).toString("latin1");
    await raw(scene.port(), `${head}content-length: ${whole.length}\r\n\r\n${whole}`, { enough });
    await until("both are counted", () => counted(scene)["total"] === 2);
    expect(counted(scene)).toEqual({ "7": 2, failure: 2, total: 2, request_message_count: 5, response_message_count: 5 });
  });
});

test("messages are counted wherever their bytes are cut", () => {
  const bytes = Buffer.concat([message(0), message(3), message(300), message(70_000), message(1)]);
  for (const size of [1, 2, 5, 7, 299, 65_536, bytes.length]) {
    const counter = new MessageCounter(false);
    let begun = 0;
    for (let at = 0; at < bytes.length; at += size) begun += counter.feed(bytes.subarray(at, at + size));
    expect([size, begun]).toEqual([size, 5]);
  }
});
