import type http2 from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import type { HttpConnectionManagerConfig } from "../../config/index.ts";
import { clusterConfig, forwardAction, httpConfig, listenerConfig, routeTable, routeTo, runtimeConfig } from "../../testing/config.ts";
import { http2Caller, startHttp2 } from "../../testing/http2.ts";
import { call, raw, type Scene, startHttp, startScene, until } from "../../testing/scene.ts";
import { GRPC_WEB_FILTER, ROUTER_FILTER } from "../type-urls.ts";
import { FrameEncoder } from "./frame-encoder.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0).toReversed()) thing.stop();
});

const FILTERS: HttpConnectionManagerConfig["filters"] = [
  { name: "web", typeUrl: GRPC_WEB_FILTER, config: undefined, disabled: false },
  { name: "router", typeUrl: ROUTER_FILTER, config: undefined, disabled: false },
];
const LOG = {
  path: "-",
  format: { kind: "text", text: "%RESPONSE_CODE% %GRPC_STATUS% %RESPONSE_CODE_DETAILS%\n" },
  responseFlags: undefined,
} as const;

function message(text: string): Buffer {
  const frame = Buffer.alloc(5 + text.length);
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, 5, "latin1");
  return frame;
}

function trailerFrame(text: string): Buffer {
  const frame = message(text);
  frame[0] = 0x80;
  return frame;
}

type OnStream = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

async function setUp(onStream: OnStream): Promise<Scene> {
  const up = await startHttp2(onStream);
  const manager = httpConfig(routeTable([routeTo(forwardAction("up"))]), { filters: FILTERS, accessLogs: [LOG] });
  const scene = await startScene(runtimeConfig([listenerConfig(manager)], [clusterConfig("up", [up.port], { protocol: "http2" })]));
  started.push(up, scene);
  return scene;
}

/** Answers each message with itself, and says in the trailers what it was sent with. */
const echo: OnStream = (stream, headers) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () =>
    stream.sendTrailers({ "grpc-status": "0", "x-seen": `${headers["content-type"]} ${headers["te"]} ${headers["grpc-accept-encoding"]}` }),
  );
  stream.on("data", (part: Buffer) => stream.write(part));
  stream.on("end", () => stream.end());
};
const SAID = "grpc-status:0\r\nx-seen:application/grpc trailers identity\r\n";

describe("binary", () => {
  test("the body passes, trailers end it", async () => {
    const scene = await setUp(echo);
    const answer = await call(scene.port(), "/s/m", {
      method: "POST",
      body: message("hello"),
      headers: { "content-type": "application/grpc-web" },
    });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/grpc-web+proto"]);
    expect(answer.body.equals(Buffer.concat([message("hello"), trailerFrame(SAID)]))).toBe(true);
    const two = http2Caller(scene.port());
    started.push(two);
    const again = await two.call("/s/m", {
      headers: { ":method": "POST", "content-type": "application/grpc-web+proto" },
      body: message("hello"),
    });
    expect([again.body, again.trailers]).toEqual([answer.body.toString("latin1"), undefined]);
    await until("both are logged", () => scene.logs.join("").split("\n").length > 2);
    expect(scene.logs.join("")).toBe("200 OK via_upstream\n200 OK via_upstream\n");
  });

  test("an answer without messages is a head alone", async () => {
    const scene = await setUp((stream) =>
      stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "5" }, { endStream: true }),
    );
    const answer = await call(scene.port(), "/s/m", {
      method: "POST",
      body: message(""),
      headers: { "content-type": "application/grpc-web" },
    });
    expect([answer.headers["grpc-status"], answer.headers["content-length"], answer.body.length]).toEqual(["5", "0", 0]);
  });

  test("plain gRPC and all else pass untouched", async () => {
    const scene = await setUp(echo);
    const two = http2Caller(scene.port());
    started.push(two);
    const grpc = await two.call("/s/m", {
      headers: { ":method": "POST", "content-type": "application/grpc", te: "trailers" },
      body: message("a"),
    });
    expect([grpc.headers["content-type"], grpc.trailers?.["grpc-status"]]).toEqual(["application/grpc", "0"]);
    const json = await two.call("/s/m", { headers: { ":method": "POST", "content-type": "application/json" }, body: "{}" });
    expect(json.trailers?.["x-seen"]).toBe("application/json undefined undefined");
  });
});

