// Windows in both directions (RFC 9113 sections 5.2 and 6.9), what waits, and who is told.
import { describe, expect, test } from "vitest";
import { fields, frame, GET, Peer, type PeerOptions, POST, type Received, Recorder, settings, u32 } from "../testing/http2-peer.ts";
import { H2 } from "./frames.ts";

const OK = fields([[":status", "200"]]);

/** A server's session with answers to send on so many streams. */
function withAnswers(count: number, options: PeerOptions = {}): { peer: Peer; requests: Received[] } {
  const peer = new Peer("server", options);
  for (let i = 0; i < count; i++) peer.say(peer.headers(1 + 2 * i, GET));
  for (const { stream } of peer.requests) stream.sendHeaders(OK, false);
  peer.frames();
  return { peer, requests: peer.requests };
}

function withUpload(options: PeerOptions = {}): { peer: Peer; request: Received } {
  const peer = new Peer("server", options);
  peer.say(peer.headers(1, POST, false));
  peer.frames();
  return { peer, request: peer.requests[0] as Received };
}

function sum(said: readonly string[], start: string): number {
  return said.filter((line) => line.startsWith(start)).reduce((total, line) => total + Number(line.split(" ")[2]), 0);
}

describe("sending", () => {
  test("no more than the stream's window, the rest when there is more of it", () => {
    const { peer, requests } = withAnswers(1);
    const { stream, user } = requests[0] as Received;
    expect(stream.sendData(Buffer.alloc(100_000, "x"), true)).toBe(false);
    let said = peer.said();
    expect(sum(said, "DATA 1")).toBe(65_535);
    expect([stream.pending(), peer.stats.pendingSendBytes.value, user.writable]).toEqual([34_465, 34_465, 0]);
    peer.say(frame("WINDOW_UPDATE", 0, 0, u32(100_000)));
    expect(peer.said()).toEqual([]);
    peer.say(frame("WINDOW_UPDATE", 0, 1, u32(34_464)));
    said = peer.said();
    expect([sum(said, "DATA 1"), said.at(-1)?.endsWith("end"), stream.closed]).toEqual([34_464, false, false]);
    peer.say(frame("WINDOW_UPDATE", 0, 1, u32(1)));
    expect(peer.said()).toEqual(["DATA 1 1 end"]);
    expect([stream.closed, peer.stats.pendingSendBytes.value]).toEqual([true, 0]);
  });

  test("what it says is what was given, through waits and splits", () => {
    const { peer, requests } = withAnswers(1);
    const { stream } = requests[0] as Received;
    const text = Array.from({ length: 30_000 }, (_, i) => i.toString(36)).join(",");
    for (let at = 0; at < text.length; at += 7001) {
      if (at % 2 === 0) stream.sendText(text.slice(at, at + 7001), false);
      else stream.sendData(Buffer.from(text.slice(at, at + 7001)), false);
    }
    stream.sendTrailers(fields([["x-end", "1"]]));
    let out = "";
    for (let i = 0; i < 40; i++) {
      for (const f of peer.frames()) {
        if (f.type === "DATA") out += f.payload.toString();
        else if (f.type === "HEADERS") out += `|${peer.decode(f.payload)}`;
      }
      peer.say(frame("WINDOW_UPDATE", 0, 1, u32(4999)), frame("WINDOW_UPDATE", 0, 0, u32(4999)));
    }
    expect(out).toBe(`${text}|x-end=1`);
  });

  test("the connection's window is shared in turns", () => {
    const { peer, requests } = withAnswers(3);
    peer.say(settings([4, 1_000_000]));
    peer.frames();
    for (const { stream } of requests) stream.sendData(Buffer.alloc(100_000), true);
    expect(sum(peer.said(), "DATA")).toBe(65_535);
    peer.say(frame("WINDOW_UPDATE", 0, 0, u32(16_384 * 4)));
    const said = peer.said();
    expect(said.map((line) => line.split(" ")[1])).toEqual(["1", "3", "5", "1"]);
  });

  test("a stream without a window holds up no other", () => {
    const { peer, requests } = withAnswers(2);
    peer.say(frame("WINDOW_UPDATE", 0, 0, u32(1_000_000)));
    requests[0]?.stream.sendData(Buffer.alloc(100_000), true);
    requests[1]?.stream.sendData(Buffer.alloc(10), true);
    expect(peer.said().at(-1)).toBe("DATA 3 10 end");
  });

  test("onWritable comes when nothing waits, whenFlushed too", () => {
    const { peer, requests } = withAnswers(1);
    const { stream, user } = requests[0] as Received;
    const calls: string[] = [];
    stream.whenFlushed(() => calls.push("at once"));
    stream.sendData(Buffer.alloc(70_000), false);
    stream.whenFlushed(() => calls.push("later"));
    peer.say(frame("WINDOW_UPDATE", 0, 0, u32(70_000)), frame("WINDOW_UPDATE", 0, 1, u32(100)));
    expect([calls, user.writable]).toEqual([["at once"], 0]);
    peer.say(frame("WINDOW_UPDATE", 0, 1, u32(70_000)));
    expect([calls, user.writable]).toEqual([["at once", "later"], 1]);
    expect(stream.sendData(Buffer.from("x"), true)).toBe(true);
    expect(peer.said().at(-1)).toBe("DATA 1 1 end");
  });

  test("a new initial window goes for open streams, and may be negative", () => {
    const { peer, requests } = withAnswers(1);
    const { stream } = requests[0] as Received;
    stream.sendData(Buffer.alloc(65_535), false);
    peer.frames();
    peer.say(settings([4, 100]), frame("WINDOW_UPDATE", 0, 0, u32(1_000_000)));
    peer.frames();
    stream.sendData(Buffer.alloc(10), true);
    peer.say(frame("WINDOW_UPDATE", 0, 1, u32(65_435)));
    expect(peer.said()).toEqual([]);
    peer.say(frame("WINDOW_UPDATE", 0, 1, u32(5)));
    expect(peer.said()).toEqual(["DATA 1 5"]);
    peer.say(settings([4, 200]));
    expect(peer.said()).toEqual(["SETTINGS ack", "DATA 1 5 end"]);
  });

  test("reset: what waits is gone", () => {
    const { peer, requests } = withAnswers(1);
    const { stream, user } = requests[0] as Received;
    stream.sendData(Buffer.alloc(100_000), true);
    stream.whenFlushed(() => expect.unreachable());
    peer.frames();
    peer.say(frame("RST_STREAM", 0, 1, u32(H2.CANCEL)), frame("WINDOW_UPDATE", 0, 0, u32(100_000)));
    expect([peer.said(), user.events, peer.stats.pendingSendBytes.value]).toEqual([[], ["reset 8 peer"], 0]);
  });

  test("who sends on and on is reset", () => {
    const { peer, requests } = withAnswers(1, { limits: { queuedBytes: 200_000 } });
    const { stream, user } = requests[0] as Received;
    for (let i = 0; i < 4; i++) expect(stream.sendData(Buffer.alloc(65_536), false)).toBe(false);
    expect(user.events).toEqual([]);
    stream.sendData(Buffer.alloc(65_536), false);
    expect([user.events, stream.closed]).toEqual([["reset 2 overflow"], true]);
    expect(peer.said().at(-1)).toBe("RST_STREAM 1 2");
  });

  test("a peer that does not read to the end is not waited for", () => {
    const { peer, requests } = withAnswers(3);
    peer.say(frame("WINDOW_UPDATE", 0, 0, u32(1_000_000)));
    requests.forEach(({ stream }, i) => stream.sendData(Buffer.alloc(100_000), i !== 2));
    peer.frames();
    for (let i = 0; i < 3; i++) {
      peer.advance(299_000);
      peer.say(frame("WINDOW_UPDATE", 0, 3, u32(10)));
    }
    // The second takes a little now and then, the third is not whole yet.
    expect(peer.said().filter((line) => line.startsWith("RST"))).toEqual(["RST_STREAM 1 8"]);
    expect([requests.map(({ user }) => user.resets), peer.stats.txFlushTimeout.value]).toEqual([[["8 idle"], [], []], 1]);
  });

  test("a slow connection holds data back with its stream", () => {
    const { peer, requests } = withAnswers(2);
    peer.say(settings([4, 10_000_000]), frame("WINDOW_UPDATE", 0, 0, u32(10_000_000)));
    peer.frames();
    peer.conn.slow = true;
    const { stream, user } = requests[0] as Received;
    expect(stream.sendData(Buffer.alloc(1_000_000), false)).toBe(false);
    peer.settle();
    expect(peer.conn.waiting).toBeLessThan(300_000);
    expect(requests[1]?.stream.sendData(Buffer.from("x"), true)).toBe(false);
    // Control frames do not wait.
    peer.say(frame("PING", 0, 0, Buffer.alloc(8)));
    expect(peer.said().at(-1)).toBe("PING ack");
    peer.conn.slow = false;
    peer.conn.release();
    const said = peer.said();
    expect([said.includes("DATA 3 1 end"), user.writable, stream.pending()]).toEqual([true, 1, 0]);
  });

  test("buffers that wait in a slow connection are not written again", () => {
    const { peer, requests } = withAnswers(1);
    peer.conn.slow = true;
    const views: Uint8Array[] = [];
    const { writeSub } = peer.conn;
    peer.conn.writeSub = function (view) {
      views.push(view);
      return writeSub.call(this, view);
    };
    const { stream } = requests[0] as Received;
    for (const text of ["one", "two", "three"]) {
      stream.sendText(text, false);
      peer.settle();
    }
    expect(views.map((view) => Buffer.from(view).toString("latin1", 9))).toEqual(["one", "two", "three"]);
  });
});

