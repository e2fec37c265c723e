// A call from one service to another, as an application in a mesh makes it: through HTTP_PROXY, with the headers that belong to the whole trace.
import http from "node:http";
import type { AppRequest } from "./app.ts";

/** Headers that a service hands on, so that routing by user and tracing work across it. */
const PROPAGATED = [
  "end-user",
  "x-request-id",
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
  "b3",
  "traceparent",
  "tracestate",
  "baggage",
  "x-ot-span-context",
  "authorization",
  "cookie",
  "user-agent",
];

export interface CallResult {
  /** 0 when no answer came. */
  readonly status: number;
  readonly json: unknown;
  readonly error?: string;
}

const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 4 });

export function propagatedHeaders(headers: AppRequest["headers"]): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const name of PROPAGATED) if (headers[name] !== undefined) sent[name] = String(headers[name]);
  return sent;
}

export function callService(
  host: string,
  path: string,
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
    readonly proxy?: string | undefined;
  },
): Promise<CallResult> {
  const proxy = /^http:\/\/([^:/]+):(\d+)\/?$/.exec(options.proxy ?? "");
  const [name = "", port = "80"] = host.split(":");
  const target =
    proxy === null
      ? { host: name, port: Number(port), path }
      : { host: proxy[1] ?? "", port: Number(proxy[2]), path: `http://${host}${path}` };
  return new Promise((resolve) => {
    const request = http.request({ ...target, agent, headers: { ...options.headers, host, accept: "application/json" } });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${options.timeoutMs} ms`)), options.timeoutMs);
    request.on("error", (error) => {
      clearTimeout(timer);
      resolve({ status: 0, json: undefined, error: error.message });
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => resolve({ status: 0, json: undefined, error: error.message }));
      response.on("end", () => {
        clearTimeout(timer);
        const text = Buffer.concat(chunks).toString("utf8");
        const status = response.statusCode ?? 0;
        try {
          resolve({ status, json: JSON.parse(text) as unknown });
        } catch {
          resolve({ status, json: undefined, error: text.slice(0, 200) });
        }
      });
    });
    request.end();
  });
}
