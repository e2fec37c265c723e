// Servers on several loopback addresses and one port, so that a name can move between them and nobody else has that port there.
import type net from "node:net";

/** By address; 127.0.0.1 should be among them, since others choose their ports there. */
export async function listenOnOnePort(
  make: Readonly<Record<string, () => net.Server>>,
): Promise<{ port: number; servers: readonly net.Server[] }> {
  for (;;) {
    const servers: net.Server[] = [];
    try {
      let port = 0;
      for (const [address, create] of Object.entries(make)) {
        const server = create();
        servers.push(server);
        port = await listen(server, address, port);
      }
      return { port, servers };
    } catch (error) {
      for (const server of servers) server.close();
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
  }
}

function listen(server: net.Server, address: string, port: number): Promise<number> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(port, address, () => done((server.address() as net.AddressInfo).port));
  });
}
