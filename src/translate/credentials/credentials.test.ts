import { expect, test } from "vitest";
import type { ConfigView, MeshSnapshot } from "../../model/index.ts";
import { parseNode } from "../../model/index.ts";
import type { Resource } from "../../resources/index.ts";
import { buildMesh, viewFor } from "../index.ts";
import { nodeOf, resourcesOf } from "../resources-of.fixture.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

function secret(name: string, data: Readonly<Record<string, string>>, namespace = "edge"): string {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]));
  return `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: ${namespace}}\ndata: ${JSON.stringify(encoded)}\n`;
}

function gateway(servers: readonly string[], namespace = "edge"): string {
  const list = servers.map(
    (tls, index) => `{port: {number: ${8443 + index}, name: s${index}, protocol: HTTPS}, hosts: ["*"], tls: ${tls}}`,
  );
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g, namespace: ${namespace}}
spec: {selector: {istio: gateway}, servers: [${list.join(", ")}]}
`;
}

const SERVICE = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: edge}
spec: {hosts: [bank.com], ports: [{number: 443, name: http, protocol: HTTP}], resolution: STATIC, endpoints: [{address: 127.0.0.1}]}
`;

const rule = (tls: string, more = ""): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bank, namespace: edge}
spec: {host: bank.com, trafficPolicy: {tls: ${tls}}${more}}
`;

const mesh = (...documents: readonly string[]): MeshSnapshot => buildMesh({ resources: resourcesOf(documents.join("---\n")) });

function view(
  snapshot: MeshSnapshot,
  {
    type = "router",
    namespace = "edge",
    labels = { istio: "gateway" },
  }: { type?: "router" | "sidecar"; namespace?: string; labels?: Record<string, string> } = {},
): ConfigView {
  const node = parseNode(nodeOf(type, namespace, labels));
  if (!node.ok) throw new Error(node.error);
  return viewFor(snapshot, node.value);
}

/** Name → what is in it, as text. */
function contents({ credentials }: ConfigView): Readonly<Record<string, readonly (string | undefined)[]>> {
  const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString());
  return Object.fromEntries(
    credentials.map(({ name, content }) => [
      name,
      content.kind === "ca"
        ? ["ca", text(content.certificates), text(content.crl)]
        : ["certificate", text(content.chain), text(content.privateKey), text(content.ocspStaple)],
    ]),
  );
}

const PAIR = { "tls.crt": "C", "tls.key": "K" };

test.each<[string, Readonly<Record<string, string>>, readonly (string | undefined)[] | undefined]>([
  ["kubernetes.io/tls", { ...PAIR, "tls.ocsp-staple": "S" }, ["certificate", "C", "K", "S"]],
  ["generic", { cert: "GC", key: "GK" }, ["certificate", "GC", "GK", undefined]],
  ["generic before kubernetes.io/tls", { ...PAIR, cert: "GC", key: "GK" }, ["certificate", "GC", "GK", undefined]],
  ["empty values count as none", { ...PAIR, cert: "", key: "GK" }, ["certificate", "C", "K", undefined]],
  ["a certificate without its key", { "tls.crt": "C" }, undefined],
  ["another kind of secret", { password: "p" }, undefined],
])("certificate: %s", (_, data, expected) => {
  const found = contents(view(mesh(secret("s", data), gateway(["{mode: SIMPLE, credentialName: s}"]))));
  expect(found).toEqual(expected === undefined ? {} : { "kubernetes://s": expected });
});

test.each<[string, readonly string[], readonly (string | undefined)[] | undefined]>([
  ["inside the credential", [secret("s", { ...PAIR, "ca.crt": "A", "ca.crl": "L" })], ["ca", "A", "L"]],
  ["generic inside the credential", [secret("s", { ...PAIR, cacert: "GA", crl: "GL", "ca.crt": "A" })], ["ca", "GA", "GL"]],
  ["of its own", [secret("s", { ...PAIR, "ca.crt": "A" }), secret("s-cacert", { cacert: "B" })], ["ca", "B", undefined]],
  ["a Secret of its own without a CA", [secret("s", { ...PAIR, "ca.crt": "A" }), secret("s-cacert", { other: "x" })], undefined],
  ["none", [secret("s", PAIR)], undefined],
])("CA: %s", (_, secrets, expected) => {
  const found = contents(view(mesh(...secrets, gateway(["{mode: MUTUAL, credentialName: s}"]))));
  expect(found["kubernetes://s-cacert"]).toEqual(expected);
  expect(found["kubernetes://s"]).toEqual(["certificate", "C", "K", undefined]);
});

test("stringData wins over data", () => {
  const text = `${secret("s", PAIR)}stringData: {tls.key: plain}\n`;
  expect(contents(view(mesh(text, gateway(["{mode: SIMPLE, credentialName: s}"]))))["kubernetes://s"]?.[2]).toBe("plain");
});

test("a gateway is given what its own servers name, out of its own namespace", () => {
  const secrets = [secret("a", { ...PAIR, "ca.crt": "A" }), secret("b", PAIR), secret("c", PAIR, "other"), secret("unnamed", PAIR)];
  const snapshot = mesh(
    ...secrets,
    gateway([
      "{mode: SIMPLE, credentialName: a}",
      "{mode: OPTIONAL_MUTUAL, credentialName: b, caCertCredentialName: a}",
      "{mode: SIMPLE, credentialName: c}",
      "{mode: SIMPLE, credentialName: kubernetes://other/c}",
      "{mode: SIMPLE, credentialName: kubernetes://edge/b}",
      "{mode: SIMPLE, credentialName: kubernetes-gateway://edge/b}",
      "{mode: SIMPLE, credentialName: kubernetes-gateway://other/c}",
      "{mode: SIMPLE, credentialName: builtin://}",
      "{mode: SIMPLE, credentialName: invalid://}",
    ]),
  );
  const names = ["kubernetes://a", "kubernetes://b", "kubernetes://a-cacert", "kubernetes://edge/b", "kubernetes-gateway://edge/b"];
  expect(Object.keys(contents(view(snapshot)))).toEqual(names);
  // The same names mean the Secrets of whoever asks.
  expect(Object.keys(contents(view(snapshot, { namespace: "other" })))).toEqual(["kubernetes://c", "kubernetes://other/c"]);
  expect(contents(view(snapshot, { labels: { istio: "another" } }))).toEqual({});
  expect(contents(view(snapshot, { type: "sidecar" }))).toEqual({});
});

test("rules: the CA for SIMPLE, for MUTUAL the certificate too; sidecars only where a rule selects them", () => {
  const secrets = secret("s", { ...PAIR, "ca.crt": "A" });
  const simple = mesh(secrets, SERVICE, rule("{mode: SIMPLE, credentialName: s}"));
  const mutual = mesh(secrets, SERVICE, rule("{mode: MUTUAL, credentialName: s}"));
  const selecting = mesh(secrets, SERVICE, rule("{mode: MUTUAL, credentialName: s}", ", workloadSelector: {matchLabels: {app: client}}"));
  const sidecar = { type: "sidecar", labels: { app: "client" } } as const;
  expect(Object.keys(contents(view(simple)))).toEqual(["kubernetes://s-cacert"]);
  expect(Object.keys(contents(view(mutual)))).toEqual(["kubernetes://s", "kubernetes://s-cacert"]);
  expect(contents(view(mutual, sidecar))).toEqual({});
  expect(Object.keys(contents(view(selecting, sidecar)))).toEqual(["kubernetes://s", "kubernetes://s-cacert"]);
  expect(contents(view(selecting, { ...sidecar, labels: { app: "other" } }))).toEqual({});
});

test("anybody may have a CA out of a ConfigMap, and nothing else of it", () => {
  const map = `
