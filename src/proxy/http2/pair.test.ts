// Two sessions of our own that talk to each other through a pipe of random pieces: nothing is lost, nothing gets stuck, and no bytes make one throw.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fields, frame, GET, Peer, POST, Recorder, settings, u32 } from "../testing/http2-peer.ts";
import type { Http2Stream } from "./stream.ts";

const limits = fc.record({
  streamWindow: fc.constantFrom(1000, 65_535, 1_000_000),
  connectionWindow: fc.constantFrom(65_535, 1_000_000),
  headerTableSize: fc.constantFrom(0, 200, 4096),
  maxConcurrentStreams: fc.constantFrom(2, 100),
});

const exchange = fc.record({
  up: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 4 }),
  down: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 4 }),
  trailers: fc.boolean(),
  pausesAt: fc.integer({ min: 0, max: 5 }),
});

interface Running {
  readonly want: string;
  readonly user: Recorder;
  readonly stream: Http2Stream;
}

/** Lets each side write, and hands what it wrote to the other in pieces. */
function createPipe(server: Peer, client: Peer, sizes: readonly number[]): () => boolean {
  let turn = 0;
  const move = (from: Peer, to: Peer): boolean => {
    from.settle();
    const bytes = Buffer.concat(from.conn.written.splice(0));
    for (let at = 0; at < bytes.length;) {
      const size = sizes.length === 0 ? 65_536 : (sizes[turn++ % sizes.length] as number);
      to.say(bytes.subarray(at, at + size));
      at += size;
    }
    from.conn.release();
    return bytes.length > 0;
  };
  return () => {
    const moved = move(client, server);
    return move(server, client) || moved;
  };
}

function text(seed: number, length: number): string {
  return String.fromCharCode(97 + (seed % 26)).repeat(length);
}

test("property: bodies and trailers arrive whole, both ways", () => {
  fc.assert(
    fc.property(
      limits,
      limits,
      fc.array(exchange, { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 5 }),
      fc.boolean(),
      (serverLimits, clientLimits, exchanges, sizes, slow) => {
        const server = new Peer("server", { limits: serverLimits, greet: false });
        const client = new Peer("client", { limits: clientLimits, greet: false });
        server.conn.slow = slow;
        client.conn.slow = slow;
        const step = createPipe(server, client, sizes);
        while (step());
        const uploads = new Map<Http2Stream, Recorder>();
        const stalled: Http2Stream[] = [];
        const pauseAt = (user: Recorder, stream: Http2Stream, at: number): void => {
          user.afterData = () => {
            if (user.events.length !== at + 1) return;
            stream.pause();
            stalled.push(stream);
          };
        };
        server.onRequest = ({ stream, block, user }) => {
          const plan = exchanges[Number(block.path.slice(1))] as (typeof exchanges)[number];
          uploads.set(stream, user);
          pauseAt(user, stream, plan.pausesAt);
          stream.sendHeaders(
            fields([
              [":status", "200"],
              ["x-path", block.path],
            ]),
            false,
          );
          plan.down.forEach((length, i) => stream.sendText(text(i, length), false));
          if (plan.trailers) stream.sendTrailers(fields([["x-end", block.path]]));
        };
        const running: Running[] = [];
        let next = 0;
        const open = (): void => {
          while (next < exchanges.length) {
            const plan = exchanges[next] as (typeof exchanges)[number];
            const user = new Recorder();
            const path = `/${next}`;
            const stream = client.session.open(fields([...POST.slice(0, 3), [":path", path]]), false, user);
            if (stream === undefined) return;
            next++;
            pauseAt(user, stream, plan.pausesAt);
            plan.up.forEach((length, i) => stream.sendData(Buffer.from(text(i + 7, length)), i % 2 === 1 && i === plan.up.length - 1));
            if (!stream.localEnded) stream.sendData(Buffer.alloc(0), true);
            running.push({ want: plan.down.map((length, i) => text(i, length)).join(""), user, stream });
          }
        };
        for (let i = 0; i < 5000; i++) {
          open();
          const moved = step();
          for (const stream of stalled.splice(0)) stream.resume();
          for (const [stream, user] of uploads) if (user.ended && !stream.localEnded) stream.sendData(Buffer.alloc(0), true);
          if (!moved && stalled.length === 0 && next === exchanges.length && running.every(({ stream }) => stream.closed)) break;
        }
        expect([...client.goAways, ...server.goAways]).toEqual([]);
        for (const { want, user } of running) {
          expect(user.resets.filter((reset) => reset !== "0 peer")).toEqual([]);
          expect([user.data.length, user.data === want, user.ended]).toEqual([want.length, true, true]);
        }
        for (const received of server.requests) {
          const plan = exchanges[Number(received.block.path.slice(1))] as (typeof exchanges)[number];
          // An answer with trailers does not wait for the request, and cuts it off.
          const whole = plan.up.map((length, i) => text(i + 7, length)).join("");
          expect(plan.trailers ? whole.startsWith(received.user.data) : received.user.data === whole).toBe(true);
        }
        expect([server.session.activeStreams, client.session.activeStreams]).toEqual([0, 0]);
        expect([server.stats.pendingSendBytes.value, client.stats.pendingSendBytes.value]).toEqual([0, 0]);
      },
    ),
    { numRuns: 80 },
  );
});

