import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readProxyHeader } from "./proxy-protocol.ts";

const ANY = { optional: false, versions: [1, 2] as const };
const read = (text: string | Buffer, config: Parameters<typeof readProxyHeader>[1] = ANY) =>
  readProxyHeader(typeof text === "string" ? Buffer.from(text, "latin1") : text, config);

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const v2 = (command: number, family: number, body: Buffer, size = body.length): Buffer =>
  Buffer.concat([Buffer.from(SIGNATURE, "latin1"), Buffer.from([0x20 | command, family, size >> 8, size & 255]), body]);
const IPV4 = Buffer.from([10, 0, 0, 1, 10, 0, 0, 2, 0x12, 0x34, 0, 80]);

describe("version 1", () => {
  test("IPv4 and IPv6", () => {
    expect(read("PROXY TCP4 10.0.0.1 10.0.0.2 4660 80\r\nGET")).toEqual({
      length: 38,
      announced: { remoteAddress: "10.0.0.1", localAddress: "10.0.0.2", remotePort: 4660, localPort: 80 },
    });
    expect(read("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n")).toMatchObject({
      announced: { remoteAddress: "2001:db8::1", localPort: 65_535 },
    });
  });

  test("UNKNOWN speaks for nobody", () => {
    expect(read("PROXY UNKNOWN what ever\r\n")).toEqual({ length: 25, announced: undefined });
  });

  test.each([
    "PROXY TCP4 10.0.0.1 10.0.0.2 4660\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 4660 80 1\r\n",
    "PROXY TCP4 ::1 ::1 1 1\r\n",
    "PROXY TCP6 10.0.0.1 10.0.0.2 1 1\r\n",
    "PROXY TCP4 010.0.0.1 10.0.0.2 1 1\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 65536 1\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 01 1\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 -1 1\r\n",
    "PROXY UDP4 10.0.0.1 10.0.0.2 1 1\r\n",
    `PROXY TCP4 ${"1".repeat(120)}`,
    `PROXY UNKNOWN ${"x".repeat(100)}\r\n`,
    "GET / HTTP/1.1\r\n",
    "proxy TCP4 10.0.0.1 10.0.0.2 1 1\r\n",
  ])("refuses %j", (text) => {
    expect(read(text)).toBe("broken");
  });
});

describe("version 2", () => {
  test("IPv4, with a TLV that nobody reads", () => {
    const body = Buffer.concat([IPV4, Buffer.from([0xea, 0, 2, 1, 2])]);
    expect(read(v2(1, 0x11, body))).toEqual({
      length: 33,
      announced: { remoteAddress: "10.0.0.1", localAddress: "10.0.0.2", remotePort: 4660, localPort: 80 },
    });
  });

  test("IPv6", () => {
    const body = Buffer.concat([Buffer.from("20010db8000000000000000000000001", "hex"), Buffer.alloc(16), Buffer.from([0, 1, 0, 2])]);
    expect(read(v2(1, 0x21, body))).toMatchObject({ announced: { remoteAddress: "2001:db8::1", localAddress: "::", localPort: 2 } });
  });

  test("LOCAL speaks for itself", () => {
    expect(read(v2(0, 0, Buffer.alloc(0)))).toEqual({ length: 16, announced: undefined });
  });

  test.each([
    ["too short for its family", v2(1, 0x11, IPV4.subarray(1))],
    ["UDP", v2(1, 0x12, IPV4)],
    ["a socket path", v2(1, 0x31, Buffer.alloc(216))],
    ["another command", v2(2, 0x11, IPV4)],
    ["a TLV past the end", v2(1, 0x11, Buffer.concat([IPV4, Buffer.from([1, 0, 9, 1])]))],
    ["half a TLV", v2(1, 0x11, Buffer.concat([IPV4, Buffer.from([1, 0])]))],
    ["a length beyond reason", v2(1, 0x11, IPV4, 60_000)],
    ["another version", Buffer.concat([Buffer.from(SIGNATURE, "latin1"), Buffer.from([0x11, 0x11, 0, 12]), IPV4])],
  ])("refuses %s", (_, bytes) => {
    expect(read(bytes)).toBe("broken");
  });
});

describe("either", () => {
  const whole = [Buffer.from("PROXY TCP4 10.0.0.1 10.0.0.2 4660 80\r\n"), v2(1, 0x11, IPV4)];

  test("every beginning of it is not all of it", () => {
    for (const bytes of whole) for (let length = 1; length < bytes.length; length++) expect(read(bytes.subarray(0, length))).toBe("more");
  });

  test("where it is optional, other bytes are the connection's own", () => {
    expect(read("GET / HTTP/1.1\r\n", { optional: true, versions: [1, 2] })).toBe("none");
    expect(read("P", { optional: true, versions: [1, 2] })).toBe("more");
    expect(read("PROXY TCP4 10.0.0.1 x 1 1\r\n", { optional: true, versions: [1, 2] })).toBe("broken");
  });

  test("a version that is not allowed", () => {
    expect(whole.map((bytes) => read(bytes, { optional: false, versions: [1] }))).toEqual([
      expect.objectContaining({ length: 38 }),
      "broken",
    ]);
    expect(whole.map((bytes) => read(bytes, { optional: false, versions: [2] }))).toEqual([
      "broken",
      expect.objectContaining({ length: 28 }),
    ]);
  });

  test("any bytes give some verdict, and none takes more than there is", () => {
    const noise = fc.tuple(fc.constantFrom(...whole, Buffer.alloc(0)), fc.uint8Array({ maxLength: 300 }), fc.nat(40));
    fc.assert(
      fc.property(noise, ([start, rest, cut]) => {
        const bytes = Buffer.concat([start.subarray(0, cut), rest]);
        const verdict = read(bytes);
        return typeof verdict === "string" || verdict.length <= bytes.length;
      }),
      { numRuns: 2000 },
    );
  });
});
