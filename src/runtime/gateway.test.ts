import { expect, test } from "vitest";
import type { StoredResource } from "../admin-api/index.ts";
import { EGRESS, gatewayService, INGRESS, wantsEgress } from "./gateway.ts";

const stored = (kind: string, name: string, rest: object): StoredResource =>
  ({ kind, metadata: { name, namespace: "istio-system" }, ...rest }) as unknown as StoredResource;

function asked(selector: object | undefined, service?: object): boolean {
  const gateways = [stored("Gateway", "g", { spec: { selector } })];
  return wantsEgress({
    list: (kind) => (kind === "Gateway" ? gateways : []),
    find: () => (service === undefined ? undefined : (service as StoredResource)),
  });
}

test("the egress gateway is wanted when a Gateway selects its labels, and nobody has written its Service", () => {
  expect(asked({ istio: "egressgateway" })).toBe(true);
  expect(asked({ istio: "egressgateway", app: "istio-egressgateway" })).toBe(true);
  expect([asked({ istio: "ingressgateway" }), asked({ istio: "egressgateway", app: "mine" }), asked({}), asked(undefined)]).toEqual([
    false,
    false,
    false,
    false,
  ]);
  const own = JSON.parse(gatewayService(EGRESS, { http: 1, https: 2 })) as object;
  expect(asked({ istio: "egressgateway" }, own)).toBe(true);
  expect(asked({ istio: "egressgateway" }, stored("Service", EGRESS.name, {}))).toBe(false);
});

test("their Services lead from 80 and 443 to where they listen", () => {
  const of = (role: typeof INGRESS) => JSON.parse(gatewayService(role, { http: 8080, https: 8443 })) as { metadata: object; spec: object };
  expect(of(INGRESS)).toMatchObject({
    metadata: { name: "istio-ingressgateway" },
    spec: { type: "LoadBalancer", selector: INGRESS.labels },
  });
  expect(of(EGRESS)).toMatchObject({
    metadata: { name: "istio-egressgateway", namespace: "istio-system" },
    spec: {
      type: "ClusterIP",
      ports: [
        { port: 80, targetPort: 8080 },
        { port: 443, targetPort: 8443 },
      ],
    },
  });
});
