// One group per rule of RFC 9113: what the peer does, and what it is told. In the answers: RST_STREAM id code, GOAWAY last code.
import { describe, expect, test } from "vitest";
import {
  type Fields,
  fields,
  frame,
  type Frame,
  GET,
  Peer,
  POST,
  PREFACE,
  type Received,
  Recorder,
  settings,
  u32,
} from "../testing/http2-peer.ts";
import { H2 } from "./frames.ts";

const OK: Fields = [[":status", "200"]];

function server(limits = {}): Peer {
  return new Peer("server", { limits });
}

/** A server's session with request 1 open and its body still to come. */
function withUpload(list: Fields = POST): { peer: Peer; request: Received } {
  const peer = server();
  peer.say(peer.headers(1, list, false));
  return { peer, request: peer.requests[0] as Received };
}

/** A client's session with request 1 sent. */
function withRequest(list: Fields = GET, endStream = true): { peer: Peer; user: Received["user"]; stream: Received["stream"] } {
  const peer = new Peer("client");
  const user = new Recorder();
  const stream = peer.session.open(fields(list), endStream, user);
  if (stream === undefined) throw new Error("not opened");
  peer.frames();
  return { peer, user, stream };
}

describe("the start (section 3.4)", () => {
  test("a server says SETTINGS and widens the connection's window", () => {
    const peer = new Peer("server", { greet: false });
    expect(peer.frames().map((f) => [f.type, f.payload.toString("hex")])).toEqual([
      ["SETTINGS", "000400040000000300000400"],
      ["WINDOW_UPDATE", (24 * 1024 * 1024 - 65_535).toString(16).padStart(8, "0")],
    ]);
    peer.say(PREFACE, settings());
    expect(peer.said()).toEqual(["SETTINGS ack"]);
    expect(peer.session.settled).toBe(true);
  });

  test("a client says the preface and wants no pushes", () => {
    const peer = new Peer("client", { greet: false });
    peer.settle();
    expect(peer.conn.written[0]?.subarray(0, 24)).toEqual(PREFACE);
    expect(peer.frames()[0]?.payload.toString("hex")).toBe("000400040000000200000000");
    peer.say(settings([3, 7]));
    expect(peer.said()).toEqual(["SETTINGS ack"]);
    expect(peer.session.maxConcurrentStreams).toBe(7);
  });

  test.each([
    ["no preface", [Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
    ["no SETTINGS behind it", [PREFACE, frame("PING", 0, 0, Buffer.alloc(8))]],
  ])("%s ends the connection", (_, parts) => {
    const peer = new Peer("server", { greet: false });
    peer.frames();
    peer.say(...parts);
    expect(peer.said()).toEqual(["GOAWAY 0 1"]);
    peer.advance(60);
    expect(peer.conn.destroyed).toBe(true);
  });

  test("nothing at all for ten seconds ends it, too", () => {
    const peer = new Peer("server", { greet: false });
    peer.frames();
    peer.advance(9000);
    expect(peer.conn.ended).toBe(false);
    peer.advance(1100);
    expect(peer.said()).toEqual(["GOAWAY 0 11"]);
  });
});

describe("requests and answers", () => {
  test("a request's pseudo headers, fields and body", () => {
    const { peer, request } = withUpload([...POST, ["content-length", "5"], ["x-a", "1"]]);
    const { block, user } = request;
    expect([block.method, block.scheme, block.authority, block.path, block.contentLength, block.pseudo]).toEqual([
      "POST",
      "http",
      "a.test",
      "/",
      5,
      4,
    ]);
    expect(block.headers.map((header) => header.name)).toEqual([":method", ":scheme", ":authority", ":path", "content-length", "x-a"]);
    peer.say(frame("DATA", 0, 1, Buffer.from("he")), frame("DATA", 1, 1, Buffer.from("llo")));
    expect(user.events).toEqual(["data 2", "data 3 end"]);
    request.stream.sendHeaders(fields(OK), false);
    request.stream.sendText("yes", true);
    expect(peer.said()).toEqual(["HEADERS 1 :status=200", "DATA 1 3 end"]);
    expect([request.stream.closed, peer.session.activeStreams, peer.closedStreams]).toEqual([true, 0, 1]);
    expect(peer.stats.streamsActive.value).toBe(0);
  });

  test("all frames of a turn leave in one write", () => {
    const peer = server();
    peer.onRequest = ({ stream }) => {
      stream.sendHeaders(fields(OK), false);
      stream.sendData(Buffer.from("body"), true);
    };
    peer.conn.writes = 0;
    peer.say(...[1, 3, 5, 7, 9].map((id) => peer.headers(id, GET)));
    expect(peer.conn.writes).toBe(0);
    peer.settle();
    expect(peer.conn.writes).toBe(1);
  });

  test("a client's whole exchange, with an informational response and trailers", () => {
    const { peer, user, stream } = withRequest(POST, false);
    stream.sendData(Buffer.from("body"), false);
    stream.sendTrailers(fields([["x-sum", "1"]]));
    expect(peer.said()).toEqual(["DATA 1 4", "HEADERS 1 x-sum=1 end"]);
    peer.say(
      peer.headers(
        1,
        [
          [":status", "103"],
          ["link", "x"],
        ],
        false,
      ),
      peer.headers(1, OK, false),
    );
    peer.say(frame("DATA", 0, 1, Buffer.from("ok")), peer.headers(1, [["grpc-status", "0"]]));
    expect(user.events).toEqual(["headers 103", "headers 200", "data 2", "trailers"]);
    expect(user.trailers?.headers[0]?.value).toBe("0");
    expect(stream.closed).toBe(true);
  });

  test("a head larger than a frame goes out in several, and is read so", () => {
    const large = "v".repeat(20_000);
    const peer = server();
    peer.say(peer.headers(1, GET));
    peer.requests[0]?.stream.sendHeaders(fields([...OK, ["x-a", large], ["x-b", large], ["x-c", "1"]]), true);
    const frames = peer.frames();
    expect(frames.map((f) => [f.type, f.flags, f.payload.length <= 16_384])).toEqual([
      ["HEADERS", 1, true],
      ["CONTINUATION", 0, true],
      ["CONTINUATION", 4, true],
    ]);
    expect(peer.decode(Buffer.concat(frames.map((f) => f.payload)))).toBe(`:status=200 x-a=${large} x-b=${large} x-c=1`);
    const block = peer.headers(3, [...GET, ["x-large", large]]).subarray(9);
    peer.say(frame("HEADERS", 1, 3, block.subarray(0, 10_000)));
    peer.say(frame("CONTINUATION", 4, 3, block.subarray(10_000)));
    expect(peer.requests[1]?.block.headers.at(-1)?.value).toBe(large);
  });

  test("an answer before the request's end is followed by RST_STREAM NO_ERROR", () => {
    const { peer, request } = withUpload();
    request.stream.sendHeaders(fields([[":status", "404"]]), true);
    expect(peer.said()).toEqual(["HEADERS 1 :status=404 end", "RST_STREAM 1 0"]);
    expect(request.stream.closed).toBe(true);
    // What was on its way is ignored.
    peer.say(frame("DATA", 0, 1, Buffer.alloc(100)), frame("DATA", 1, 1, Buffer.alloc(100)));
    expect([peer.said(), request.user.events]).toEqual([[], []]);
  });

  test("…unless the rest was in the same read", () => {
    const peer = server();
    peer.onRequest = ({ stream }) => void stream.sendHeaders(fields([[":status", "404"]]), true);
    peer.say(peer.headers(1, POST, false), frame("DATA", 1, 1, Buffer.from("x")));
    expect(peer.said()).toEqual(["HEADERS 1 :status=404 end"]);
  });

  test("nothing is sent on a stream that is closed", () => {
    const { peer, request } = withUpload();
    request.stream.reset(H2.CANCEL);
    expect(peer.said()).toEqual(["RST_STREAM 1 8"]);
    expect(request.stream.sendHeaders(fields(OK), true)).toBe(false);
    expect(request.stream.sendTrailers(fields([["a", "b"]]))).toBe(false);
    request.stream.sendData(Buffer.from("x"), true);
    request.stream.reset(H2.CANCEL);
    expect(peer.said()).toEqual([]);
    expect(request.user.events).toEqual([]);
  });

  test("cookies are one, and host becomes the authority", () => {
    const peer = server();
    peer.say(
      peer.headers(1, [
        [":method", "GET"],
        [":scheme", "http"],
        [":path", "/"],
        ["cookie", "a=1"],
        ["host", "b.test"],
        ["cookie", "b=2"],
      ]),
    );
    const block = peer.requests[0]?.block;
    expect(block?.headers.map(({ name, value }) => `${name}: ${value}`)).toEqual([
      ":method: GET",
      ":scheme: http",
      ":path: /",
      ":authority: b.test",
      "cookie: a=1; b=2",
    ]);
    expect([block?.authority, block?.pseudo]).toEqual(["b.test", 4]);
    peer.say(peer.headers(3, [...GET, ["host", "evil.test"]]));
    expect(peer.requests[1]?.block.headers.map((header) => header.name)).toEqual([":method", ":scheme", ":authority", ":path"]);
    expect(peer.requests[1]?.block.authority).toBe("a.test");
  });
});

describe("malformed requests are errors of their stream (section 8.1.1)", () => {
  const without = (name: string): Fields => GET.filter(([other]) => other !== name);
  const rows: readonly (readonly [what: string, list: Fields])[] = [
    ["no :method", without(":method")],
    ["no :scheme", without(":scheme")],
    ["no :path", without(":path")],
    ["an empty :path", [...without(":path"), [":path", ""]]],
    ["a :path that is no path", [...without(":path"), [":path", "x"]]],
    ["* for a method that has none", [...without(":path"), [":path", "*"]]],
    ["a blank in :path", [...without(":path"), [":path", "/a HTTP/1.1"]]],
    ["two :method", [[":method", "GET"], ...GET]],
    ["two :path", [[":path", "/a"], ...GET]],
    ["a pseudo header that nobody knows", [[":test", "x"], ...GET]],
    ["a pseudo header of responses", [[":status", "200"], ...GET]],
    ["a pseudo header behind a field", [...without(":path"), ["x-a", "1"], [":path", "/"]]],
    ["a method with a blank", [[":method", "GET "], ...without(":method")]],
    ["a scheme with a colon", [...without(":scheme"), [":scheme", "http://a"]]],
    ["an authority with a slash", [...without(":authority"), [":authority", "a/b"]]],
    ["upper case", [...GET, ["X-A", "1"]]],
    ["an empty name", [...GET, ["", "1"]]],
    ["a colon in a name", [...GET, ["a:b", "1"]]],
    ["a blank in a name", [...GET, ["a b", "1"]]],
    ["obs-text in a name", [...GET, ["a\xe4", "1"]]],
    ["CR in a value", [...GET, ["x-a", "1\rx: y"]]],
    ["LF in a value", [...GET, ["x-a", "1\nx: y"]]],
    ["NUL in a value", [...GET, ["x-a", "1\0"]]],
    ["another control in a value", [...GET, ["x-a", "1\x01"]]],
    ["a blank before a value", [...GET, ["x-a", " 1"]]],
    ["a blank behind a value", [...GET, ["x-a", "1\t"]]],
    ["connection", [...GET, ["connection", "close"]]],
    ["keep-alive", [...GET, ["keep-alive", "1"]]],
    ["proxy-connection", [...GET, ["proxy-connection", "keep-alive"]]],
    ["transfer-encoding", [...GET, ["transfer-encoding", "chunked"]]],
    ["upgrade", [...GET, ["upgrade", "websocket"]]],
    ["te with something else than trailers", [...GET, ["te", "gzip"]]],
    ["two hosts", [...without(":authority"), ["host", "a"], ["host", "b"]]],
    ["a length that is no number", [...GET, ["content-length", "+0"]]],
    ["two lengths", [...GET, ["content-length", "0"], ["content-length", "0"]]],
    ["a length with an end", [...GET, ["content-length", "1"]]],
    [
      "CONNECT with a path",
      [
        [":method", "CONNECT"],
        [":authority", "a:1"],
        [":path", "/"],
      ],
    ],
    ["CONNECT without an authority", [[":method", "CONNECT"]]],
    ["extended CONNECT that was not offered", [[":method", "CONNECT"], [":protocol", "websocket"], ...GET.slice(1)]],
  ];

  test.each(rows)("%s", (_, list) => {
    const peer = server();
    peer.say(peer.headers(1, list));
    expect(peer.said()).toEqual(["RST_STREAM 1 1"]);
    expect([peer.requests.length, peer.malformed.length, peer.stats.rxMessagingError.value]).toEqual([0, 1, 1]);
    // The connection goes on.
    peer.say(peer.headers(3, GET));
    expect(peer.requests.length).toBe(1);
  });

  test.each([
    ["te: trailers", [...GET, ["te", "trailers"]]],
    [
      "* for OPTIONS",
      [
        [":method", "OPTIONS"],
        [":scheme", "http"],
        [":path", "*"],
        [":authority", "a"],
      ],
    ],
    ["a tab within a value, obs-text", [...GET, ["x-a", "a\tb \xff"]]],
    [
      "CONNECT",
      [
        [":method", "CONNECT"],
        [":authority", "a:1"],
      ],
    ],
    ["a method that nobody knows", [[":method", "BREW"], ...without(":method")]],
    ["an empty value", [...GET, ["x-a", ""]]],
    ["a length of zero", [...GET, ["content-length", "0"]]],
  ] as [string, Fields][])("well-formed: %s", (_, list) => {
    const peer = server();
    peer.say(peer.headers(1, list));
    expect([peer.said(), peer.requests.length]).toEqual([[], 1]);
  });

  test("underscores: kept, dropped or refused", () => {
    const list: Fields = [...GET, ["x_a", "1"], ["x-b", "2"]];
    const seen = (underscores: string): string[] => {
      const peer = server({ underscores });
      peer.say(peer.headers(1, list));
      return [...(peer.requests[0]?.block.headers.slice(4).map((header) => header.name) ?? []), ...peer.said(), ...peer.malformed];
    };
    expect(seen("allow")).toEqual(["x_a", "x-b"]);
    expect(seen("drop")).toEqual(["x-b"]);
    expect(seen("reject")).toEqual(["RST_STREAM 1 1", "http2.unexpected_underscore"]);
  });
});

describe("bodies and trailers of requests", () => {
  test.each([
    ["more than the length", [frame("DATA", 0, 1, Buffer.alloc(6))], []],
    ["less than the length", [frame("DATA", 1, 1, Buffer.alloc(4))], []],
    ["less than the length in two", [frame("DATA", 0, 1, Buffer.alloc(4)), frame("DATA", 1, 1)], ["data 4"]],
  ])("%s", (_, parts, events) => {
    const { peer, request } = withUpload([...POST, ["content-length", "5"]]);
    peer.say(...parts);
    expect(peer.said()).toEqual(["RST_STREAM 1 1"]);
    // Not a byte of the frame that broke it.
    expect(request.user.events).toEqual([...events, "reset 1 protocol"]);
    expect(request.stream.details).toBe("http2.violation.of.messaging.rule");
  });

  test.each<readonly [string, Fields, boolean]>([
    ["without an end", [["x-a", "1"]], false],
    ["with a pseudo header", [[":path", "/"]], true],
    ["with connection", [["connection", "close"]], true],
    ["in upper case", [["X-A", "1"]], true],
  ])("trailers %s", (_, list, end) => {
    const { peer, request } = withUpload();
    peer.say(peer.headers(1, list, end));
    expect(peer.said()).toEqual(["RST_STREAM 1 1"]);
    expect(request.user.events).toEqual(["reset 1 protocol"]);
  });

  test("trailers lose what they must not hold", () => {
    const { peer, request } = withUpload();
    peer.say(
      peer.headers(1, [
        ["x-a", "1"],
        ["content-length", "5"],
        ["host", "b"],
        ["authorization", "x"],
        ["content-type", "y"],
      ]),
    );
    expect(request.user.trailers?.headers.map((header) => header.name)).toEqual(["x-a"]);
    expect(peer.stats.trailers.value).toBe(1);
  });

  test("trailers before the whole length", () => {
    const { peer } = withUpload([...POST, ["content-length", "5"]]);
    peer.say(frame("DATA", 0, 1, Buffer.alloc(3)), peer.headers(1, [["x-a", "1"]]));
    expect(peer.said()).toEqual(["RST_STREAM 1 1"]);
  });

  test("padding is not body, and its credit comes back", () => {
    const { peer, request } = withUpload([...POST, ["content-length", "2"]]);
    peer.say(frame("DATA", 9, 1, Buffer.from("\x03ok\0\0\0", "latin1")));
    expect(request.user.events).toEqual(["data 2 end"]);
    expect(peer.said()).toEqual([]);
  });
});

describe("responses", () => {
  const rows: readonly (readonly [what: string, list: Fields, endStream: boolean])[] = [
    ["no status", [["x-a", "1"]], true],
    ["two", [...OK, ...OK], true],
    ["a status of two digits", [[":status", "20"]], true],
    ["a status that is no number", [[":status", "2xx"]], true],
    ["a request's pseudo header", [...OK, [":path", "/"]], true],
    ["101", [[":status", "101"]], false],
    ["an informational end", [[":status", "100"]], true],
    [
      "an informational length",
      [
        [":status", "103"],
        ["content-length", "0"],
      ],
      false,
    ],
    [
      "204 with a length",
      [
        [":status", "204"],
        ["content-length", "3"],
      ],
      true,
    ],
    ["connection", [...OK, ["connection", "close"]], true],
    ["upper case", [...OK, ["X-A", "1"]], true],
    ["LF in a value", [...OK, ["x-a", "a\nb"]], true],
    ["a length and no body", [...OK, ["content-length", "3"]], true],
  ];
  test.each(rows)("malformed: %s", (_, list, endStream) => {
    const { peer, user } = withRequest();
    peer.say(peer.headers(1, list, endStream));
    expect(peer.said()).toEqual(["RST_STREAM 1 1"]);
    expect(user.events).toEqual(["reset 1 protocol"]);
  });

  test("DATA before the head", () => {
    const { peer, user } = withRequest();
    peer.say(frame("DATA", 0, 1, Buffer.from("x")));
    expect([peer.said(), user.events]).toEqual([["RST_STREAM 1 1"], ["reset 1 protocol"]]);
  });

  test("many informational ones", () => {
    const { peer, user } = withRequest();
    for (let i = 0; i < 33; i++) peer.say(peer.headers(1, [[":status", "100"]], false));
    expect(peer.said()).toEqual(["RST_STREAM 1 1"]);
    expect(user.events.length).toBe(33);
  });

  test("HEAD and 304 have a length and no body", () => {
    const head = withRequest([[":method", "HEAD"], ...GET.slice(1)]);
    head.peer.say(head.peer.headers(1, [...OK, ["content-length", "100"]]));
    expect([head.user.events, head.user.blocks[0]?.contentLength]).toEqual([["headers 200 end"], 100]);
    const body = withRequest([[":method", "HEAD"], ...GET.slice(1)]);
    body.peer.say(body.peer.headers(1, [...OK, ["content-length", "1"]], false), frame("DATA", 1, 1, Buffer.from("x")));
    expect(body.peer.said()).toEqual(["RST_STREAM 1 1"]);
    const unchanged = withRequest();
    unchanged.peer.say(
      unchanged.peer.headers(
        1,
        [
          [":status", "304"],
          ["content-length", "100"],
        ],
        false,
      ),
      frame("DATA", 1, 1),
    );
    expect(unchanged.user.events).toEqual(["headers 304", "data 0 end"]);
  });

  test("a response's head over the limits resets its stream alone", () => {
    const peer = new Peer("client", { limits: { headerListBytes: 1000 } });
    const user = new Recorder();
    peer.session.open(fields(GET), true, user);
    peer.frames();
    peer.say(peer.headers(1, [...OK, ["x", "y".repeat(2000)]]));
    expect([peer.said(), user.events, peer.stats.headerOverflow.value]).toEqual([["RST_STREAM 1 11"], ["reset 11 protocol"], 1]);
  });

  test("the answer may be whole before the request is; NO_ERROR then takes nothing away", () => {
    const { peer, user, stream } = withRequest(POST, false);
    stream.pause();
    peer.say(peer.headers(1, OK, false), frame("DATA", 1, 1, Buffer.from("early")), frame("RST_STREAM", 0, 1, u32(H2.NO_ERROR)));
    expect([user.events, stream.closed]).toEqual([["headers 200"], true]);
    stream.resume();
    expect(user.events).toEqual(["headers 200", "data 5 end"]);
  });
});

describe("stream states (section 5.1)", () => {
  const idle: readonly (readonly [string, Buffer])[] = [
    ["DATA", frame("DATA", 0, 5, Buffer.from("x"))],
    ["RST_STREAM", frame("RST_STREAM", 0, 5, u32(8))],
    ["WINDOW_UPDATE", frame("WINDOW_UPDATE", 0, 5, u32(1))],
    ["DATA of our own side's number", frame("DATA", 0, 2, Buffer.from("x"))],
  ];
  test.each(idle)("idle: %s is a connection error", (_, bytes) => {
    const peer = server();
    peer.say(peer.headers(1, GET), bytes);
    expect(peer.said()).toEqual(["GOAWAY 1 1"]);
    expect(peer.requests[0]?.user.events).toEqual(["reset 1 connection"]);
  });

  test("a request with an even number, and one with a number that was passed over", () => {
    const even = server();
    even.say(even.headers(2, GET));
    expect(even.said()).toEqual(["GOAWAY 0 1"]);
    const lower = server();
    lower.say(lower.headers(5, GET), lower.headers(3, GET));
    expect(lower.said()).toEqual(["GOAWAY 5 1"]);
  });

  test("half-closed: DATA and HEADERS behind the end are errors of the stream", () => {
    for (const after of [frame("DATA", 1, 1, Buffer.from("x")), undefined]) {
      const peer = server();
      peer.say(peer.headers(1, GET));
      peer.say(after ?? peer.headers(1, [["x-a", "1"]]));
      expect(peer.said()).toEqual(["RST_STREAM 1 5"]);
    }
  });

  test("closed by both ends: DATA and HEADERS are errors of the connection", () => {
    for (const after of [frame("DATA", 1, 1, Buffer.from("x")), undefined]) {
      const peer = server();
      peer.onRequest = ({ stream }) => void stream.sendHeaders(fields(OK), true);
      peer.say(peer.headers(1, GET));
      peer.frames();
      peer.say(after ?? peer.headers(1, GET));
      expect(peer.said()).toEqual(["GOAWAY 1 5"]);
    }
  });

  test("reset by the peer: DATA and HEADERS behind it are errors of the stream, once", () => {
    for (const after of [frame("DATA", 0, 1, Buffer.from("x")), undefined]) {
      const { peer, request } = withUpload();
      peer.say(frame("RST_STREAM", 0, 1, u32(H2.CANCEL)));
      expect(request.user.events).toEqual(["reset 8 peer"]);
      peer.say(after ?? peer.headers(1, [["x-a", "1"]]), frame("DATA", 0, 1, Buffer.from("y")));
      expect(peer.said()).toEqual(["RST_STREAM 1 5"]);
    }
  });

  test("how a stream ended is remembered for a while, and not taken for another's", () => {
    const peer = server();
    peer.onRequest = ({ stream }) => void stream.sendHeaders(fields(OK), true);
    for (let id = 1; id <= 1 + 2 * 512; id += 2) peer.say(peer.headers(id, GET));
    peer.frames();
    // Stream 1 is forgotten: DATA for it is ignored. HEADERS look like a number that was passed over.
    peer.say(frame("DATA", 1, 1, Buffer.from("x")));
    expect(peer.said()).toEqual([]);
    peer.say(frame("DATA", 1, 3, Buffer.from("x")));
    expect(peer.said()).toEqual(["GOAWAY 1025 5"]);
  });

  test("WINDOW_UPDATE, PRIORITY and RST_STREAM for a closed stream are nothing", () => {
    const peer = server();
    peer.onRequest = ({ stream }) => void stream.sendHeaders(fields(OK), true);
    peer.say(peer.headers(1, GET));
    peer.frames();
    peer.say(frame("WINDOW_UPDATE", 0, 1, u32(9)), frame("PRIORITY", 0, 1, Buffer.alloc(5)), frame("RST_STREAM", 0, 1, u32(8)));
    expect(peer.said()).toEqual([]);
  });

  test("a client's stream that the server may not know", () => {
    const { peer } = withRequest();
    peer.say(peer.headers(3, OK));
    expect(peer.said()).toEqual(["GOAWAY 0 1"]);
    const even = withRequest();
    even.peer.say(even.peer.headers(2, OK));
    expect(even.peer.said()).toEqual(["GOAWAY 0 1"]);
  });

  test("more streams than allowed are refused, and the table of headers stays whole", () => {
    const peer = server({ maxConcurrentStreams: 1 });
    peer.say(peer.headers(1, GET), peer.headers(3, [...GET, ["x-only", "here"]]));
    expect(peer.said()).toEqual(["RST_STREAM 3 7"]);
    peer.requests[0]?.stream.sendHeaders(fields(OK), true);
    peer.say(peer.headers(5, [...GET, ["x-only", "here"]]));
    expect(peer.requests[1]?.block.headers.at(-1)?.value).toBe("here");
    expect(peer.stats.streamRefusedErrors.value).toBe(1);
  });

  test("a stream that depends on itself (section 5.3)", () => {
    const peer = server();
    peer.say(peer.headers(1, GET, false), frame("PRIORITY", 0, 1, Buffer.concat([u32(1), Buffer.from([1])])));
    expect(peer.said()).toEqual(["RST_STREAM 1 1"]);
    const block = peer.headers(3, GET).subarray(9);
    peer.say(frame("HEADERS", 5 | 32, 3, Buffer.concat([u32(3), Buffer.from([1]), block])));
    expect(peer.said()).toEqual(["RST_STREAM 3 1"]);
    peer.say(frame("PRIORITY", 0, 9, Buffer.concat([u32(9), Buffer.from([1])])));
    expect(peer.said()).toEqual(["GOAWAY 3 1"]);
  });

  test("PRIORITY of the wrong size", () => {
    const { peer } = withUpload();
    peer.say(frame("PRIORITY", 0, 1, Buffer.alloc(4)));
    expect(peer.said()).toEqual(["RST_STREAM 1 6"]);
  });

  test("a client refuses what would be one stream too many, and goes on when one is over", () => {
    const peer = new Peer("client", { greet: false });
    peer.say(settings([3, 1]));
    const first = peer.session.open(fields(GET), true, new Recorder());
    expect(first?.id).toBe(1);
    expect(peer.session.open(fields(GET), true, new Recorder())).toBeUndefined();
    peer.say(peer.headers(1, OK));
    expect(peer.session.open(fields(GET), true, new Recorder())?.id).toBe(3);
  });
});

describe("SETTINGS (section 6.5)", () => {
  test.each<readonly [string, [number, number], number]>([
    ["ENABLE_PUSH", [2, 2], 1],
    ["INITIAL_WINDOW_SIZE", [4, 0x8000_0000], 3],
    ["MAX_FRAME_SIZE too small", [5, 16_383], 1],
    ["MAX_FRAME_SIZE too large", [5, 0x100_0000], 1],
    ["ENABLE_CONNECT_PROTOCOL", [8, 2], 1],
  ])("a wrong %s", (_, pair, code) => {
    const peer = server();
    peer.say(settings(pair));
    expect(peer.said()).toEqual([`GOAWAY 0 ${code}`]);
  });

  test("a server that wants to push", () => {
    const peer = new Peer("client");
    peer.say(settings([2, 1]));
    expect(peer.said()).toEqual(["GOAWAY 0 1"]);
  });

  test("extended CONNECT cannot be taken back", () => {
    const peer = new Peer("client");
    peer.say(settings([8, 1]));
    expect(peer.session.peerAllowsConnect).toBe(true);
    peer.say(settings([8, 0]));
    expect(peer.said()).toEqual(["SETTINGS ack", "GOAWAY 0 1"]);
  });

  test("unknown ones are ignored, and the last of several goes", () => {
    const peer = new Peer("client");
    peer.say(settings([99, 1], [3, 5], [3, 9]));
    expect(peer.said()).toEqual(["SETTINGS ack"]);
    expect(peer.session.maxConcurrentStreams).toBe(9);
  });

  test("a header table of size 0", () => {
    const peer = server();
    peer.say(settings([1, 0]));
    peer.say(peer.headers(1, GET), peer.headers(3, GET));
    for (const { stream } of peer.requests) stream.sendHeaders(fields([...OK, ["x-a", "1"]]), true);
    const blocks = peer.frames().filter((f) => f.type === "HEADERS");
    expect(blocks.map((f: Frame) => peer.decode(f.payload))).toEqual([":status=200 x-a=1", ":status=200 x-a=1"]);
    expect(blocks[0]?.payload[0]).toBe(0x20);
    expect(blocks[1]?.payload.length).toBe((blocks[0]?.payload.length ?? 0) - 1);
  });
});

test("PING is answered (section 6.7)", () => {
  const peer = server();
  peer.say(frame("PING", 0, 0, Buffer.from("abcdefgh")));
  expect(peer.frames().map((f) => [f.type, f.flags, f.payload.toString()])).toEqual([["PING", 1, "abcdefgh"]]);
});

test("a header block that nobody can decode ends the connection", () => {
  const peer = server();
  peer.say(frame("HEADERS", 5, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])));
  expect(peer.said()).toEqual(["GOAWAY 0 9"]);
});

