// TrafficPolicy of a DestinationRule, its subsets and their ports (istio validateTrafficPolicy).
import { duration, percent, port } from "../checks/fields.ts";
import { fqdnProblem, isIpAddress } from "../checks/names.ts";
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { CODE } from "../report.ts";
import { bool, enumOf, int, int32, list, num, obj, type ObjectSchema, req, type Schema, str, uint32 } from "../schema/schema.ts";
import { clientTls } from "./client-tls.ts";
import { connectionPool } from "./connection-pool.ts";
import { loadBalancer } from "./load-balancer.ts";

interface OutlierSpec {
  readonly consecutiveErrors?: number;
  readonly splitExternalLocalOriginErrors?: boolean;
  readonly consecutiveLocalOriginFailures?: number;
}

export const outlierDetection: ObjectSchema = obj<OutlierSpec>(
  {
    consecutiveErrors: int32(),
    splitExternalLocalOriginErrors: bool(),
    consecutiveLocalOriginFailures: uint32(),
    consecutiveGatewayErrors: uint32(),
    consecutive5xxErrors: uint32(),
    interval: duration(),
    baseEjectionTime: duration(),
    maxEjectionPercent: percent,
    minHealthPercent: percent,
    outlierDetectionHttpErrorCodes: list(int({ min: 100, max: 599 })),
  },
  {
    check: (value, path, report) => {
      if ((value.consecutiveErrors ?? 0) !== 0) {
        report.add("warning", {
          code: CODE.deprecated,
          path: joinPath(path, "consecutiveErrors"),
          message: "consecutiveErrors is deprecated and does nothing",
          fix: "Use consecutive5xxErrors or consecutiveGatewayErrors.",
        });
      }
      if (value.splitExternalLocalOriginErrors !== true && (value.consecutiveLocalOriginFailures ?? 0) > 0) {
        report.error(
          joinPath(path, "consecutiveLocalOriginFailures"),
          "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true",
          "Add it.",
        );
      }
    },
  },
);

const perPort: Readonly<Record<string, Schema>> = { loadBalancer, connectionPool, outlierDetection, tls: clientTls };

function needsOne(fields: readonly string[], what: string) {
  return (value: Readonly<Record<string, unknown>>, path: string, report: Report): void => {
    if (fields.every((field) => value[field] === undefined))
      report.error(path, `${what} must not be empty`, `Write one of ${fields.join(", ")}, or remove it.`);
    if (value["loadBalancer"] !== undefined) warnFailover(value, path, report);
  };
}

/** Failover acts on ejected endpoints, so without outlier detection it never does. */
function warnFailover(value: Readonly<Record<string, unknown>>, path: string, report: Report): void {
  if (value["outlierDetection"] !== undefined) return;
  for (const name of ["localityLbSetting", "zoneAwareLbSetting"]) {
    const setting = (
      value["loadBalancer"] as Readonly<
        Record<string, { readonly failover?: readonly unknown[]; readonly failoverPriority?: readonly unknown[] } | undefined>
      >
    )[name];
    if ((setting?.failover ?? []).length + (setting?.failoverPriority ?? []).length > 0) {
      report.warning(
        joinPath(joinPath(path, "loadBalancer"), name),
        "failover does nothing without outlierDetection",
        "Add outlierDetection to this policy.",
      );
    }
  }
}

const PORT_FIELDS = ["loadBalancer", "connectionPool", "outlierDetection", "tls"];

const portLevelSettings = list(
  obj({ port: req(obj({ number: req(port) })), ...perPort }, { check: needsOne(PORT_FIELDS, "the settings of a port") }),
  { max: 4096 },
);

const tunnel = obj<{ readonly targetHost: string }>(
  { protocol: enumOf(["", "CONNECT", "POST"]), targetHost: req(str({ min: 1 })), targetPort: req(port) },
  {
    check: (value, path, report) => {
      const message = isIpAddress(value.targetHost) ? undefined : fqdnProblem(value.targetHost);
      if (message !== undefined) report.error(joinPath(path, "targetHost"), message, "Write a DNS name or an IP address.");
    },
  },
);

const checkPolicy = needsOne([...PORT_FIELDS, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget"], "a traffic policy");

export const trafficPolicy: ObjectSchema = obj(
  {
    ...perPort,
    portLevelSettings,
    tunnel,
    proxyProtocol: obj({ version: enumOf(["V1", "V2"]) }),
    retryBudget: obj({ percent: num({ min: 0, max: 100 }), minRetryConcurrency: uint32(), budgetInterval: duration({ zero: true }) }),
  },
  {
    check: (value, path, report) => {
      checkPolicy(value, path, report);
      if (value["tunnel"] !== undefined && value["proxyProtocol"] !== undefined)
        report.error(joinPath(path, "proxyProtocol"), "tunnel and proxyProtocol exclude each other", "Keep one of them.");
    },
  },
);