describe("WINDOW_UPDATE", () => {
  test.each([
    ["of nothing for the connection", frame("WINDOW_UPDATE", 0, 0, u32(0)), "GOAWAY 1 1"],
    ["of nothing for a stream", frame("WINDOW_UPDATE", 0, 1, u32(0)), "RST_STREAM 1 1"],
    ["too much for the connection", frame("WINDOW_UPDATE", 0, 0, u32(0x7fff_ffff)), "GOAWAY 1 3"],
    ["too much for a stream", frame("WINDOW_UPDATE", 0, 1, u32(0x7fff_ffff)), "RST_STREAM 1 3"],
  ])("%s", (_, bytes, answer) => {
    const { peer } = withUpload();
    peer.say(bytes);
    expect(peer.said()).toEqual([answer]);
  });

  test("an initial window that makes a stream's too large", () => {
    const { peer } = withUpload();
    peer.say(frame("WINDOW_UPDATE", 0, 1, u32(0x7fff_0000)), settings([4, 0x7fff_ffff]));
    expect(peer.said()).toEqual(["GOAWAY 1 3"]);
  });
});

describe("receiving", () => {
  const chunk = frame("DATA", 0, 1, Buffer.alloc(16_384, "x"));

  test("credit comes back for what was read, in large steps, and the window grows", () => {
    const { peer, request } = withUpload();
    const updates: number[] = [];
    for (let i = 0; i < 64; i++) {
      peer.say(chunk);
      for (const line of peer.said()) if (line.startsWith("WINDOW_UPDATE 1")) updates.push(Number(line.split(" ")[2]));
    }
    expect(request.user.data.length).toBe(64 * 16_384);
    // 256 KiB to begin with; half of it was used: it is 512 KiB from now on, and so on.
    expect(updates[0]).toBe(131_072 + 262_144);
    expect(updates.length).toBeLessThan(5);
  });

  test("a paused reader gets nothing, and the peer no credit", () => {
    const { peer, request } = withUpload();
    const { stream, user } = request;
    stream.pause();
    for (let i = 0; i < 16; i++) peer.say(chunk);
    expect([peer.said(), user.events]).toEqual([[], []]);
    peer.say(frame("DATA", 0, 1, Buffer.from("x")));
    expect(peer.said()).toEqual(["RST_STREAM 1 3"]);
    expect(user.events).toEqual(["reset 3 protocol"]);
  });

  test("…until it goes on", () => {
    const { peer, request } = withUpload();
    const { stream, user } = request;
    user.afterData = () => stream.pause();
    for (let i = 0; i < 10; i++) peer.say(chunk);
    peer.say(frame("DATA", 1, 1, Buffer.from("end")));
    expect(user.data.length).toBe(16_384);
    for (let i = 0; !user.ended && i < 20; i++) stream.resume();
    expect(user.data).toBe("x".repeat(163_840) + "end");
    expect([stream.remoteEnded, user.events.at(-1)?.endsWith("end")]).toEqual([true, true]);
  });

  test("a resume inside the callback goes on at once", () => {
    const { peer, request } = withUpload();
    const { stream, user } = request;
    stream.pause();
    for (let i = 0; i < 3; i++) peer.say(chunk);
    user.afterData = () => {
      stream.pause();
      stream.resume();
    };
    stream.resume();
    expect(user.data.length).toBe(3 * 16_384);
  });

  test("trailers wait behind what is held", () => {
    const { peer, request } = withUpload();
    request.stream.pause();
    peer.say(frame("DATA", 0, 1, Buffer.from("a")), peer.headers(1, [["x-a", "1"]]));
    expect([request.user.events, request.stream.remoteEnded]).toEqual([[], false]);
    request.stream.resume();
    expect(request.user.events).toEqual(["data 1", "trailers"]);
  });

  test("a stream whose end has come gets no more credit", () => {
    const { peer, request } = withUpload();
    request.stream.pause();
    for (let i = 0; i < 12; i++) peer.say(chunk);
    peer.say(frame("DATA", 1, 1, Buffer.from("x")));
    request.stream.resume();
    expect([request.user.ended, peer.said()]).toEqual([true, []]);
  });

  test("a slow reader's window does not grow", () => {
    const { peer, request } = withUpload();
    const { stream } = request;
    let credit = 262_144;
    for (let i = 0; i < 200; i++) {
      stream.pause();
      peer.say(chunk);
      credit -= 16_384;
      stream.resume();
      for (const line of peer.said()) if (line.startsWith("WINDOW_UPDATE 1")) credit += Number(line.split(" ")[2]);
      expect(credit).toBeLessThanOrEqual(262_144);
    }
  });

  test("single bytes held cost bytes, not objects", () => {
    const { peer, request } = withUpload();
    request.stream.pause();
    const dribble = Buffer.concat(Array<Buffer>(2000).fill(frame("DATA", 0, 1, Buffer.from("x"))));
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 50; i++) peer.say(dribble);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
    request.stream.resume();
    expect(request.user.data.length).toBe(100_000);
    expect(request.user.events.length).toBeLessThan(50);
  });

  test("the connection's window: what resets drop comes back, what is held does not", () => {
    const limits = { connectionWindow: 65_535, streamWindow: 65_535 };
    const held = withUpload({ limits });
    held.request.stream.pause();
    for (let i = 0; i < 3; i++) held.peer.say(chunk);
    expect(held.peer.said()).toEqual([]);
    held.request.stream.reset(H2.CANCEL);
    expect(held.peer.said()).toEqual(["RST_STREAM 1 8", "WINDOW_UPDATE 0 49152"]);
    const over = withUpload({ limits });
    over.request.stream.pause();
    over.peer.say(over.peer.headers(3, POST, false));
    over.peer.requests[1]?.stream.pause();
    for (let i = 0; i < 2; i++) over.peer.say(chunk, frame("DATA", 0, 3, Buffer.alloc(16_384)));
    expect(over.peer.said()).toEqual(["GOAWAY 3 3"]);
  });

  test("what comes for a stream that is no more costs the connection no window", () => {
    const { peer, request } = withUpload({ limits: { connectionWindow: 65_535 } });
    request.stream.reset(H2.CANCEL);
    peer.frames();
    for (let i = 0; i < 10; i++) peer.say(chunk);
    expect(sum(peer.said(), "WINDOW_UPDATE 0")).toBe(163_840);
  });

  test("padding counts against the windows and comes back", () => {
    const { peer } = withUpload({ limits: { connectionWindow: 65_535, streamWindow: 65_535 } });
    const padded = frame("DATA", 8, 1, Buffer.concat([Buffer.from([255]), Buffer.from("x"), Buffer.alloc(255)]));
    for (let i = 0; i < 1000; i++) peer.say(padded);
    const said = peer.said();
    expect(said.some((line) => !line.startsWith("WINDOW_UPDATE"))).toBe(false);
    expect(sum(said, "WINDOW_UPDATE 0")).toBeGreaterThan(200_000);
    expect(sum(said, "WINDOW_UPDATE 1")).toBeGreaterThan(190_000);
  });

  test("a client's reader works the same", () => {
    const peer = new Peer("client");
    const user = new Recorder();
    const stream = peer.session.open(fields(GET), true, user);
    peer.frames();
    user.afterData = () => stream?.pause();
    peer.say(peer.headers(1, [[":status", "200"]], false), chunk, chunk, frame("DATA", 1, 1));
    expect([user.events, stream?.closed]).toEqual([["headers 200", "data 16384"], true]);
    stream?.resume();
    expect(user.events.slice(2)).toEqual(["data 16384 end"]);
    expect(peer.session.activeStreams).toBe(0);
  });
});
