import * as fc from "fast-check";
import { expect, test } from "vitest";
import { frame, PREFACE, settings, u32 } from "../testing/http2-peer.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";

/** Everything the reader reports, DATA parts put together again. */
function createSink(): { events: string[]; sink: FrameSink } {
  const events: string[] = [];
  let data = "";
  const sink: FrameSink = {
    onData: (id, cost, length, endStream) => {
      data = `data ${id} ${cost} ${length} ${endStream} `;
    },
    onDataPart: (buf, from, to, last) => {
      data += buf.toString("latin1", from, to);
      if (last) events.push(data);
    },
    onBlock: (id, endStream, buf, from, to) => void events.push(`block ${id} ${endStream} ${buf.toString("latin1", from, to)}`),
    onPriority: (id, depends) => void events.push(`priority ${id} ${depends}`),
    onResetFrame: (id, code) => void events.push(`reset ${id} ${code}`),
    onSettingsFrame: (buf, from, to) => void events.push(`settings ${buf.toString("hex", from, to)}`),
    onSettingsAck: () => void events.push("settings ack"),
    onPing: (buf, from) => void events.push(`ping ${buf.toString("hex", from, from + 8)}`),
    onPong: (buf, from) => void events.push(`pong ${buf.toString("hex", from, from + 8)}`),
    onGoAway: (last, code) => void events.push(`goaway ${last} ${code}`),
    onWindowUpdate: (id, increment) => void events.push(`window ${id} ${increment}`),
    onUnknownFrame: () => void events.push("unknown"),
    onBroken: (code, what) => void events.push(`broken ${code} ${what}`),
    onFlood: (what) => void events.push(`flood ${what}`),
  };
  return { events, sink };
}

function read(parts: readonly Buffer[], server = true): string[] {
  const { events, sink } = createSink();
  const reader = new FrameReader(sink, { server, maxBlock: 100_000, maxEmpty: 1 });
  // As from a socket: each read lies in the same memory.
  const shared = Buffer.alloc(200_000);
  for (const part of parts) {
    shared.fill(0xaa);
    part.copy(shared, 0);
    reader.feed(shared, part.length);
  }
  return events;
}

const payload = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const id = fc.integer({ min: 1, max: 99 });
const anyFrame = fc.oneof(
  fc.tuple(id, payload, fc.boolean()).map(([id, data, end]) => frame("DATA", end ? 1 : 0, id, data)),
  fc
    .tuple(id, payload, fc.integer({ min: 0, max: 255 }))
    .map(([id, data, pad]) => frame("DATA", 8, id, Buffer.concat([Buffer.from([pad]), data, Buffer.alloc(pad)]))),
  fc.tuple(id, payload).map(([id, data]) => frame("HEADERS", 5, id, data)),
  fc
    .tuple(id, payload, fc.integer({ min: 0, max: 255 }))
    .map(([id, data, pad]) =>
      frame("HEADERS", 4 | 8 | 32, id, Buffer.concat([Buffer.from([pad]), u32(3), Buffer.from([9]), data, Buffer.alloc(pad)])),
    ),
  fc
    .tuple(id, payload, payload, payload)
    .map(([id, a, b, c]) =>
      Buffer.concat([
        frame("HEADERS", 0, id, a),
        frame("CONTINUATION", 0, id, Buffer.concat([b, Buffer.from("x")])),
        frame("CONTINUATION", 4, id, c),
      ]),
    ),
  fc.tuple(id, id).map(([id, on]) => frame("PRIORITY", 0, id, Buffer.concat([u32(on), Buffer.from([1])]))),
  id.map((id) => frame("RST_STREAM", 0, id, u32(8))),
  fc.constant(settings([3, 100], [4, 70_000])),
  fc.constant(frame("SETTINGS", 1, 0)),
  fc.constant(frame("PING", 0, 0, Buffer.from("12345678"))),
  fc.constant(frame("PING", 1, 0, Buffer.from("12345678"))),
  fc.constant(frame("GOAWAY", 0, 0, Buffer.concat([u32(7, 2), Buffer.from("bye")]))),
  id.map((id) => frame("WINDOW_UPDATE", 0, id, u32(1000))),
  payload.map((data) => frame(200, 255, 0, data)),
  // Wrong ones: reading stops there, in whatever pieces they come.
  fc.constantFrom(
    frame("PING", 0, 0, Buffer.alloc(7)),
    frame("RST_STREAM", 0, 1, Buffer.alloc(5)),
    frame("DATA", 8, 1, Buffer.from([5, 1])),
    frame("HEADERS", 4, 0),
    frame("CONTINUATION", 4, 1),
    frame("PUSH_PROMISE", 4, 1, Buffer.alloc(4)),
    Buffer.concat([frame("HEADERS", 0, 1, Buffer.from("a")), frame("DATA", 0, 1)]),
  ),
);

