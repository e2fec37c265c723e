import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BODY_BROKEN, BODY_CHUNKED, BODY_MORE, Body } from "./body.ts";
import { Dechunker } from "./dechunk.ts";
import { findHead } from "./find-head.ts";
import { RequestReader } from "./request-reader.ts";
import { Head } from "./head.ts";
import { readRequestHead, type RequestRules } from "./request-head.ts";
import { readResponseHead } from "./response-head.ts";

const RULES: RequestRules = { acceptHttp10: false, allowAbsoluteUrl: true, maxHeaders: 100, takesHttpsUrls: false };
const H = "Host: s.example.com\r\n";

function request(text: string, rules: RequestRules = RULES): { status: number; head: Head } {
  const found = findHead(text);
  const head = new Head();
  if (found.end < 0) return { status: -1, head };
  return { status: readRequestHead(head, found, sourceOf(text), rules), head };
}

function sourceOf(bytes: string) {
  return { data: Buffer.from(bytes, "latin1"), bytes };
}

describe("request heads: what is refused, and how", () => {
  test.each<[string, string, number]>([
    ["plain", `GET /a HTTP/1.1\r\n${H}\r\n`, 0],
    ["HTTP/1.0", `GET /a HTTP/1.0\r\n${H}\r\n`, 426],
    ["HTTP/1.2", `GET /a HTTP/1.2\r\n${H}\r\n`, 426],
    ["HTTP/2.0", `GET /a HTTP/2.0\r\n${H}\r\n`, 426],
    ["no version", `GET /a\r\n${H}\r\n`, 400],
    ["two blanks", `GET  /a HTTP/1.1\r\n${H}\r\n`, 400],
    ["blank in the path", `GET /a b HTTP/1.1\r\n${H}\r\n`, 400],
    ["tab in the line", `GET\t/a HTTP/1.1\r\n${H}\r\n`, 400],
    ["lower-case method", `get /a HTTP/1.1\r\n${H}\r\n`, 400],
    ["unknown method", `PATX /a HTTP/1.1\r\n${H}\r\n`, 400],
    ["PROPFIND", `PROPFIND /a HTTP/1.1\r\n${H}\r\n`, 0],
    ["path without slash", `GET a HTTP/1.1\r\n${H}\r\n`, 400],
    ["OPTIONS *", `OPTIONS * HTTP/1.1\r\n${H}\r\n`, 0],
    ["GET *", `GET * HTTP/1.1\r\n${H}\r\n`, 400],
    ["path bytes outside ASCII", `GET /caf\xe9 HTTP/1.1\r\n${H}\r\n`, 400],
    ["NUL in a value", `GET / HTTP/1.1\r\n${H}x: a\0b\r\n\r\n`, 400],
    ["obs-text in a value", `GET / HTTP/1.1\r\n${H}x: caf\xe9\r\n\r\n`, 0],
    ["bare CR in a value", `GET / HTTP/1.1\r\n${H}x: a\rb\r\n\r\n`, 400],
    ["bare CR before a line end", `GET / HTTP/1.1\r\n${H}x: a\r\r\n\r\n`, 400],
    ["folded line", `GET / HTTP/1.1\r\n${H}x: a\r\n b\r\n\r\n`, 400],
    ["folded line after a bare LF", `GET / HTTP/1.1\r\n${H}x: a\n b\r\n\r\n`, 400],
    ["blank before the colon", `GET / HTTP/1.1\r\nHost : s\r\n\r\n`, 400],
    ["no colon", `GET / HTTP/1.1\r\n${H}oops\r\n\r\n`, 400],
    ["empty name", `GET / HTTP/1.1\r\n${H}: x\r\n\r\n`, 400],
    ["bracket in a name", `GET / HTTP/1.1\r\n${H}x[]: 1\r\n\r\n`, 400],
    ["name outside ASCII", `GET / HTTP/1.1\r\n${H}x\xe9: 1\r\n\r\n`, 400],
    ["slash in Host", `GET / HTTP/1.1\r\nHost: s/evil\r\n\r\n`, 400],
    ["at-sign in Host", `GET / HTTP/1.1\r\nHost: a@s\r\n\r\n`, 400],
    ["length and chunked", `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ["chunked and length", `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n`, 400],
    ["two lengths", `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`, 400],
    ["two equal lengths", `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nContent-Length: 3\r\n\r\n`, 400],
    ["list of lengths", `POST / HTTP/1.1\r\n${H}Content-Length: 3, 3\r\n\r\n`, 400],
    ["signed length", `POST / HTTP/1.1\r\n${H}Content-Length: +3\r\n\r\n`, 400],
    ["hex length", `POST / HTTP/1.1\r\n${H}Content-Length: 0x3\r\n\r\n`, 400],
    ["empty length", `POST / HTTP/1.1\r\n${H}Content-Length:\r\n\r\n`, 400],
    ["huge length", `POST / HTTP/1.1\r\n${H}Content-Length: 99999999999999999999\r\n\r\n`, 400],
    ["other coding", `POST / HTTP/1.1\r\n${H}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
    ["coding in quotes", `POST / HTTP/1.1\r\n${H}Transfer-Encoding: "chunked"\r\n\r\n`, 501],
    ["coding with a vertical tab", `POST / HTTP/1.1\r\n${H}Transfer-Encoding: \x0bchunked\r\n\r\n`, 400],
    ["coding twice", `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ["coding in capitals", `POST / HTTP/1.1\r\n${H}TRANSFER-ENCODING: Chunked\r\n\r\n`, 0],
    ["https in plain text", `GET https://s.example.com/ HTTP/1.1\r\n${H}\r\n`, 403],
    ["other scheme", `GET ftp://s.example.com/ HTTP/1.1\r\n${H}\r\n`, 400],
    ["user in the URL", `GET http://u@s.example.com/ HTTP/1.1\r\n${H}\r\n`, 400],
    ["101 headers", `GET / HTTP/1.1\r\n${H}${"x: 1\r\n".repeat(100)}\r\n`, 431],
    ["100 headers", `GET / HTTP/1.1\r\n${H}${"x: 1\r\n".repeat(99)}\r\n`, 0],
  ])("%s", (_, text, status) => {
    expect(request(text).status).toBe(status);
  });

  test.each<[string, string, number, string]>([
    ["a nominated header", "Connection: x-gone, close\r\nX-Gone: 1\r\nx-stays: 2\r\n", 0, "Connection: x-gone, close\r\nx-stays: 2\r\n"],
    ["in several lines", "Connection: a\r\nConnection: B\r\na: 1\r\nb: 2\r\nb: 3\r\n", 0, "Connection: a\r\nConnection: B\r\n"],
    ["of te only trailers stays", "TE: deflate, Trailers\r\n", 0, "te: trailers\r\n"],
    ["a nominated te keeps trailers", "Connection: TE\r\nTE: trailers\r\n", 0, "Connection: TE\r\nte: trailers\r\n"],
    ["te without trailers", "te: deflate\r\n", 0, ""],
    [
      "what goes with an upgrade to HTTP/2",
      "Upgrade: h2c\r\nConnection: Upgrade\r\nHTTP2-Settings: AAMA\r\n",
      0,
      "Upgrade: h2c\r\nConnection: Upgrade\r\n",
    ],
    ["which nobody asks for without connection", "Upgrade: h2c\r\nHTTP2-Settings: AAMA\r\n", 0, "Upgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"],
    ["who forwarded it cannot be hidden", "Connection: X-Forwarded-For\r\nX-Forwarded-For: 1.2.3.4\r\n", 400, ""],
    ["nor its framing", "Connection: content-length\r\nContent-Length: 0\r\n", 400, ""],
    ["nor its host", "Connection: host\r\n", 400, ""],
    ["ten options", `Connection: ${"abcdefghij".split("").join(",")}\r\n`, 400, ""],
  ])("hop by hop: %s", (_, lines, status, kept) => {
    const got = request(`GET / HTTP/1.1\r\n${H}${lines}\r\n`);
    expect([got.status, status === 0 ? got.head.text : ""]).toEqual([status, status === 0 ? `GET / HTTP/1.1\r\n${H}${kept}\r\n` : ""]);
  });

  test.each<[string, string, string[]]>([
    [
      "nothing of the caller's connection",
      "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nTransfer-Encoding: chunked\r\n",
      [],
    ],
    ["an upgrade that connection does not ask for", "Upgrade: websocket\r\n", []],
    ["one that connection asks for", "Upgrade: websocket\r\nConnection: Upgrade\r\n", ["connection", "upgrade"]],
    ["one to HTTP/2, which nobody takes", "Upgrade: h2c\r\nConnection: Upgrade\r\n", []],
  ])("matched is: %s", (_, lines, seen) => {
    const { head } = request(`GET / HTTP/1.1\r\n${H}${lines}\r\n`);
    const names = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];
    expect(names.filter((name) => head.headerLines(name).length > 0)).toEqual(seen);
  });

  test("absolute form beats Host", () => {
    const { head } = request(`GET http://blog.example.com:8080?q HTTP/1.1\r\n${H}\r\n`);
    expect([head.authority, head.path, head.scheme, head.pristine]).toEqual(["blog.example.com:8080", "/?q", "http", false]);
  });

  test("two Hosts are one that nobody has", () => {
    expect(request(`GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n`).head.authority).toBe("a,a");
  });

  test("a bare LF ends a line, and is never forwarded", () => {
    const { status, head } = request("GET /a HTTP/1.1\nHost: s\nx: 1\n\nPOST");
    expect([status, head.text, head.headerLines("x")]).toEqual([0, "GET /a HTTP/1.1\r\nHost: s\r\nx: 1\r\n\r\n", ["1"]]);
    // The earliest end counts, whatever the body looks like.
    const text = "GET / HTTP/1.1\nHost: s\n\nx: 1\r\n\r\n";
    const found = findHead(text);
    expect([readRequestHead(new Head(), found, sourceOf(text), RULES), found.bodyAt]).toEqual([0, 24]);
  });

  test("lines of a repeated header stay apart, but for those Envoy joins", () => {
    const { head } = request(`GET / HTTP/1.1\r\n${H}X: 1\r\nx: 2\r\nAccept: a\r\naccept: b\r\nCookie: a=1\r\ncookie: b=2\r\n\r\n`);
    expect([head.headerLines("x"), head.headerLines("accept"), head.headerLines("cookie")]).toEqual([["1", "2"], ["a,b"], ["a=1", "b=2"]]);
    expect(head.toList(() => false).lines("accept")).toEqual(["a,b"]);
  });
});

describe("what no head may hold", () => {
  // eslint-disable-next-line no-control-regex
  const NEVER = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|[^\r]\n|\n[ \t]/;
  const lines = fc.array(
    fc.constantFrom("a", "b", ":", " ", "\t", "\r", "\n", "\r\n", "\0", "\x7f", "\xe9", "x: 1\r\n", "y:2\r\n", "z: \n"),
    {
      maxLength: 12,
    },
  );

  test("property: a request or response that is taken has none of it, and lines end in CRLF", () => {
    fc.assert(
      fc.property(lines, (parts) => {
        const rest = `${parts.join("")}\r\n\r\n`;
        const asked = request(`GET /a HTTP/1.1\r\n${H}${rest}`);
        const answer = `HTTP/1.1 200 OK\r\n${rest}`;
        const head = new Head();
        const found = findHead(answer);
        const taken = readResponseHead(head, found, sourceOf(answer));
        const heads = [asked.status === 0 ? asked.head : undefined, taken ? head : undefined];
        expect(heads.map((one) => one?.text.slice(0, one.end) ?? "").filter((text) => NEVER.test(text))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test("property: every line of a head that is taken can be found again", () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
    const value = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/);
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constant("q").chain((q) => name.map((n) => `${q}${n}`)),
            value,
          ),
          { maxLength: 8 },
        ),
        (headers) => {
          const { status, head } = request(`GET /a HTTP/1.1\r\n${H}${headers.map(([n, v]) => `${n}: ${v}\r\n`).join("")}\r\n`);
          expect(status).toBe(0);
          for (const [n] of headers) {
            const want = headers.filter(([other]) => other.toLowerCase() === n.toLowerCase()).map(([, v]) => v);
            expect([head.headerLines(n.toLowerCase()), head.first(n.toLowerCase())]).toEqual([want, want[0]]);
          }
          expect(head.underscores).toBe(headers.some(([n]) => n.includes("_")));
        },
      ),
    );
  });

  test("it is told apart from what cannot be read", () => {
    expect(request(`GET / HTTP/1.1\r\n${H}x: a\0b\r\n\r\n`).head.refusal).toBe("http1.invalid_characters");
    expect(request(`GET / HTTP/1.1\r\n${H}oops\r\n\r\n`).head.refusal).toBe("http1.codec_error");
  });
});

describe("response heads", () => {
  test.each<[string, string, boolean]>([
    ["plain", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n", true],
    ["without a reason", "HTTP/1.1 200\r\n\r\n", true],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", false],
    ["length and chunked", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", false],
    ["other coding", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", false],
    ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", false],
    ["four digits", "HTTP/1.1 2000 OK\r\n\r\n", false],
    ["status 99", "HTTP/1.1 099 OK\r\n\r\n", false],
    ["junk", "hello\r\n\r\n", false],
    ["bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", false],
    ["folded line", "HTTP/1.1 200 OK\r\nx: 1\r\n 2\r\n\r\n", false],
  ])("%s", (_, text, good) => {
    expect(readResponseHead(new Head(), findHead(text), sourceOf(text))).toBe(good);
  });
});

/** Feeds a body in pieces; what is forwarded, the trailers, and what is left over. */
function feed(
  text: string,
  cuts: readonly number[],
): { forwarded: string; trailers: string | undefined; rest: string } | "broken" | "more" {
  const body = new Body();
  body.start(BODY_CHUNKED, 0);
  const bytes = Buffer.from(text, "latin1");
  const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  let forwarded = "";
  for (let i = 1; i < edges.length; i++) {
    const from = edges[i - 1] as number;
    const end = edges[i] as number;
    if (from === end) continue;
    const stop = body.feed(bytes, from, end);
    if (stop === BODY_BROKEN) return "broken";
    forwarded += bytes.toString("latin1", from, body.forwardEnd);
    if (stop !== BODY_MORE) return { forwarded, trailers: body.trailers, rest: bytes.toString("latin1", stop) };
  }
  return "more";
}

describe("chunked bodies", () => {
  test.each<[string, string, "broken" | "more" | "ok"]>([
    ["plain", "3\r\nabc\r\n0\r\n\r\n", "ok"],
    ["upper case and zeros", "00A\r\n0123456789\r\n000\r\n\r\n", "ok"],
    ["extension", "3;a=b\r\nabc\r\n0;x\r\n\r\n", "ok"],
    ["trailer", "3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n", "ok"],
    ["unfinished", "3\r\nab", "more"],
    ["bare LF after the size", "3\nabc\r\n0\r\n\r\n", "broken"],
    ["bare CR after the size", "3\rabc\r\n0\r\n\r\n", "broken"],
    ["no CRLF after the data", "3\r\nabcX\r\n0\r\n\r\n", "broken"],
    ["bare LF after the data", "3\r\nabc\n0\r\n\r\n", "broken"],
    ["0x", "0x3\r\nabc\r\n0\r\n\r\n", "broken"],
    ["sign", "+3\r\nabc\r\n0\r\n\r\n", "broken"],
    ["no size", "\r\nabc\r\n0\r\n\r\n", "broken"],
    ["blank first", " 3\r\nabc\r\n0\r\n\r\n", "broken"],
    ["more than 256 MiB", "10000000\r\n", "broken"],
    ["LF in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n", "broken"],
    ["endless extension", `3;${"a".repeat(300)}\r\nabc\r\n0\r\n\r\n`, "broken"],
    ["bad trailer", "0\r\nno colon\r\n\r\n", "broken"],
    ["blank before a trailer's colon", "0\r\nx : 1\r\n\r\n", "broken"],
    ["folded trailer", "0\r\nx: 1\r\n y\r\n\r\n", "broken"],
    ["bare LF in a trailer", "0\r\nx: 1\ny: 2\r\n\r\n", "broken"],
    ["endless trailers", `0\r\n${"x: 1\r\n".repeat(2000)}\r\n`, "broken"],
  ])("%s", (_, text, result) => {
    const got = feed(text, []);
    expect(typeof got === "string" ? got : "ok").toBe(result);
  });

  test("trailers that frame or route are dropped", () => {
    expect(feed("0\r\nx-sum: 1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nhost: x\r\n\r\n", [])).toMatchObject({
      trailers: "x-sum: 1\r\n",
    });
  });

  test("cutting anywhere changes nothing", () => {
    const chunk = fc.string({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 5 }), fc.boolean(), fc.array(fc.nat(300)), (chunks, trailer, positions) => {
        const data = chunks.map((text) => Buffer.from(text, "utf8").toString("latin1"));
        const text =
          data.map((d) => `${d.length.toString(16)}\r\n${d}\r\n`).join("") + (trailer ? "0\r\na: b\r\n\r\n" : "0\r\n\r\n") + "GET /";
        const whole = feed(text, []);
        const cut = feed(
          text,
          positions.map((p) => Math.min(p, text.length)),
        );
        // An end that came in pieces is held back and written anew: the same bytes reach the other side.
        const joined = (x: typeof whole) =>
          typeof x === "string" ? x : x.forwarded + (x.trailers === undefined ? "" : `${x.trailers}\r\n`) + `|${x.rest}`;
        expect(joined(cut)).toBe(joined(whole));
        expect(joined(whole)).toBe(text.slice(0, -5) + "|GET /");
      }),
      { numRuns: 500 },
    );
  });

  test("random bytes never throw and never end outside the buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const body = new Body();
        body.start(BODY_CHUNKED, 0);
        const stop = body.feed(bytes, 0, bytes.length);
        expect(stop).toBeGreaterThanOrEqual(BODY_BROKEN);
        expect(stop).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  test("chunks come off for HTTP/1.0", () => {
    const whole = Buffer.from("3;x\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
    for (let cut = 0; cut <= whole.length; cut++) {
      const dechunker = new Dechunker();
      const parts = [...dechunker.feed(whole.subarray(0, cut)), ...dechunker.feed(whole.subarray(cut))];
      expect(Buffer.concat(parts).toString()).toBe("abc0123456789abcdef");
    }
  });
});

describe("a request that comes in pieces", () => {
  test.each([
    ["GET /a HTT", "more"],
    ["GET /a HTTP/1.1\r\nhost:", "more"],
    ["GET /a HTTP/1.1\nhost:", "more"],
    ["\r\nGET /a HTTP/1.1\r\n", "more"],
    ["hello\n", "broken"],
    ["GET /a b HTTP/1.1\r\n", "broken"],
    ["GET /a\r\n", "broken"],
    ["GET /a HTTP/1.1\r\nhost: b\r\n\r\n", "head"],
  ])("%j: %s", (text, expected) => {
    expect(new RequestReader().feed(Buffer.from(text), text.length, 65_536)).toBe(expected);
  });

  test.each([
    `POST /a HTTP/1.1\r\n${H}content-length: 2\r\n\r\nok`,
    `GET /a HTTP/1.1\n${H}\n`,
    "\r\n\r\nGET /a HTTP/1.1\r\nhost: b\r\n\r\n",
    "hello there\n",
    "GET /a b HTTP/1.1\r\n",
    `GET /${"a".repeat(200)} HTTP/1.1\r\n`,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  ])("byte by byte as at once: %j", (text) => {
    const bytes = Buffer.from(text, "latin1");
    const whole = new RequestReader().feed(bytes, bytes.length, 100);
    const reader = new RequestReader();
    let last = "more";
    for (let at = 0; at < bytes.length && (last === "more" || last === "empty"); at++)
      last = reader.feed(bytes.subarray(at, at + 1), 1, 100);
    expect(last).toBe(whole);
  });
});
