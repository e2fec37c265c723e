// The ADS server: hands each stream to the composition root with the node that it names, keeps every client within its limits, and sends.
// Knows type URLs, not meshes.
import type { Clock, Logger, Result, XdsResources } from "../kit/index.ts";
import { acceptDeltaRequest, acceptSotwRequest } from "./accept-request.ts";
import { type AdsStream, createAdsStream, type SharedParts, type StreamTypeStatus } from "./ads-stream.ts";
import {
  type DeltaRequest,
  decodeDeltaRequest,
  decodeSotwRequest,
  type Protocol,
  type SotwRequest,
  type XdsNode,
} from "./discovery-request.ts";
import { type Call, startGrpcTransport } from "./grpc-transport.ts";
import { createNodeStreams, type NodeStreams } from "./node-streams.ts";
import { createRequestBudget } from "./request-budget.ts";
import { createSender, createSendQueue, type SendQueue } from "./send-queue.ts";
import { createSetDeriver } from "./set-diff.ts";
import { createSharedResponses } from "./shared-responses.ts";
import { createSubscriptions } from "./subscription.ts";

/** One client's stream, as the composition root sees it. */
export interface ClientStream {
  readonly node: XdsNode;
  readonly protocol: Protocol;
  /** The address it comes from, without a port. */
  readonly peer: string;
  /** What the client shall have from `revision` on. The object it has already is silent. */
  set(resources: XdsResources, revision: number): void;
  /** The newest revision the client has acknowledged in full. */
  ackedRevision(): number;
  types(): readonly StreamTypeStatus[];
}

export interface XdsServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A stream's first request came. The value is called at its end; an error refuses the stream. */
  readonly onStream: (stream: ClientStream) => Result<() => void>;
  /** Some stream acknowledged or refused something. */
  readonly onAnswer: () => void;
  /** Istio's agent reports on its workload, on the stream of this node; undefined: it is well. */
  readonly onHealth?: (nodeId: string, error: string | undefined) => void;
  readonly limits?: Partial<XdsLimits>;
}

export interface XdsLimits {
  readonly streams: number;
  readonly streamsPerNode: number;
  readonly typesPerStream: number;
  readonly namesPerType: number;
  /** Requests that answer no response: this many at once, and so many a second after that. */
  readonly requestBurst: number;
  readonly requestsPerSecond: number;
  readonly firstRequestMs: number;
}

export interface XdsServer {
  readonly port: number;
  stop(): Promise<void>;
}

const LIMITS: XdsLimits = {
  streams: 10_000,
  streamsPerNode: 64,
  typesPerStream: 32,
  namesPerType: 200_000,
  requestBurst: 1000,
  requestsPerSecond: 100,
  firstRequestMs: 15_000,
};

/** No resource: what Istio's agent found out by probing. https://istio.io/latest/docs/reference/config/networking/workload-group/ */
const HEALTH_INFORMATION = "type.googleapis.com/istio.v1.HealthInformation";
const MAX_LARGE_BYTES_OUT = 64 * 1024 * 1024;
const SLOW_CLIENT_MS = 5000;

interface ServerParts {
  readonly options: XdsServerOptions;
  readonly limits: XdsLimits;
  readonly shared: SharedParts;
  readonly queue: SendQueue;
  readonly nodes: NodeStreams;
}

export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const { clock } = options;
  const limits = { ...LIMITS, ...options.limits };
  const parts: ServerParts = {
    options,
    limits,
    shared: { responses: createSharedResponses(), subscriptions: createSubscriptions(), sets: createSetDeriver() },
    queue: createSendQueue({ clock, maxBytes: MAX_LARGE_BYTES_OUT, patienceMs: SLOW_CLIENT_MS }),
    nodes: createNodeStreams(limits, clock),
  };
  const calls = new Set<() => void>();
  const transport = await startGrpcTransport({
    host: options.host,
    port: options.port,
    onCall(call) {
      const end = serveCall(call, parts, () => calls.delete(end));
      calls.add(end);
    },
  });
  return {
    port: transport.port,
    stop() {
      transport.stop();
      for (const end of [...calls]) end();
      return Promise.resolve();
    },
  };
}