test("property: frames are the same in whatever pieces they come", () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 25 }), fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 60 }), (frames, sizes) => {
      const bytes = Buffer.concat([PREFACE, settings(), ...frames]);
      const whole = read([bytes]);
      const parts: Buffer[] = [];
      let at = 0;
      for (const size of sizes) {
        parts.push(bytes.subarray(at, at + size));
        at += size;
      }
      parts.push(bytes.subarray(at));
      expect(read(parts)).toEqual(whole);
      expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
    }),
    { numRuns: 150 },
  );
});

test("property: no bytes make it throw", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 5 }), (parts) => {
      read([PREFACE, settings(), ...parts.map((part) => Buffer.from(part))]);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["something else than the preface", [Buffer.from("GET / HTTP/1.1\r\n\r\n")], "broken 1 no preface"],
  ["a preface that goes wrong later", [Buffer.from("PRI * HTTP/2.0\r\n\r\nXX")], "broken 1 no preface"],
  ["no SETTINGS first", [PREFACE, frame("PING", 0, 0, Buffer.alloc(8))], "broken 1 no SETTINGS first"],
  ["an acknowledgement first", [PREFACE, frame("SETTINGS", 1, 0)], "broken 1 no SETTINGS first"],
])("start: %s", (_, parts, event) => {
  expect(read(parts)).toEqual([event]);
});

