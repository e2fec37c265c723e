// The aggregated discovery service over gRPC with bytes in and bytes out: what is encoded once is written to every stream as it is.
// Limits: 4 MiB a request, 100 streams a connection, keepalive every 30 s (Istio's values).
import {
  type handleBidiStreamingCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import { SerinError } from "../kit/index.ts";
import type { Protocol } from "./discovery-request.ts";

/** One call, as the server side sees it. */
export interface Call {
  readonly protocol: Protocol;
  /** The address it comes from, without a port. */
  readonly peer: string;
  write(bytes: Buffer, left?: () => void): void;
  /** Ends it with a status other than OK. */
  refuse(code: RefusalCode, details: string): void;
  pause(): void;
  resume(): void;
  /** Set by whoever takes the call. */
  onMessage: (bytes: Buffer) => void;
  onEnd: () => void;
}

export type RefusalCode = "INVALID_ARGUMENT" | "RESOURCE_EXHAUSTED" | "DEADLINE_EXCEEDED" | "INTERNAL";

export interface Transport {
  readonly port: number;
  stop(): void;
}

const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const METHODS: Readonly<Record<string, Protocol>> = { StreamAggregatedResources: "sotw", DeltaAggregatedResources: "delta" };
const OPTIONS = {
  "grpc.max_receive_message_length": 4 * 1024 * 1024,
  "grpc.max_send_message_length": -1,
  "grpc.max_concurrent_streams": 100,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.enable_channelz": 0,
};

const bytes = (value: Buffer): Buffer => value;

function toCall(call: ServerDuplexStream<Buffer, Buffer>, protocol: Protocol): Call {
  let ended = false;
  const taken: Call = {
    protocol,
    peer: call.getPeer().replace(/:\d+$/, ""),
    write(message, left) {
      if (ended) left?.();
      else call.write(message, left === undefined ? undefined : () => left());
    },
    refuse(code, details) {
      if (ended) return;
      call.emit("error", Object.assign(new Error(details), { code: status[code], details }));
      end();
    },
    pause: () => void call.pause(),
    resume: () => void call.resume(),
    onMessage() {},
    onEnd() {},
  };
  function end(): void {
    if (ended) return;
    ended = true;
    taken.onEnd();
  }
  call.on("data", (message: Buffer) => {
    if (!ended) taken.onMessage(message);
  });
  call.on("end", () => {
    end();
    call.end();
  });
  call.on("error", end);
  call.on("cancelled", end);
  call.on("close", end);
  return taken;
}

export async function startGrpcTransport(options: {
  readonly host: string;
  readonly port: number;
  readonly onCall: (call: Call) => void;
}): Promise<Transport> {
  const server = new Server(OPTIONS);
  const service: Record<string, ServiceDefinition[string]> = {};
  const handlers: Record<string, handleBidiStreamingCall<Buffer, Buffer>> = {};
  for (const [name, protocol] of Object.entries(METHODS)) {
    service[name] = {
      path: `${SERVICE}/${name}`,
      requestStream: true,
      responseStream: true,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    };
    handlers[name] = (call) => options.onCall(toCall(call, protocol));
  }
  server.addService(service, handlers);
  const address = `${options.host.includes(":") ? `[${options.host}]` : options.host}:${options.port}`;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) return resolve(bound);
      reject(
        new SerinError("XDS_LISTEN_FAILED", `the xDS server cannot listen on ${address}: ${error.message}`, {
          cause: error,
          fix: "Is another control plane running? Choose another address with --xds.",
        }),
      );
    });
  });
  return { port, stop: () => server.forceShutdown() };
}
