// Secrets by SDS through a whole proxy, from a secret server of the test that speaks both variants of the protocol.
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import * as api from "../../envoy-api/index.ts";
import { TYPE_URL } from "../../kit/index.ts";
import { decodeBootstrap } from "../bootstrap/bootstrap.ts";
import { type Proxy, startProxy } from "../start-proxy.ts";
import { testCa, type TestPair } from "../testing/certs.ts";
import { call, startHttp, until } from "../testing/scene.ts";
import { callTls } from "../testing/tls.ts";

const TYPE = "type.googleapis.com/envoy.extensions";
const ca = testCa();
const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

interface SecretServer {
  readonly port: number;
  /** What each request asked for, and which error it told. */
  readonly asked: { readonly names: readonly string[]; readonly error: string | undefined }[];
  send(secrets: Readonly<Record<string, object>>): void;
  stop(): void;
}

const asIs = (bytes: Buffer): Buffer => bytes;

async function startSecretServer(): Promise<SecretServer> {
  const asked: SecretServer["asked"] = [];
  const calls = new Set<ServerDuplexStream<Buffer, Buffer>>();
  let delta = false;
  let version = 0;
  const handler = (isDelta: boolean) => (stream: ServerDuplexStream<Buffer, Buffer>) => {
    delta = isDelta;
    calls.add(stream);
    stream.on("data", (bytes: Buffer) => {
      if (isDelta) {
        const request = api.fromBinary(api.DeltaDiscoveryRequestSchema, bytes);
        asked.push({ names: request.resourceNamesSubscribe, error: request.errorDetail?.message });
      } else {
        const request = api.fromBinary(api.DiscoveryRequestSchema, bytes);
        asked.push({ names: request.resourceNames, error: request.errorDetail?.message });
      }
    });
    stream.on("error", () => undefined);
    stream.on("end", () => stream.end());
  };
  const method = (name: string) => ({
    path: `/envoy.service.secret.v3.SecretDiscoveryService/${name}`,
    requestStream: true as const,
    responseStream: true as const,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  });
  const server = new Server();
  server.addService({ stream: method("StreamSecrets"), delta: method("DeltaSecrets") }, { stream: handler(false), delta: handler(true) });
  const port = await new Promise<number>((done, fail) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error === null ? done(bound) : fail(error)));
  });
  const made: SecretServer = {
    port,
    asked,
    send(secrets) {
      version++;
      const anys = Object.entries(secrets).map(([name, over]) => {
        return [name, api.packAny(api.SecretSchema, api.create(api.SecretSchema, { name, ...over } as never))] as const;
      });
      const common = { typeUrl: TYPE_URL.secret, nonce: String(version) };
      const bytes = delta
        ? api.toBinary(
            api.DeltaDiscoveryResponseSchema,
            api.create(api.DeltaDiscoveryResponseSchema, {
              ...common,
              resources: anys.map(([name, resource]) => ({ name, version: String(version), resource })),
            }),
          )
        : api.toBinary(
            api.DiscoveryResponseSchema,
            api.create(api.DiscoveryResponseSchema, { ...common, versionInfo: String(version), resources: anys.map(([, any]) => any) }),
          );
      for (const stream of calls) stream.write(Buffer.from(bytes));
    },
    stop: () => server.forceShutdown(),
  };
  started.push(made);
  return made;
}

const text = (value: string) => ({ specifier: { case: "inlineString", value } });
const pairSecret = ({ cert, key }: TestPair): object => ({
  type: { case: "tlsCertificate", value: { certificateChain: text(cert), privateKey: text(key) } },
});
const rootSecret = (cert: string): object => ({ type: { case: "validationContext", value: { trustedCa: text(cert) } } });

const socket = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
const assignment = (name: string, port: number) => ({
  cluster_name: name,
  endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(port) } }] }],
});

function tlsSocket(type: "DownstreamTlsContext" | "UpstreamTlsContext", over: object): object {
  return { name: "envoy.transport_sockets.tls", typed_config: { "@type": `${TYPE}.transport_sockets.tls.v3.${type}`, ...over } };
}

function secretConfig(name: string, apiType: string): object {
  const api_config_source = { api_type: apiType, transport_api_version: "V3", grpc_services: [{ envoy_grpc: { cluster_name: "sds" } }] };
  return { name, sds_config: { api_config_source, resource_api_version: "V3", initial_fetch_timeout: "0s" } };
}

