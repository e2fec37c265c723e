// The admin API as functions, for the CLI, the runtime and tests: plain fetch, one error type, nothing kept between calls.
import { SerinError } from "../kit/index.ts";
import type {
  ApplyRequest,
  ApplyResponse,
  LiveStatus,
  MeshStatus,
  PodList,
  ProxyConfigDump,
  ProxyStatus,
  ResourceKey,
  ResourceList,
  StoredResource,
  WatchEvent,
} from "./contract.ts";
import type { Issue } from "../kit/index.ts";

export interface AdminClientOptions {
  /** `http://127.0.0.1:PORT`; a function when the control plane may come back on another port. */
  readonly url: string | (() => string);
  readonly token: string | (() => string);
  /** For every call but watch and live; 10 s when absent. */
  readonly timeoutMs?: number;
}

export interface AdminClient {
  ready(): Promise<boolean>;
  status(): Promise<MeshStatus>;
  list(filter?: { readonly kind?: string; readonly namespace?: string }): Promise<ResourceList>;
  /** undefined when there is none. */
  get(key: ResourceKey): Promise<StoredResource | undefined>;
  /** Refused documents come back as issues, not as an error. */
  apply(request: ApplyRequest): Promise<ApplyResponse>;
  delete(keys: readonly ResourceKey[]): Promise<ApplyResponse>;
  putStatus(key: ResourceKey, status: unknown): Promise<StoredResource>;
  putPods(list: PodList): Promise<void>;
  pods(): Promise<PodList>;
  issues(): Promise<readonly Issue[]>;
  proxies(): Promise<readonly ProxyStatus[]>;
  proxyConfig(id: string): Promise<ProxyConfigDump>;
  live(options: { readonly revision: number; readonly timeoutMs: number }): Promise<LiveStatus>;
  /** One stream of events after `since`; ends when the server or the signal ends it. Throws STORE_COMPACTED when `since` is compacted. See `startWatch`. */
  watch(options: { readonly kind?: string; readonly since: string; readonly signal: AbortSignal }): AsyncGenerator<WatchEvent, void, void>;
}

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string; readonly fix?: string };
}

type Method = "GET" | "PUT" | "POST";

export function createAdminClient(options: AdminClientOptions): AdminClient {
  const defaultTimeout = options.timeoutMs ?? 10_000;
  const base = () => (typeof options.url === "string" ? options.url : options.url());
  const token = () => (typeof options.token === "string" ? options.token : options.token());

  async function send(method: Method, path: string, extra: { body?: unknown; signal?: AbortSignal } = {}): Promise<Response> {
    const init: RequestInit = {
      method,
      headers: { authorization: `Bearer ${token()}`, ...(extra.body === undefined ? {} : { "content-type": "application/json" }) },
      signal: extra.signal ?? AbortSignal.timeout(defaultTimeout),
      redirect: "error",
    };
    if (extra.body !== undefined) init.body = JSON.stringify(extra.body);
    try {
      return await fetch(base() + path, init);
    } catch (cause) {
      throw new SerinError("ADMIN_UNREACHABLE", `the control plane at ${base()} does not answer`, {
        cause,
        fix: "Start the mesh with `serin up`, or see `serin status`.",
      });
    }
  }

  async function json<T>(
    method: Method,
    path: string,
    extra: { body?: unknown; signal?: AbortSignal; accept?: readonly number[] } = {},
  ): Promise<T> {
    const response = await send(method, path, extra);
    if (response.ok || extra.accept?.includes(response.status)) return (await response.json()) as T;
    throw await toError(response);
  }

  return {
    async ready() {
      try {
        const response = await send("GET", "/ready");
        await response.body?.cancel();
        return response.ok;
      } catch {
        return false;
      }
    },
    status: () => json("GET", "/api/v1/status"),
    list(filter = {}) {
      const query = new URLSearchParams(filter).toString();
      return json("GET", `/api/v1/resources${query === "" ? "" : `?${query}`}`);
    },
    async get(key) {
      const response = await send("GET", resourcePath("resources", key));
      if (response.ok) return (await response.json()) as StoredResource;
      const error = await toError(response);
      if (error.code === "RESOURCE_NOT_FOUND") return undefined;
      throw error;
    },
    apply: (body) => json("POST", "/api/v1/apply", { body, accept: [422], signal: AbortSignal.timeout(60_000) }),
    delete: (resources) => json("POST", "/api/v1/delete", { body: { resources } }),
    putStatus: (key, status) => json("PUT", resourcePath("status", key), { body: { status } }),
    async putPods(body) {
      await json("PUT", "/api/v1/pods", { body });
    },
    pods: () => json("GET", "/api/v1/pods"),
    async issues() {
      return (await json<{ issues: readonly Issue[] }>("GET", "/api/v1/issues")).issues;
    },
    async proxies() {
      return (await json<{ proxies: readonly ProxyStatus[] }>("GET", "/api/v1/proxies")).proxies;
    },
    proxyConfig: (id) => json("GET", `/api/v1/proxies/${encodeURIComponent(id)}/config`),
    live: ({ revision, timeoutMs }) =>
      json("GET", `/api/v1/live?revision=${revision}&timeoutMs=${timeoutMs}`, { signal: AbortSignal.timeout(timeoutMs + 5000) }),
    async *watch({ kind, since, signal }) {
      const query = new URLSearchParams(kind === undefined ? { since } : { kind, since });
      const response = await send("GET", `/api/v1/watch?${query.toString()}`, { signal });
      if (!response.ok) throw await toError(response);
      if (response.body === null) return;
      yield* readLines<WatchEvent>(response.body);
    },
  };
}

function resourcePath(root: "resources" | "status", key: ResourceKey): string {
  const namespace = key.namespace === "" ? "-" : key.namespace;
  return `/api/v1/${root}/${encodeURIComponent(key.kind)}/${encodeURIComponent(namespace)}/${encodeURIComponent(key.name)}`;
}

async function* readLines<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as T;
  }
}

async function toError(response: Response): Promise<SerinError> {
  const text = await response.text();
  let body: ErrorBody = {};
  try {
    body = JSON.parse(text) as ErrorBody;
  } catch {
    // Not ours (a proxy in between, another server on the port): the status has to do.
  }
  const code = body.error?.code ?? "ADMIN_REFUSED";
  const message = body.error?.message ?? `the admin API answered ${response.status}`;
  return new SerinError(code, message, body.error?.fix === undefined ? {} : { fix: body.error.fix });
}
