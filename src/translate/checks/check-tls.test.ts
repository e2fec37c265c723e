import { describe, expect, test } from "vitest";
import { buildMesh, checkReferences } from "../index.ts";
import { resourcesOf } from "../resources-of.fixture.ts";

const pem = (kind: string, body: string): string => `-----BEGIN ${kind}-----\n${body.replace(/.{1,64}/g, "$&\n")}-----END ${kind}-----\n`;

/** Self-signed, made for this test only, and a key that is not its own. */
const CERTIFICATE = pem(
  "CERTIFICATE",
  "MIIBdTCCARugAwIBAgIUIzvFRZqh4GUhG4Z4q5ye/p/NTZYwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjgxMTM1MzNaGA8yMTI2MTEwNDExMzUzM1owDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBk31iw3qr1IbIQRsqT76/Yt/WeLK44gbsG/Kq3YQAoXNfk2ESs6fBNZqDLTO/QWR68r5G2QNfk2lgv06ZbqLUajUzBRMB0GA1UdDgQWBBQb7QN0da9+znK1LmJrCMaGbYvFZzAfBgNVHSMEGDAWgBQb7QN0da9+znK1LmJrCMaGbYvFZzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDRUy3Zlmp2FJrd0HDxjx+9IoxWQec6IcqfmkqXMZf4eAIgSG5BDIp0hnRaG3aNJZl/oFtIxwHDMWC3FnbFskBNAwo=",
);
const KEY = pem(
  "PRIVATE KEY",
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggKjsy/bVLjuOalv0Z/9mnEcDUYySqOUgcv+EbyAJEIKhRANCAAQZN9YsN6q9SGyEEbKk++v2Lf1niyuOIG7Bvyqt2EAKFzX5NhErOnwTWagy0zv0FkevK+RtkDX5NpYL9OmW6i1G",
);
const OTHER_KEY = pem(
  "PRIVATE KEY",
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9vjB+OqsaLllmXhYYDfqRAEp4ch9dtVMX3kS5MHTPzChRANCAATRXAFvC/VmlkCI7cHW/vKcx3aSGohk4HtrGKUemoEbUiny34+3NdohNtCI/W/IMjEFhy4kBxTXQ/cHET/kJpBO",
);

const secret = (name: string, stringData: Readonly<Record<string, string>>, namespace = "istio-system"): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: ${namespace}}\nstringData: ${JSON.stringify(stringData)}\n`;

const gateway = (servers: string, name = "edge", more = ""): string => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}, namespace: store}
spec: {selector: {istio: ingressgateway${more}}, servers: [${servers}]}
`;

const server = (tls: string, host = "a.com", port = 443, name = `s-${host.replaceAll(/\W/g, "")}`): string =>
  `{port: {number: ${port}, name: ${name}, protocol: HTTPS}, hosts: ["${host}"], tls: ${tls}}`;

function check(documents: readonly string[], istiod = {}): readonly (readonly [string, string, string])[] {
  const mesh = buildMesh({ resources: resourcesOf(documents.join("---\n")), istiod });
  return checkReferences(mesh, () => undefined).map(({ code, path, message }) => [code, path, message] as const);
}

const codes = (documents: readonly string[], istiod = {}): readonly string[] =>
  check(documents, istiod).map(([code, path]) => `${code} ${path}`);

const GOOD = secret("s", { "tls.crt": CERTIFICATE, "tls.key": KEY, "ca.crt": CERTIFICATE });
const SIMPLE = "{mode: SIMPLE, credentialName: s}";
const MUTUAL = "{mode: MUTUAL, credentialName: s}";
const AT = "spec.servers[0].tls.credentialName";

