// One delta ADS client that subscribes as Envoy does (clusters; their endpoints; listeners; their routes; virtual hosts) and acknowledges what
// it gets. It reads of a response what it must and remembers what equal bytes said, since a thousand of them share one process.
import { hash } from "node:crypto";
import http2 from "node:http2";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
  create,
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  fromBinary,
  HttpConnectionManagerSchema,
  ListenerSchema,
  toBinary,
  unpackAny,
} from "../../src/envoy-api/index.ts";
import { TYPE_URL } from "../../src/kit/index.ts";

const METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
const WINDOW = 16 * 1024 * 1024;

export interface EnvoyLikeClient {
  close(): void;
}

export interface EnvoyLikeOptions {
  readonly port: number;
  readonly index: number;
  /** Every message, framed as gRPC has it: `bytes` without the 5-byte prefix. */
  readonly onMessage: (message: { readonly typeUrl: string; readonly bytes: Buffer }) => void;
  /** All types it wants have come. */
  readonly onReady: () => void;
  readonly onError: (error: Error) => void;
}

interface Envelope {
  readonly typeUrl: string;
  readonly nonce: string;
}

/** type_url = 4 and nonce = 5 of a DeltaDiscoveryResponse, the rest skipped. */
function readEnvelope(bytes: Buffer): Envelope {
  let at = 0;
  let typeUrl = "";
  let nonce = "";
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) !== 2) throw new Error(`field ${tag >> 3} of a response has wire type ${tag & 7}`);
    const length = varint();
    if (tag >> 3 === 4) typeUrl = bytes.toString("utf8", at, at + length);
    else if (tag >> 3 === 5) nonce = bytes.toString("utf8", at, at + length);
    at += length;
  }
  return { typeUrl, nonce };
}

const namesByContent = new Map<string, readonly string[]>();

/** What the resources in a response make a client ask for: endpoints of clusters, routes of listeners, hosts of routes. */
function followUps(typeUrl: string, bytes: Buffer): readonly string[] {
  const key = typeUrl + hash("sha1", bytes, "base64");
  let names = namesByContent.get(key);
  if (names === undefined) {
    const { resources } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
    names = resources.flatMap(({ resource }) => {
      if (resource === undefined) return [];
      if (typeUrl === TYPE_URL.cluster) return edsNames(resource.value);
      return typeUrl === TYPE_URL.listener ? routeNames(resource.value) : [];
    });
    names = [...new Set(names)].sort();
    namesByContent.set(key, names);
  }
  return names;
}

function edsNames(bytes: Uint8Array): string[] {
  const cluster = fromBinary(ClusterSchema, bytes);
  const { clusterDiscoveryType: type } = cluster;
  if (type.case !== "type" || type.value !== Cluster_DiscoveryType.EDS) return [];
  const name = cluster.edsClusterConfig?.serviceName ?? "";
  return [name === "" ? cluster.name : name];
}

function routeNames(bytes: Uint8Array): string[] {
  const listener = fromBinary(ListenerSchema, bytes);
  const chains = [...listener.filterChains, ...(listener.defaultFilterChain === undefined ? [] : [listener.defaultFilterChain])];
  return chains.flatMap((chain) =>
    chain.filters.flatMap((filter) => {
      if (filter.configType.case !== "typedConfig") return [];
      const manager = unpackAny(HttpConnectionManagerSchema, filter.configType.value);
      return manager?.routeSpecifier.case === "rds" ? [manager.routeSpecifier.value.routeConfigName] : [];
    }),
  );
}

function frame(body: Uint8Array): Buffer {
  const framed = Buffer.alloc(body.byteLength + 5);
  framed.writeUInt32BE(body.byteLength, 1);
  framed.set(body, 5);
  return framed;
}

/** type_url = 2, response_nonce = 6. */
function acknowledgement({ typeUrl, nonce }: Envelope): Buffer {
  const body = Buffer.alloc(4 + typeUrl.length + nonce.length);
  body[0] = (2 << 3) | 2;
  body[1] = typeUrl.length;
  body.write(typeUrl, 2, "latin1");
  body[2 + typeUrl.length] = (6 << 3) | 2;
  body[3 + typeUrl.length] = nonce.length;
  body.write(nonce, 4 + typeUrl.length, "latin1");
  return frame(body);
}

function nodeOf(index: number) {
  const address = `10.${100 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  return {
    id: `sidecar~${address}~client-${index}.bench~bench.svc.cluster.local`,
    cluster: "client.bench",
    metadata: { NAMESPACE: "bench", CLUSTER_ID: "Kubernetes", LABELS: { app: "client" }, INSTANCE_IPS: address, ISTIO_VERSION: "1.29.0" },
  };
}

export function connectEnvoyLike(options: EnvoyLikeOptions): EnvoyLikeClient {
  let closed = false;
  const fail = (error: Error): void => {
    if (!closed) options.onError(error);
  };
  const session = http2.connect(`http://127.0.0.1:${options.port}`, { settings: { initialWindowSize: WINDOW, enablePush: false } });
  session.on("connect", () => session.setLocalWindowSize(WINDOW));
  session.on("error", fail);
  const stream = session.request({
    ":method": "POST",
    ":path": METHOD,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", fail);
  stream.on("close", () => fail(new Error("the stream ended")));
  const asked = new Set<string>();
  let pending: Buffer = Buffer.alloc(0);
  let waiting: Buffer[] = [];
  let have = 0;
  let ready = false;

  function ask(typeUrl: string, names: readonly string[] = []): void {
    if (asked.has(typeUrl)) return;
    asked.add(typeUrl);
    const first = asked.size === 1 ? { node: nodeOf(options.index) } : {};
    const request = create(DeltaDiscoveryRequestSchema, { ...first, typeUrl, resourceNamesSubscribe: [...names] });
    stream.write(frame(toBinary(DeltaDiscoveryRequestSchema, request)));
  }

  function done(): void {
    if (ready) return;
    ready = true;
    options.onReady();
  }

  function take(bytes: Buffer): void {
    const envelope = readEnvelope(bytes);
    const { typeUrl } = envelope;
    stream.write(acknowledgement(envelope));
    options.onMessage({ typeUrl, bytes });
    if (ready) return;
    if (typeUrl === TYPE_URL.cluster) ask(TYPE_URL.endpoint, followUps(typeUrl, bytes));
    else if (typeUrl === TYPE_URL.endpoint) ask(TYPE_URL.listener);
    else if (typeUrl === TYPE_URL.listener) ask(TYPE_URL.route, followUps(typeUrl, bytes));
    else if (typeUrl === TYPE_URL.route) ask(TYPE_URL.virtualHost);
    else if (typeUrl === TYPE_URL.virtualHost) done();
  }

  stream.on("data", (chunk: Buffer) => {
    // Large messages come in many pieces: joined once, when whole.
    waiting.push(chunk);
    have += chunk.length;
    for (;;) {
      if (pending.length + have < 5) return;
      if (pending.length < 5) join();
      const size = pending.readUInt32BE(1) + 5;
      if (pending.length + have < size) return;
      join();
      const bytes = pending.subarray(5, size);
      pending = pending.subarray(size);
      take(bytes);
    }
  });

  function join(): void {
    if (waiting.length === 0) return;
    pending = pending.length === 0 && waiting.length === 1 ? (waiting[0] ?? pending) : Buffer.concat([pending, ...waiting]);
    waiting = [];
    have = 0;
  }

  ask(TYPE_URL.cluster);
  return {
    close() {
      closed = true;
      session.destroy();
    },
  };
}
