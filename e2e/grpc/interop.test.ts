// gRPC's interoperability cases through two sidecars, for every pair of languages, on our proxy and on real Envoy.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, PLANES } from "../fleet.ts";
import { CASES } from "./cases.ts";
import { type InteropServer, type Language, languages, type Results, runClient, startServer } from "./languages.ts";
import { compileSchema } from "./schema.ts";
import { type Sidecars, startSidecars } from "./sidecars.ts";

const LANGUAGES = languages();
const PAIRS = LANGUAGES.flatMap((client) => LANGUAGES.map((server) => ({ client, server })));

describe.each(PLANES)("gRPC interop through two sidecars on %s", (plane) => {
  const scratch = mkdtempSync(path.join(os.tmpdir(), "serin-grpc-"));
  const descriptors = path.join(scratch, "test-service.pb");
  const servers = new Map<Language, InteropServer>();
  let sidecars: Sidecars | undefined;

  beforeAll(async () => {
    compileSchema(descriptors);
    await Promise.all(LANGUAGES.map(async (one) => servers.set(one, await startServer(one, descriptors))));
    const served = [...servers].map(([{ name }, { port }]) => ({ name: `interop-${name}`, port }));
    sidecars = await startSidecars(plane, served);
  });

  afterAll(async () => {
    await sidecars?.stop();
    for (const server of servers.values()) server.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  describe.each(PAIRS)("$client.name calls $server.name", ({ client, server }) => {
    let results: Results;
    let cancelledBefore = 0;
    let sentOn: readonly number[] = [];
    const cancelled = (): number => servers.get(server)?.cancelled() ?? 0;

    beforeAll(async () => {
      const { services, counts } = sidecars!;
      const reached = services.find(({ name }) => name === `interop-${server.name}`)!;
      cancelledBefore = cancelled();
      const before = await counts();
      results = await runClient(client, [descriptors, reached.address, reached.authority]);
      const after = await counts();
      sentOn = after.map((count, i) => count - before[i]!);
    });

    it.each(CASES)("%s", (name) => {
      expect(results[name]).toBe("");
    });

    it("went through both sidecars", () => {
      // Those given up at once may not have come so far.
      for (const count of sentOn) expect(count).toBeGreaterThanOrEqual(CASES.length - 1);
    });

    it("tells the server of calls that are cancelled", async () => {
      await eventually("one is over at the server", async () => cancelled() > cancelledBefore, 5000);
    });
  });
});
