import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import type { DownstreamTls, FilterChain, HttpConnectionManagerConfig, Listener, RuntimeConfig, Secrets } from "../config/index.ts";
import { testCa } from "../testing/certs.ts";
import {
  clusterConfig,
  forwardAction,
  httpConfig,
  listenerConfig,
  routeTable,
  routeTo,
  runtimeConfig,
  tcpConfig,
} from "../testing/config.ts";
import { call, raw, type Scene, startHttp, startScene, startTcp, until } from "../testing/scene.ts";
import { callTls, downstreamTls, upstreamTransport, validationConfig } from "../testing/tls.ts";

const ca = testCa();
const server = ca.issue({ subject: [["2.5.4.3", "server"]], dns: ["a.example.com", "*.example.org"], uri: ["spiffe://td/server"] });
const client = ca.issue({ subject: [["2.5.4.3", "client"]], dns: ["c.example.com"], uri: ["spiffe://td/client"] });
const stranger = testCa("other").issue({ subject: [["2.5.4.3", "stranger"]] });

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

async function scene(config: RuntimeConfig): Promise<Scene> {
  const made = await startScene(config);
  started.push(made);
  return made;
}

/** Says which headers it got. */
async function echo(): Promise<number> {
  const up = await startHttp((request, response) => void response.end(JSON.stringify(request.headers)));
  started.push(up);
  return up.port;
}

const to = routeTable([routeTo(forwardAction("up"))]);

function withChains(chains: readonly Partial<FilterChain>[], over: Partial<Listener["inspectors"]> = {}): Listener {
  const base = listenerConfig(httpConfig(to));
  const first = base.filterChains[0] as FilterChain;
  return {
    ...base,
    filterChains: chains.map((chain, i) => ({ ...first, name: String(i), ...chain, match: { ...first.match, ...chain.match } })),
    inspectors: { ...base.inspectors, tls: true, ...over },
  };
}

const secure = async (config: DownstreamTls, over: Partial<HttpConnectionManagerConfig> = {}): Promise<Scene> =>
  scene(runtimeConfig([withChains([{ tls: config, network: httpConfig(to, over) }])], [clusterConfig("up", [await echo()])]));

const header = (got: string, name: string): string | undefined =>
  (JSON.parse(got.slice(got.indexOf("\r\n\r\n") + 4)) as Record<string, string>)[name];

const own = { cert: client.cert, key: client.key };