describe("a head over the limits", () => {
  test.each<readonly [string, Fields, string]>([
    ["bytes", [...GET, ["x", "y".repeat(61_440)]], "http2.header_list_size_too_large"],
    ["fields", [...GET, ...Array.from({ length: 100 }, (_, i): [string, string] => [`x-${i}`, "1"])], "http2.too_many_headers"],
  ])("too many %s: the handler may say 431", (_, list, details) => {
    const peer = server();
    const block = peer.headers(1, list, false).subarray(9);
    peer.say(frame("HEADERS", 0, 1, block.subarray(0, 10_000)));
    for (let at = 10_000; at < block.length; at += 16_000) peer.say(frame("CONTINUATION", 0, 1, block.subarray(at, at + 16_000)));
    peer.say(frame("CONTINUATION", 4, 1, Buffer.from([0x82])));
    expect(peer.said()).toEqual(["HEADERS 1 :status=431 end", "RST_STREAM 1 0"]);
    const { stream, block: seen } = peer.oversized[0] as Received;
    expect([seen.path, seen.authority, seen.headers.length, stream.details]).toEqual(["/", "a.test", 4, details]);
    expect([peer.requests.length, peer.stats.headerOverflow.value]).toEqual([0, 1]);
    peer.say(peer.headers(3, GET));
    expect(peer.requests.length).toBe(1);
  });

  test("a block that does not end in ten seconds", () => {
    const peer = server();
    peer.say(frame("HEADERS", 1, 1, peer.headers(1, GET).subarray(9)));
    peer.advance(10_100);
    expect(peer.said()).toEqual(["GOAWAY 0 11"]);
  });
});

