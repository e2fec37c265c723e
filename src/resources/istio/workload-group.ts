// WorkloadGroup (https://istio.io/latest/docs/reference/config/networking/workload-group/).
import { labels, port } from "../checks/fields.ts";
import { enumOf, int32, list, map, obj, req, type Rule, str } from "../schema/schema.ts";
import { noPortsOnSocket, workloadEntryFields } from "./workload-entry.ts";

const seconds = int32({ min: 0 });

const METHODS = ["httpGet", "tcpSocket", "exec", "grpc"];

const needsMethod: Rule = {
  message: "a probe has one of httpGet, tcpSocket, exec and grpc",
  test: (self) => METHODS.some((name) => self[name] !== undefined),
  fix: "Add one.",
};

const probe = obj(
  {
    initialDelaySeconds: seconds,
    timeoutSeconds: seconds,
    periodSeconds: seconds,
    successThreshold: seconds,
    failureThreshold: seconds,
    httpGet: obj({
      path: str(),
      port: req(port),
      host: str(),
      scheme: enumOf(["", "HTTP", "HTTPS"]),
      httpHeaders: list(obj({ name: str({ pattern: /^[-_A-Za-z0-9]+$/, patternName: "a header name" }), value: str() })),
    }),
    tcpSocket: obj({ host: str(), port: req(port) }),
    exec: obj({ command: req(list(str({ min: 1 }), { min: 1 })) }),
    grpc: obj({ port, service: str() }),
  },
  { oneOf: [METHODS], rules: [needsMethod] },
);

export const workloadGroupSchema = obj({
  metadata: obj({ labels: labels({ max: 256 }), annotations: map(str(), { max: 256 }) }),
  template: req(obj(workloadEntryFields, { rules: [noPortsOnSocket] })),
  probe,
});
