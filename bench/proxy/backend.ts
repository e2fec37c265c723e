// The upstream of the proxy benchmark: answers `GET /SIZE` with SIZE bytes on each port, over raw sockets, so that it is never the bottleneck.
import net from "node:net";

export interface Backend {
  readonly ports: readonly number[];
  stop(): void;
}

const MARK = Buffer.from("\r\n\r\n");

function answerFor(size: number): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${size}\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n${"x".repeat(size)}`,
    "latin1",
  );
}

export async function startBackend(count: number): Promise<Backend> {
  const answers = new Map<number, Buffer>();
  const servers: net.Server[] = [];
  const ports: number[] = [];
  for (let i = 0; i < count; i++) {
    const server = net.createServer({ noDelay: true }, (socket) => {
      let rest: Buffer | undefined;
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => {
        let data = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
        rest = undefined;
        for (;;) {
          const end = data.indexOf(MARK);
          if (end < 0) break;
          const size = Number.parseInt(data.toString("latin1", 5, 16), 10);
          let answer = answers.get(size);
          if (answer === undefined) answers.set(size, (answer = answerFor(size)));
          socket.write(answer);
          data = data.subarray(end + 4);
        }
        if (data.length > 0) rest = data;
      });
    });
    await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
    ports.push((server.address() as net.AddressInfo).port);
    servers.push(server);
  }
  return {
    ports,
    stop() {
      for (const server of servers) server.close();
    },
  };
}
