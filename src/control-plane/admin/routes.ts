// The admin API as a table: what src/admin-api/contract.ts lists, each line read into typed arguments and passed on.
import type { ResourceKey, WatchEvent } from "../../admin-api/index.ts";
import { type Clock, SerinError } from "../../kit/index.ts";
import type { AdminBackend } from "./backend.ts";
import { parseApplyRequest, parseKeys, parseNumber, parsePodList, parseStatus } from "./request.ts";
import type { AdminAnswer, AdminRequest, AdminRoute } from "./server.ts";

const MAX_WAIT_MS = 600_000;
const BOOKMARK_MS = 5000;

export function adminRoutes(backend: AdminBackend, clock: Clock): readonly AdminRoute[] {
  const { store } = backend;
  const json = (value: unknown, status = 200): AdminAnswer => ({ status, json: value });

  function watch({ query, signal }: AdminRequest): AdminAnswer {
    const kind = query.get("kind") ?? undefined;
    const since = parseNumber(query.get("since"), { name: "since", max: Number.MAX_SAFE_INTEGER, absent: store.revision() });
    // Refused here, before the stream's 200 has gone out.
    store.watch(since, () => {})();
    return {
      stream(send, end) {
        let stopped = false;
        let cancel = () => {};
        const stop = (): void => {
          if (stopped) return;
          stopped = true;
          unwatch();
          cancel();
          end();
        };
        const pass = (event: WatchEvent): void => {
          if (kind !== undefined && event.object?.kind !== kind && event.type !== "BOOKMARK") return;
          if (!send(event)) queueMicrotask(stop);
        };
        const bookmark = (): void => {
          if (stopped) return;
          pass({ type: "BOOKMARK", resourceVersion: String(store.revision()), object: undefined });
          cancel = clock.after(BOOKMARK_MS, bookmark);
        };
        const unwatch = store.watch(since, pass);
        signal.addEventListener("abort", stop);
        bookmark();
      },
    };
  }

  return [
    {
      method: "GET",
      path: "/ready",
      open: true,
      anyHost: true,
      handle: () => (backend.ready() ? text("ready\n") : text("starting\n", 503)),
    },
    {
      method: "GET",
      path: "/metrics",
      open: true,
      async handle() {
        const { text, contentType } = await backend.metrics();
        return { status: 200, text, contentType };
      },
    },
    { method: "GET", path: "/api/v1/status", handle: () => json(backend.status()) },
    {
      method: "GET",
      path: "/api/v1/resources",
      handle: ({ query }) =>
        json({
          resourceVersion: String(store.revision()),
          items: store.list({ kind: query.get("kind") ?? undefined, namespace: query.get("namespace") ?? undefined }),
        }),
    },
    {
      method: "GET",
      path: "/api/v1/resources/:kind/:namespace/:name",
      handle({ params }) {
        const key = toKey(params);
        const object = store.get(key);
        if (object === undefined) throw new SerinError("RESOURCE_NOT_FOUND", `there is no ${key.kind} ${key.namespace}/${key.name}`);
        return json(object);
      },
    },
    {
      method: "POST",
      path: "/api/v1/apply",
      handle({ body }) {
        const response = backend.apply(parseApplyRequest(body));
        return json(response, response.results.some((result) => result.action === "refused") ? 422 : 200);
      },
    },
    { method: "POST", path: "/api/v1/delete", handle: ({ body }) => json(backend.remove(parseKeys(body))) },
    {
      method: "PUT",
      path: "/api/v1/status/:kind/:namespace/:name",
      handle({ params, body }) {
        const { status, resourceVersion } = parseStatus(body);
        return json(store.putStatus(toKey(params), status, resourceVersion));
      },
    },
    { method: "GET", path: "/api/v1/pods", handle: () => json(backend.pods()) },
    {
      method: "PUT",
      path: "/api/v1/pods",
      handle({ body }) {
        backend.putPods(parsePodList(body));
        return json({});
      },
    },
    { method: "GET", path: "/api/v1/watch", handle: watch },
    { method: "GET", path: "/api/v1/issues", handle: () => json({ issues: backend.issues() }) },
    { method: "GET", path: "/api/v1/proxies", handle: () => json({ proxies: backend.proxies() }) },
    { method: "GET", path: "/api/v1/proxies/:id/config", handle: ({ params }) => json(backend.proxyConfig(params[0] ?? "")) },
    {
      method: "GET",
      path: "/api/v1/live",
      async handle({ query, signal }) {
        const revision = parseNumber(query.get("revision"), { name: "revision", max: Number.MAX_SAFE_INTEGER, absent: store.revision() });
        const timeoutMs = parseNumber(query.get("timeoutMs"), { name: "timeoutMs", max: MAX_WAIT_MS, absent: 30_000 });
        return json(await backend.live({ revision, timeoutMs, signal }));
      },
    },
  ];
}

function text(value: string, status = 200): AdminAnswer {
  return { status, text: value, contentType: "text/plain; charset=utf-8" };
}

function toKey(params: readonly string[]): ResourceKey {
  const [kind = "", namespace = "", name = ""] = params;
  return { kind, namespace: namespace === "-" ? "" : namespace, name };
}
