// The upstream of the stream benchmark. A connection that begins with `GET` is upgraded first. Then the first byte says what it is for:
// `e` echoes what comes, `d` sends for as long as the caller reads.
import net from "node:net";
import { pour } from "../pour.ts";

export interface StreamBackend {
  readonly port: number;
  stop(): void;
}

const UPGRADED =
  "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
export async function startStreamBackend(): Promise<StreamBackend> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    let state: "new" | "echo" | "pour" = "new";
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      let data = chunk;
      if (state === "new" && data[0] === 71) {
        const end = data.indexOf("\r\n\r\n");
        socket.write(UPGRADED);
        data = data.subarray(end + 4);
        if (data.length === 0) return;
      }
      if (state === "new") {
        state = data[0] === 101 ? "echo" : "pour";
        if (state === "pour") return pour(socket, Number.POSITIVE_INFINITY);
      }
      if (state === "echo") socket.write(data);
    });
  });
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as net.AddressInfo).port,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
