// A gRPC client for tests that says exactly what it is told to and shows exactly what came.
import { Client, type ClientDuplexStream, credentials, type StatusObject } from "@grpc/grpc-js";
import {
  create,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
  fromBinary,
  toBinary,
} from "../../envoy-api/index.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";

const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const DEADLINE_MS = 10_000;

export interface AdsClient<Request, Response> {
  send(request: Request): void;
  sendBytes(bytes: Buffer): void;
  next(): Promise<Response>;
  /** Responses that came and were not asked for with `next`. */
  waiting(): number;
  /** How the stream ended. */
  ended(): Promise<StatusObject>;
  close(): void;
}

export type DeltaClient = AdsClient<MessageInitShape<typeof DeltaDiscoveryRequestSchema>, DeltaDiscoveryResponse>;
export type SotwClient = AdsClient<MessageInitShape<typeof DiscoveryRequestSchema>, DiscoveryResponse>;

function connect<Request, Response>(
  port: number,
  method: { readonly name: string; readonly encode: (request: Request) => Uint8Array; readonly decode: (bytes: Buffer) => Response },
): AdsClient<Request, Response> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.max_send_message_length": -1,
    "grpc.use_local_subchannel_pool": 1,
  });
  const same = (bytes: Buffer): Buffer => bytes;
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(`${SERVICE}/${method.name}`, same, same);
  const came: Response[] = [];
  let end: StatusObject | undefined;
  let wake = (): void => {};
  call.on("data", (bytes: Buffer) => {
    came.push(method.decode(bytes));
    wake();
  });
  call.on("error", () => {});
  call.on("status", (status) => {
    end = status;
    wake();
  });

  async function until<T>(what: string, look: () => T | undefined): Promise<T> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (Date.now() > deadline)
        throw new Error(`no ${what} within ${DEADLINE_MS} ms${end === undefined ? "" : `: ${end.code} ${end.details}`}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  return {
    send: (request) => void call.write(Buffer.from(method.encode(request))),
    sendBytes: (bytes) => void call.write(bytes),
    next: () => until("response", () => came.shift()),
    waiting: () => came.length,
    ended: () => until("end", () => end),
    close() {
      call.cancel();
      client.close();
    },
  };
}

export function connectDelta(port: number): DeltaClient {
  return connect(port, {
    name: "DeltaAggregatedResources",
    encode: (request) => toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request)),
    decode: (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes),
  });
}

export function connectSotw(port: number): SotwClient {
  return connect(port, {
    name: "StreamAggregatedResources",
    encode: (request) => toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request)),
    decode: (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
  });
}