describe("CONNECT", () => {
  test("each side of a tunnel ends for itself", () => {
    const { peer, request } = withUpload([
      [":method", "CONNECT"],
      [":authority", "a:1"],
    ]);
    request.stream.sendHeaders(fields(OK), false);
    request.stream.sendData(Buffer.from("hi"), true);
    expect(peer.said()).toEqual(["HEADERS 1 :status=200", "DATA 1 2 end"]);
    peer.say(frame("DATA", 1, 1, Buffer.from("bye")));
    expect([request.user.events, request.stream.closed]).toEqual([["data 3 end"], true]);
  });

  test("extended (RFC 8441)", () => {
    const peer = new Peer("server", { limits: { allowConnect: true }, greet: false });
    expect(peer.frames()[0]?.payload.toString("hex")).toContain("000800000001");
    peer.say(PREFACE, settings());
    peer.say(peer.headers(1, [[":method", "CONNECT"], [":protocol", "websocket"], ...GET.slice(1)], false));
    const block = peer.requests[0]?.block;
    expect([block?.method, block?.protocol, block?.path, block?.authority]).toEqual(["CONNECT", "websocket", "/", "a.test"]);
    peer.frames();
    peer.say(peer.headers(3, [[":method", "GET"], [":protocol", "websocket"], ...GET.slice(1)]));
    expect(peer.said()).toEqual(["RST_STREAM 3 1"]);
    peer.say(peer.headers(1, [["x-a", "1"]]));
    expect(peer.said()).toEqual(["RST_STREAM 1 1"]);
  });
});

