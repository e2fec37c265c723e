// One attack each: the connection ends with GOAWAY within 100 ms, and decent peers do the same things unharmed.
import { describe, expect, test } from "vitest";
import { fields, frame, GET, Peer, POST, settings, u32 } from "../testing/http2-peer.ts";
import { FloodGuard } from "./flood-guard.ts";
import { H2 } from "./frames.ts";
import { http2Limits } from "./limits.ts";

const OK = fields([[":status", "200"]]);
const PRIORITY = (id: number): Buffer => frame("PRIORITY", 0, id, Buffer.concat([u32(0), Buffer.from([1])]));

function times(count: number, bytes: Buffer): Buffer {
  return Buffer.concat(Array<Buffer>(count).fill(bytes));
}

/** The session was given up for a flood, and is gone soon. */
function expectFlood(peer: Peer): void {
  const last = peer.frames().at(-1);
  expect([last?.type, last?.payload.readUInt32BE(4)]).toEqual(["GOAWAY", H2.ENHANCE_YOUR_CALM]);
  peer.advance(100);
  expect(peer.conn.destroyed).toBe(true);
  // Nothing is read or answered any more.
  peer.say(frame("PING", 0, 0, Buffer.alloc(8)));
  expect(peer.said()).toEqual([]);
  peer.session.onClose(undefined);
  expect(peer.ends).toEqual(["flood"]);
}

function expectAlive(peer: Peer): void {
  peer.frames();
  peer.say(frame("PING", 0, 0, Buffer.alloc(8)));
  expect(peer.said()).toEqual(["PING ack"]);
}

test("PING", () => {
  const peer = new Peer("server");
  peer.say(times(1001, frame("PING", 0, 0, Buffer.alloc(8))));
  expectFlood(peer);
  expect(peer.stats.outboundControlFlood.value).toBe(1);
});

test("PING: what comes with data, and 33 a second, is no flood", () => {
  const peer = new Peer("server");
  peer.say(peer.headers(1, POST, false));
  for (let i = 0; i < 3000; i++) peer.say(frame("DATA", 0, 1, Buffer.from("x")), frame("PING", 0, 0, Buffer.alloc(8)));
  for (let i = 0; i < 100; i++) {
    peer.advance(1000);
    peer.say(times(33, frame("PING", 0, 0, Buffer.alloc(8))));
  }
  expectAlive(peer);
});

test("SETTINGS", () => {
  const peer = new Peer("server");
  peer.say(times(1001, settings([4, 100])));
  expectFlood(peer);
});

test("acknowledgements that nobody asked for", () => {
  const peer = new Peer("server");
  peer.say(times(1100, frame("SETTINGS", 1, 0)));
  expectFlood(peer);
});

test("a peer that does not read its acknowledgements", () => {
  const peer = new Peer("server");
  peer.conn.slow = true;
  peer.say(peer.headers(1, POST, false));
  for (let i = 0; i < 1001; i++) {
    peer.say(frame("DATA", 0, 1, Buffer.from("x")), frame("PING", 0, 0, Buffer.alloc(8)));
    peer.settle();
  }
  expectFlood(peer);
  expect(peer.stats.outboundControlFlood.value).toBe(1);
});

test("a peer that does not read its answers", () => {
  const peer = new Peer("server", { limits: { outboundFrames: 500 } });
  peer.onRequest = ({ stream }) => void stream.sendHeaders(OK, true);
  peer.conn.slow = true;
  for (let id = 1; id < 2000 && peer.goAways.length === 0; id += 2) {
    peer.say(peer.headers(id, GET));
    peer.settle();
  }
  expectFlood(peer);
  expect([peer.stats.outboundFlood.value, peer.requests.length < 520]).toEqual([1, true]);
});

test("…in bytes", () => {
  const peer = new Peer("server");
  const large = fields([
    [":status", "200"],
    ["x", "y".repeat(60_000)],
  ]);
  peer.onRequest = ({ stream }) => void stream.sendHeaders(large, true);
  peer.conn.slow = true;
  for (let id = 1; id < 2000 && peer.goAways.length === 0; id += 2) {
    peer.say(peer.headers(id, GET));
    peer.settle();
  }
  expectFlood(peer);
  expect(peer.conn.waiting).toBeLessThan(18_000_000);
});

test("many answers to a peer that reads are no flood", () => {
  const peer = new Peer("server", { limits: { outboundFrames: 50, outboundControlFrames: 10 } });
  peer.onRequest = ({ stream }) => void stream.sendHeaders(OK, true);
  peer.say(...Array.from({ length: 200 }, (_, i) => peer.headers(1 + 2 * i, GET)), times(200, frame("PING", 0, 0, Buffer.alloc(8))));
  expectAlive(peer);
  expect(peer.requests.length).toBe(200);
});

