// Two proxies as people write them on Node, for comparison: node:http on both sides ("node-http", with the demo's routing), and the same without any routing ("node-pipe").
import { randomUUID } from "node:crypto";
import http from "node:http";

const [kind = "node-http", port = "0", upstreams = "", domain = "", cookie = ""] = process.argv.slice(2);
const ports = upstreams.split(",").map(Number);
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 1024 });
const rule = new RegExp(cookie);
let turn = 0;

function choose(request: http.IncomingMessage): number | undefined {
  turn++;
  if (kind === "node-pipe") return ports[turn % ports.length];
  if ((request.headers.host ?? "").toLowerCase() !== domain) return undefined;
  const second = rule.test(request.headers.cookie ?? "") || Math.random() < 0.1;
  return ports[(second ? 2 : 0) + (turn & 1)];
}

http
  .createServer((request, response) => {
    const target = choose(request);
    if (target === undefined) {
      response.statusCode = 404;
      response.end();
      return;
    }
    request.headers["x-request-id"] ??= randomUUID();
    const onward = http.request(
      { host: "127.0.0.1", port: target, method: request.method, path: request.url, headers: request.headers, agent },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      },
    );
    onward.on("error", () => {
      response.statusCode = 503;
      response.end();
    });
    request.pipe(onward);
  })
  .listen(Number(port), "127.0.0.1");
