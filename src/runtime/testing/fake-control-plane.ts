// A control plane for the runtime's tests: keeps documents in a file, serves the part of the admin API that the runtime uses, knows no xDS.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import type { ApplyRequest, PodList, StoredResource, WatchEvent } from "../../admin-api/index.ts";

const args = process.argv.slice(2);
const valueOf = (name: string): string => args[args.indexOf(name) + 1] ?? "";

const token = readFileSync(valueOf("--admin-token-file"), "utf8").trim();
const file = path.join(valueOf("--state"), "fake.json");
const port = Number(valueOf("--admin").split(":")[1]);

interface Saved {
  revision: number;
  items: StoredResource[];
  pods: PodList;
}
const saved: Saved = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Saved) : { revision: 1, items: [], pods: { pods: [] } };
const watchers = new Set<(event: WatchEvent) => void>();
const save = (): void => writeFileSync(file, JSON.stringify(saved));

function put(document: StoredResource): void {
  saved.revision++;
  const { metadata } = document;
  const namespace = metadata.namespace ?? "default";
  const object = { ...document, metadata: { ...metadata, namespace, resourceVersion: String(saved.revision) } };
  const at = saved.items.findIndex((one) => one.kind === object.kind && one.metadata.name === metadata.name);
  if (at === -1) saved.items.push(object);
  else saved.items[at] = object;
  for (const tell of watchers) tell({ type: at === -1 ? "ADDED" : "MODIFIED", resourceVersion: String(saved.revision), object });
  save();
}

const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const url = request.url ?? "";
    const body: unknown = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
    const json = (value: unknown): void => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (url === "/ready") return json({});
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end("{}");
    if (url === "/api/v1/apply") {
      for (const { text } of (body as ApplyRequest).documents) put(JSON.parse(text) as StoredResource);
      return json({ revision: saved.revision, results: [], issues: [] });
    }
    if (url === "/api/v1/pods" && request.method === "PUT") {
      saved.pods = body as PodList;
      saved.revision++;
      save();
      return json({});
    }
    if (url === "/api/v1/pods") return json(saved.pods);
    if (url.startsWith("/api/v1/resources")) return json({ resourceVersion: String(saved.revision), items: saved.items });
    if (url.startsWith("/api/v1/status")) return json({ revision: saved.revision });
    if (url.startsWith("/api/v1/live")) return json({ revision: saved.revision, live: true, tookMs: 0, affected: 0, lagging: [] });
    if (url.startsWith("/api/v1/watch")) {
      response.writeHead(200);
      response.flushHeaders();
      const tell = (event: WatchEvent): void => void response.write(`${JSON.stringify(event)}\n`);
      const since = Number(new URLSearchParams(url.split("?")[1]).get("since"));
      for (const object of saved.items) {
        const { resourceVersion } = object.metadata;
        if (Number(resourceVersion) > since) tell({ type: "MODIFIED", resourceVersion, object });
      }
      watchers.add(tell);
      response.on("close", () => watchers.delete(tell));
      return undefined;
    }
    return void response.writeHead(404).end("{}");
  });
});
server.listen(port, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
