import { expect, test } from "vitest";
import { servedPorts } from "./served-ports.ts";

const http = { name: "http", containerPort: 80, appPort: 1, meshPort: 2 };
const admin = { containerPort: 9090, appPort: 3, meshPort: 4 };

test.each([
  ["by name", { app: "a" }, [{ port: 8080, targetPort: "http" }], [http]],
  ["by number", { app: "a" }, [{ port: 1, targetPort: 9090 }], [admin]],
  ["the Service's own port without targetPort", { app: "a" }, [{ port: 80 }], [http]],
  ["another pod's Service", { app: "b" }, [{ port: 80 }], []],
  ["a Service without selector", {}, [{ port: 80 }], []],
  ["a key of Object", { constructor: "x" }, [{ port: 80 }], []],
  ["UDP", { app: "a" }, [{ port: 80, protocol: "UDP" }], []],
] as const)("%s", (...[, selector, ports, expected]) => {
  const services = [{ name: "s", clusterIP: "", selector, ports }];
  expect(servedPorts([http, admin], { services, labels: { app: "a", version: "v1" } })).toEqual(expected);
});
