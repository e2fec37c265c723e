import { expect, test } from "vitest";
import type { Gateway, GatewayProtocol, ServerTls } from "../../model/index.ts";
import { toServerTls } from "../tls.ts";
import { mergeServers } from "./merge-servers.ts";

type Server = Gateway["servers"][number];

interface Draft {
  readonly port: number;
  readonly protocol: GatewayProtocol;
  readonly name: string;
  readonly hosts?: readonly string[];
  readonly mode?: ServerTls["mode"];
  readonly bind?: string;
}

const owner = { namespace: "edge", name: "g" };

function server({ port, protocol, name, hosts = ["*"], mode, bind = "" }: Draft): Server {
  return {
    gateway: owner,
    name: "",
    port: { number: port, name, protocol },
    hosts: hosts.map((host) => ({ namespace: "*", host })),
    tls: toServerTls(mode === undefined ? undefined : { mode }),
    bind,
  };
}

function merge(...drafts: Draft[]): { listeners: string[]; dropped: string[] } {
  const gateway: Gateway = { ...owner, createdAt: 0, selector: {}, servers: drafts.map(server) };
  const { listeners, dropped } = mergeServers([gateway], (port) => port);
  return {
    listeners: listeners.map((one) => `${one.bind}:${one.port} ${one.servers.map(({ server: { port } }) => port.name).join(" ")}`),
    dropped: dropped.map((one) => one.server.port.name),
  };
}

test("TLS first: plain HTTP joins, a second plain server only if it is HTTP too, later TLS goes", () => {
  const merged = merge(
    { port: 443, protocol: "HTTPS", name: "a", hosts: ["a.com"], mode: "SIMPLE" },
    { port: 443, protocol: "HTTP", name: "b" },
    { port: 443, protocol: "GRPC", name: "c" },
    { port: 443, protocol: "TCP", name: "d" },
    { port: 443, protocol: "HTTPS", name: "e", hosts: ["e.com"], mode: "SIMPLE" },
  );
  expect(merged).toEqual({ listeners: [":443 a b c"], dropped: ["d", "e"] });
});

test("plain first: TLS goes", () => {
  const merged = merge({ port: 443, protocol: "TCP", name: "a" }, { port: 443, protocol: "TLS", name: "b", mode: "PASSTHROUGH" });
  expect(merged).toEqual({ listeners: [":443 a"], dropped: ["b"] });
});

test("a TLS host stands once on a port and bind, and takes the whole later server with it", () => {
  const merged = merge(
    { port: 443, protocol: "HTTPS", name: "a", hosts: ["x.com"], mode: "SIMPLE" },
    { port: 443, protocol: "TLS", name: "b", hosts: ["y.com", "x.com"], mode: "PASSTHROUGH" },
    { port: 443, protocol: "TLS", name: "c", hosts: ["y.com"], mode: "PASSTHROUGH" },
    { port: 443, protocol: "HTTPS", name: "d", hosts: ["x.com"], mode: "SIMPLE", bind: "10.0.0.1" },
  );
  expect(merged).toEqual({ listeners: [":443 a c", "10.0.0.1:443 d"], dropped: ["b"] });
});

test("other addresses of one port do not conflict", () => {
  const merged = merge(
    { port: 80, protocol: "HTTP", name: "a" },
    { port: 80, protocol: "TCP", name: "b", bind: "10.0.0.1" },
    { port: 80, protocol: "HTTPS", name: "c", mode: "SIMPLE", bind: "10.0.0.2" },
  );
  expect(merged).toEqual({ listeners: [":80 a", "10.0.0.1:80 b", "10.0.0.2:80 c"], dropped: [] });
});

test("routes: HTTP by port, terminated HTTPS by server, none for what passes through", () => {
  const gateway: Gateway = {
    ...owner,
    createdAt: 0,
    selector: {},
    servers: [
      server({ port: 443, protocol: "HTTPS", name: "web", hosts: ["a"], mode: "MUTUAL", bind: "10.0.0.1" }),
      server({ port: 443, protocol: "HTTPS", name: "through", hosts: ["b"], mode: "PASSTHROUGH" }),
      server({ port: 80, protocol: "HTTP2", name: "plain" }),
    ],
  };
  const { listeners } = mergeServers([gateway], (port) => port + 8000);
  const names = listeners.flatMap((one) => one.servers.map(({ routeName }) => routeName));
  expect(names).toEqual(["https.443.web.g.edge.10.0.0.1", "", "http.8080"]);
});