apiVersion: v1
kind: ConfigMap
metadata: {name: roots, namespace: far}
data: {ca.crt: A, tls.crt: C, tls.key: K}
`;
  const snapshot = mesh(map, SERVICE, rule("{mode: SIMPLE, credentialName: configmap://far/roots}"));
  for (const type of ["router", "sidecar"] as const)
    expect(contents(view(snapshot, { type }))).toEqual({ "configmap://far/roots-cacert": ["ca", "A", undefined] });
});

test("an EnvoyFilter's own TLS contexts are served too, to gateways", () => {
  const filter = `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f, namespace: edge}
spec:
  configPatches:
  - applyTo: CLUSTER
    match: {context: ANY}
    patch: {operation: MERGE, value: {metadata: {filter_metadata: {x: {names: ["kubernetes://s", "kubernetes://far/s"]}}}}}
`;
  const snapshot = mesh(secret("s", PAIR), secret("s", PAIR, "far"), filter);
  expect(Object.keys(contents(view(snapshot)))).toEqual(["kubernetes://s"]);
  expect(contents(view(snapshot, { type: "sidecar" }))).toEqual({});
});

test("a changed Secret is a new view for those that have it, and the same view for all others", () => {
  const rest = [gateway(["{mode: SIMPLE, credentialName: s}"]), SERVICE].join("---\n");
  const [kept, one, other] = [resourcesOf(rest), resourcesOf(secret("s", PAIR)), resourcesOf(secret("unused", PAIR))];
  const before = buildMesh({ resources: [...kept, ...one, ...other] });
  const views = { gateway: view(before), sidecar: view(before, { type: "sidecar" }) };
  const renewed = (name: string): readonly Resource[] => resourcesOf(secret(name, { ...PAIR, "tls.key": "new" }));
  const unused = buildMesh({ resources: [...kept, ...one, ...renewed("unused")] }, before);
  expect(view(unused)).toBe(views.gateway);
  const changed = buildMesh({ resources: [...kept, ...renewed("s"), ...renewed("unused")] }, unused);
  expect(contents(view(changed))["kubernetes://s"]?.[2]).toBe("new");
  expect(view(changed, { type: "sidecar" })).toBe(views.sidecar);
  expect(view(changed).gateways).toBe(views.gateway.gateways);
});
