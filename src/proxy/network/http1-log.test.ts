// What is logged of requests over HTTP/1, with real sockets: bytes without framing, durations, and what the upstream was.
import { afterEach, expect, test } from "vitest";
import { httpConfig, listenerConfig, routeTable, runtimeConfig, oneRoute } from "../testing/config.ts";
import { raw, type Scene, startHttp, startScene, until } from "../testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

async function scene(port: number, text: string): Promise<Scene> {
  const accessLogs = [{ path: "-", format: { kind: "text", text: `${text}\n` }, responseFlags: undefined }] as const;
  const made = await startScene(oneRoute([port], { manager: { accessLogs, http10: { accept: true, defaultHost: "d" } } }));
  started.push(made);
  return made;
}

async function logOf({ logs }: Scene, lines = 1): Promise<string> {
  await until("it is logged", () => logs.join("").split("\n").length > lines);
  return logs.join("");
}

/** Two chunks, or as much as is asked for. */
async function chunking(body: readonly string[] = ["hello", " you"]) {
  const server = await startHttp((request, response) => {
    request.resume();
    request.on("end", () => {
      for (const part of body) response.write(part);
      response.end();
    });
  });
  started.push(server);
  return server;
}

const CHUNKED = "POST /x HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";

test("bodies in chunks count without their framing, both ways", async () => {
  const proxy = await scene((await chunking()).port, "%BYTES_RECEIVED% %BYTES_SENT%");
  await raw(proxy.port(), [CHUNKED, "3\r\nabc\r\n", "2\r\nde\r\n0\r\n\r\n"]);
  expect(await logOf(proxy)).toBe("5 9\n");
});

test("the same from one piece, with a body longer than what is read at once", async () => {
  const long = "x".repeat(300_000);
  const proxy = await scene((await chunking([long, long])).port, "%BYTES_RECEIVED% %BYTES_SENT%");
  await raw(proxy.port(), `${CHUNKED}3\r\nabc\r\n0\r\n\r\n`);
  expect(await logOf(proxy)).toBe("3 600000\n");
});

test("HTTP/1.0 gets the chunks' content alone", async () => {
  const proxy = await scene((await chunking()).port, "%PROTOCOL% %BYTES_SENT%");
  expect(await raw(proxy.port(), "GET / HTTP/1.0\r\nhost: h\r\n\r\n")).toMatch(/\r\n\r\nhello you$/);
  expect(await logOf(proxy)).toBe("HTTP/1.0 9\n");
});

test("a body with a length, and none", async () => {
  const server = await startHttp((request, response) => void response.end(request.method === "POST" ? "four" : undefined));
  started.push(server);
  const proxy = await scene(server.port, "%BYTES_RECEIVED% %BYTES_SENT%");
  await raw(proxy.port(), "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab");
  await raw(proxy.port(), "HEAD / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  expect(await logOf(proxy, 2)).toBe("2 4\n0 0\n");
});

test("the upstream's protocol, and durations in the order of events", async () => {
  const { port } = await chunking();
  const proxy = await scene(
    port,
    "%UPSTREAM_PROTOCOL% %REQUEST_DURATION% %REQUEST_TX_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION% %DURATION%",
  );
  await raw(proxy.port(), [CHUNKED, "3\r\nabc\r\n0\r\n\r\n"]);
  const [protocol, ...times] = (await logOf(proxy)).trim().split(" ");
  expect(protocol).toBe("HTTP/1.1");
  const [received = 0, sent = 0, answered = 0, , whole = 0] = times.map(Number);
  expect([received, sent, answered, whole]).toEqual([received, sent, answered, whole].toSorted((a, b) => a - b));
});

test("an answer of the proxy's own has no upstream, and a request without a body ended where it began", async () => {
  const accessLogs = [
    {
      path: "-",
      format: { kind: "text", text: "%UPSTREAM_PROTOCOL% %REQUEST_DURATION% %REQUEST_TX_DURATION%\n" },
      responseFlags: undefined,
    },
  ] as const;
  const proxy = await startScene(runtimeConfig([listenerConfig(httpConfig(routeTable([]), { accessLogs }))], []));
  started.push(proxy);
  await raw(proxy.port(), "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  expect(await logOf(proxy)).toBe("- 0 -\n");
});
