// Row 5: a proxy ends under load. It asks its callers to leave, answers what they have under way, and exits.
import { once } from "node:events";
import net from "node:net";
import { quantiles } from "../../../bench/measure.ts";
import { edgeYaml, GATEWAYS, HOST } from "../../edge-yaml.ts";
import { freePort } from "../../../src/kit/testing/free-port.ts";
import { fetchText, type FleetProxy, type Plane, sleep, startFleet } from "../../fleet.ts";
import { failuresOf } from "../../load.ts";
import { eventually, GATEWAY } from "../../mesh.ts";
import { Http1Callers, Http2Callers } from "../failover-callers.ts";
import { atLeast, atMost, noFailure, type SoakContext, type SoakRow, told, type Figure } from "../row.ts";
import { withBackends } from "../stage.ts";

/** As long as a proxy may drain here; what runs then is cut. */
const DRAIN_S = 5;
const SLOW_MS = 700;

/** Envoy ends at once when it is asked to: Istio's agent has it drain before, and so does this. */
async function terminate(plane: Plane, proxy: FleetProxy): Promise<void> {
  const gone = once(proxy.child, "exit");
  if (plane === "envoy") {
    await fetch(`http://127.0.0.1:${proxy.adminPort}/drain_listeners?graceful&skip_exit`, { method: "POST" });
    const end = performance.now() + DRAIN_S * 1000;
    while (
      performance.now() < end &&
      /outbound\S*downstream_cx_active: [1-9]/.test(await proxy.admin("/stats?filter=downstream_cx_active"))
    )
      await sleep(20);
  }
  proxy.child.kill("SIGTERM");
  await gone;
}

/** A request that is on its way and is not answered. */
async function hang(port: number): Promise<net.Socket> {
  const socket = net.connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(`GET /slow?600000 HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`);
  await sleep(100);
  return socket;
}

async function sigterms({ plane, pick }: SoakContext, backend: number): Promise<readonly Figure[]> {
  const ports = [await freePort(), await freePort()] as const;
  const yaml = edgeYaml(ports[0], { secondPort: ports[1], endpoints: [{ port: backend }] });
  const fleet = await startFleet(yaml);
  try {
    const start = async (i: 0 | 1): Promise<FleetProxy> => {
      const labels = { istio: GATEWAYS[i] };
      const proxy = await fleet.startProxy(`proxy-${i}`, plane, { ...GATEWAY, name: `gateway-${i}`, labels }, { drainS: DRAIN_S });
      await eventually("gateway listens", async () => (await fetchText(`http://127.0.0.1:${ports[i]}/`)).status > 0);
      return proxy;
    };
    const proxies = [await start(0), await start(1)];
    const http1 = new Http1Callers({ ports, path: "/", count: 8, thinkMs: 10 });
    const http2 = new Http2Callers({ ports, path: "/", count: 8, thinkMs: 10 });
    const slow1 = new Http1Callers({ ports, path: `/slow?${SLOW_MS}`, count: 4, thinkMs: 0 });
    const slow2 = new Http2Callers({ ports, path: `/slow?${SLOW_MS}`, count: 4, thinkMs: 0 });
    const callers = [http1, http2, slow1, slow2];
    const took: number[] = [];
    for (let round = 0; round < pick(100, 6); round++) {
      const i = round % 2 === 0 ? 0 : 1;
      await sleep(200);
      const from = performance.now();
      await terminate(plane, proxies[i]!);
      took.push(performance.now() - from);
      proxies[i] = await start(i);
      for (const one of callers) one.up(ports[i]);
    }
    const outcomes = await Promise.all(callers.map((one) => one.stop()));
    // Its answer never comes: it is cut when the drain has lasted long enough.
    const hanging = await hang(ports[0]);
    const from = performance.now();
    await terminate(plane, proxies[0]!);
    const cut = performance.now() - from;
    hanging.destroy();
    const names = ["HTTP/1", "HTTP/2", `HTTP/1, ${SLOW_MS} ms each`, `HTTP/2, ${SLOW_MS} ms each`];
    const goAways = [...http2.goAways, ...slow2.goAways];
    return [
      told("times", took.length),
      ...outcomes.flatMap((outcome, i) => [
        told(`${names[i]}: answered`, outcome.get("200") ?? 0),
        noFailure(`${names[i]}: failed`, failuresOf({ outcomes: outcome })),
      ]),
      told("HTTP/2 streams too late for a connection, asked again", http2.unseen + slow2.unseen),
      told("GOAWAY frames of a connection", `${Math.min(...goAways)} to ${Math.max(...goAways)}`),
      told("exit after, median", `${quantiles(took).p50Ms.toFixed(0)} ms`),
      atMost("exit after, longest", Math.max(...took), DRAIN_S * 1000 + 2000, " ms"),
      atLeast("exit with a request that does not end", cut, DRAIN_S * 1000 - 100, " ms"),
      atMost("exit with a request that does not end", cut, DRAIN_S * 1000 + 2000, " ms"),
    ];
  } finally {
    await fleet.stop();
  }
}

export const sigterm: SoakRow = {
  number: 5,
  title: "proxies end under load (SIGTERM)",
  run: (context) => withBackends(1, "echo", ([backend]) => sigterms(context, backend!.port)),
};
