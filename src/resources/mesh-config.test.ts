import { describe, expect, test } from "vitest";
import { isIgnored } from "./kubernetes/ignored.ts";
import { meshConfigSchema, parseMeshConfig, parseProxyConfig } from "./mesh-config.ts";
import { reasonFor } from "./mesh-config-reasons.ts";
import type { Schema } from "./schema/schema.ts";

function ignoredPaths(schema: Schema, path = ""): readonly string[] {
  if (isIgnored(schema)) return [path];
  if (schema.type !== "object") return [];
  return Object.entries(schema.fields).flatMap(([name, field]) => ignoredPaths(field, path === "" ? name : `${path}.${name}`));
}

describe("MeshConfig", () => {
  const read = (text: string) => parseMeshConfig({ file: "mesh.yaml", text });
  const said = (text: string) => read(text).issues.map(({ line, severity, path, message, fix }) => [line, severity, path, message, fix]);

  test("every field without effect has its reason", () => {
    const plain = reasonFor("no such field");
    expect(ignoredPaths(meshConfigSchema).filter((path) => reasonFor(path).fix === plain.fix)).toEqual([]);
  });

  test("says at its place what has no effect, and why", () => {
    expect(said("verifyCertificateAtClient: true\ndefaultConfig:\n  statusPort: 1\n  tracing: {zipkin: {address: a}}")).toEqual([
      [
        1,
        "warning",
        "verifyCertificateAtClient",
        "verifyCertificateAtClient has no effect in Serin",
        expect.stringContaining("Istio ignores it"),
      ],
      [3, "warning", "defaultConfig.statusPort", "statusPort has no effect in Serin", expect.stringContaining("No agent runs beside")],
      [4, "warning", "defaultConfig.tracing.zipkin", "zipkin has no effect yet", expect.stringContaining("It waits for tracing")],
    ]);
  });

  test("selectors of namespaces are checked", () => {
    expect(said("discoverySelectors: [{matchLabels: {a: b}}, {matchExpressions: [{key: k, operator: In, values: [v]}]}]")).toEqual([]);
    expect(said("discoverySelectors: [{matchExpressions: [{key: k, operator: Exists, values: [v]}]}]")).toMatchObject([
      { 0: 1, 1: "error" },
    ]);
    expect(said("discoverySelectors: [{matchExpressions: [{key: k, operator: Some}]}]")).toMatchObject([{ 0: 1, 1: "error" }]);
    expect(said("serviceEntryVisibility: {defaultVisibility: NONE}")).toMatchObject([{ 1: "warning", 2: "serviceEntryVisibility" }]);
    expect(said("serviceEntryVisibility: {applyToSidecars: true, defaultVisibility: NONE}")).toEqual([]);
  });

  test("what generation reads is checked too", () => {
    expect(said("zoneAwareLbSetting: {minClusterSize: 0}")).toMatchObject([{ 1: "error", 2: "zoneAwareLbSetting.minClusterSize" }]);
    expect(said("defaultConfig: {gatewayTopology: {proxyProtocol: {}}, concurrency: 2, proxyMetadata: {A: b}}")).toEqual([]);
    expect(said("defaultConfig: {terminationDrainDuration: soon}")).toMatchObject([
      { 1: "error", 2: "defaultConfig.terminationDrainDuration" },
    ]);
  });

  test("a ProxyConfig alone has the same fields", () => {
    const { value, issues } = parseProxyConfig({ file: "annotation", text: "concurrency: 2\nimage: {imageType: debug}" });
    expect(value).toMatchObject({ concurrency: 2 });
    expect(issues).toMatchObject([{ line: 2, path: "image", message: "image has no effect in Serin" }]);
  });
});

function issuesOf(text: string): string[] {
  return parseMeshConfig({ file: "mesh.yaml", text }).issues.map(
    ({ severity, line, column, path, message }) => `${severity} ${line}:${column} ${path}: ${message}`,
  );
}

describe("outboundTrafficPolicy", () => {
  test.each(["ALLOW_ANY", "REGISTRY_ONLY", "ALLOW_ANY_DYNAMIC_DNS"])("mode %s", (mode) => {
    expect(issuesOf(`outboundTrafficPolicy: {mode: ${mode}}`)).toEqual([]);
  });

  test("TLS for hosts that requests name, with files", () => {
    const tls = "{mode: MUTUAL, clientCertificate: /c, privateKey: /k, caCertificates: /ca}";
    expect(issuesOf(`outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS, tls: ${tls}}`)).toEqual([]);
  });

  test("what makes no sense is refused where it stands", () => {
    expect(issuesOf("outboundTrafficPolicy:\n  mode: ALLOW_ANY\n  tls: {mode: SIMPLE}")).toEqual([
      "error 3:3 outboundTrafficPolicy.tls: tls needs mode ALLOW_ANY_DYNAMIC_DNS",
    ]);
    const tls = "tls:\n    mode: ISTIO_MUTUAL\n    credentialName: c";
    expect(issuesOf(`outboundTrafficPolicy:\n  mode: ALLOW_ANY_DYNAMIC_DNS\n  ${tls}`)).toEqual([
      "error 4:5 outboundTrafficPolicy.tls.mode: ISTIO_MUTUAL is for hosts of the mesh",
      "error 5:5 outboundTrafficPolicy.tls.credentialName: credentialName is for gateways",
    ]);
    expect(issuesOf("outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS, tls: {mode: MUTUAL}}")).toHaveLength(2);
  });
});