describe("GOAWAY (section 6.8)", () => {
  test("a server drains: announces, serves what was on its way, names the last", () => {
    const peer = server();
    peer.say(peer.headers(1, GET));
    peer.session.drain();
    const [goAway, ping] = peer.frames();
    expect([goAway?.payload.readUInt32BE(0), ping?.type, peer.session.goingAway]).toEqual([0x7fff_ffff, "PING", true]);
    peer.say(peer.headers(3, GET));
    peer.say(frame("PING", 1, 0, ping?.payload));
    expect(peer.said()).toEqual(["GOAWAY 3 0"]);
    // Not looked at, nor is what belongs to it.
    peer.say(peer.headers(5, POST, false), frame("DATA", 1, 5, Buffer.from("x")));
    expect([peer.said(), peer.requests.length]).toEqual([[], 2]);
    for (const { stream } of peer.requests) stream.sendHeaders(fields(OK), true);
    expect(peer.said().length).toBe(2);
    expect([peer.conn.ended, peer.conn.destroyed]).toEqual([true, false]);
    peer.advance(1100);
    expect(peer.conn.destroyed).toBe(true);
    peer.session.onClose(undefined);
    expect(peer.ends).toEqual(["local"]);
  });

  test("a drain waits for the PING even when nothing is open", () => {
    const peer = server();
    peer.say(peer.headers(1, GET));
    peer.session.drain();
    const ping = peer.frames()[1];
    peer.requests[0]?.stream.sendHeaders(fields(OK), true);
    expect([peer.said().length, peer.conn.ended]).toEqual([1, false]);
    peer.say(peer.headers(3, GET));
    peer.requests[1]?.stream.sendHeaders(fields(OK), true);
    peer.say(frame("PING", 1, 0, ping?.payload));
    expect(peer.said()).toEqual(["HEADERS 3 :status=200 end", "GOAWAY 3 0"]);
    expect(peer.conn.ended).toBe(true);
  });

  test("a client that does not answer the PING is not waited for", () => {
    const peer = server();
    peer.session.drain();
    peer.frames();
    peer.advance(1100);
    expect(peer.said()).toEqual(["GOAWAY 0 0"]);
    expect(peer.conn.ended).toBe(true);
  });

  test("a server's: streams above the last were never looked at, the others go on", () => {
    const peer = new Peer("client");
    const users = [1, 3, 5].map(() => new Recorder());
    const streams = users.map((user) => peer.session.open(fields(GET), true, user));
    peer.say(frame("GOAWAY", 0, 0, u32(3, H2.NO_ERROR)));
    expect(users.map((user) => user.events)).toEqual([[], [], ["reset 7 refused"]]);
    expect(peer.session.open(fields(GET), true, users[0] as Recorder)).toBeUndefined();
    peer.say(peer.headers(1, OK), peer.headers(3, OK));
    expect(streams.every((stream) => stream?.closed)).toBe(true);
    expect(peer.conn.ended).toBe(true);
    peer.session.onClose(undefined);
    expect([peer.ends, peer.goAways]).toEqual([["peer"], [0]]);
  });

  test("a client drains", () => {
    const { peer } = withRequest();
    peer.session.drain();
    expect([peer.said(), peer.conn.ended]).toEqual([["GOAWAY 0 0"], false]);
    peer.say(peer.headers(1, OK));
    expect(peer.conn.ended).toBe(true);
  });

  test("close: everything is reset, and the connection is gone soon", () => {
    const { peer, request } = withUpload();
    peer.session.close(H2.INTERNAL_ERROR);
    expect(peer.said()).toEqual(["GOAWAY 1 2"]);
    expect(request.user.events).toEqual(["reset 2 connection"]);
    peer.advance(100);
    expect(peer.conn.destroyed).toBe(true);
    peer.session.onClose(undefined);
    expect([peer.ends, peer.stats.streamsActive.value]).toEqual([["local"], 0]);
  });
});

