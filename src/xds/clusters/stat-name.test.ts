import { expect, test } from "vitest";
import { statName, type StatSubject } from "./stat-name.ts";

const KUBERNETES: StatSubject = {
  hostname: "cart.shop.svc.cluster.local",
  name: "cart",
  namespace: "shop",
  registry: "Kubernetes",
  subset: "v1",
  port: 80,
  portName: "http",
  targetPort: 8080,
};
const ALL = "%SERVICE%_%SERVICE_NAME%_%SERVICE_FQDN%_%SUBSET_NAME%_%SERVICE_PORT%_%SERVICE_PORT_NAME%_%TARGET_PORT%";

test.each<[string, string, StatSubject | undefined, string]>([
  ["no pattern", "", KUBERNETES, "outbound|80|v1|cart;"],
  ["of no service", ALL, undefined, "outbound|80|v1|cart;"],
  ["a Kubernetes service", ALL, KUBERNETES, "cart.shop_cart_cart.shop.svc.cluster.local_v1_80_http_8080;"],
  [
    "a ServiceEntry's host stays whole",
    "%SERVICE%/%SERVICE_NAME%",
    { ...KUBERNETES, registry: "External", hostname: "a.com" },
    "a.com/a.com;",
  ],
])("%s", (_, pattern, subject, expected) => {
  expect(statName(pattern, "outbound|80|v1|cart", subject)).toBe(expected);
});
