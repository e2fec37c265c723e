// The ADS gRPC server: both variants of the aggregated discovery service over pre-encoded bytes. It decodes requests, hands each stream to
// the composition root with the node it names, and writes what the stream sends. Knows type URLs, not meshes.
import { fromBinary } from "@bufbuild/protobuf";
import {
  type handleBidiStreamingCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema, type Node } from "../../envoy-api/index.ts";
import { type Clock, type Logger, type Result, SerinError } from "../../kit/index.ts";
import type { ChannelStatus, TypeRequest } from "./channel.ts";
import { type AdsStream, createAdsStream, type Protocol } from "./stream.ts";

/** Who asks: the client's node as plain data. */
export interface StreamNode {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string } | undefined;
}

export interface ClientStream extends Pick<AdsStream, "set" | "ackedRevision"> {
  readonly node: StreamNode;
  readonly protocol: Protocol;
  types(): readonly ChannelStatus[];
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
}

export interface XdsServer {
  readonly port: number;
  stop(): Promise<void>;
}

const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
const MAX_STREAMS_PER_CONNECTION = 100;

const bytes = (value: Buffer): Buffer => value;

function method(name: string): ServiceDefinition[string] {
  return {
    path: `${SERVICE}/${name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

interface Decoded {
  readonly typeUrl: string;
  readonly node: Node | undefined;
  readonly request: TypeRequest;
}

function decodeDelta(raw: Buffer): Decoded {
  const m = fromBinary(DeltaDiscoveryRequestSchema, raw);
  return {
    typeUrl: m.typeUrl,
    node: m.node,
    request: {
      subscribe: m.resourceNamesSubscribe,
      unsubscribe: m.resourceNamesUnsubscribe,
      initialVersions: m.initialResourceVersions,
      version: "",
      nonce: m.responseNonce,
      error: m.errorDetail?.message,
    },
  };
}

function decodeSotw(raw: Buffer): Decoded {
  const m = fromBinary(DiscoveryRequestSchema, raw);
  return {
    typeUrl: m.typeUrl,
    node: m.node,
    request: {
      subscribe: m.resourceNames,
      unsubscribe: [],
      initialVersions: {},
      version: m.versionInfo,
      nonce: m.responseNonce,
      error: m.errorDetail?.message,
    },
  };
}

function nodeOf(node: Node): StreamNode {
  const { locality } = node;
  return {
    id: node.id,
    cluster: node.cluster,
    metadata: node.metadata ?? {},
    locality: locality === undefined ? undefined : { region: locality.region, zone: locality.zone, subZone: locality.subZone },
  };
}

function serve(call: ServerDuplexStream<Buffer, Buffer>, protocol: Protocol, options: XdsServerOptions): void {
  const { logger } = options;
  let stream: AdsStream | undefined;
  let disconnect: (() => void) | undefined;
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    stream?.close();
    disconnect?.();
  };
  const refuse = (code: number, details: string): void => {
    if (ended) return;
    end();
    call.destroy(Object.assign(new Error(details), { code, details }));
  };
  const open = (node: Node | undefined): AdsStream | undefined => {
    if (node === undefined || node.id === "") {
      refuse(status.INVALID_ARGUMENT, "the first request of a stream must name its node");
      return undefined;
    }
    const created = createAdsStream({
      protocol,
      clock: options.clock,
      send: (message) => void (ended || call.write(message)),
      onAnswer: options.onAnswer,
    });
    const accepted = options.onStream({
      node: nodeOf(node),
      protocol,
      set: created.set,
      ackedRevision: created.ackedRevision,
      types: created.types,
    });
    if (!accepted.ok) {
      refuse(status.INVALID_ARGUMENT, accepted.error);
      return undefined;
    }
    disconnect = accepted.value;
    return created;
  };
  call.on("data", (raw: Buffer) => {
    try {
      const { typeUrl, node, request } = protocol === "delta" ? decodeDelta(raw) : decodeSotw(raw);
      stream ??= open(node);
      if (stream === undefined) return;
      if (typeUrl === "") return refuse(status.INVALID_ARGUMENT, "a request on an aggregated stream must name its type_url");
      if (request.error !== undefined) logger.log("warn", "a proxy refused config", { node: node?.id, typeUrl, reason: request.error });
      stream.onRequest(typeUrl, request);
    } catch (error) {
      refuse(status.INVALID_ARGUMENT, `the request cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  call.on("end", () => {
    end();
    call.end();
  });
  call.on("error", end);
  call.on("cancelled", end);
  call.on("close", end);
}

export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const server = new Server({
    "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
    "grpc.max_concurrent_streams": MAX_STREAMS_PER_CONNECTION,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc-node.flow_control_window": 1024 * 1024,
  });
  const handler =
    (protocol: Protocol): handleBidiStreamingCall<Buffer, Buffer> =>
    (call) =>
      serve(call, protocol, options);
  server.addService(
    {
      StreamAggregatedResources: method("StreamAggregatedResources"),
      DeltaAggregatedResources: method("DeltaAggregatedResources"),
    } as ServiceDefinition,
    { StreamAggregatedResources: handler("sotw"), DeltaAggregatedResources: handler("delta") },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) return resolve(bound);
      reject(
        new SerinError("XDS_LISTEN_FAILED", `the xDS server cannot listen on ${options.host}:${options.port}: ${error.message}`, {
          cause: error,
          fix: "Is another control plane running? Choose another address with --xds.",
        }),
      );
    });
  });
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.forceShutdown();
        resolve();
      }),
  };
}
