// One bidirectional gRPC call with raw bytes both ways, on @grpc/grpc-js; keepalive notices a peer that went without a word.
import { type ChannelOptions, Client, credentials, Metadata } from "@grpc/grpc-js";

export interface Stream {
  send(bytes: Uint8Array): void;
  close(): void;
}

export interface StreamHandlers {
  /** The peer is there. One that has nothing new to say sends nothing, so its first message is no sign of that. */
  onConnected(): void;
  onMessage(bytes: Uint8Array): void;
  /** Once; the stream is over, whoever ended it. */
  onEnd(reason: string): void;
}

export type OpenStream = (method: string, handlers: StreamHandlers) => Stream;

export interface GrpcTarget {
  /** `host:port`. */
  readonly address: string;
  readonly authority: string;
  /** Sent with every call. */
  readonly metadata: readonly (readonly [string, string])[];
}

const OPTIONS: ChannelOptions = {
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_channelz": 0,
};

const asIs = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A channel of its own for each call: a new attempt does not wait for the back-off of an old connection. */
export function createGrpcOpener(target: GrpcTarget): OpenStream {
  const metadata = new Metadata();
  for (const [name, value] of target.metadata) metadata.add(name, value);
  const options = target.authority === "" ? OPTIONS : { ...OPTIONS, "grpc.default_authority": target.authority };
  return (method, handlers) => {
    const client = new Client(target.address, credentials.createInsecure(), options);
    const call = client.makeBidiStreamRequest<Uint8Array, Buffer>(method, asIs, (bytes) => bytes, metadata.clone());
    let over = false;
    const end = (reason: string): void => {
      if (over) return;
      over = true;
      client.close();
      handlers.onEnd(reason);
    };
    client.waitForReady(Number.POSITIVE_INFINITY, (error) => {
      if (error === undefined && !over) handlers.onConnected();
    });
    call.on("data", (bytes: Buffer) => handlers.onMessage(bytes));
    call.on("error", (error: Error) => end(error.message));
    call.on("end", () => end("the stream was closed"));
    return {
      send: (bytes) => void call.write(bytes),
      close() {
        call.cancel();
        end("closed");
      },
    };
  };
}
