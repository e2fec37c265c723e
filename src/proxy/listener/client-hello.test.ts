import net from "node:net";
import tls from "node:tls";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type HelloVerdict, readClientHello } from "./client-hello.ts";

/** What Node's own client sends. */
function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  return new Promise((done) => {
    const server = net.createServer((sock) => {
      sock.on("error", () => undefined);
      sock.once("data", (bytes: Buffer) => {
        server.close();
        sock.destroy();
        done(bytes);
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      tls.connect({ host: "127.0.0.1", port, ...options }).on("error", () => undefined);
    });
  });
}

/** The same message in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

describe("readClientHello", () => {
  let hello: Buffer;
  const seen: HelloVerdict = { serverName: "a.example.com", applicationProtocols: ["h2", "http/1.1"] };
  beforeAll(async () => {
    hello = await helloOf({ servername: "A.example.COM", ALPNProtocols: ["h2", "http/1.1"] });
  });

  test("name in lower case, protocols in order", () => {
    expect(readClientHello(hello)).toEqual(seen);
  });

  test("without either", async () => {
    expect(readClientHello(await helloOf({}))).toEqual({ serverName: "", applicationProtocols: [] });
  });

  test("every beginning of it is not all of it", () => {
    for (let length = 1; length < hello.length; length++) expect(readClientHello(hello.subarray(0, length))).toBe("more");
  });

  test.each([1, 3, 4, 100])("in records of %i bytes", (size) => {
    const verdict = readClientHello(inRecords(hello, size));
    expect(verdict).toEqual(Math.ceil((hello.length - 5) / size) > 256 ? "too-large" : seen);
  });

  test("what follows it does not matter", () => {
    expect(readClientHello(Buffer.concat([hello, Buffer.from("early data")]))).toEqual(seen);
  });

  test.each([
    ["HTTP", "GET / HTTP/1.1\r\n\r\n", "none"],
    ["four bytes of HTTP", "GET ", "more"],
    ["SSH", "SSH-2.0-x\r\n", "none"],
    ["an alert", "\x15\x03\x01\x00\x02\x02\x28", "none"],
    ["SSL 2", "\x80\x2e\x01\x00\x02\x00", "none"],
    ["another major version", "\x16\x02\x01\x00\x05", "none"],
    ["an empty record", "\x16\x03\x01\x00\x00", "none"],
    ["a record beyond the limit", "\x16\x03\x01\x40\x01", "none"],
    ["another handshake message", "\x16\x03\x01\x00\x04\x02\x00\x00\x00", "none"],
    ["a hello beyond the limit", "\x16\x03\x01\x00\x04\x01\x01\x00\x00", "too-large"],
  ] as const)("%s", (_, bytes, verdict) => {
    expect(readClientHello(Buffer.from(bytes, "latin1"))).toBe(verdict);
  });

  test("any change of a byte gives some verdict", () => {
    fc.assert(
      fc.property(fc.nat(hello.length - 1), fc.nat(255), fc.nat(hello.length), (at, byte, length) => {
        const changed = Buffer.from(hello);
        changed[at] = byte;
        const verdict = readClientHello(changed.subarray(0, length));
        return typeof verdict === "string" || !verdict.serverName.includes("\0");
      }),
      { numRuns: 2000 },
    );
  });
});