describe("the connection goes", () => {
  test("with requests under way", () => {
    const { peer, user } = withRequest();
    peer.session.onClose("ECONNRESET");
    expect([user.events, peer.ends, peer.goAways, peer.closedStreams]).toEqual([["reset 8 connection"], ["peer"], [0], 1]);
    expect(peer.session.open(fields(GET), true, user)).toBeUndefined();
  });

  test("its end is the end of both directions", () => {
    const { peer } = withRequest();
    peer.session.onEnd();
    expect(peer.conn.destroyed).toBe(true);
  });

  test("a whole message that is still held is delivered all the same", () => {
    const { peer, user, stream } = withRequest();
    stream.pause();
    peer.say(peer.headers(1, OK, false), frame("DATA", 1, 1, Buffer.from("whole")));
    peer.session.onClose(undefined);
    stream.resume();
    expect(user.events).toEqual(["headers 200", "data 5 end"]);
  });
});

describe("keep-alive", () => {
  const limits = { keepAliveIntervalMs: 10_000, keepAliveTimeoutMs: 2000 };
  test("a peer that answers lives", () => {
    const peer = server(limits);
    for (let i = 0; i < 5; i++) {
      peer.advance(10_100);
      const [ping] = peer.frames();
      expect(ping?.type).toBe("PING");
      peer.say(frame("PING", 1, 0, ping?.payload));
    }
    peer.advance(3000);
    expect(peer.ends.length + peer.goAways.length).toBe(0);
  });

  test("one that does not is given up", () => {
    const peer = server(limits);
    peer.advance(10_100);
    peer.frames();
    peer.advance(2100);
    expect([peer.said(), peer.stats.keepaliveTimeout.value]).toEqual([["GOAWAY 0 0"], 1]);
    peer.session.onClose(undefined);
    expect(peer.ends).toEqual(["keepalive"]);
  });
});

test("idle since the last stream was over", () => {
  const { peer, request } = withUpload();
  peer.advance(5000);
  request.stream.reset(H2.CANCEL);
  expect([peer.session.idleSince, peer.session.activeStreams]).toEqual([6000, 0]);
});
