import { describe, expect, test } from "vitest";
import { parseNode, scopeKey } from "./index.ts";

describe("parseNode", () => {
  test("a sidecar as Istio's agent names it", () => {
    const node = parseNode({
      id: "sidecar~10.0.0.7~demo4-v1-5d.x~test1.svc.cluster.local",
      metadata: {
        NAMESPACE: "test1",
        LABELS: { version: "v1", app: "demo4" },
        INSTANCE_IPS: "10.0.0.8, fe80::1",
        CLUSTER_ID: "Kubernetes",
        HTTP10: "1",
      },
      locality: { region: "eu", zone: "eu-1", sub_zone: "a" },
    });
    expect(node).toMatchObject({
      ok: true,
      value: {
        type: "sidecar",
        name: "demo4-v1-5d",
        namespace: "test1",
        ipAddresses: ["10.0.0.8", "fe80::1"],
        scope: { interceptionMode: "REDIRECT", http10: true, httpProxyPort: undefined, bindAddress: "0.0.0.0", locality: { subZone: "a" } },
      },
    });
  });

  test("the namespace comes from the name when the metadata has none", () => {
    const node = parseNode({
      id: "router~127.0.0.1~gw.istio-system~istio-system.svc.cluster.local",
      metadata: { HTTP_PROXY_PORT: "4000", INTERCEPTION_MODE: "NONE" },
    });
    expect(node).toMatchObject({
      ok: true,
      value: { namespace: "istio-system", scope: { httpProxyPort: 4000, interceptionMode: "NONE" } },
    });
  });

  test.each(["", "x", "sidecar~1.2.3.4~a.b", "ztunnel~1.2.3.4~a.b~c", "sidecar~nonsense~a.b~c", "sidecar~1.2.3.4~a.b~c~d"])(
    "%j is refused",
    (id) => {
      expect(parseNode({ id }).ok).toBe(false);
    },
  );

  test("equal scopes have equal keys whatever the order of the labels; a label makes a difference", () => {
    const key = (labels: Record<string, string>): string => {
      const node = parseNode({ id: "sidecar~1.2.3.4~a.b~b.svc", metadata: { LABELS: labels } });
      return node.ok ? scopeKey(node.value.scope) : "";
    };
    expect(key({ a: "1", b: "2" })).toBe(key({ b: "2", a: "1" }));
    expect(key({ a: "1" })).not.toBe(key({ a: "2" }));
  });
});
