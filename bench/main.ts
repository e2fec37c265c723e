// npm run bench -- NAME [options]: one table of benchmarks; each is a module with a `run`.
interface Benchmark {
  readonly what: string;
  readonly load: () => Promise<{ run(args: readonly string[]): Promise<void> }>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  proxy: { what: "one hop through Serin, Envoy, HAProxy, nginx and Node proxies", load: () => import("./proxy/run.ts") },
  http2: { what: "HTTP/2 and gRPC through Serin, Envoy and HAProxy", load: () => import("./http2/run.ts") },
  price: { what: "what each feature costs a route that uses it, in Serin and Envoy", load: () => import("./price/run.ts") },
  streams: { what: "TCP and WebSocket through Serin, Envoy and HAProxy", load: () => import("./streams/run.ts") },
  push: { what: "one weight change to 10–1,000 sidecars", load: () => import("./push/run.ts") },
  start: { what: "serin up to the first answer through the gateway", load: () => import("./start/run.ts") },
  idle: { what: "memory of an idle sidecar and of idle connections", load: () => import("./idle/run.ts") },
};

const [name = "", ...args] = process.argv.slice(2);
const benchmark = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
if (benchmark === undefined) {
  console.error(
    `usage: npm run bench -- NAME [options]\n${Object.entries(BENCHMARKS)
      .map(([n, b]) => `  ${n.padEnd(8)}${b.what}`)
      .join("\n")}`,
  );
  process.exit(2);
}
await (await benchmark.load()).run(args);
