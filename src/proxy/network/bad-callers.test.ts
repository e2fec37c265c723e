// Callers that are slow on purpose or send too much: refused soon, and nothing of one request shows up in another's log.
import { afterEach, expect, test } from "vitest";
import type { HttpConnectionManagerConfig } from "../config/index.ts";
import { oneRoute } from "../testing/config.ts";
import { raw, type Scene, startHttp, startScene, until } from "../testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

async function setUp(manager: Partial<HttpConnectionManagerConfig> = {}): Promise<Scene> {
  const up = await startHttp((request, response) => {
    request.resume();
    request.on("end", () => response.end("ok"));
  });
  started.push(up);
  const text =
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)% %REQ(X-REQUEST-ID)%\n";
  const accessLogs = [{ path: "-", format: { kind: "text", text }, responseFlags: undefined }] as const;
  const scene = await startScene(oneRoute([up.port], { manager: { accessLogs, ...manager } }));
  started.push(scene);
  return scene;
}

async function logOf({ logs }: Scene, lines: number): Promise<string[]> {
  await until("all are logged", () => logs.join("").split("\n").length > lines);
  return logs.join("").trimEnd().split("\n");
}

const G = "GET /x HTTP/1.1\r\nhost: h\r\n";
const many = (count: number): string => Array.from({ length: count }, (_, i) => `h${i}: 1\r\n`).join("");

test("a head that does not come to its end is given up", async () => {
  const scene = await setUp({ requestHeadersTimeoutMs: 40 });
  expect(await raw(scene.port(), [G, "x-slow: "])).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[^]*connection: close/);
  expect(await logOf(scene, 1)).toEqual(["408 DPE request_header_timeout - - - -"]);
});

test("a body that does not come is given up", async () => {
  const scene = await setUp({ requestTimeoutMs: 40 });
  const got = await raw(scene.port(), ["POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n", "a"]);
  expect(got).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[^]*connection: close/);
  expect((await logOf(scene, 1))[0]).toMatch(/^408 - request_overall_timeout POST \/x h /);
});

test.each<[string, string, string]>([
  ["101 headers", `${G}${many(100)}\r\n`, "431 DPE http1.too_many_headers"],
  ["61 KiB of headers", `${G}h: ${"x".repeat(61 * 1024)}\r\n\r\n`, "431 DPE http1.headers_too_large"],
  ["61 KiB that never end", `${G}h: ${"x".repeat(61 * 1024)}`, "431 DPE http1.headers_too_large"],
  ["a header that is nominated and must not be", `${G}connection: x-forwarded-for\r\n\r\n`, "400 DPE http1.connection_header_rejected"],
  [
    "a length and chunks",
    `${G}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`,
    "400 DPE http1.content_length_and_chunked_not_allowed",
  ],
  ["another coding", `${G}transfer-encoding: gzip\r\n\r\n`, "501 DPE http1.invalid_transfer_encoding"],
  ["a host that is none", "GET /x HTTP/1.1\r\nhost: a/b\r\n\r\n", "400 DPE http.invalid_authority"],
  ["another scheme", "GET ftp://h/x HTTP/1.1\r\nhost: h\r\n\r\n", "400 DPE http1.invalid_scheme"],
  ["a control character", `${G}x: \x01\r\n\r\n`, "400 DPE http1.invalid_characters"],
  ["an old version", "GET /x HTTP/1.0\r\nhost: h\r\n\r\n", "426 DPE low_version"],
  ["a method that is none", "get /x HTTP/1.1\r\nhost: h\r\n\r\n", "400 DPE http1.codec_error"],
  ["TLS on a port without it", "\x16\x03\x01\x00\x05\x01", "400 DPE http1.codec_error"],
])("%s: refused, and logged without a word of the request before", async (_, request, expected) => {
  const scene = await setUp();
  await raw(scene.port(), `GET /secret HTTP/1.1\r\nhost: h\r\nx-request-id: mine\r\nconnection: close\r\n\r\n`);
  const got = await raw(scene.port(), request);
  expect(got.slice(9, 12)).toBe(expected.slice(0, 3));
  expect((await logOf(scene, 2))[1]).toBe(`${expected} - - - -`);
});

test("a path that is none, and one with NUL", async () => {
  const scene = await setUp();
  await raw(scene.port(), "OPTIONS * HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  const got = await raw(scene.port(), "GET /a%00 HTTP/1.1\r\nhost: h\r\n\r\n");
  expect(got).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*connection: close\r\n\r\n$/);
  expect((await logOf(scene, 2)).map((line) => line.split(" ").slice(0, 5).join(" "))).toEqual([
    "404 - absolute_path_rejected OPTIONS *",
    "400 - path_normalization_failed GET /a%00",
  ]);
});

test.each([
  [{ useRemoteAddress: true }, "403"],
  [{ useRemoteAddress: true, xffNumTrustedHops: 1 }, "200"],
  [{}, "200"],
])("an https URL over plain text, %o: %s", async (manager, status) => {
  const scene = await setUp(manager);
  expect((await raw(scene.port(), "GET https://h/x HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")).slice(9, 12)).toBe(status);
});
