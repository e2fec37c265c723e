// TLS as real istiod 1.29 generates it: what names a certificate, what a peer is checked against, who is told apart by what.
import { describe, expect, test } from "vitest";
import { TYPE_URL } from "../../kit/index.ts";
import { type Caller as AnyCaller, viewOf } from "../../translate/view-of.fixture.ts";
import { generate } from "../index.ts";
import { type Json, jsonByName } from "../json-by-name.fixture.ts";

interface Caller extends Pick<AnyCaller, "type" | "labels" | "mesh"> {
  readonly secretServer?: boolean;
}

/** A router is always the ingress gateway. */
function resources(text: string, typeUrl: string, { type = "sidecar", labels, secretServer = true, mesh }: Caller): Json[] {
  const made = generate(
    viewOf(text, {
      type,
      mesh,
      ...(type === "router" || labels === undefined ? {} : { labels }),
      metadata: secretServer ? {} : { SERIN_SECRET_SERVER: "none" },
    }),
  );
  return [...jsonByName(made, typeUrl).values()];
}

/** Where a secret comes from: `NAME`, of the proxy's own server with `local:`. */
function source(secret: Json | undefined): string | undefined {
  if (secret === undefined) return undefined;
  const server = secret["sds_config"]?.api_config_source?.grpc_services?.[0]?.envoy_grpc?.cluster_name;
  return server === undefined ? secret["name"] : `local:${secret["name"]}`;
}

/** A TLS context in short. */
function shortly(socket: Json | undefined): Json | undefined {
  const context = socket?.["typed_config"];
  if (context === undefined) return undefined;
  const common = context.common_tls_context;
  const combined = common.combined_validation_context;
  const validation = combined?.default_validation_context ?? common.validation_context;
  const params = common.tls_params;
  return Object.fromEntries(
    Object.entries({
      certificates:
        common.tls_certificate_sds_secret_configs?.map(source) ??
        common.tls_certificates?.map((one: Json) => one["certificate_chain"].filename),
      ca: source(combined?.validation_context_sds_secret_config) ?? validation?.trusted_ca?.filename,
      names: validation?.match_subject_alt_names?.map((one: Json) => one["exact"] ?? `${one["prefix"]}*`),
      crl: validation?.crl?.filename,
      untrusted: validation?.trust_chain_verification,
      required: context.require_client_certificate,
      alpn: common.alpn_protocols,
      sni: context.sni,
      versions: params === undefined ? undefined : [params.tls_minimum_protocol_version, params.tls_maximum_protocol_version],
      ciphers: params?.cipher_suites,
    }).filter(([, value]) => value !== undefined && value !== ""),
  );
}

const FILES = "serverCertificate: /c, privateKey: /k";
const ALPN = ["h2", "http/1.1"];

const ACCOUNTS = ["spiffe://cluster.local/ns/default/sa/a"];

const SERVICE = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a, namespace: default}
spec:
  hosts: [a.default.svc.cluster.local]
  addresses: [240.0.1.1]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 90, name: tcp, protocol: TCP}, {number: 91, name: auto}]
  endpoints: [{address: 10.9.9.9, ports: {http: 8080, tcp: 8090, auto: 8091}, labels: {version: v1, security.istio.io/tlsMode: istio}, serviceAccount: a}]
