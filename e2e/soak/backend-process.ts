// A backend that a row can kill, stop or have lie: `node backend-process.ts NAME KIND PORT`; its port is the first line it prints.
//   echo    answers with its name; /upload answers the SHA-256 of the body, /download?N sends N bytes, /slow?MS waits before it answers
//   fail    answers 503
//   lie     breaks HTTP/1.1 in the way that the path names
import { createHash } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { pour } from "../../bench/pour.ts";
import { BROKEN_OFF, EXCESS, HONEST, REFUSED, tellLie } from "../../src/proxy/testing/lies.ts";

const [name = "backend", kind = "echo", port = "0"] = process.argv.slice(2);
function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const [path = "/", query = ""] = (request.url ?? "/").split("?");
  response.setHeader("x-backend", name);
  if (kind === "fail") {
    request.resume();
    response.statusCode = 503;
    response.end("no");
    return;
  }
  if (path === "/upload") {
    const hash = createHash("sha256");
    request.on("data", (part: Buffer) => hash.update(part));
    request.on("end", () => response.end(hash.digest("hex")));
    return;
  }
  request.resume();
  if (path === "/download") {
    response.setHeader("content-length", query);
    pour(response, Number(query));
  } else if (path === "/slow") setTimeout(() => response.end(name), Number(query));
  else response.end(name);
}

const LIES: Readonly<Record<string, readonly string[]>> = { ...REFUSED, ...BROKEN_OFF, ...EXCESS };

function lie(socket: net.Socket): void {
  socket.on("error", () => undefined);
  socket.on("data", (data: Buffer) => {
    const path = data.toString("latin1").split(" ")[1] ?? "/";
    tellLie(socket, LIES[decodeURIComponent(path.slice(1))] ?? [HONEST]);
  });
}

const server =
  kind === "lie"
    ? net.createServer(lie)
    : http.createServer({ keepAliveTimeout: 60_000, requestTimeout: 0, maxHeaderSize: 131_072 }, answer);
server.listen(Number(port), "127.0.0.1", () => console.log((server.address() as net.AddressInfo).port));
