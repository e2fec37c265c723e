// ConnectionPoolSettings, of DestinationRules and Sidecars (istio validateConnectionPool).
import { duration, must } from "../checks/fields.ts";
import { joinPath } from "../field-path.ts";
import { bool, enumOf, int32, obj, type ObjectSchema, req, uint32 } from "../schema/schema.ts";

const count = int32({ check: must((value: number) => (value < 0 ? `must be 0 or more, but is ${value}` : undefined)) });

export const connectionPool: ObjectSchema = obj(
  {
    tcp: obj({
      maxConnections: count,
      connectTimeout: duration(),
      tcpKeepalive: obj({ probes: uint32(), time: duration(), interval: duration() }),
      maxConnectionDuration: duration(),
      idleTimeout: duration({ zero: true }),
    }),
    http: obj<{ readonly h2UpgradePolicy?: string; readonly useClientProtocol?: boolean }>(
      {
        http1MaxPendingRequests: count,
        http2MaxRequests: count,
        maxRequestsPerConnection: count,
        maxRetries: count,
        idleTimeout: duration(),
        h2UpgradePolicy: enumOf(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]),
        useClientProtocol: bool(),
        maxConcurrentStreams: count,
        http2KeepAlive: obj({ interval: req(duration()), timeout: req(duration()) }),
      },
      {
        check: (http, path, report) => {
          if (http.h2UpgradePolicy === "UPGRADE" && http.useClientProtocol === true) {
            report.error(
              joinPath(path, "useClientProtocol"),
              "useClientProtocol and h2UpgradePolicy UPGRADE exclude each other",
              "Keep one of them.",
            );
          }
        },
      },
    ),
  },
  {
    check: (pool, path, report) => {
      if (pool["tcp"] === undefined && pool["http"] === undefined)
        report.error(path, "a connection pool has tcp or http", "Write one of them, or remove it.");
    },
  },
);
