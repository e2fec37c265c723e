import { expect, test } from "vitest";
import { needsSidecar } from "./injection.ts";

const on = { "sidecar.istio.io/inject": "true" };
const off = { "sidecar.istio.io/inject": "false" };
const enabled = { "istio-injection": "enabled" };
const disabled = { "istio-injection": "disabled" };

test.each([
  ["nothing said", {}, {}, {}, false],
  ["namespace enabled", enabled, {}, {}, true],
  ["namespace of a revision", { "istio.io/rev": "r1" }, {}, {}, true],
  ["label alone", {}, on, {}, true],
  ["annotation alone", {}, {}, on, true],
  ["label against namespace", enabled, off, {}, false],
  ["annotation against namespace", enabled, {}, off, false],
  ["label wins over annotation", enabled, off, on, false],
  ["label wins over annotation, the other way", {}, on, off, true],
  ["namespace disabled wins over all", disabled, on, on, false],
  ["pod of a revision", {}, { "istio.io/rev": "r1" }, {}, true],
  ["words other than true and false say nothing", enabled, { "sidecar.istio.io/inject": "maybe" }, {}, true],
] as const)("%s", (_, ...[namespaceLabels, podLabels, podAnnotations, expected]) => {
  expect(needsSidecar({ namespace: "test1", namespaceLabels, podLabels, podAnnotations })).toBe(expected);
});

test.each(["kube-system", "istio-system"])("never in %s", (namespace) => {
  expect(needsSidecar({ namespace, namespaceLabels: enabled, podLabels: on, podAnnotations: on })).toBe(false);
});
