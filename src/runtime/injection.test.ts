import { expect, test } from "vitest";
import { type InjectionInput, needsSidecar } from "./injection.ts";

const on = { "sidecar.istio.io/inject": "true" };
const off = { "sidecar.istio.io/inject": "false" };
const enabled = { "istio-injection": "enabled" };
const disabled = { "istio-injection": "disabled" };

test.each<readonly [string, Omit<InjectionInput, "namespace">, boolean]>([
  ["nothing said", { namespaceLabels: {}, podLabels: {}, podAnnotations: {} }, false],
  ["namespace enabled", { namespaceLabels: enabled, podLabels: {}, podAnnotations: {} }, true],
  ["namespace of a revision", { namespaceLabels: { "istio.io/rev": "r1" }, podLabels: {}, podAnnotations: {} }, true],
  ["label alone", { namespaceLabels: {}, podLabels: on, podAnnotations: {} }, true],
  ["annotation alone", { namespaceLabels: {}, podLabels: {}, podAnnotations: on }, true],
  ["label against namespace", { namespaceLabels: enabled, podLabels: off, podAnnotations: {} }, false],
  ["annotation against namespace", { namespaceLabels: enabled, podLabels: {}, podAnnotations: off }, false],
  ["label wins over annotation", { namespaceLabels: enabled, podLabels: off, podAnnotations: on }, false],
  ["label wins over annotation, the other way", { namespaceLabels: {}, podLabels: on, podAnnotations: off }, true],
  ["namespace disabled wins over all", { namespaceLabels: disabled, podLabels: on, podAnnotations: on }, false],
  ["pod of a revision", { namespaceLabels: {}, podLabels: { "istio.io/rev": "r1" }, podAnnotations: {} }, true],
  [
    "words other than true and false say nothing",
    { namespaceLabels: enabled, podLabels: { "sidecar.istio.io/inject": "maybe" }, podAnnotations: {} },
    true,
  ],
])("%s", (_, input, expected) => {
  expect(needsSidecar({ namespace: "test1", ...input })).toBe(expected);
});

test.each(["kube-system", "istio-system"])("never in %s", (namespace) => {
  expect(needsSidecar({ namespace, namespaceLabels: enabled, podLabels: on, podAnnotations: on })).toBe(false);
});