`;

describe("Gateway servers", () => {
  function listenerOf(tls: string, of: Caller & { readonly protocol?: string; readonly hosts?: string } = {}): Json | undefined {
    const { protocol = "HTTPS", hosts = "a.com" } = of;
    const text = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g, namespace: default}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 8443, name: s, protocol: ${protocol}}, hosts: ["${hosts}"], tls: ${tls}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: default}
spec: {hosts: ["*"], gateways: [g], tcp: [{route: [{destination: {host: a, port: {number: 90}}}]}]}
---${SERVICE}`;
    return resources(text, TYPE_URL.listener, { type: "router", ...of }).find(({ name }) => name === "0.0.0.0_8443");
  }
  const contextOf = (tls: string, of: Caller & { readonly protocol?: string } = {}): Json | undefined =>
    shortly(listenerOf(tls, of)?.["filter_chains"][0].transport_socket);

  test.each<[string, string, Json]>([
    ["SIMPLE", `{mode: SIMPLE, ${FILES}}`, { certificates: ["local:file-cert:/c~/k"], required: false, alpn: ALPN }],
    [
      "MUTUAL",
      `{mode: MUTUAL, ${FILES}, caCertificates: /a, subjectAltNames: [x, y], caCrl: /l}`,
      { certificates: ["local:file-cert:/c~/k"], ca: "local:file-root:/a", names: ["x", "y"], crl: "/l", required: true, alpn: ALPN },
    ],
    [
      "OPTIONAL_MUTUAL",
      `{mode: OPTIONAL_MUTUAL, ${FILES}, caCertificates: /a}`,
      { certificates: ["local:file-cert:/c~/k"], ca: "local:file-root:/a", required: false, alpn: ALPN },
    ],
    [
      "credentialName",
      "{mode: MUTUAL, credentialName: s}",
      { certificates: ["kubernetes://s"], ca: "kubernetes://s-cacert", required: true, alpn: ALPN },
    ],
    [
      "credentialNames: the first has the CA",
      "{mode: MUTUAL, credentialNames: [s, t]}",
      { certificates: ["kubernetes://s", "kubernetes://t"], ca: "kubernetes://s-cacert", required: true, alpn: ALPN },
    ],
    [
      "caCertCredentialName",
      "{mode: MUTUAL, credentialName: s, caCertCredentialName: roots}",
      { certificates: ["kubernetes://s"], ca: "kubernetes://roots-cacert", required: true, alpn: ALPN },
    ],
    [
      "tlsCertificates",
      "{mode: SIMPLE, tlsCertificates: [{serverCertificate: /c, privateKey: /k}, {serverCertificate: /d, privateKey: /l}]}",
      { certificates: ["local:file-cert:/c~/k", "local:file-cert:/d~/l"], required: false, alpn: ALPN },
    ],
    ["ISTIO_MUTUAL", "{mode: ISTIO_MUTUAL}", { certificates: ["local:default"], ca: "local:ROOTCA", required: true, alpn: ALPN }],
    [
      "versions and ciphers",
      `{mode: SIMPLE, ${FILES}, minProtocolVersion: TLSV1_2, maxProtocolVersion: TLSV1_3, cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]}`,
      {
        certificates: ["local:file-cert:/c~/k"],
        required: false,
        alpn: ALPN,
        versions: ["TLSv1_2", "TLSv1_3"],
        ciphers: ["ECDHE-RSA-AES128-GCM-SHA256"],
      },
    ],
  ])("%s", (_, tls, expected) => {
    expect(contextOf(tls)).toEqual(expected);
  });

  test("without a secret server files are read by the proxy, and nothing stands for the mesh's identity", () => {
    const local = { secretServer: false };
    expect(contextOf(`{mode: MUTUAL, ${FILES}, caCertificates: /a}`, local)).toMatchObject({ certificates: ["/c"], ca: "/a" });
    expect(contextOf("{mode: SIMPLE, credentialName: s}", local)).toMatchObject({ certificates: ["kubernetes://s"] });
    expect(listenerOf("{mode: ISTIO_MUTUAL}", local)).toBeUndefined();
  });

  test("peers of the mesh may name their own protocol where the inside is a byte stream", () => {
    expect(contextOf("{mode: ISTIO_MUTUAL}", { protocol: "TLS" })?.["alpn"]).toEqual(["istio-peer-exchange", ...ALPN]);
    expect(contextOf(`{mode: SIMPLE, ${FILES}}`, { protocol: "TLS" })?.["alpn"]).toEqual(ALPN);
  });

  test("names are told apart by SNI, unless any will do", () => {
    const matchOf = (hosts: string): Json | undefined =>
      listenerOf(`{mode: SIMPLE, ${FILES}}`, { hosts })?.["filter_chains"][0].filter_chain_match;
    expect(matchOf("ns/*.a.com")).toEqual({ server_names: ["*.a.com"] });
    expect(matchOf("*")).toBeUndefined();
  });

  test("tlsDefaults fill in", () => {
    const mesh = { tlsDefaults: { minProtocolVersion: "TLSV1_3", ecdhCurves: ["P-256"] } };
    expect(contextOf(`{mode: SIMPLE, ${FILES}}`, { mesh })?.["versions"]?.[0]).toBe("TLSv1_3");
    expect(contextOf(`{mode: SIMPLE, ${FILES}, minProtocolVersion: TLSV1_2}`, { mesh })?.["versions"]?.[0]).toBe("TLSv1_2");
  });
});

