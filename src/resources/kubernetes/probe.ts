// Probes with Kubernetes' defaults (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe).
import { must } from "../checks/fields.ts";
import { isHeaderName } from "../checks/headers.ts";
import { enumOf, int, intOrString, list, obj, type ObjectSchema, req, str } from "../schema/schema.ts";
import { ignored } from "./ignored.ts";

/** A number, or the name of one of the container's ports. */
export const portOrName = intOrString({
  check: must((value: number | string) =>
    typeof value === "number"
      ? value >= 1 && value <= 65_535
        ? undefined
        : `a port is from 1 to 65535, but this is ${value}`
      : /^[a-z0-9](?:[-a-z0-9]{0,13}[a-z0-9])?$/.test(value) && /[a-z]/.test(value)
        ? undefined
        : `${JSON.stringify(value)} is neither a port nor the name of one`,
  ),
});

const portNumber = int({ min: 1, max: 65_535 });

export const handlers = {
  httpGet: obj({
    path: str(),
    port: req(portOrName),
    host: str(),
    scheme: enumOf(["HTTP", "HTTPS"], { default: "HTTP" }),
    httpHeaders: list(
      obj({
        name: req(str({ check: must((name: string) => (isHeaderName(name) ? undefined : `${JSON.stringify(name)} is no header name`)) })),
        value: req(str()),
      }),
    ),
  }),
  tcpSocket: obj({ port: req(portOrName), host: str() }),
  exec: obj({ command: req(list(str(), { min: 1 })) }),
};

export function probe(options: { readonly readiness: boolean }): ObjectSchema {
  return obj(
    {
      ...handlers,
      grpc: obj({ port: req(portNumber), service: str() }),
      initialDelaySeconds: int({ min: 0, default: 0 }),
      periodSeconds: int({ min: 0, default: 10 }),
      timeoutSeconds: int({ min: 0, default: 1 }),
      // Only readiness may ask for more than one success.
      successThreshold: int({ min: 0, ...(options.readiness ? {} : { max: 1 }), default: 1 }),
      failureThreshold: int({ min: 0, default: 3 }),
      ...ignored("terminationGracePeriodSeconds"),
    },
    {
      oneOf: [["httpGet", "tcpSocket", "exec", "grpc"]],
      check: (value, path, report) => {
        if (["httpGet", "tcpSocket", "exec", "grpc"].every((name) => value[name] === undefined)) {
          report.error(path, "a probe has httpGet, tcpSocket, exec or grpc", "Write one of them, or remove the probe.");
        }
      },
    },
  );
}
