import { expect, test } from "vitest";
import type { StoredResource } from "../admin-api/index.ts";
import { toContainerEnv } from "./container-env.ts";
import { allowedEnv, expandVariables, portEnv, proxyEnv, serviceEnv } from "./pod-env.ts";

test("only what programs need passes from this machine", () => {
  expect(allowedEnv({ PATH: "/bin", AWS_SECRET_ACCESS_KEY: "x", NODE_OPTIONS: "--inspect", HOME: "/h" })).toEqual({
    PATH: "/bin",
    HOME: "/h",
  });
});

test("Kubernetes' service variables; headless Services have none", () => {
  const env = serviceEnv([
    {
      name: "demo4-api",
      clusterIP: "10.96.0.7",
      ports: [
        { name: "http-web", port: 80 },
        { name: "dns", port: 53, protocol: "UDP" },
      ],
    },
    { name: "headless", clusterIP: "None", ports: [{ port: 1 }] },
  ]);
  expect(env).toEqual({
    DEMO4_API_SERVICE_HOST: "10.96.0.7",
    DEMO4_API_SERVICE_PORT: "80",
    DEMO4_API_SERVICE_PORT_HTTP_WEB: "80",
    DEMO4_API_SERVICE_PORT_DNS: "53",
    DEMO4_API_PORT: "tcp://10.96.0.7:80",
    DEMO4_API_PORT_80_TCP: "tcp://10.96.0.7:80",
    DEMO4_API_PORT_80_TCP_PROTO: "tcp",
    DEMO4_API_PORT_80_TCP_PORT: "80",
    DEMO4_API_PORT_80_TCP_ADDR: "10.96.0.7",
    DEMO4_API_PORT_53_UDP: "udp://10.96.0.7:53",
    DEMO4_API_PORT_53_UDP_PROTO: "udp",
    DEMO4_API_PORT_53_UDP_PORT: "53",
    DEMO4_API_PORT_53_UDP_ADDR: "10.96.0.7",
  });
});

test("ports by name and number, the first as PORT", () => {
  expect(
    portEnv([
      { name: "http-web", containerPort: 80, appPort: 20001, meshPort: 20002 },
      { containerPort: 9090, appPort: 20003, meshPort: 20004 },
    ]),
  ).toEqual({
    PORT: "20001",
    PORT_80: "20001",
    PORT_HTTP_WEB: "20001",
    PORT_9090: "20003",
  });
});

test("the sidecar as proxy, loopback without it", () => {
  expect(proxyEnv(20005)).toMatchObject({
    HTTP_PROXY: "http://127.0.0.1:20005",
    http_proxy: "http://127.0.0.1:20005",
    NO_PROXY: "localhost,127.0.0.1,::1",
  });
});

test("$(NAME) is expanded, unknown names stay, $$( escapes", () => {
  expect(expandVariables("--port=$(PORT) $(NOPE) $$(PORT) $PORT $(toString)", { PORT: "1" })).toBe(
    "--port=1 $(NOPE) $(PORT) $PORT $(toString)",
  );
});

const stored = (kind: string, name: string, data: object): StoredResource =>
  ({ apiVersion: "v1", kind, metadata: { name, namespace: "n" }, data }) as unknown as StoredResource;
const found = new Map([
  ["ConfigMap/c", stored("ConfigMap", "c", { A: "1", B: "2" })],
  ["Secret/s", stored("Secret", "s", { P: Buffer.from("geheim").toString("base64") })],
]);

function envOf(container: object): unknown {
  const result = toContainerEnv({
    container: { name: "c", image: "i", ...container },
    pod: { name: "p", namespace: "n", labels: { app: "x" }, annotations: {}, serviceAccount: "sa" },
    base: { PORT: "1" },
    find: (kind, name) => found.get(`${kind}/${name}`),
  });
  return result.ok ? result.value : result.error;
}

test("env from values, ConfigMaps, Secrets and fields; later names win", () => {
  expect(
    envOf({
      envFrom: [
        { prefix: "X_", configMapRef: { name: "c" } },
        { configMapRef: { name: "c" } },
        { secretRef: { name: "no", optional: true } },
      ],
      env: [
        { name: "B", value: "b $(PORT) $(A)" },
        { name: "P", valueFrom: { secretKeyRef: { name: "s", key: "P" } } },
        { name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "L", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: "O", valueFrom: { configMapKeyRef: { name: "c", key: "none", optional: true } } },
      ],
    }),
  ).toEqual({ X_A: "1", X_B: "2", A: "1", B: "b 1 1", P: "geheim", N: "p", L: "x" });
});

test.each([
  [{ envFrom: [{ configMapRef: { name: "no" } }] }, "ConfigMap no does not exist"],
  [{ env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "q" } } }] }, "Secret s has no key q"],
  [{ env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "constructor" } } }] }, "Secret s has no key constructor"],
  [{ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.x" } } }] }, "field spec.x is not known"],
  [{ env: [{ name: "A", valueFrom: { resourceFieldRef: {} } }] }, "not supported"],
])("what is missing is named: %j", (container, why) => {
  expect(envOf(container)).toContain(why);
});