describe("callers by TLS", () => {
  test("are served, and the upstream is told", async () => {
    const running = await secure(downstreamTls([server], { alpn: ["h2x", "http/1.1"] }));
    const answer = await callTls(running.port(), { ALPNProtocols: ["http/1.1"] });
    expect([answer.error, answer.alpn, answer.version, answer.subject]).toEqual(["", "http/1.1", "TLSv1.3", "CN=server"]);
    expect(header(answer.got, "x-forwarded-proto")).toBe("https");
  });

  test("no protocol in common is no error", async () => {
    const running = await secure(downstreamTls([server], { alpn: ["http/1.1"] }));
    const answer = await callTls(running.port(), { ALPNProtocols: ["istio"] });
    expect([answer.error, answer.alpn]).toEqual(["", false]);
  });

  test("an https URL is taken by TLS only", async () => {
    const running = await secure(downstreamTls([server]));
    const text = "GET https://demo/ HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n";
    expect((await callTls(running.port(), {}, text)).got).toContain("200 OK");
  });

  test("the hello may come in any pieces", async () => {
    const running = await secure(downstreamTls([server]));
    const front = net.createServer((from) => {
      const onwards = net.connect(running.port(), "127.0.0.1");
      onwards.setNoDelay(true);
      onwards.pipe(from);
      void (async () => {
        for await (const chunk of from as AsyncIterable<Buffer>) {
          for (let at = 0; at < chunk.length; at += 100) {
            onwards.write(chunk.subarray(at, at + 100));
            await new Promise((later) => void setImmediate(later));
          }
        }
        onwards.end();
      })().catch(() => undefined);
      from.on("error", () => undefined);
      onwards.on("error", () => undefined);
    });
    await new Promise<void>((done) => void front.listen(0, "127.0.0.1", done));
    started.push({ stop: () => void front.close() });
    expect((await callTls((front.address() as net.AddressInfo).port, { servername: "a.example.com" })).got).toContain("200 OK");
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("certificate asked for, %s", async (version) => {
    const config = downstreamTls([server], { requireClientCertificate: true, validation: validationConfig(ca.cert) });
    const running = await secure(config);
    const only = { minVersion: version, maxVersion: version };
    expect((await callTls(running.port(), { ...own, ...only })).got).toContain("200 OK");
    expect((await callTls(running.port(), only)).error).toMatch(/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/);
    expect((await callTls(running.port(), { cert: stranger.cert, key: stranger.key, ...only })).got).toBe("");
    const counts = [...running.stats.counters()].filter(({ name, metric }) => name.includes(".ssl.fail") && metric.value > 0);
    expect(counts.map(({ name }) => name).sort()).toEqual(["listener.ssl.fail_verify_error", "listener.ssl.fail_verify_no_cert"]);
    expect((await callTls(running.port(), own)).got).toContain("200 OK");
  });

  test("certificate wished for: none or a good one", async () => {
    const running = await secure(downstreamTls([server], { validation: validationConfig(ca.cert) }));
    expect((await callTls(running.port(), {})).got).toContain("200 OK");
    expect((await callTls(running.port(), own)).got).toContain("200 OK");
    expect((await callTls(running.port(), { cert: stranger.cert, key: stranger.key })).got).toBe("");
  });

  test("names and what a listener's log says of one that does not fit", async () => {
    const sans = [{ type: "URI" as const, oid: "", dnsName: undefined, test: (uri: string) => uri === "spiffe://td/x", describe: "x" }];
    const log = {
      path: "p",
      format: { kind: "text" as const, text: "%DOWNSTREAM_TRANSPORT_FAILURE_REASON% %FILTER_CHAIN_NAME%\n" },
      responseFlags: undefined,
    };
    const listener = withChains([{ tls: downstreamTls([server], { validation: validationConfig(ca.cert, { sans }) }) }]);
    const running = await scene(runtimeConfig([{ ...listener, accessLogs: [log] }], [clusterConfig("up", [await echo()])]));
    expect((await callTls(running.port(), own)).got).toBe("");
    // Who checks names takes nobody without a certificate.
    expect((await callTls(running.port(), {})).error).toMatch(/CERTIFICATE_REQUIRED/);
    await until("both are logged", () => running.logs.join("").split("\n").length > 2);
    expect(running.logs.join("").split("\n")[0]).toBe(
      "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_SAN_matcher," +
        "_certificate_SANs_are_[c.example.com,_spiffe://td/client]:TLS_error_end 0",
    );
  });

  test("what is said of the certificate", async () => {
    const config = downstreamTls([server], { validation: validationConfig(ca.cert) });
    const running = await secure(config, { forwardClientCert: "APPEND_FORWARD", clientCertDetails: ["subject", "uri", "dns"] });
    const text =
      "GET / HTTP/1.1\r\nhost: demo\r\nx-forwarded-client-cert: one\r\nX-Forwarded-Client-Cert: two\r\nconnection: close\r\n\r\n";
    const said = header((await callTls(running.port(), own, text)).got, "x-forwarded-client-cert");
    expect(said).toMatch(
      /^one,two,By=spiffe:\/\/td\/server;Hash=[0-9a-f]{64};Subject="CN=client";URI=spiffe:\/\/td\/client;DNS=c\.example\.com$/,
    );
    expect(header((await callTls(running.port(), {}, text)).got, "x-forwarded-client-cert")).toBeUndefined();
  });

  test("a forged certificate header does not pass in plain text", async () => {
    const running = await scene(runtimeConfig([listenerConfig(httpConfig(to))], [clusterConfig("up", [await echo()])]));
    const answer = await call(running.port(), "/", { headers: { "x-forwarded-client-cert": "Hash=forged" } });
    expect(JSON.parse(answer.body.toString())).not.toHaveProperty("x-forwarded-client-cert");
  });

  test("a ticket does not outlive the trust that it was given under", async () => {
    const validation = validationConfig(ca.cert);
    const clusters = [clusterConfig("up", [await echo()])];
    const config = (trusted: typeof validation): RuntimeConfig =>
      runtimeConfig([withChains([{ tls: downstreamTls([server], { requireClientCertificate: true, validation: trusted }) }])], clusters);
    const running = await scene(config(validation));
    const port = running.port();
    const { session } = await callTls(port, own);
    const again = await callTls(port, { ...own, ...(session === undefined ? {} : { session }) });
    expect([again.reused, again.got.slice(0, 15)]).toEqual([true, "HTTP/1.1 200 OK"]);
    running.publish(config(validationConfig(testCa("another").cert)));
    const last = await callTls(port, { ...own, ...(again.session === undefined ? {} : { session: again.session }) });
    expect([last.reused, last.got]).toEqual([false, ""]);
  });

  test("certificates by name and by kind of key", async () => {
    const rsa = ca.issue({ subject: [["2.5.4.3", "rsa"]], dns: ["a.example.com"], rsa: true });
    const other = ca.issue({ subject: [["2.5.4.3", "other"]], dns: ["b.example.com"] });
    const running = await secure(downstreamTls([server, rsa, other]));
    const shown = async (options: tls.ConnectionOptions): Promise<string | undefined> => (await callTls(running.port(), options)).subject;
    expect(await shown({ servername: "b.example.com" })).toBe("CN=other");
    expect(await shown({ servername: "x.example.org" })).toBe("CN=server");
    expect(await shown({ servername: "unknown.net" })).toBe("CN=server");
    const rsaOnly = { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" } as const;
    expect(await shown({ servername: "a.example.com", ...rsaOnly })).toBe("CN=rsa");
    expect(await shown(rsaOnly)).toBe("CN=rsa");
  });

  test("what is no TLS at all ends nobody else's connection", async () => {
    const running = await secure(downstreamTls([server]));
    expect(await raw(running.port(), "GET / HTTP/1.1\r\n\r\n")).not.toContain("HTTP/1.1 2");
    expect(await raw(running.port(), Buffer.from("1603010005010000010000", "hex").toString("latin1"))).not.toContain("HTTP/1.1 2");
    expect((await callTls(running.port(), {})).got).toContain("200 OK");
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("a broken record on an open connection ends it, %s", async (version) => {
    const running = await secure(downstreamTls([server]));
    const open = (): number | undefined => running.plane.listeners()[0]?.connections;
    const carrier = net.connect(running.port(), "127.0.0.1");
    const secured = tls.connect({ socket: carrier, rejectUnauthorized: false, minVersion: version, maxVersion: version });
    secured.on("error", () => undefined);
    await once(secured, "secureConnect");
    await until("it is served", () => open() === 1);
    carrier.write(Buffer.from("1703030020".padEnd(74, "0"), "hex"));
    await until("it is gone", () => open() === 0);
    secured.destroy();
  });
});

describe("filter chains", () => {
  test("by server name, TLS and plain text on one port", async () => {
    const tcp = await startTcp((sock) => sock.end("plain\n"));
    started.push(tcp);
    const second = ca.issue({ subject: [["2.5.4.3", "second"]] });
    const match = (serverNames: readonly string[], transportProtocol = "tls"): FilterChain["match"] =>
      ({ serverNames, transportProtocol }) as FilterChain["match"];
    const listener = withChains([
      { match: match(["a.example.com"]), tls: downstreamTls([server]) },
      { match: match(["*.example.com"]), tls: downstreamTls([second]) },
      { match: match([], "raw_buffer"), network: tcpConfig([{ name: "tcp", weight: 1 }]) },
    ]);
    const running = await scene(runtimeConfig([listener], [clusterConfig("up", [await echo()]), clusterConfig("tcp", [tcp.port])]));
    const shown = async (servername: string): Promise<unknown> => {
      const { subject, error } = await callTls(running.port(), { servername });
      return subject ?? error;
    };
    expect(await shown("A.Example.com")).toBe("CN=server");
    expect(await shown("b.c.example.com")).toBe("CN=second");
    expect(await shown("other.org")).toBe("ECONNRESET");
    expect(await raw(running.port(), "hello\n")).toBe("plain\n");
  });

  test("secrets that have not come: the connection ends, then works", async () => {
    const ref = { source: "ads", name: "pair", timeoutMs: 0 };
    const listener = withChains([{ tls: downstreamTls([], { certificateSecrets: [ref] }) }]);
    const config = runtimeConfig([listener], [clusterConfig("up", [await echo()])]);
    const running = await scene(config);
    expect((await callTls(running.port(), {})).error).toBe("ECONNRESET");
    const secretsOf = (pair: typeof server): Secrets => {
      const certificate = { chain: pair.cert, key: pair.key, password: undefined };
      return new Map([["ads", new Map([["pair", { name: "pair", kind: "certificate" as const, certificate }]])]]);
    };
    running.publish({ ...config, secrets: secretsOf(server) });
    expect((await callTls(running.port(), {})).subject).toBe("CN=server");
    // A new one is for new connections.
    const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
    const get = (): Promise<string> =>
      new Promise((done, fail) => {
        const request = https.get({ host: "127.0.0.1", port: running.port(), agent }, (response) => {
          const { subject } = (response.socket as tls.TLSSocket).getPeerCertificate();
          response.resume().on("end", () => done(String(subject.CN)));
        });
        request.on("error", fail);
      });
    expect(await get()).toBe("server");
    running.publish({ ...config, secrets: secretsOf(client) });
    expect(await get()).toBe("server");
    expect((await callTls(running.port(), {})).subject).toBe("CN=client");
    agent.destroy();
  });

  test("a PROXY protocol header gives the caller's address; without one nobody is served", async () => {
    const listener = withChains([{ network: httpConfig(to, { useRemoteAddress: true }) }], {
      tls: false,
      proxyProtocol: { optional: false, versions: [1, 2] },
    });
    const running = await scene(runtimeConfig([listener], [clusterConfig("up", [await echo()])]));
    const request = "GET / HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n";
    const got = await raw(running.port(), ["PROXY TCP4 203.0.113.9 ", `203.0.113.1 4000 80\r\n${request}`]);
    expect(header(got, "x-forwarded-for")).toBe("203.0.113.9");
    expect(await raw(running.port(), request)).toBe("");
  });
});

describe("upstreams by TLS", () => {
  async function peer(options: https.ServerOptions = {}): Promise<{ port: number; connections: () => number; reused: boolean[] }> {
    const reused: boolean[] = [];
    const up = https.createServer(
      { cert: server.cert, key: server.key, ALPNProtocols: ["h2", "http/1.1"], ...options },
      (request, response) => {
        const sock = request.socket as tls.TLSSocket & { servername: string | false };
        const subject = sock.getPeerCertificate().subject?.CN ?? "";
        response.end([sock.servername, sock.alpnProtocol, subject, request.headers.host].join(" "));
      },
    );
    up.on("secureConnection", (sock) => void reused.push(sock.isSessionReused()));
    await new Promise<void>((done) => void up.listen(0, "127.0.0.1", done));
    started.push({
      stop() {
        up.close();
        up.closeAllConnections();
      },
    });
    return { port: (up.address() as net.AddressInfo).port, connections: () => reused.length, reused };
  }

  const through = async (port: number, over: Parameters<typeof clusterConfig>[2], host = "demo"): Promise<string> => {
    const running = await scene(runtimeConfig([listenerConfig(httpConfig(to))], [clusterConfig("up", [port], over)]));
    const answer = await call(running.port(), "/", { headers: { host } });
    return `${answer.status} ${answer.body.toString()}`;
  };

  test("checked, with a certificate of our own", async () => {
    const { port } = await peer({ ca: ca.cert, requestCert: true, rejectUnauthorized: true });
    const certificates = [{ chain: client.cert, key: client.key, password: undefined }];
    const transport = upstreamTransport({ sni: "a.example.com", validation: validationConfig(ca.cert), certificates });
    expect(await through(port, { transport })).toBe("200 a.example.com http/1.1 client demo");
  });

  test("one that nobody trusts gets no request", async () => {
    const { port } = await peer();
    const reset = "503 upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
    expect(await through(port, { transport: upstreamTransport({ validation: validationConfig(stranger.cert) }) })).toBe(reset);
    expect(await through(port, { transport: upstreamTransport() })).toMatch(/^200/);
  });

  test("the name follows the request's host; requests for one name share a connection", async () => {
    const { port, connections } = await peer();
    const cluster = clusterConfig("up", [port], {
      transport: upstreamTransport({ validation: validationConfig(ca.cert) }),
      autoSni: { sni: true, sanValidation: true, header: "" },
    });
    const running = await scene(runtimeConfig([listenerConfig(httpConfig(to))], [cluster]));
    const get = async (host: string): Promise<string> => {
      const answer = await call(running.port(), "/", { headers: { host } });
      return answer.status === 200 ? answer.body.toString() : String(answer.status);
    };
    expect(await get("a.example.com")).toBe("a.example.com http/1.1  a.example.com");
    expect(await get("b.example.org:8080")).toBe("b.example.org http/1.1  b.example.org:8080");
    expect(await get("a.example.com")).toMatch(/^a\.example\.com /);
    expect(connections()).toBe(2);
    // Not a name of its certificate, and an address is sent to nobody.
    expect([await get("c.example.net"), await get("10.0.0.1")]).toEqual(["503", "503"]);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("every connection has a handshake of its own, %s", async (version) => {
    const { port, reused } = await peer({ minVersion: version, maxVersion: version });
    const cluster = clusterConfig("up", [port], { maxRequestsPerConnection: 1, transport: upstreamTransport() });
    const running = await scene(runtimeConfig([listenerConfig(httpConfig(to))], [cluster]));
    for (let i = 0; i < 3; i++) expect((await call(running.port(), "/")).status).toBe(200);
    expect(reused).toEqual([false, false, false]);
  });

  test("endpoints choose their transport by metadata", async () => {
    const { port } = await peer();
    const plain = await echo();
    const endpoint = clusterConfig("up", [port, plain]).endpoints?.endpoints ?? [];
    const marked = endpoint.map((one, i) => ({ ...one, transportMatch: i === 0 ? { tlsMode: "istio" } : undefined }));
    const cluster = clusterConfig("up", [], {
      transportMatches: [
        { name: "tls", match: { tlsMode: "istio" }, transport: upstreamTransport({ sni: "matched.example.org" }) },
        { name: "plain", match: {}, transport: undefined },
      ],
      endpoints: { clusterName: "up", endpoints: marked, overprovisioningFactor: 140 },
    });
    const running = await scene(runtimeConfig([listenerConfig(httpConfig(to))], [cluster]));
    const bodies = [await call(running.port(), "/"), await call(running.port(), "/")].map(({ body }) => body.toString().slice(0, 7));
    expect(bodies.sort()).toEqual(["matched", '{"host"'].sort());
  });

  test("a changed transport is not carried by old connections", async () => {
    const { port } = await peer();
    const config = (sni: string): RuntimeConfig =>
      runtimeConfig([listenerConfig(httpConfig(to))], [clusterConfig("up", [port], { transport: upstreamTransport({ sni }) })]);
    const running = await scene(config("one.example.org"));
    expect((await call(running.port(), "/")).body.toString()).toMatch(/^one/);
    running.publish(config("two.example.org"));
    expect((await call(running.port(), "/")).body.toString()).toMatch(/^two/);
  });

  test("large answers arrive whole through TLS on both sides, past a slow caller", async () => {
    const data = Buffer.alloc(3_000_000, "0123456789abcdef");
    const up = https.createServer({ cert: server.cert, key: server.key }, (_, response) => void response.end(data));
    await new Promise<void>((done) => void up.listen(0, "127.0.0.1", done));
    started.push({ stop: () => void up.close() });
    const { port } = up.address() as net.AddressInfo;
    const listener = withChains([{ tls: downstreamTls([server]) }]);
    const running = await scene(runtimeConfig([listener], [clusterConfig("up", [port], { transport: upstreamTransport() })]));
    const got = await new Promise<Buffer>((done, fail) => {
      const request = https.get({ host: "127.0.0.1", port: running.port(), rejectUnauthorized: false }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => {
          parts.push(part);
          response.pause();
          setImmediate(() => response.resume());
        });
        response.on("end", () => done(Buffer.concat(parts)));
      });
      request.on("error", fail);
    });
    expect(got.equals(data)).toBe(true);
  });

  test.each([1, 2] as const)("a PROXY protocol header, version %i, goes before TLS and tells callers apart", async (version) => {
    const headers: string[] = [];
    const front = net.createServer((sock) => {
      sock.once("data", (bytes: Buffer) => {
        sock.pause();
        const end = version === 1 ? bytes.indexOf("\r\n") + 2 : 28;
        headers.push(bytes.subarray(0, end).toString("latin1"));
        if (bytes.length > end) sock.unshift(bytes.subarray(end));
        const secured = new tls.TLSSocket(sock, { isServer: true, cert: server.cert, key: server.key });
        secured.on("error", () => undefined);
        app.emit("connection", secured);
      });
    });
    const app = http.createServer((_, response) => void response.end("ok"));
    await new Promise<void>((done) => void front.listen(0, "127.0.0.1", done));
    started.push({ stop: () => void front.close() });
    const transport = upstreamTransport({ sni: "a.example.com", validation: validationConfig(ca.cert) }, version);
    const cluster = clusterConfig("up", [(front.address() as net.AddressInfo).port], { transport });
    const running = await scene(runtimeConfig([listenerConfig(httpConfig(to))], [cluster]));
    const once = async (): Promise<string> => (await call(running.port(), "/", { agent: new http.Agent() })).body.toString();
    expect([await once(), await once()]).toEqual(["ok", "ok"]);
    expect(new Set(headers).size).toBe(2);
    const wanted = {
      1: `PROXY TCP4 127.0.0.1 127.0.0.1 PORT ${running.port()}\r\n`,
      2: "\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01PORT",
    };
    expect((headers[0] ?? "").replace(version === 1 ? / \d+ (?=\d+\r)/ : /[^]{4}$/, version === 1 ? " PORT " : "PORT")).toBe(
      wanted[version],
    );
  });
});