describe("upstreams", () => {
  const MTLS = { mesh: { enableAutoMtls: true } };
  const rule = (policy: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a, namespace: default}
spec: {host: a, trafficPolicy: ${policy}}
---${SERVICE}`;
  function clusterOf(text: string, of: Caller = {}, name = "outbound|80||a.default.svc.cluster.local"): Json {
    const found = resources(text, TYPE_URL.cluster, of).find((one) => one["name"] === name);
    if (found === undefined) throw new Error(`no cluster ${name}`);
    return found;
  }
  const socketOf = (policy: string, of: Caller = {}): Json | undefined => shortly(clusterOf(rule(policy), of)["transport_socket"]);

  test.each<[string, string, Json | undefined]>([
    ["DISABLE", "{tls: {mode: DISABLE}}", undefined],
    [
      "SIMPLE trusts the system",
      "{tls: {mode: SIMPLE, sni: x}}",
      { ca: "local:file-root:system", names: ACCOUNTS, sni: "x", versions: ["TLSv1_2", "TLSv1_3"] },
    ],
    [
      "SIMPLE",
      "{tls: {mode: SIMPLE, sni: x, caCertificates: /a, subjectAltNames: [y], caCrl: /l}}",
      { ca: "local:file-root:/a", names: ["y"], crl: "/l", sni: "x", versions: ["TLSv1_2", "TLSv1_3"] },
    ],
    [
      "MUTUAL",
      "{tls: {mode: MUTUAL, sni: x, clientCertificate: /c, privateKey: /k, caCertificates: /a}}",
      { certificates: ["local:file-cert:/c~/k"], ca: "local:file-root:/a", names: ACCOUNTS, sni: "x", versions: ["TLSv1_2", "TLSv1_3"] },
    ],
    ["insecureSkipVerify", "{tls: {mode: SIMPLE, sni: x, insecureSkipVerify: true}}", { sni: "x", versions: ["TLSv1_2", "TLSv1_3"] }],
    ["a credential is not for sidecars", "{tls: {mode: SIMPLE, sni: x, credentialName: s}}", undefined],
    [
      "ISTIO_MUTUAL",
      "{tls: {mode: ISTIO_MUTUAL}}",
      {
        certificates: ["local:default"],
        ca: "local:ROOTCA",
        names: ACCOUNTS,
        sni: "outbound_.80_._.a.default.svc.cluster.local",
        alpn: ["istio"],
        versions: ["TLSv1_2", "TLSv1_3"],
      },
    ],
  ])("%s", (_, policy, expected) => {
    expect(socketOf(policy)).toEqual(expected);
  });

  test("a credential is for gateways", () => {
    expect(socketOf("{tls: {mode: MUTUAL, sni: x, credentialName: s}}", { type: "router" })).toMatchObject({
      certificates: ["kubernetes://s"],
      ca: "kubernetes://s-cacert",
    });
  });

  test("the server name and what to verify follow the request where the rule says neither", () => {
    const options = (tls: string): Json =>
      Object.values(clusterOf(rule(`{tls: ${tls}}`))["typed_extension_protocol_options"] as Json)[0].upstream_http_protocol_options ?? {};
    expect(options("{mode: SIMPLE}")).toEqual({ auto_sni: true, auto_san_validation: true });
    expect(options("{mode: SIMPLE, subjectAltNames: [y]}")).toEqual({ auto_sni: true });
    expect(options("{mode: SIMPLE, insecureSkipVerify: true}")).toEqual({ auto_sni: true });
  });

  test("auto mTLS: encrypted where the endpoint can, and only with an identity", () => {
    const [first, second] = clusterOf(SERVICE, MTLS)["transport_socket_matches"] as Json[];
    expect([first?.["name"], first?.["match"], shortly(first?.["transport_socket"])?.["sni"]]).toEqual([
      "tlsMode-istio",
      { tlsMode: "istio" },
      "outbound_.80_._.a.default.svc.cluster.local",
    ]);
    expect([second?.["name"], second?.["match"]]).toEqual(["tlsMode-disabled", {}]);
    expect(clusterOf(SERVICE, { ...MTLS, secretServer: false })["transport_socket_matches"]).toBeUndefined();
    expect(clusterOf(rule("{tls: {mode: DISABLE}}"), MTLS)["transport_socket_matches"]).toBeUndefined();
  });

  test("a PROXY line goes out before TLS", () => {
    const socket = clusterOf(rule("{proxyProtocol: {version: V2}, tls: {mode: SIMPLE, sni: x}}"))["transport_socket"];
    expect(socket.typed_config.config.version).toBe("V2");
    expect(shortly(socket.typed_config.transport_socket)?.["sni"]).toBe("x");
  });
});

describe("inbound", () => {
  const policy = (mode: string): string => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: default}
spec: {mtls: {mode: ${mode}}}
---${SERVICE}`;
  /** Of a port: what is asked of TLS and of what is inside, and whether TLS ends here. */
  function chainsOf(mode: string, port: number, of: Caller = {}): readonly string[] {
    const listener = resources(policy(mode), TYPE_URL.listener, of).find(({ name }) => name === "virtualInbound");
    return ((listener?.["filter_chains"] ?? []) as Json[])
      .filter((chain) => chain["filter_chain_match"]?.destination_port === port)
      .map(({ filter_chain_match: match, transport_socket: socket }) =>
        [match.transport_protocol ?? "any", ...(match.application_protocols ?? []), ...(socket === undefined ? [] : ["ends"])].join(" "),
      );
  }

  const OF_THE_MESH = "istio istio-peer-exchange istio-http/1.0 istio-http/1.1 istio-h2";
  test.each<[string, number, Readonly<Record<"DISABLE" | "PERMISSIVE" | "STRICT", readonly string[]>>]>([
    ["HTTP", 8080, { DISABLE: ["raw_buffer"], PERMISSIVE: [`tls ${OF_THE_MESH} ends`, "raw_buffer"], STRICT: ["tls ends"] }],
    ["TCP", 8090, { DISABLE: ["raw_buffer"], PERMISSIVE: [`tls ${OF_THE_MESH} ends`, "tls", "raw_buffer"], STRICT: ["tls ends"] }],
    [
      "detected",
      8091,
      {
        DISABLE: ["raw_buffer http/1.1 h2c", "raw_buffer"],
        PERMISSIVE: [
          "tls istio-http/1.0 istio-http/1.1 istio-h2 ends",
          "raw_buffer http/1.1 h2c",
          "tls istio-peer-exchange istio ends",
          "raw_buffer",
          "tls",
        ],
        STRICT: ["tls istio-http/1.0 istio-http/1.1 istio-h2 ends", "tls ends"],
      },
    ],
  ])("a port with protocol %s", (_, port, expected) => {
    for (const [mode, chains] of Object.entries(expected)) expect([mode, ...chainsOf(mode, port)]).toEqual([mode, ...chains]);
  });

  test("without a mesh identity everything is plain text", () => {
    for (const mode of ["PERMISSIVE", "STRICT"]) expect(chainsOf(mode, 8080, { secretServer: false })).toEqual(["raw_buffer"]);
  });

  test("peers show a certificate for one of the mesh's trust domains", () => {
    const mesh = { trustDomain: "one.org", trustDomainAliases: ["two.org"] };
    const listener = resources(policy("STRICT"), TYPE_URL.listener, { mesh }).find(({ name }) => name === "virtualInbound");
    const chain = (listener?.["filter_chains"] as Json[]).find((one) => one["filter_chain_match"]?.destination_port === 8080);
    expect(shortly(chain?.["transport_socket"])).toMatchObject({
      certificates: ["local:default"],
      ca: "local:ROOTCA",
      names: ["spiffe://one.org/*", "spiffe://two.org/*"],
      required: true,
      versions: ["TLSv1_2", "TLSv1_3"],
    });
  });
});
