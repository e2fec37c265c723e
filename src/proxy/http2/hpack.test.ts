import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BIG, encode, type Fields, fields } from "../testing/http2-peer.ts";
import { Http2Header } from "./header.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import { decodeHuffman } from "./huffman.ts";

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

function decode(decoder: HpackDecoder, bytes: Buffer): string[] | undefined {
  return decoder.decode(bytes, 0, bytes.length) ? decoder.headers.map(({ name, value }) => `${name}: ${value}`) : undefined;
}

const REQUESTS = [
  [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
  [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
  [":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"],
];
const RESPONSES = [
  [":status: 302", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"],
  [":status: 307", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"],
  [
    ":status: 200",
    "cache-control: private",
    "date: Mon, 21 Oct 2013 20:13:22 GMT",
    "location: https://www.example.com",
    "content-encoding: gzip",
    "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
  ],
];

describe("RFC 7541 appendix C", () => {
  test.each([
    [
      "C.3, plain",
      4096,
      [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
      ],
      REQUESTS,
    ],
    [
      "C.4, Huffman",
      4096,
      ["828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf", "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"],
      REQUESTS,
    ],
    [
      "C.5, plain, evictions",
      256,
      [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        `88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f
         49553b206d61782d6167653d333630303b2076657273696f6e3d31`,
      ],
      RESPONSES,
    ],
    [
      "C.6, Huffman, evictions",
      256,
      [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        `88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c0
         03ed4ee5b1063d5007`,
      ],
      RESPONSES,
    ],
  ])("%s", (_, size, blocks, expected) => {
    const decoder = new HpackDecoder(BIG);
    // The examples' table size, as an update at the start of the first block.
    decode(decoder, size === 4096 ? hex("3fe11f") : hex("3fe101"));
    expect(blocks.map((block) => decode(decoder, hex(block)))).toEqual(expected);
  });

  test("C.2: the four kinds of fields", () => {
    const decoder = new HpackDecoder(BIG);
    expect(decode(decoder, hex("400a637573746f6d2d6b65790d637573746f6d2d686561646572"))).toEqual(["custom-key: custom-header"]);
    expect(decode(decoder, hex("040c2f73616d706c652f70617468"))).toEqual([":path: /sample/path"]);
    expect(decode(decoder, hex("100870617373776f726406736563726574"))).toEqual(["password: secret"]);
    expect(decoder.headers[0]?.sensitive).toBe(true);
    expect(decode(decoder, hex("82"))).toEqual([":method: GET"]);
    // Only the first is in the table.
    expect(decode(decoder, hex("be"))).toEqual(["custom-key: custom-header"]);
    expect(decode(decoder, hex("bf"))).toBeUndefined();
  });
});

describe("decoder", () => {
  test.each([
    ["index 0", "80"],
    ["index beyond the tables", "be"],
    ["literal with a name beyond the tables", "7e0161"],
    ["integer without an end", "ff"],
    ["integer that is too long", "ffffffffffff0f"],
    ["text without a length", "40"],
    ["text that is cut off", "400361"],
    ["value that is cut off", "40016105"],
    ["Huffman: padding of eight bits", "4001618217ff"],
    ["Huffman: padded with zeros", "4001618110"],
    ["Huffman: the end symbol", "40016184ffffffff"],
    ["table larger than allowed", "3fe21f"],
    ["table size after a field", "8220"],
  ])("refuses: %s", (_, block) => {
    expect(decode(new HpackDecoder(BIG), hex(block))).toBeUndefined();
  });

  test("an entry larger than the table empties it", () => {
    const decoder = new HpackDecoder(BIG);
    decode(decoder, hex("3f21 4001610162".replaceAll(" ", "")));
    expect(decode(decoder, hex("be"))).toEqual(["a: b"]);
    const large = Buffer.concat([hex("40016164"), Buffer.alloc(100, "x")]);
    expect(decode(decoder, large)).toEqual([`a: ${"x".repeat(100)}`]);
    expect(decode(decoder, hex("be"))).toBeUndefined();
  });

  test("a block over the limits is read to its end and kept only up to its pseudo headers", () => {
    const decoder = new HpackDecoder({ headerTableSize: 4096, headerListBytes: 200, headerCount: 100 });
    const value = "v".repeat(150);
    const encoder = new HpackEncoder();
    const bytes = encode(encoder, [
      [":path", "/x"],
      ["a", "b"],
      ["large", value],
      ["later", "1"],
    ]);
    expect(decode(decoder, bytes)).toEqual([":path: /x"]);
    expect(decoder.oversized).toBe("bytes");
    // The tables still agree.
    expect(decode(decoder, encode(encoder, [["later", "1"]]))).toEqual(["later: 1"]);
    expect(decoder.oversized).toBe("");
  });

  test("an HPACK bomb costs its own size and no more", () => {
    const decoder = new HpackDecoder({ headerTableSize: 4096, headerListBytes: 61_440, headerCount: 100 });
    const entry = Buffer.concat([hex("400161 7fc11e".replaceAll(" ", "")), Buffer.alloc(4000, "x")]);
    const bomb = Buffer.concat([entry, Buffer.alloc(16_000, 0xbe)]);
    expect(decode(decoder, bomb)).toEqual([]);
    expect(decoder.oversized).toBe("bytes");
    expect(decoder.headers.length).toBe(0);
  });

  test("too many fields", () => {
    const decoder = new HpackDecoder({ headerTableSize: 4096, headerListBytes: 61_440, headerCount: 3 });
    expect(decode(decoder, hex("8286848282"))).toEqual([":method: GET", ":scheme: http", ":path: /"]);
    expect(decoder.oversized).toBe("count");
  });

  test("a smaller table of ours must be confirmed by the next block", () => {
    const decoder = new HpackDecoder({ ...BIG, headerTableSize: 100 });
    // Until the peer knows, the default goes.
    expect(decode(decoder, hex("3fe11f 82".replaceAll(" ", "")))).toEqual([":method: GET"]);
    decoder.acknowledged();
    expect(decode(decoder, hex("82"))).toBeUndefined();
    const other = new HpackDecoder({ ...BIG, headerTableSize: 100 });
    other.acknowledged();
    expect(decode(other, hex("3f45 82".replaceAll(" ", "")))).toEqual([":method: GET"]);
    expect(decode(other, hex("3f46"))).toBeUndefined();
  });

  test("indexed fields are the same objects", () => {
    const decoder = new HpackDecoder(BIG);
    decode(decoder, hex("400a637573746f6d2d6b65790d637573746f6d2d686561646572"));
    const first = decoder.headers[0];
    decode(decoder, hex("be"));
    expect(decoder.headers[0]).toBe(first);
  });
});

describe("literals that are not indexed", () => {
  // content-length (28) and date (33) by their names in the static table; 0x80 in front of a length says Huffman.
  const length = (value: string): Buffer => Buffer.concat([Buffer.from([0x0f, 28 - 15, value.length]), Buffer.from(value)]);
  const one = (decoder: HpackDecoder, bytes: Buffer): Http2Header => {
    expect(decoder.decode(bytes, 0, bytes.length)).toBe(true);
    return decoder.headers[0] as Http2Header;
  };

  test("the same bytes again are the same object, others are not", () => {
    const decoder = new HpackDecoder(BIG);
    const first = one(decoder, length("100"));
    expect(one(decoder, length("100"))).toBe(first);
    expect(one(decoder, length("101"))).toMatchObject({ name: "content-length", value: "101" });
    expect(one(decoder, length("10"))).toMatchObject({ value: "10" });
    expect(one(decoder, length(""))).toMatchObject({ value: "" });
    expect(one(decoder, length("1".repeat(40)))).toMatchObject({ value: "1".repeat(40) });
    expect(one(decoder, length("100"))).toMatchObject({ value: "100" });
  });

  test("names, Huffman and `never index` are told apart", () => {
    const decoder = new HpackDecoder(BIG);
    const plain = one(decoder, hex("0f0d 03 085f07"));
    const huffman = one(decoder, hex("0f0d 83 085f07"));
    expect(huffman.value).not.toBe(plain.value);
    const never = one(decoder, hex("1f0d 03 085f07"));
    expect([never.value, never.sensitive]).toEqual([plain.value, true]);
    const date = one(decoder, hex("0f12 03 085f07"));
    expect([date.name, date.value]).toEqual(["date", plain.value]);
  });
});

test("Huffman: every symbol", () => {
  const codes = huffmanCodes();
  for (let symbol = 0; symbol < 256; symbol++) {
    const bits = (codes[symbol] as string).repeat(3);
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
    const bytes = Buffer.from((padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
    expect(decodeHuffman(bytes, 0, bytes.length)).toBe(String.fromCharCode(symbol).repeat(3));
  }
});

/** The canonical code of RFC 7541 appendix B, as bits. */
function huffmanCodes(): string[] {
  const lengths: number[] = [];
  const known =
    "13,23,28*7,24,30,28*2,30,28*8,30,28*9,6,10*2,12,13,6,8,11,10*2,8,11,8,6*3,5*3,6*7,7,8,15,6,12,10,13,6,7*22,8,7,8,13,19,13,14,6,15,5,6,5,6,5,6*3,5,7*2,6*3,5,6,7,6,5*2,6,7*5,15,11,14,13,28,20,22,20*2,22*3,23,22,23*5,24,23,24*2,22,23,24,23*4,21,22,23,22,23*2,24,22,21,20,22*2,23*2,21,23,22*2,24,21,22,23*2,21*2,22,21,23,22,23*2,20,22*3,23,22*2,23,26*2,20,19,22,23,22,25,26*3,27*2,26,24,25,19,21,26,27*2,26,27,24,21*2,26*2,28,27*3,20,24,20,21,22,21*2,23,22*2,25*2,24*2,26,23,26,27,26*2,27*5,28,27*5,26,30";
  for (const part of known.split(",")) {
    const [bits, times = "1"] = part.split("*");
    for (let i = 0; i < Number(times); i++) lengths.push(Number(bits));
  }
  const codes: string[] = [];
  let code = 0n;
  let length = 0;
  for (const [symbol, bits] of [...lengths.entries()].sort((a, b) => a[1] - b[1] || a[0] - b[0])) {
    code <<= BigInt(bits - length);
    length = bits;
    codes[symbol] = code.toString(2).padStart(bits, "0");
    code += 1n;
  }
  // As the RFC writes them.
  expect([codes[48], codes[97], codes[32], codes[0], codes[10], codes[255], codes[256]]).toEqual([
    "00000",
    "00011",
    "010100",
    "1111111111000",
    "111111111111111111111111111100",
    "11111111111111111111101110",
    "1".repeat(30),
  ]);
  return codes;
}

describe("encoder", () => {
  test("what repeats is one byte", () => {
    const encoder = new HpackEncoder();
    const list: Fields = [
      [":method", "GET"],
      [":authority", "reviews"],
      ["user-agent", "curl"],
      ["x-team", "blue"],
    ];
    const decoder = new HpackDecoder(BIG);
    expect(decode(decoder, encode(encoder, list))).toEqual([":method: GET", ":authority: reviews", "user-agent: curl", "x-team: blue"]);
    const again = encode(encoder, list);
    expect(again.length).toBe(4);
    expect(decode(decoder, again)).toEqual([":method: GET", ":authority: reviews", "user-agent: curl", "x-team: blue"]);
  });

  test("the same entry through two encoders", () => {
    const entry = new Http2Header("x-team", "blue");
    const pairs = [0, 1].map(() => ({ encoder: new HpackEncoder(), decoder: new HpackDecoder(BIG) }));
    for (let round = 0; round < 3; round++) {
      for (const { encoder, decoder } of pairs) {
        const out = Buffer.alloc(100);
        const length = encoder.encode([entry, new Http2Header(`n${round}`, "x")], out, 0);
        expect(decode(decoder, out.subarray(0, length))).toEqual(["x-team: blue", `n${round}: x`]);
      }
    }
  });

  test.each(["x-request-id", "date", "content-length", "traceparent"])("%s is not indexed", (name) => {
    const encoder = new HpackEncoder();
    expect(encode(encoder, [[name, "1"]]).length).toBe(encode(encoder, [[name, "1"]]).length);
    expect((encode(encoder, [[name, "1"]])[0] as number) & 0xf0).toBe(0);
  });

  test.each(["authorization", "cookie", "set-cookie", "proxy-authorization"])("%s is never indexed by anybody", (name) => {
    expect((encode(new HpackEncoder(), [[name, "1"]])[0] as number) & 0xf0).toBe(0x10);
  });

  test("hundreds of fields that are sent again and again are a few bytes each, whatever is found by hashing", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder(BIG);
    const all = Array.from({ length: 100 }, (_, i) => new Http2Header("a", `v${i}`));
    const out = Buffer.alloc(8192);
    let last = 0;
    for (let round = 0; round < 60; round++) {
      last = encoder.encode(all, out, 0);
      expect(decode(decoder, out.subarray(0, last))).toEqual(all.map(({ value }) => `a: ${value}`));
    }
    expect(last).toBeLessThanOrEqual(2 * all.length);
  });

  test("a sensitive field stays so", () => {
    const out = Buffer.alloc(100);
    const length = new HpackEncoder().encode([new Http2Header("x-key", "1", true)], out, 0);
    const decoder = new HpackDecoder(BIG);
    decode(decoder, out.subarray(0, length));
    expect(decoder.headers[0]?.sensitive).toBe(true);
  });

  test("large fields are not indexed", () => {
    expect((encode(new HpackEncoder(), [["x", "y".repeat(2000)]])[0] as number) & 0xc0).toBe(0);
  });

  test("a name whose values never repeat stops being indexed, and one whose values do goes on", () => {
    const encoder = new HpackEncoder();
    const stored = { unique: 0, repeated: 0 };
    for (let i = 0; i < 60; i++) {
      if (((encode(encoder, [["x-unique", `value-${i}`]])[0] as number) & 0xc0) === 0x40) stored.unique++;
      const first = encode(encoder, [["x-repeated", `value-${i >> 2}`]])[0] as number;
      if ((first & 0xc0) === 0x40) stored.repeated++;
    }
    expect(stored).toEqual({ unique: 8, repeated: 15 });
  });

  test("the peer's table size is told at the start of the next block, the smallest first", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder(BIG);
    decode(decoder, encode(encoder, [["a", "b"]]));
    encoder.resize(0);
    encoder.resize(1000);
    const bytes = encode(encoder, [["a", "b"]]);
    expect(bytes.subarray(0, 4)).toEqual(hex("203fc907"));
    expect(decode(decoder, bytes)).toEqual(["a: b"]);
    encoder.resize(0);
    expect(encode(encoder, [["a", "b"]])).toEqual(hex("20 0001610162".replaceAll(" ", "")));
  });
});

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const value = fc.oneof(
  fc.constantFrom("a", "b", "a longer value that counts", "x".repeat(600)),
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)), maxLength: 40 }),
);
const block = fc.array(fc.tuple(fc.oneof(fc.constantFrom("x-a", "x-b", ":path", "cookie"), name), value), { maxLength: 30 });

