// What a full cluster counts: the same as real Envoy, where that is here.
import type http from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { decodeBootstrap } from "../../bootstrap/bootstrap.ts";
import { startProxy } from "../../start-proxy.ts";
import { envoyIsMissing, startRealEnvoy } from "../../testing/real-envoy.ts";
import { call, startHttp, until } from "../../testing/scene.ts";

const TYPES = "type.googleapis.com/envoy.extensions.filters";
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

/** Connections of the cluster: one at the most. */
function bootstrap(ports: readonly number[]) {
  const manager = {
    "@type": `${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "in",
    route_config: {
      name: "r",
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "up" } }] }],
    },
    http_filters: [{ name: "envoy.filters.http.router", typed_config: { "@type": `${TYPES}.http.router.v3.Router` } }],
  };
  return {
    node: { id: "test", cluster: "test" },
    static_resources: {
      listeners: [{ name: "in", address: address(0), filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }] }],
      clusters: [
        {
          name: "up",
          type: "STATIC",
          connect_timeout: "2s",
          circuit_breakers: { thresholds: [{ max_connections: 1 }] },
          load_assignment: {
            cluster_name: "up",
            endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: address(port) } })) }],
          },
        },
      ],
    },
  };
}

interface Plane {
  readonly port: number;
  stats(): Promise<string>;
}

const PLANES = {
  async serin(config: ReturnType<typeof bootstrap>): Promise<Plane> {
    const proxy = await startProxy({ bootstrap: decodeBootstrap({ ...config, admin: { address: address(0) } }) });
    stops.push(() => proxy.stop());
    await until("it listens", () => proxy.state() === "LIVE");
    const admin = proxy.adminPort ?? 0;
    const stats = async (): Promise<string> => (await call(admin, "/stats", { headers: { host: `127.0.0.1:${admin}` } })).body.toString();
    return { port: proxy.plane.listeners()[0]?.port ?? 0, stats };
  },
  async envoy(config: ReturnType<typeof bootstrap>): Promise<Plane> {
    const envoy = await startRealEnvoy(config);
    stops.push(() => envoy.stop());
    return { port: envoy.port("in"), stats: () => envoy.admin("stats") };
  },
};

describe.each(["serin", "envoy"] as const)("%s", (name) => {
  test.skipIf(name === "envoy" && envoyIsMissing())(
    "a host's first connection is opened beyond the limit, and is counted as an overflow all the same",
    async () => {
      const held: http.ServerResponse[] = [];
      const ups = [await startHttp((_, response) => void held.push(response)), await startHttp((_, response) => void held.push(response))];
      stops.push(() => ups.forEach((up) => up.stop()));
      const plane = await PLANES[name](bootstrap(ups.map(({ port }) => port)));
      const counters = async (): Promise<string> => {
        const lines = (await plane.stats()).split("\n");
        return ["upstream_cx_overflow", "upstream_cx_total", "upstream_rq_pending_active"]
          .map((stat) => lines.find((line) => line.startsWith(`cluster.up.${stat}: `))?.split(": ")[1])
          .join(" ");
      };
      const answers: Promise<number>[] = [];
      const ask = async (wanted: string): Promise<void> => {
        answers.push(
          call(plane.port, "/").then(
            ({ status }) => status,
            () => 0,
          ),
        );
        let now = "";
        const deadline = Date.now() + 5000;
        while ((now = await counters()) !== wanted && Date.now() < deadline) await new Promise((done) => void setTimeout(done, 10));
        expect(now).toBe(wanted);
      };
      await ask("0 1 0");
      await ask("1 2 0");
      await ask("2 2 1");
      await ask("3 2 2");
      await until("each host has one", () => held.length === 2);
      for (const response of held.splice(0)) response.end();
      await until("the others follow", () => held.length === 2);
      for (const response of held.splice(0)) response.end();
      expect(await Promise.all(answers)).toEqual([200, 200, 200, 200]);
      expect(await counters()).toBe("3 2 0");
    },
  );
});