/** Returns what ends it from this side. */
function serveCall(call: Call, parts: ServerParts, onClosed: () => void): () => void {
  const { options, limits, nodes } = parts;
  const { clock, logger } = options;
  const sender = createSender(call, parts.queue);
  const budget = createRequestBudget(call, { clock, limits });
  let stream: AdsStream | undefined;
  let nodeId = "";
  let disconnect: (() => void) | undefined;
  const cancelFirst = clock.after(limits.firstRequestMs, () => call.refuse("DEADLINE_EXCEEDED", "no first request came"));

  function close(): void {
    cancelFirst();
    budget.stop();
    sender.stop();
    stream?.close();
    if (stream !== undefined) nodes.remove(nodeId, stream);
    stream = undefined;
    disconnect?.();
    disconnect = undefined;
    onClosed();
  }

  function open(node: XdsNode | undefined): AdsStream | undefined {
    if (node === undefined || node.id === "") {
      call.refuse("INVALID_ARGUMENT", "the first request of a stream must name its node");
      return undefined;
    }
    const admitted = nodes.admits(node.id);
    if (!admitted.ok) {
      logger.log("warn", "an xDS stream is refused", { node: node.id, reason: admitted.error });
      call.refuse("RESOURCE_EXHAUSTED", admitted.error);
      return undefined;
    }
    const created = createAdsStream({
      protocol: call.protocol,
      clock,
      shared: parts.shared,
      send(bytes) {
        budget.grant();
        sender.send(bytes);
      },
      onAnswer: options.onAnswer,
      unfinished: nodes.unfinished(node.id),
    });
    const { set, ackedRevision, types } = created;
    const accepted = options.onStream({ node, protocol: call.protocol, peer: call.peer, set, ackedRevision, types });
    if (!accepted.ok) {
      call.refuse("INVALID_ARGUMENT", accepted.error);
      return undefined;
    }
    cancelFirst();
    nodes.add(node.id, created);
    nodeId = node.id;
    disconnect = accepted.value;
    return created;
  }

  /** False when the request cannot be taken. */
  function check(request: DeltaRequest | SotwRequest, names: readonly string[]): boolean {
    if (request.typeUrl === "") call.refuse("INVALID_ARGUMENT", "a request on an aggregated stream must name its type_url");
    else if (stream === undefined) return false;
    else if (!stream.knows(request.typeUrl) && stream.typeCount() >= limits.typesPerStream)
      call.refuse("RESOURCE_EXHAUSTED", `more than ${limits.typesPerStream} resource types on one stream`);
    else if (
      names.length + (stream.knows(request.typeUrl) ? stream.stateOf(request.typeUrl).subscription.names.size : 0) >
      limits.namesPerType
    )
      call.refuse("RESOURCE_EXHAUSTED", `more than ${limits.namesPerType} resource names of one type on one stream`);
    else return true;
    return false;
  }

  call.onEnd = close;
  call.onMessage = (bytes) => {
    budget.take();
    const decoded = call.protocol === "delta" ? decodeDeltaRequest(bytes) : decodeSotwRequest(bytes);
    if (!decoded.ok) return call.refuse("INVALID_ARGUMENT", decoded.error);
    const request = decoded.value;
    try {
      stream ??= open(request.node);
      if (stream === undefined) return;
      if (request.typeUrl === HEALTH_INFORMATION) return options.onHealth?.(nodeId, request.error);
      if (request.error !== undefined)
        logger.log("warn", "a proxy refused config", { node: nodeId, type: request.typeUrl, reason: request.error.slice(0, 2000) });
      if ("subscribe" in request) {
        if (check(request, request.subscribe)) acceptDeltaRequest(stream, request);
      } else if (check(request, request.names)) acceptSotwRequest(stream, request);
    } catch (error) {
      // One stream's bad luck must not end the others.
      logger.log("error", "an xDS request failed", { node: nodeId, error: error instanceof Error ? (error.stack ?? "") : String(error) });
      call.refuse("INTERNAL", "the request failed in the control plane; its log says why");
    }
  };
  return close;
}