test("property: whatever was encoded is decoded, with evictions and changing table sizes", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(block, fc.option(fc.integer({ min: 0, max: 5000 }))), { maxLength: 20 }), (blocks) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(BIG);
      for (const [list, size] of blocks) {
        if (size !== null) encoder.resize(size);
        const out = Buffer.alloc(100_000);
        const length = encoder.encode(fields(list), out, 7) - 7;
        expect(decoder.decode(out, 7, 7 + length)).toBe(true);
        expect(decoder.headers.map((header) => [header.name, header.value])).toEqual(list);
      }
    }),
    { numRuns: 300 },
  );
});

test("property: re-encoding decoded entries", () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 10 }), (blocks) => {
      const hops = [0, 1, 2].map(() => ({ encoder: new HpackEncoder(), decoder: new HpackDecoder(BIG) }));
      for (const list of blocks) {
        let headers = fields(list);
        for (const { encoder, decoder } of hops) {
          const out = Buffer.alloc(100_000);
          const length = encoder.encode(headers, out, 0);
          expect(decoder.decode(out, 0, length)).toBe(true);
          headers = decoder.headers;
        }
        expect(headers.map((header) => [header.name, header.value])).toEqual(list);
      }
    }),
    { numRuns: 200 },
  );
});

test("property: no bytes make the decoder throw or run on", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const decoder = new HpackDecoder({ headerTableSize: 4096, headerListBytes: 1000, headerCount: 20 });
      const buf = Buffer.from(bytes);
      decoder.decode(buf, 0, buf.length);
      expect(decoder.headers.length).toBeLessThanOrEqual(20);
    }),
    { numRuns: 2000 },
  );
});