async function startWith(options: { sds: number; upstream: number; apiType: string; secured?: boolean }): Promise<Proxy> {
  const { apiType } = options;
  const http2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  };
  const manager = {
    "@type": `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "t",
    route_config: { virtual_hosts: [{ name: "v", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "up" } }] }] },
    http_filters: [{ name: "router", typed_config: { "@type": `${TYPE}.filters.http.router.v3.Router` } }],
  };
  const chain = (transport: object) => [{ filters: [{ name: "h", typed_config: manager }], ...transport }];
  const common = {
    tls_certificate_sds_secret_configs: [secretConfig("pair", apiType)],
    validation_context_sds_secret_config: secretConfig("root", apiType),
  };
  const secured = tlsSocket("UpstreamTlsContext", {
    common_tls_context: { combined_validation_context: { validation_context_sds_secret_config: secretConfig("root", apiType) } },
  });
  const bootstrap = {
    node: { id: "n" },
    admin: { address: socket(0) },
    static_resources: {
      clusters: [
        { name: "sds", type: "STATIC", typed_extension_protocol_options: http2, load_assignment: assignment("sds", options.sds) },
        {
          name: "up",
          type: "STATIC",
          load_assignment: assignment("up", options.upstream),
          ...(options.secured === true ? { transport_socket: secured } : {}),
        },
      ],
      listeners: [
        { name: "plain", address: socket(0), filter_chains: chain({}) },
        {
          name: "secure",
          address: socket(0),
          filter_chains: chain({ transport_socket: tlsSocket("DownstreamTlsContext", { common_tls_context: common }) }),
        },
      ],
    },
  };
  const proxy = await startProxy({ bootstrap: decodeBootstrap(bootstrap) });
  started.push(proxy);
  return proxy;
}

const portOf = (proxy: Proxy, name: string): number =>
  proxy.plane.listeners().find((one) => one.name === name && one.state === "listening")?.port ?? 0;

describe.each(["GRPC", "DELTA_GRPC"])("secrets by %s from another cluster", (apiType) => {
  test("a listener waits for them; new ones are for new connections; a bad one is refused and the old stays", async () => {
    const upstream = await startHttp((_, response) => void response.end("hello"));
    started.push(upstream);
    const sds = await startSecretServer();
    const proxy = await startWith({ sds: sds.port, upstream: upstream.port, apiType });
    await until("asked for", () => sds.asked.some(({ names }) => names.includes("pair") && names.includes("root")));
    expect([portOf(proxy, "secure"), proxy.state()]).toEqual([0, "INITIALIZING"]);
    expect((await call(portOf(proxy, "plain"), "/")).status).toBe(200);
    const first = ca.issue({ subject: [["2.5.4.3", "first"]] });
    sds.send({ pair: pairSecret(first), root: rootSecret(ca.cert) });
    await until("open", () => portOf(proxy, "secure") !== 0);
    expect(proxy.state()).toBe("LIVE");
    const own = ca.issue();
    const shown = async (): Promise<unknown> => {
      const { subject, got } = await callTls(portOf(proxy, "secure"), { cert: own.cert, key: own.key });
      return [subject, got.slice(0, 12)];
    };
    expect(await shown()).toEqual(["CN=first", "HTTP/1.1 200"]);
    const wrong = { cert: first.cert, key: own.key };
    sds.send({ pair: pairSecret(wrong) });
    await until("refused", () => sds.asked.some(({ error }) => error !== undefined));
    const { error } = sds.asked.find((request) => request.error !== undefined) ?? {};
    expect(error).toBe("secret pair: tls_certificate: Failed to load private key: it does not belong to the certificate");
    expect(await shown()).toEqual(["CN=first", "HTTP/1.1 200"]);
    const count = sds.asked.length;
    sds.send({ pair: pairSecret(ca.issue({ subject: [["2.5.4.3", "second"]] })) });
    await until("answered", () => sds.asked.length > count);
    expect(await shown()).toEqual(["CN=second", "HTTP/1.1 200"]);
    sds.send({ root: rootSecret(testCa("other").cert) });
    await until("answered again", () => sds.asked.length > count + 1);
    expect(await shown()).toEqual(["CN=second", ""]);
  });

  test("a cluster waits for them; no key is ever shown", async () => {
    const upstream = await startHttp((_, response) => void response.end("hello"));
    started.push(upstream);
    const sds = await startSecretServer();
    const proxy = await startWith({ sds: sds.port, upstream: upstream.port, apiType, secured: true });
    await until("asked for", () => sds.asked.length > 0);
    // Not there yet, and so no host of it either.
    expect((await call(portOf(proxy, "plain"), "/")).status).toBe(503);
    expect(proxy.plane.clusters().map(({ name }) => name)).toEqual(["sds"]);
    const pair = ca.issue();
    sds.send({ pair: pairSecret(pair), root: rootSecret(ca.cert) });
    await until("there", () => proxy.plane.clusters().length === 2);
    const answer = await call(portOf(proxy, "plain"), "/");
    expect(answer.body.toString()).toContain("remote connection failure");
    const dump = await fetch(`http://127.0.0.1:${proxy.adminPort}/config_dump`).then((response) => response.text());
    expect(dump).toContain('"name": "pair"');
    expect(dump).toContain("[redacted]");
    const lines = pair.key.split("\n").slice(1, -2);
    expect(lines.filter((line) => dump.includes(line) || dump.includes(Buffer.from(line).toString("base64")))).toEqual([]);
  });
});