const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data));
const anyFrame = fc
  .tuple(fc.nat(11), fc.constantFrom(0, 1, 4, 5, 8, 13, 37), fc.nat(9), bytes)
  .map(([type, flags, id, data]) => frame(type, flags, id, data));
const goodFrame = fc.oneof(
  fc.tuple(fc.nat(9), fc.nat(70_000)).map(([id, n]) => frame("WINDOW_UPDATE", 0, id, u32(n))),
  fc.tuple(fc.nat(9), fc.boolean(), bytes).map(([id, end, data]) => frame("DATA", end ? 1 : 0, id, data)),
  fc.nat(9).map((id) => frame("RST_STREAM", 0, id, u32(8))),
  fc.nat(100_000).map((n) => settings([4, n])),
  fc.nat(5000).map((n) => settings([1, n])),
  fc.nat(9).map((last) => frame("GOAWAY", 0, 0, u32(last, 0))),
);
const action = fc.constantFrom(
  "head",
  "data",
  "end",
  "trailers",
  "reset",
  "pause",
  "resume",
  "request",
  "drain",
  "slow",
  "release",
  "advance",
);

test("property: whatever the peer and the user do, nothing throws and nothing is left", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(fc.oneof(anyFrame, goodFrame, goodFrame, action, action), { maxLength: 60 }), (isServer, steps) => {
      const peer = new Peer(isServer ? "server" : "client");
      const streams: Http2Stream[] = [];
      peer.onRequest = ({ stream }) => void streams.push(stream);
      let id = 1;
      for (const step of steps) {
        if (typeof step !== "string") {
          peer.say(step);
          continue;
        }
        const stream = streams.at(-1 - (id % 3)) ?? streams[0];
        switch (step) {
          case "request":
            if (isServer) {
              if (!peer.session.goingAway) peer.say(peer.headers(id, POST, id % 4 === 3));
            } else {
              const opened = peer.session.open(fields(id % 4 === 3 ? GET : POST), id % 4 === 3, new Recorder());
              if (opened !== undefined) streams.push(opened);
              peer.say(peer.headers(id, [[":status", "200"]], false));
            }
            id += 2;
            break;
          case "head":
            if (isServer) stream?.sendHeaders(fields([[":status", "200"]]), false);
            break;
          case "data":
            stream?.sendData(Buffer.alloc(50_000), false);
            break;
          case "end":
            stream?.sendText("end", true);
            break;
          case "trailers":
            stream?.sendTrailers(fields([["a", "b"]]));
            break;
          case "reset":
            stream?.reset(8);
            break;
          case "pause":
            stream?.pause();
            break;
          case "resume":
            stream?.resume();
            break;
          case "drain":
            peer.session.drain();
            break;
          case "slow":
            peer.conn.slow = true;
            break;
          case "release":
            peer.conn.slow = false;
            peer.conn.release();
            break;
          default:
            peer.settle();
            peer.advance(700);
        }
      }
      peer.settle();
      peer.session.onClose(undefined);
      expect([peer.stats.streamsActive.value, peer.stats.pendingSendBytes.value, peer.session.activeStreams]).toEqual([0, 0, 0]);
      expect(peer.ends.length).toBe(1);
      expect(streams.every((stream) => stream.closed)).toBe(true);
      for (const stream of streams) stream.resume();
    }),
    { numRuns: 800 },
  );
});
