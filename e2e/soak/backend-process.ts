// A backend that a row can kill, stop or have lie: `node backend-process.ts NAME KIND PORT`; its port is the first line it prints.
//   echo    answers with its name; /upload answers the SHA-256 of the body, /download?N sends N bytes, /slow?MS waits before it answers
//   fail    answers 503
//   lie     breaks HTTP/1.1 in the way the path asks for
import { createHash } from "node:crypto";
import http from "node:http";
import net from "node:net";

const [name = "backend", kind = "echo", port = "0"] = process.argv.slice(2);
const BLOCK = Buffer.alloc(65_536, 97);

function download(response: http.ServerResponse, bytes: number): void {
  response.setHeader("content-length", String(bytes));
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const part = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
      left -= part.length;
      if (!response.write(part)) break;
    }
    if (left === 0) response.end();
  };
  response.on("drain", more);
  more();
}

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
  if (path === "/download") download(response, Number(query));
  else if (path === "/slow") setTimeout(() => response.end(name), Number(query));
  else response.end(name);
}

const LIES: Readonly<Record<string, string>> = {
  "/short": "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc",
  "/long": "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nx-leak: yes\r\ncontent-length: 6\r\n\r\nstolen",
  "/chunk": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
  "/both": "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  "/split": "HTTP/1.1 200 OK\r\nx-a: b\r\n c: d\r\ncontent-length: 2\r\n\r\nok",
  "/flood": `${"HTTP/1.1 102 Processing\r\n\r\n".repeat(500)}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`,
  "/upgrade":
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nHTTP/1.1 200 OK\r\nx-leak: yes\r\ncontent-length: 6\r\n\r\nstolen",
  "/garbage": "SSH-2.0-OpenSSH_9.0\r\n",
  "/huge": `HTTP/1.1 200 OK\r\nx-big: ${"a".repeat(200_000)}\r\ncontent-length: 2\r\n\r\nok`,
  "/twice": "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
};

function lie(socket: net.Socket): void {
  socket.on("error", () => undefined);
  socket.on("data", (data: Buffer) => {
    const path = data.toString("latin1").split(" ")[1] ?? "/";
    const text = LIES[path];
    if (text === undefined) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhonest");
    else {
      socket.write(text, "latin1");
      if (path === "/short") socket.end();
    }
  });
}

const server =
  kind === "lie"
    ? net.createServer(lie)
    : http.createServer({ keepAliveTimeout: 60_000, requestTimeout: 0, maxHeaderSize: 131_072 }, answer);
server.listen(Number(port), "127.0.0.1", () => console.log((server.address() as net.AddressInfo).port));