const rows: readonly (readonly [what: string, bytes: Buffer, event: string])[] = [
  ["DATA on stream 0", frame("DATA", 0, 0, Buffer.from("x")), "broken 1"],
  ["DATA: more padding than payload", frame("DATA", 8, 1, Buffer.from([3, 1, 2])), "broken 1"],
  ["DATA: no padding length", frame("DATA", 8, 1), "broken 6"],
  ["DATA larger than the limit", frame("DATA", 0, 1, Buffer.alloc(16_385)), "broken 6"],
  ["HEADERS on stream 0", frame("HEADERS", 4, 0, Buffer.from([0x82])), "broken 1"],
  ["HEADERS: too much padding", frame("HEADERS", 4 | 8, 1, Buffer.from([9, 1])), "broken 1"],
  ["HEADERS: no room for its priority", frame("HEADERS", 4 | 32, 1, Buffer.alloc(4)), "broken 6"],
  ["HEADERS: padding into the priority", frame("HEADERS", 4 | 8 | 32, 1, Buffer.from([2, 0, 0, 0, 0, 0, 0])), "broken 1"],
  ["PRIORITY on stream 0", frame("PRIORITY", 0, 0, Buffer.alloc(5)), "broken 1"],
  ["RST_STREAM on stream 0", frame("RST_STREAM", 0, 0, Buffer.alloc(4)), "broken 1"],
  ["RST_STREAM of the wrong size", frame("RST_STREAM", 0, 1, Buffer.alloc(3)), "broken 6"],
  ["SETTINGS on a stream", frame("SETTINGS", 0, 1), "broken 1"],
  ["SETTINGS of the wrong size", frame("SETTINGS", 0, 0, Buffer.alloc(5)), "broken 6"],
  ["SETTINGS: an acknowledgement with payload", frame("SETTINGS", 1, 0, Buffer.alloc(6)), "broken 6"],
  ["PUSH_PROMISE", frame("PUSH_PROMISE", 4, 1, Buffer.alloc(5)), "broken 1"],
  ["PING on a stream", frame("PING", 0, 1, Buffer.alloc(8)), "broken 1"],
  ["PING of the wrong size", frame("PING", 0, 0, Buffer.alloc(6)), "broken 6"],
  ["GOAWAY on a stream", frame("GOAWAY", 0, 1, Buffer.alloc(8)), "broken 1"],
  ["GOAWAY of the wrong size", frame("GOAWAY", 0, 0, Buffer.alloc(7)), "broken 6"],
  ["WINDOW_UPDATE of the wrong size", frame("WINDOW_UPDATE", 0, 0, Buffer.alloc(3)), "broken 6"],
  ["CONTINUATION without a block", frame("CONTINUATION", 4, 1), "broken 1"],
  ["a block of another stream goes on", Buffer.concat([frame("HEADERS", 0, 1, Buffer.from("a")), frame("CONTINUATION", 4, 3)]), "broken 1"],
  ["a block interrupted by a frame nobody knows", Buffer.concat([frame("HEADERS", 0, 1, Buffer.from("a")), frame(99, 0, 1)]), "broken 1"],
  ["two empty frames in a row", Buffer.concat([frame("DATA", 0, 1), frame("DATA", 0, 1)]), "flood empty"],
  [
    "empty CONTINUATION frames",
    Buffer.concat([frame("HEADERS", 0, 1, Buffer.from("a")), ...Array<Buffer>(3).fill(frame("CONTINUATION", 0, 1))]),
    "flood empty",
  ],
  ["padding alone is empty", Buffer.concat(Array<Buffer>(2).fill(frame("DATA", 8, 1, Buffer.from([2, 0, 0])))), "flood empty"],
  [
    "many small CONTINUATION frames",
    Buffer.concat([frame("HEADERS", 0, 1, Buffer.from("a")), ...Array<Buffer>(40).fill(frame("CONTINUATION", 0, 1, Buffer.from("x")))]),
    "flood continuation",
  ],
  [
    "a block that does not end",
    Buffer.concat([frame("HEADERS", 0, 1, Buffer.from("a")), ...Array<Buffer>(8).fill(frame("CONTINUATION", 0, 1, Buffer.alloc(16_000)))]),
    "flood continuation",
  ],
];

test.each(rows)("%s", (_, bytes, event) => {
  const events = read([PREFACE, settings(), bytes, frame("PING", 0, 0, Buffer.alloc(8))]);
  expect(events.at(-1)).toMatch(new RegExp(`^${event}`));
});

test("frames that nobody knows, and unknown flags, are ignored", () => {
  expect(read([PREFACE, settings(), frame(77, 255, 5, Buffer.from("x")), frame("PING", 0xfe, 0, Buffer.alloc(8))]).slice(1)).toEqual([
    "unknown",
    `ping ${"00".repeat(8)}`,
  ]);
});

test("PRIORITY of the wrong size is its stream's problem", () => {
  expect(read([PREFACE, settings(), frame("PRIORITY", 0, 1, Buffer.alloc(4))]).at(-1)).toBe("priority 1 -1");
});

test("DATA is passed on before the frame is whole", () => {
  const { events, sink } = createSink();
  const seen: string[] = [];
  const reader = new FrameReader(
    { ...sink, onDataPart: (buf, from, to, last) => void seen.push(`${buf.toString("latin1", from, to)} ${last}`) },
    { server: false, maxBlock: 100, maxEmpty: 1 },
  );
  const bytes = Buffer.concat([settings(), frame("DATA", 1, 1, Buffer.from("hello"))]);
  reader.feed(bytes, bytes.length - 2);
  const rest = bytes.subarray(-2);
  reader.feed(rest, 2);
  expect(seen).toEqual(["hel false", "lo true"]);
  expect(events).toEqual(["settings "]);
  expect(reader.waiting).toBe(false);
});
