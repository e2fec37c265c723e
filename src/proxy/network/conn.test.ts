// Bytes that are only borrowed arrive as they were when they were written, whatever becomes of their memory, and however slowly they are read.
import { createHash } from "node:crypto";
import net, { type AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { seededRng } from "../../kit/index.ts";
import { type ConnHandler, dial, HIGH_WATER } from "./conn.ts";

const HANDLER: ConnHandler = { onData: () => true, onEnd: () => undefined, onClose: () => undefined };

test("what is written as a copy is not touched by what is written next", async () => {
  const { random } = seededRng(11);
  const got = createHash("sha256");
  let read = 0;
  const server = net.createServer((socket) => {
    socket.on("data", (part: Buffer) => {
      read += part.length;
      got.update(part);
      // Now and then the reader rests, so that bytes wait in the connection.
      if (random() < 0.2) {
        socket.pause();
        setTimeout(() => socket.resume(), 2);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const conns = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<ReturnType<typeof dial>>((ready) => {
          const { port } = server.address() as AddressInfo;
          const options = {
            target: { address: "127.0.0.1", port, alternatives: undefined },
            localAddress: undefined,
            keepalive: undefined,
            transport: undefined,
          };
          const conn = dial({ ...options, onConnect: () => ready(conn) }, HANDLER);
        }),
    ),
  );
  const [conn, other] = conns as [ReturnType<typeof dial>, ReturnType<typeof dial>];
  other.end();
  const sent = createHash("sha256");
  const shared = Buffer.alloc(65_536);
  let written = 0;
  while (written < 32 * 1_048_576) {
    const length = random() < 0.2 ? 1 + Math.floor(random() * 20_000) : 1 + Math.floor(random() * shared.length);
    shared.fill(Math.floor(random() * 256), 0, length);
    const view = shared.subarray(0, length);
    sent.update(view);
    conn.writeCopy(view);
    written += length;
    // The memory is another's again.
    shared.fill(0);
    if (conn.pending() > HIGH_WATER) await new Promise<void>((done) => conn.whenFlushed(done));
  }
  conn.end();
  while (read < written) await new Promise((done) => void setTimeout(done, 5));
  expect(got.digest("hex")).toBe(sent.digest("hex"));
  conn.destroy();
  server.close();
});
