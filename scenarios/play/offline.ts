// Plays one case without any process: resources → view → xDS → the proxy's own decoding and matcher, as `serin explain` does, and compares
// what that says of each call with the record. Only what config alone decides is compared: which of the upstreams may answer, what they are
// sent, and what the proxy answers by itself; time, state and bodies are the running proxies' part.
import { explain, noListener } from "../../src/cli/explain/explain.ts";
import { chooseArrival } from "../../src/cli/explain/arrival.ts";
import type { CurlRequest } from "../../src/cli/explain/curl-args.ts";
import type { Explanation } from "../../src/cli/explain/explanation.ts";
import { readIstiodSettings } from "../../src/control-plane/options.ts";
import { parseNode } from "../../src/model/index.ts";
import { tryDecodeResources } from "../../src/proxy/matcher.ts";
import { parseMeshConfig, parseSources } from "../../src/resources/index.ts";
import { buildMesh, inboundFor, viewFor } from "../../src/translate/index.ts";
import { generate } from "../../src/xds/index.ts";
import { nodeOf, PORTS } from "./boot.ts";
import { type Call, type Case, caseName, meshConfigText, readCase, readRecord, resourcesText } from "./case.ts";
import { headerList, rawPath } from "./client.ts";
import type { Played } from "./play.ts";
import type { CallResult } from "./result.ts";

interface World {
  readonly view: ReturnType<typeof viewFor>;
  readonly config: ReturnType<typeof tryDecodeResources>["config"];
  readonly rejected: readonly string[];
}

function worldOf(spec: Case, certs: string): World {
  const { resources } = parseSources([{ file: "config.yaml", text: resourcesText(spec, certs) }]);
  const meshConfig = parseMeshConfig({ file: "mesh.yaml", text: meshConfigText(spec) }).value;
  const snapshot = buildMesh({ resources, meshConfig, istiod: readIstiodSettings(spec.env) });
  const identity = parseNode(nodeOf(spec.proxy) as never);
  if (!identity.ok) throw new Error(identity.error);
  const view = viewFor(snapshot, identity.value);
  const decoded = tryDecodeResources(
    generate({ config: view, inbound: inboundFor(snapshot, identity.value), endpoints: snapshot.endpoints }),
  );
  return { view, config: decoded.config, rejected: decoded.rejected.map((one) => `${one.type} ${one.name}: ${one.reason}`) };
}

/** undefined: not a request that config alone decides. */
function requestOf(call: Call): CurlRequest | undefined {
  if (call.proto === "tcp" || call.proto === "raw" || call.poll !== undefined || call.jar !== undefined || call.to !== undefined)
    return undefined;
  // A shell's text is UTF-8; what is meant as bytes cannot be said in it.
  if (/[\u0080-\uffff]/.test(JSON.stringify(call.headers ?? {}))) return undefined;
  const url = new URL(call.url ?? "");
  const pseudo = Object.keys(call.headers ?? {}).filter((name) => name.startsWith(":"));
  if (pseudo.some((name) => name !== ":path")) return undefined;
  const headers = headerList(call)
    .filter(([name]) => !name.startsWith(":"))
    .map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    method: call.method ?? "GET",
    scheme: call.tls === undefined ? "http" : "https",
    host: call.tls?.sni ?? url.hostname,
    port: url.port === "" ? (call.tls === undefined ? 80 : 443) : Number(url.port),
    authority: call.host ?? url.host,
    path: String(call.headers?.[":path"] ?? rawPath(call.url ?? "")),
    headers,
  };
}

const LOCAL = new Set([301, 302, 303, 307, 308, 404, 502]);

function serversOf(explanation: Explanation): readonly number[] {
  // `address:port`, or `@serin-PORT`.
  return explanation.endpoints.map((endpoint) => Number(/\d+$/.exec(endpoint.address)?.[0]));
}

/** What the record says against the explanation; "" when they agree, undefined when config alone does not decide. */
function disagreement(want: CallResult, got: Explanation): string | undefined {
  const servers = want.counts === undefined ? [want.server] : Object.keys(want.counts).map((key) => Number(key.split(" ")[1]));
  const known = servers.filter((server): server is number => server !== undefined && !Number.isNaN(server));
  const may = serversOf(got);
  if (known.length > 0) {
    const strange = known.filter((server) => !may.includes(server));
    if (strange.length > 0) return `server ${strange.join(", ")} expected, explained: ${got.status ?? (may.join(", ") || "nothing")}`;
    const { seen } = want;
    if (seen?.path !== undefined && seen.path !== got.request.path) return `path ${seen.path} expected, explained: ${got.request.path}`;
    if (seen?.authority !== undefined && seen.authority !== got.request.authority)
      return `authority ${seen.authority} expected, explained: ${got.request.authority}`;
    return "";
  }
  if (want.status === undefined || !LOCAL.has(want.status)) return undefined;
  return got.status === want.status ? "" : `status ${want.status} expected, explained: ${got.status ?? may.join(", ")}`;
}

export function playOffline(file: string, certs: string): Played {
  const name = caseName(file);
  try {
    const spec = readCase(file);
    const want = readRecord(file);
    const world = worldOf(spec, certs);
    const lines: string[] = [];
    let calls = 0;
    for (const [i, call] of spec.calls.entries()) {
      const request = requestOf(call);
      if (request === undefined) continue;
      const arrival = chooseArrival(request, { view: world.view, config: world.config, port: call.port ?? PORTS.proxy });
      const got = typeof arrival === "string" ? noListener(request, arrival) : explain(request, arrival, world.config);
      const text = disagreement(want[i] ?? {}, got);
      if (text === undefined) continue;
      calls++;
      if (text !== "") lines.push(`✗ ${name} #${i} ${call.name ?? call.method ?? ""} ${call.url}: ${text}`);
    }
    return { calls, differ: lines.length, text: [...lines, ...world.rejected].join("\n") };
  } catch (error) {
    return {
      calls: 0,
      differ: undefined,
      text: `✗ ${name} (matcher): ${error instanceof Error ? error.stack : String(error)}`,
    };
  }
}
