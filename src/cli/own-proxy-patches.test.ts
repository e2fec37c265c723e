import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseSources } from "../resources/index.ts";
import { buildMesh, checkReferences } from "../translate/index.ts";
import { checkPatch } from "./own-proxy-patches.ts";

const API = "type.googleapis.com/envoy";

function issuesOf(text: string): readonly { code: string; message: string }[] {
  return checkReferences(buildMesh({ resources: parseSources([{ file: "t.yaml", text }]).resources }), checkPatch);
}

function envoyFilter(patch: string): string {
  return `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f, namespace: default}
spec: {configPatches: [${patch}]}`;
}

describe("what Serin's own proxy would refuse is said", () => {
  test.each([
    [
      `{applyTo: HTTP_FILTER, patch: {operation: INSERT_FIRST, value: {name: lua, typed_config: {"@type": ${API}.extensions.filters.http.lua.v3.Lua}}}}`,
      "typed_config: envoy.extensions.filters.http.lua.v3.Lua is not supported",
    ],
    [
      `{applyTo: HTTP_ROUTE, patch: {operation: MERGE, value: {route: {hostRewriteHeader: x}}}}`,
      "route.hostRewriteHeader is not supported",
    ],
    [
      `{applyTo: VIRTUAL_HOST, patch: {operation: MERGE, value: {routes: [{}, {typed_per_filter_config: {x: {"@type": ${API}.extensions.filters.http.buffer.v3.BufferPerRoute}}}]}}}`,
      'routes[1].typed_per_filter_config["x"]: envoy.extensions.filters.http.buffer.v3.BufferPerRoute is not supported',
    ],
  ])("%s", (patch, expected) => {
    const issues = issuesOf(envoyFilter(patch));
    expect(issues.map(({ code }) => code)).toEqual(["SERIN0210"]);
    expect(issues[0]?.message).toContain(expected);
  });

  test.each([
    `{applyTo: CLUSTER, patch: {operation: REMOVE, value: {lrs_server: {self: {}}}}}`,
    `{applyTo: HTTP_FILTER, patch: {operation: ADD, value: {name: x, is_optional: true, typed_config: {"@type": ${API}.extensions.filters.http.lua.v3.Lua}}}}`,
    `{applyTo: CLUSTER, patch: {operation: MERGE, value: {connect_timeout: 1s, metadata: {filter_metadata: {a: {b: 1}}}}}}`,
  ])("nothing of %s", (patch) => {
    expect(issuesOf(envoyFilter(patch))).toEqual([]);
  });

  test("and nothing of what it plays as real Envoy does", () => {
    const cases = globSync(path.resolve(import.meta.dirname, "../../scenarios/protocols/envoyfilter-*.yaml"));
    expect(cases.length).toBeGreaterThanOrEqual(5);
    for (const file of cases) {
      const { resources } = parse(readFileSync(file, "utf8")) as { resources: string };
      expect([file, issuesOf(resources).filter(({ code }) => code === "SERIN0210")]).toEqual([file, []]);
    }
  });
});
