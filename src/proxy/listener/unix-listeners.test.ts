// Listeners on Unix sockets, as this proxy and as real Envoy have them.
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, ask, type BootstrapJson, type Plane, planes } from "../testing/planes.ts";

const EXT = "type.googleapis.com/envoy.extensions";
const HCM = `${EXT}.filters.network.http_connection_manager.v3.HttpConnectionManager`;
const TCP = `${EXT}.filters.network.tcp_proxy.v3.TcpProxy`;
const ROUTER = { name: "router", typed_config: { "@type": `${EXT}.filters.http.router.v3.Router` } };

let folder: string;
let upstream: http.Server;
let port: number;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "serin-unix-"));
  upstream = http.createServer((request, response) => response.end(JSON.stringify(request.headers)));
  await new Promise<void>((done) => void upstream.listen(0, "127.0.0.1", done));
  port = (upstream.address() as net.AddressInfo).port;
});

afterAll(() => {
  upstream.close();
  rmSync(folder, { recursive: true });
});

function pathOf(name: string): string {
  return path.join(folder, `${name}.sock`);
}

function bootstrap(abstractName: string, app = ""): BootstrapJson {
  const target = app === "" ? { socket_address: { address: "127.0.0.1", port_value: port } } : { pipe: { path: app } };
  const manager = (useRemoteAddress: boolean): object => ({
    "@type": HCM,
    stat_prefix: "in",
    use_remote_address: useRemoteAddress,
    http_filters: [ROUTER],
    route_config: {
      name: "r",
      response_headers_to_add: [
        {
          header: {
            key: "x-remote",
            value: "%DOWNSTREAM_REMOTE_ADDRESS%|%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%|%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
          },
        },
        { header: { key: "x-upstream", value: "%UPSTREAM_HOST%|%UPSTREAM_REMOTE_ADDRESS%|%UPSTREAM_LOCAL_ADDRESS%" } },
        { header: { key: "x-local", value: "%DOWNSTREAM_LOCAL_ADDRESS%" } },
      ],
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "c" } }] }],
    },
  });
  const listener = (name: string, pipe: object, config: object): object => ({
    name,
    address: { pipe },
    filter_chains: [{ filters: [{ name, typed_config: config }] }],
  });
  return {
    node: { id: "n", cluster: "n" },
    static_resources: {
      clusters: [
        {
          name: "c",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: {
            cluster_name: "c",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: target } }] }],
          },
        },
      ],
      listeners: [
        listener("inner", { path: pathOf("inner"), mode: 0o660 }, manager(false)),
        listener("edge", { path: pathOf("edge") }, manager(true)),
        listener("tcp", { path: pathOf("tcp") }, { "@type": TCP, stat_prefix: "t", cluster: "c" }),
        listener("abstract", { path: `@${abstractName}` }, manager(false)),
      ],
    },
  };
}

describe.each(planes())("%s", (name, start) => {
  const abstractName = `serin-test-${process.pid}-${name}`;
  let plane: Plane | undefined;

  beforeEach(() => async () => {
    await plane?.stop();
    plane = undefined;
  });

  function get(socketPath: string, headers: http.OutgoingHttpHeaders = {}): Promise<Answer> {
    return ask(0, { socketPath, headers: { host: "a.test", ...headers } });
  }

  test("HTTP and TCP, on files and without", async () => {
    plane = await start(bootstrap(abstractName));
    for (const socketPath of [pathOf("inner"), pathOf("tcp"), `\0${abstractName}`]) {
      const answer = await get(socketPath);
      expect([answer.status, (JSON.parse(answer.body) as { host: string }).host]).toEqual([200, "a.test"]);
    }
    expect(statSync(pathOf("inner")).mode & 0o777).toBe(0o660);
  });

  test("a caller without an address", async () => {
    plane = await start(bootstrap(abstractName));
    const inner = await get(pathOf("inner"), { "x-forwarded-for": "192.0.2.7" });
    const edge = await get(pathOf("edge"), { "x-forwarded-for": "192.0.2.7" });
    const seen = (answer: Answer): unknown => {
      const headers = JSON.parse(answer.body) as Record<string, string>;
      return [
        answer.headers["x-remote"],
        answer.headers["x-local"],
        headers["x-forwarded-for"],
        headers["x-envoy-internal"],
        headers["x-forwarded-proto"],
      ];
    };
    expect(seen(inner)).toEqual([`192.0.2.7:0|${pathOf("inner")}|192.0.2.7`, pathOf("inner"), "192.0.2.7", undefined, "http"]);
    const at = pathOf("edge");
    expect(seen(edge)).toEqual([`${at}|${at}|${at}`, at, "192.0.2.7", undefined, "http"]);
    expect(seen(await get(pathOf("edge")))).toEqual([`${at}|${at}|${at}`, at, undefined, undefined, "http"]);
    const { body } = await ask(plane.adminPort, { path: "/stats" });
    expect(body).toContain(`listener.${at}.downstream_cx_total: 2\n`);
    expect((await ask(plane.adminPort, { path: "/listeners" })).body).toContain(`edge::${at}\n`);
    expect((await ask(plane.adminPort, { path: "/listeners?format=json" })).body).toContain(`"path": "${at}"`);
  });

  test("what goes on over a Unix socket says where", async () => {
    const app = pathOf("app");
    const server = http.createServer((_, response) => response.end("app"));
    await new Promise<void>((done) => void server.listen(app, done));
    plane = await start(bootstrap(abstractName, app));
    const answer = await get(pathOf("inner"));
    server.close();
    expect([answer.body, answer.headers["x-upstream"]]).toEqual(["app", `${app}|${app}|`]);
  });

  test("what is left of an earlier socket makes room", async () => {
    // A process that was killed leaves its sockets.
    rmSync(pathOf("inner"), { force: true });
    const left = net.createServer().listen(pathOf("inner"));
    await once(left, "listening");
    renameSync(pathOf("inner"), pathOf("kept"));
    left.close();
    await once(left, "close");
    renameSync(pathOf("kept"), pathOf("inner"));
    plane = await start(bootstrap(abstractName));
    expect((await get(pathOf("inner"))).status).toBe(200);
  });
});
