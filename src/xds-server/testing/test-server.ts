// A running server for tests that gives every client the same config.
import { ok, err, silentLogger, systemClock, type XdsResources } from "../../kit/index.ts";
import { type ClientStream, startXdsServer, type XdsLimits, type XdsServerOptions } from "../xds-server.ts";
import { type AdsClient, connectDelta, connectSotw, type DeltaClient, type SotwClient } from "./ads-client.ts";

export interface TestServer {
  readonly port: number;
  readonly streams: ClientStream[];
  answers(): number;
  set(resources: XdsResources, revision: number): void;
  delta(): DeltaClient;
  sotw(): SotwClient;
  stop(): Promise<void>;
}

export async function startTestServer(
  first: XdsResources,
  options: { readonly limits?: Partial<XdsLimits>; readonly onHealth?: NonNullable<XdsServerOptions["onHealth"]> } = {},
): Promise<TestServer> {
  const streams: ClientStream[] = [];
  const clients: AdsClient<never, unknown>[] = [];
  let now: readonly [XdsResources, number] = [first, 1];
  let answers = 0;
  const server = await startXdsServer({
    host: "127.0.0.1",
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    onStream(stream) {
      if (stream.node.id === "unwanted") return err("this node is not wanted");
      streams.push(stream);
      stream.set(...now);
      return ok(() => void streams.splice(streams.indexOf(stream), 1));
    },
    onAnswer: () => void (answers += 1),
    ...options,
  });
  const remember = <C extends AdsClient<never, unknown>>(client: C): C => {
    clients.push(client);
    return client;
  };
  return {
    port: server.port,
    streams,
    answers: () => answers,
    set(resources, revision) {
      now = [resources, revision];
      for (const stream of streams) stream.set(resources, revision);
    },
    delta: () => remember(connectDelta(server.port)),
    sotw: () => remember(connectSotw(server.port)),
    async stop() {
      for (const client of clients) client.close();
      await server.stop();
    },
  };
}

/** Polls until it is so. */
export async function eventually(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
