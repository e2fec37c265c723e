// preserveHttp1HeaderCase: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/header_casing
import { afterEach, expect, test } from "vitest";
import type { ForwardAction } from "../config/index.ts";
import { oneRoute } from "../testing/config.ts";
import { raw, startScene, startTcp } from "../testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

const ANSWER = "HTTP/1.1 200 Fine\r\nX-Mixed: 1\r\nContent-Length: 2\r\nDATE: now\r\nCONNECTION: close\r\n\r\nok";
const REQUEST =
  "POST /p HTTP/1.1\r\nHOST: Some\r\nX-Request-ID: r\r\nX-ONE: a\r\nX-One: b\r\nContent-Length: 1\r\nConnection: close\r\n\r\n!";

/** What the upstream gets, and what the caller. */
async function through(keepsHeaderCase: boolean, action: Partial<ForwardAction> = {}): Promise<[string, string]> {
  let request = "";
  const up = await startTcp((socket) => {
    socket.on("data", (data) => {
      request += data.toString("latin1");
      if (request.endsWith("!")) socket.end(ANSWER);
    });
  });
  started.push(up);
  const scene = await startScene(oneRoute([up.port], { action, manager: { keepsHeaderCase }, cluster: { keepsHeaderCase } }));
  started.push(scene);
  const answer = await raw(scene.port(), REQUEST);
  return [request, answer];
}

const names = (message: string): string[] =>
  message
    .split("\r\n\r\n")[0]
    ?.split("\r\n")
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(":"))) ?? [];

test.each([
  ["as it came", {}],
  ["with another host and path", { hostRewrite: "other" }],
])("names keep their case, those of the proxy have none: %s", async (_, action) => {
  const [request, answer] = await through(true, action);
  expect(names(request)).toEqual(expect.arrayContaining(["HOST", "X-Request-ID", "X-ONE", "Content-Length", "x-forwarded-proto"]));
  // A name that stands there twice is written as it was first.
  expect(names(request).filter((name) => name.toLowerCase() === "x-one")).toEqual(["X-ONE", "X-ONE"]);
  expect(request).toMatch(/^POST \/p HTTP\/1\.1\r\n[^]*\r\n\r\n!$/);
  expect(names(answer)).toEqual(expect.arrayContaining(["X-Mixed", "Content-Length", "DATE", "server"]));
  expect(answer).toMatch(/^HTTP\/1\.1 200 Fine\r\n[^]*\r\n\r\nok$/);
});

test("without it, names that a rule makes the proxy write anew are in lower case", async () => {
  const [request] = await through(false, { hostRewrite: "other" });
  expect(names(request)).toEqual(expect.arrayContaining(["host", "x-request-id", "x-one", "content-length"]));
});
