// In place of httpbin: the paths that Istio's tasks use.
import { setTimeout as sleep } from "node:timers/promises";
import type { App, AppRequest, AppResponse } from "./app.ts";

const MAX_DELAY_S = 10;
const MAX_BYTES = 1024 * 1024;

function echo(request: AppRequest): Record<string, unknown> {
  return {
    args: Object.fromEntries(request.query),
    headers: request.headers,
    method: request.method,
    origin: String(request.headers["x-forwarded-for"] ?? request.remoteAddress),
    url: `http://${request.headers.host ?? ""}${request.path}`,
    ...(request.body === "" ? {} : { data: request.body }),
  };
}

export const httpbin: App = async (request): Promise<AppResponse> => {
  const [, first = "", second = ""] = request.path.split("/");
  const number = Number(second);
  switch (first) {
    case "":
      return {
        text: "httpbin: /get /post /anything /headers /ip /user-agent /status/CODE /delay/SECONDS /bytes/COUNT /response-headers\n",
      };
    case "get":
    case "post":
    case "put":
    case "patch":
    case "delete":
    case "anything":
      return { json: echo(request) };
    case "headers":
      return { json: { headers: request.headers } };
    case "ip":
      return { json: { origin: echo(request)["origin"] } };
    case "user-agent":
      return { json: { "user-agent": request.headers["user-agent"] ?? "" } };
    case "status":
      if (!Number.isInteger(number) || number < 200 || number > 599) return { status: 400, text: "no such status\n" };
      return { status: number, text: "" };
    case "delay":
      if (!(number >= 0)) return { status: 400, text: "no such time\n" };
      await sleep(Math.min(number, MAX_DELAY_S) * 1000);
      return { json: echo(request) };
    case "bytes":
      if (!(number >= 0 && number <= MAX_BYTES)) return { status: 400, text: `at most ${MAX_BYTES} bytes\n` };
      return { text: "x".repeat(number) };
    case "response-headers":
      return { json: Object.fromEntries(request.query), headers: Object.fromEntries(request.query) };
    default:
      return { status: 404, text: "not found\n" };
  }
};