describe("text", () => {
  const TEXT = { "content-type": "application/grpc-web-text", accept: "application/grpc-web-text" };
  const want = message("hello").toString("base64") + trailerFrame(SAID).toString("base64");

  test("both bodies are base64, each frame by itself", async () => {
    const scene = await setUp(echo);
    const answer = await call(scene.port(), "/s/m", { method: "POST", body: message("hello").toString("base64"), headers: TEXT });
    expect([answer.headers["content-type"], answer.body.toString()]).toEqual(["application/grpc-web-text+proto", want]);
  });

  test("however it is cut, in chunks and in HTTP/2", async () => {
    const scene = await setUp(echo);
    const body = message("hello").toString("base64");
    const chunks = [body.slice(0, 3), body.slice(3, 4), body.slice(4, 9), body.slice(9)];
    const head = "POST /s/m HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web-text\r\naccept: application/grpc-web-text\r\n";
    const got = await raw(scene.port(), [
      `${head}transfer-encoding: chunked\r\nconnection: close\r\n\r\n`,
      ...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`),
      "0\r\n\r\n",
    ]);
    const dechunked = got.slice(got.indexOf("\r\n\r\n") + 4).replace(/[0-9a-f]+\r\n([^\r]*)\r\n/g, "$1");
    expect(Buffer.from(dechunked.slice(0, 16), "base64").subarray(0, 10).toString("latin1")).toBe(message("hello").toString("latin1"));
    expect(dechunked).toContain(trailerFrame(SAID).toString("base64"));
    const two = http2Caller(scene.port());
    started.push(two);
    const answer = await two.call("/s/m", { headers: { ":method": "POST", ...TEXT }, body: chunks });
    expect(answer.body.endsWith(trailerFrame(SAID).toString("base64"))).toBe(true);
  });

  test.each(["abc", "ab!=", "====", "YWJj====", "YWJjZ"])("no base64: %s", async (body) => {
    const scene = await setUp(echo);
    const answer = await call(scene.port(), "/s/m", { method: "POST", body, headers: TEXT });
    expect([answer.status, answer.headers["grpc-status"], answer.headers["grpc-message"], answer.body.length]).toEqual([
      400,
      "13",
      "Bad gRPC-web request, invalid base64 data.",
      0,
    ]);
  });
});

describe("answers that are no gRPC", () => {
  test("of an upstream: status and body become gRPC's", async () => {
    const scene = await setUp((stream) => {
      stream.respond({ ":status": 503, "content-type": "text/plain" });
      stream.end("full\n");
    });
    const answer = await call(scene.port(), "/s/m", {
      method: "POST",
      body: message(""),
      headers: { "content-type": "application/grpc-web" },
    });
    expect([answer.status, answer.headers["grpc-status"], answer.headers["grpc-message"], answer.headers["content-length"]]).toEqual([
      503,
      "14",
      "full%0A",
      "0",
    ]);
  });

  test("of an HTTP/1 upstream in chunks, with a body too long for a message", async () => {
    const up = await startHttp((_, response) => {
      response.statusCode = 404;
      for (let i = 0; i < 5; i++) response.write("x".repeat(10_000));
      response.end();
    });
    const manager = httpConfig(routeTable([routeTo(forwardAction("up"))]), { filters: FILTERS });
    const scene = await startScene(runtimeConfig([listenerConfig(manager)], [clusterConfig("up", [up.port])]));
    started.push(up, scene);
    const two = http2Caller(scene.port());
    started.push(two);
    const answer = await two.call("/s/m", { headers: { ":method": "POST", "content-type": "application/grpc-web" }, body: message("") });
    expect([answer.status, answer.headers["grpc-status"], String(answer.headers["grpc-message"]).length]).toEqual([404, "12", 16_384]);
  });

  test("of our own", async () => {
    const table = routeTable([routeTo(forwardAction("none"))]);
    const scene = await startScene(runtimeConfig([listenerConfig(httpConfig(table, { filters: FILTERS }))], [clusterConfig("none", [])]));
    started.push(scene);
    const answer = await call(scene.port(), "/s/m", {
      method: "POST",
      body: message(""),
      headers: { "content-type": "application/grpc-web" },
    });
    expect([answer.status, answer.headers["grpc-status"], answer.headers["grpc-message"], answer.body.length]).toEqual([
      503,
      "14",
      "no healthy upstream",
      0,
    ]);
  });
});

test("frames are encoded as they come, two bytes behind at most", () => {
  const frames = [message("a"), message(""), message("x".repeat(1000)), message("yz")];
  const whole = Buffer.concat(frames);
  const want = frames.map((frame) => frame.toString("base64")).join("");
  for (const step of [1, 2, 3, 7, 64, whole.length]) {
    const encoder = new FrameEncoder();
    let got = "";
    for (let at = 0; at < whole.length; at += step) {
      got += encoder.encode(whole.subarray(at, at + step)).toString();
      expect(Buffer.from(got, "base64").length).toBeGreaterThanOrEqual(0);
    }
    expect(got).toBe(want);
  }
});