test("PRIORITY", () => {
  const peer = new Peer("server");
  peer.say(times(101, PRIORITY(1)));
  expectFlood(peer);
  expect(peer.stats.inboundPriorityFramesFlood.value).toBe(1);
});

test("PRIORITY: as many as streams are open earn, not as were ever opened", () => {
  const peer = new Peer("server");
  peer.onRequest = ({ stream }) => void stream.sendHeaders(OK, true);
  for (let id = 1; id < 400; id += 2) {
    peer.say(peer.headers(id, GET), times(50, PRIORITY(id)));
    peer.frames();
  }
  expectAlive(peer);
  peer.say(times(201, PRIORITY(1)));
  expectFlood(peer);
});

test("WINDOW_UPDATE", () => {
  const peer = new Peer("server");
  peer.say(peer.headers(1, GET), times(40, frame("WINDOW_UPDATE", 0, 1, u32(1))));
  expectFlood(peer);
  expect(peer.stats.inboundWindowUpdateFramesFlood.value).toBe(1);
});

test("WINDOW_UPDATE: a download earns two for each DATA frame and more", () => {
  const peer = new Peer("server");
  peer.say(peer.headers(1, GET));
  const { stream } = peer.requests[0]!;
  stream.sendHeaders(OK, false);
  for (let i = 0; i < 500; i++) {
    stream.sendData(Buffer.alloc(1000), false);
    peer.say(times(2, frame("WINDOW_UPDATE", 0, 0, u32(500))), times(2, frame("WINDOW_UPDATE", 0, 1, u32(500))));
  }
  expectAlive(peer);
});

test("empty DATA", () => {
  const peer = new Peer("server");
  peer.say(peer.headers(1, POST, false), times(2, frame("DATA", 0, 1)));
  expectFlood(peer);
  expect(peer.stats.inboundEmptyFramesFlood.value).toBe(1);
});

test("CONTINUATION: many, large, empty", () => {
  const start = frame("HEADERS", 1, 1, Buffer.from([0x82]));
  for (const flood of [
    times(1000, frame("CONTINUATION", 0, 1, Buffer.from([0x82]))),
    times(10, frame("CONTINUATION", 0, 1, Buffer.alloc(16_384))),
    times(2, frame("CONTINUATION", 0, 1)),
  ]) {
    const peer = new Peer("server");
    peer.say(start, flood);
    expectFlood(peer);
  }
});

test("an HPACK bomb is answered 431 and costs nothing", () => {
  const peer = new Peer("server");
  const entry = Buffer.concat([Buffer.from("4001617fc11e", "hex"), Buffer.alloc(4000, "x")]);
  const bomb = Buffer.concat([peer.headers(1, GET).subarray(9), entry, Buffer.alloc(12_000, 0xbe)]);
  peer.say(frame("HEADERS", 5, 1, bomb));
  expect(peer.said()).toEqual(["HEADERS 1 :status=431 end"]);
  expect(peer.oversized[0]?.block.headers.length).toBe(4);
});

test("HPACK bombs without end are a flood, a few among requests that are served are none", () => {
  // Names that stand in the static table, and a host beside it: what the bomb does to the other table must not matter.
  const get = Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x01, 6]), Buffer.from("a.test")]);
  const entry = Buffer.concat([Buffer.from("4001617fa11e", "hex"), Buffer.alloc(4000, "x")]);
  const bomb = (id: number): Buffer => frame("HEADERS", 5, id, Buffer.concat([get, entry, Buffer.alloc(12_000, 0xbe)]));
  const peer = new Peer("server");
  for (let id = 1; id < 2000 && peer.goAways.length === 0; id += 2) peer.say(bomb(id));
  expectFlood(peer);
  expect(peer.oversized.length).toBeLessThanOrEqual(250);
  const decent = new Peer("server");
  decent.onRequest = ({ stream }) => void stream.sendHeaders(OK, true);
  for (let i = 0; i < 900; i++) {
    decent.say(i % 3 === 0 ? bomb(1 + 2 * i) : frame("HEADERS", 5, 1 + 2 * i, get));
    decent.frames();
  }
  expectAlive(decent);
});

