// Upstreams that break HTTP/1.1, by what they send: parts come one after the other, "FIN" and "RST" end the connection. Unit tests and the fault matrix
// tell them all; whatever is meant for another caller says `x-leak` or `stolen`.
import type net from "node:net";

export const HONEST = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhonest";
const STOLEN = "HTTP/1.1 200 OK\r\nx-leak: yes\r\ncontent-length: 6\r\n\r\nstolen";
const OK = "HTTP/1.1 200 OK\r\n";
const EARLY = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";

type Lies = Readonly<Record<string, readonly string[]>>;

function many(count: number): string {
  return Array.from({ length: count }, (_, i) => `h${i}: 1\r\n`).join("");
}

/** No answer at all: 502. */
export const REFUSED: Lies = {
  "a length twice": [`${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nok`],
  "a length and chunks": [`${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  "a length that is none": [`${OK}content-length: +2\r\n\r\nok`],
  "another coding": [`${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  "a chunk's size that is none": [`${OK}transfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n`],
  "half a head": ["HTTP/1.1 200 O", "FIN"],
  "half a head, reset": ["HTTP/1.1 200 O", "RST"],
  "no HTTP": ["SSH-2.0-x\r\n"],
  "another version": ["HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nok"],
  "a status that is none": ["HTTP/1.1 99 X\r\ncontent-length: 0\r\n\r\n"],
  "a header without a name": [`${OK}: x\r\ncontent-length: 0\r\n\r\n`],
  "a folded header": [`${OK}x: 1\r\n y\r\ncontent-length: 0\r\n\r\n`],
  "a header split by a bare CR": [`${OK}x: a\rset-cookie: split\r\ncontent-length: 0\r\n\r\n`],
  "a header with a NUL": [`${OK}x: a\0b\r\ncontent-length: 0\r\n\r\n`],
  "101 headers": [`${OK}${many(100)}content-length: 0\r\n\r\n`],
  "81 KiB of head": [`${OK}h: ${"x".repeat(81 * 1024)}\r\ncontent-length: 0\r\n\r\n`],
  "a flood of 1xx": [EARLY.repeat(50), HONEST],
  "a 204 that announces a body": ["HTTP/1.1 204 No Content\r\ncontent-length: 6\r\n\r\nx-leak"],
  "a 204 in chunks": ["HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
  "101 that nobody asked for, and an answer behind it": [`HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${STOLEN}`],
};

/** An answer that breaks off: so does the caller's connection. */
export const BROKEN_OFF: Lies = {
  "a body shorter than its length": [`${OK}content-length: 10\r\n\r\nok`, "FIN"],
  "the same by a reset": [`${OK}content-length: 10\r\n\r\nok`, "RST"],
  "chunks without an end": [`${OK}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n`, "FIN"],
  "a chunk that is none, later": [`${OK}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n`, "zz\r\n"],
};

/** More than the answer: the rest goes nowhere. */
export const EXCESS: Lies = {
  "in the same packet": [`${OK}content-length: 2\r\n\r\nok${STOLEN}`],
  "a moment later": [`${OK}content-length: 2\r\n\r\nok`, STOLEN],
  "behind chunks": [`${OK}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${STOLEN}`],
  "a body behind 304": [`HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n${STOLEN}`],
};

export function tellLie(socket: net.Socket, parts: readonly string[]): void {
  const say = (at: number): void => {
    const part = parts[at];
    if (part === undefined || socket.destroyed) return;
    if (part === "FIN") socket.end();
    else if (part === "RST") socket.resetAndDestroy();
    else socket.write(part, "latin1");
    setImmediate(() => setImmediate(() => say(at + 1)));
  };
  say(0);
}
