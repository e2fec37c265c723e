// The upstream of the HTTP/2 benchmark: a GET gets 100 bytes, a POST is taken for a unary gRPC call and gets a message and trailers.
import net from "node:net";
import { Http2Header } from "../../src/proxy/http2/header.ts";
import type { Http2Stream, ReceivedBlock, StreamUser } from "../../src/proxy/http2/stream.ts";
import { sessionOver } from "./peer.ts";

export interface Http2Backend {
  readonly ports: readonly number[];
  stop(): void;
}

const BODY = Buffer.alloc(100, 120);
/** A gRPC message of 95 bytes: a flag, four bytes of length, the message. */
export const MESSAGE = Buffer.concat([Buffer.from([0, 0, 0, 0, 95]), Buffer.alloc(95, 1)]);
const ANSWER = [
  new Http2Header(":status", "200"),
  new Http2Header("content-type", "text/plain"),
  new Http2Header("content-length", "100"),
  new Http2Header("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
];
const GRPC = [
  new Http2Header(":status", "200"),
  new Http2Header("content-type", "application/grpc"),
  new Http2Header("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
];
const TRAILERS = [new Http2Header("grpc-status", "0")];

class Call implements StreamUser {
  private readonly stream: Http2Stream;

  constructor(stream: Http2Stream) {
    this.stream = stream;
  }

  onHeaders(): void {}
  onData(_data: Buffer, endStream: boolean): void {
    if (endStream) this.answer();
  }
  onTrailers(): void {
    this.answer();
  }
  onReset(): void {}
  onWritable(): void {}

  private answer(): void {
    this.stream.sendHeaders(GRPC, false);
    this.stream.sendData(MESSAGE, false);
    this.stream.sendTrailers(TRAILERS);
  }
}

function onRequest(stream: Http2Stream, block: ReceivedBlock, endStream: boolean): void {
  if (!endStream) {
    stream.user = new Call(stream);
    return;
  }
  void block;
  stream.sendHeaders(ANSWER, false);
  stream.sendData(BODY, true);
}

export async function startHttp2Backend(count: number): Promise<Http2Backend> {
  const sockets = new Set<net.Socket>();
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer({ noDelay: true }, (socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        sessionOver(socket, "server", { onRequest });
      });
      await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
      return server;
    }),
  );
  return {
    ports: servers.map((server) => (server.address() as net.AddressInfo).port),
    stop() {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