describe("rapid reset (CVE-2023-44487)", () => {
  test("in one read or one by one", () => {
    for (const one of [true, false]) {
      const peer = new Peer("server");
      const parts = Array.from({ length: 5000 }, (_, i) => [
        peer.headers(1 + 2 * i, GET),
        frame("RST_STREAM", 0, 1 + 2 * i, u32(H2.CANCEL)),
      ]);
      if (one) peer.say(...parts.flat());
      else for (const part of parts) peer.say(...part);
      expectFlood(peer);
      expect(peer.requests.length).toBeLessThanOrEqual(500);
      expect(peer.requests.every(({ stream }) => stream.closed)).toBe(true);
    }
  });

  test("slower than a second each, 33 a second on top of 1000", () => {
    const peer = new Peer("server");
    let id = 1;
    for (let second = 0; second < 100 && peer.goAways.length === 0; second++) {
      const first = id;
      for (; id < first + 400; id += 2) peer.say(peer.headers(id, GET));
      peer.advance(1100);
      for (let old = first; old < id; old += 2) peer.say(frame("RST_STREAM", 0, old, u32(H2.CANCEL)));
    }
    expectFlood(peer);
    expect(peer.requests.length).toBeLessThan(2000);
  });

  test("a client that gives up a third of its requests is no attacker", () => {
    const peer = new Peer("server");
    for (let i = 0; i < 6000; i++) {
      const id = 1 + 2 * i;
      peer.say(peer.headers(id, GET));
      if (i % 3 === 0) peer.say(frame("RST_STREAM", 0, id, u32(H2.CANCEL)));
      else peer.requests.at(-1)?.stream.sendHeaders(OK, true);
      if (i % 100 === 0) peer.frames();
    }
    expectAlive(peer);
  });

  test("nor one that gives up answers it has begun to get", () => {
    const peer = new Peer("server");
    peer.onRequest = ({ stream }) => void stream.sendHeaders(OK, false);
    for (let i = 0; i < 900; i++) peer.say(peer.headers(1 + 2 * i, GET), frame("RST_STREAM", 0, 1 + 2 * i, u32(H2.CANCEL)));
    expectAlive(peer);
  });
});

describe("MadeYouReset (CVE-2025-8671): streams that the peer makes us reset", () => {
  test.each([
    ["with WINDOW_UPDATE of nothing", (id: number) => frame("WINDOW_UPDATE", 0, id, u32(0))],
    ["with a window too large", (id: number) => frame("WINDOW_UPDATE", 0, id, u32(0x7fff_ffff))],
    ["with DATA behind the end", (id: number) => frame("DATA", 1, id, Buffer.from("x"))],
    ["with PRIORITY on itself", (id: number) => frame("PRIORITY", 0, id, Buffer.concat([u32(id), Buffer.from([1])]))],
  ])("%s", (_, bad) => {
    const peer = new Peer("server");
    for (let id = 1; id < 10_000 && peer.goAways.length === 0; id += 2) peer.say(peer.headers(id, GET), bad(id));
    expectFlood(peer);
    expect(peer.requests.length).toBeLessThanOrEqual(500);
  });

  test("malformed requests without end", () => {
    const peer = new Peer("server");
    for (let id = 1; id < 10_000 && peer.goAways.length === 0; id += 2) peer.say(peer.headers(id, [[":method", "GET"]]));
    expectFlood(peer);
    expect(peer.malformed.length).toBeLessThanOrEqual(1001);
  });

  test("more streams than allowed without end", () => {
    const peer = new Peer("server", { limits: { maxConcurrentStreams: 10 } });
    for (let id = 1; id < 10_000 && peer.goAways.length === 0; id += 2) peer.say(peer.headers(id, GET));
    expectFlood(peer);
    expect(peer.requests.length).toBe(10);
  });

  test("RST_STREAM and HEADERS for streams that are no more", () => {
    for (const kind of ["reset", "headers"]) {
      const peer = new Peer("server");
      peer.say(peer.headers(1, POST, false));
      peer.requests[0]?.stream.reset(H2.CANCEL);
      for (let i = 0; i < 2000 && peer.goAways.length === 0; i++)
        peer.say(kind === "reset" ? frame("RST_STREAM", 0, 1, u32(8)) : peer.headers(1, [["a", "b"]]));
      expectFlood(peer);
    }
  });
});

test("frames that nobody knows", () => {
  const peer = new Peer("server");
  peer.say(times(1001, frame(200, 0, 0)));
  expectFlood(peer);
});

test("a peer's reads and writes go on while another is given up", () => {
  const [bad, good] = [new Peer("server"), new Peer("server")];
  bad.say(times(2000, frame("PING", 0, 0, Buffer.alloc(8))));
  good.say(good.headers(1, GET));
  good.requests[0]?.stream.sendHeaders(OK, true);
  expect(good.said()).toEqual(["HEADERS 1 :status=200 end"]);
  expectFlood(bad);
});

test("what was paid for does not add up for ever", () => {
  const guard = new FloodGuard(http2Limits());
  guard.sentData(1_000_000);
  let updates = 0;
  while (guard.windowUpdate()) updates++;
  expect(updates).toBe(20 * 1024);
});