describe("credentials of Gateways", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["there", [GOOD, gateway(server(MUTUAL))], []],
    ["not there", [gateway(server(SIMPLE))], [`IST0101 ${AT}`]],
    ["in the Gateway's namespace, which is not the gateway's", [secret("s", {}, "store"), gateway(server(SIMPLE))], [`IST0101 ${AT}`]],
    ["without its key", [secret("s", { "tls.crt": CERTIFICATE }), gateway(server(SIMPLE))], [`IST0161 ${AT}`]],
    ["not PEM", [secret("s", { "tls.crt": "x", "tls.key": KEY }), gateway(server(SIMPLE))], [`IST0161 ${AT}`]],
    ["another's key", [secret("s", { "tls.crt": CERTIFICATE, "tls.key": OTHER_KEY }), gateway(server(SIMPLE))], [`IST0161 ${AT}`]],
    ["without a CA", [secret("s", { "tls.crt": CERTIFICATE, "tls.key": KEY }), gateway(server(MUTUAL))], [`IST0161 ${AT}`]],
    ["a list", [GOOD, gateway(server("{mode: SIMPLE, credentialNames: [s, t]}"))], ["IST0101 spec.servers[0].tls.credentialNames[1]"]],
    [
      "the CA by another name",
      [GOOD, gateway(server("{mode: MUTUAL, credentialName: s, caCertCredentialName: t}"))],
      ["IST0101 spec.servers[0].tls.caCertCredentialName"],
    ],
    ["SIMPLE asks for no CA", [secret("s", { "tls.crt": CERTIFICATE, "tls.key": KEY }), gateway(server(SIMPLE))], []],
    ["the workload's own", [gateway(server('{mode: SIMPLE, credentialName: "builtin://"}'))], []],
    ["no credentials", [gateway(server("{mode: PASSTHROUGH}"))], []],
  ])("%s", (_, documents, expected) => {
    expect(codes(documents)).toEqual(expected);
  });

  test("where the gateway runs: its Deployment's namespace", () => {
    const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: own, namespace: store}
spec: {selector: {matchLabels: {istio: own}}, template: {metadata: {labels: {istio: own}}, spec: {containers: [{name: a, image: gateway}]}}}
`;
    const own = gateway(server(SIMPLE)).replace("ingressgateway", "own");
    expect(codes([deployment, own, GOOD])).toEqual([`IST0101 ${AT}`]);
    expect(codes([deployment, own, GOOD.replace("istio-system", "store")])).toEqual([]);
  });
});

test("credentials of rules: anywhere, unless a rule says whose it is", () => {
  const service = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: store}
spec: {hosts: [bank.com], ports: [{number: 443, name: https, protocol: HTTPS}], resolution: STATIC, endpoints: [{address: 127.0.0.1}]}
`;
  const rule = (more: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bank, namespace: store}
spec: {host: bank.com, trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: MUTUAL, credentialName: s}}]}${more}}
`;
  const missing = ["IST0101 spec.trafficPolicy.portLevelSettings[0].tls.credentialName"];
  expect(codes([service, rule("")])).toEqual(missing);
  expect(codes([service, rule(""), GOOD])).toEqual([]);
  expect(codes([service, rule(""), secret("s", { "ca.crt": CERTIFICATE })])).toEqual(missing);
  expect(codes([service, rule(", workloadSelector: {matchLabels: {app: a}}"), GOOD])).toEqual(missing);
});

test("one certificate in two Gateways of one workload", () => {
  const two = [GOOD, gateway(server(SIMPLE, "a.com"), "one"), gateway(server(SIMPLE, "b.com"), "two", ", app: x")];
  expect(check(two).filter(([code]) => code === "IST0138")).toEqual([
    [
      "IST0138",
      "metadata.name",
      "Duplicate certificate in multiple gateways [store/one store/two] may cause 404s if clients re-use HTTP2 connections.",
    ],
  ]);
  const files = (key: string): string => `{mode: SIMPLE, serverCertificate: /a.crt, privateKey: ${key}}`;
  const twice = [gateway(server(files("/a.key")), "one"), gateway(server(files("/a.key"), "b.com"), "two")];
  expect(codes(twice)).toEqual(["IST0138 metadata.name", "IST0138 metadata.name"]);
  expect(codes([gateway(server(files("/a.key")), "one"), gateway(server(files("/b.key"), "b.com"), "two")])).toEqual([]);
});

test("servers of one port that a connection cannot be told apart by", () => {
  const plain = '{port: {number: 443, name: http, protocol: HTTP}, hosts: ["*"]}';
  const paths = (servers: string): readonly string[] => codes([GOOD, gateway(servers)]).filter((code) => code.startsWith("SERIN0211"));
  expect(paths(`${server(SIMPLE, "a.com")}, ${plain}`)).toEqual([]);
  expect(paths(`${server(SIMPLE, "*")}, ${plain}`)).toEqual(["SERIN0211 spec.servers[1].hosts"]);
  expect(paths(`${server(SIMPLE, "one/a.com", 443, "x")}, ${server(SIMPLE, "two/a.com", 443, "y")}`)).toEqual([
    "SERIN0211 spec.servers[1].hosts",
  ]);
});

test("tls of Sidecar.ingress needs a setting", () => {
  const sidecar = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: store}
spec:
  ingress: [{port: {number: 8443, name: https, protocol: HTTPS}, defaultEndpoint: "127.0.0.1:8080", tls: {mode: SIMPLE, serverCertificate: /a.crt, privateKey: /a.key}}]
`;
  expect(codes([sidecar])).toEqual(["SERIN0212 spec.ingress[0].tls"]);
  expect(codes([sidecar], { tlsOnSidecarIngress: true })).toEqual([]);
});
