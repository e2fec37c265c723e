// LoadBalancerSettings (istio validateLoadBalancer).
import { duration, must } from "../checks/fields.ts";
import { joinPath } from "../field-path.ts";
import { CODE } from "../report.ts";
import { bool, enumOf, int, list, num, obj, type ObjectSchema, req, str } from "../schema/schema.ts";
import { localityLbSetting, zoneAwareLbSetting } from "./locality.ts";

const MAX_TABLE = 5_000_011;

function tableProblem(size: number): string | undefined {
  if (size === 0) return "a maglev table has a size";
  if (size >= MAX_TABLE) return `a maglev table is smaller than ${MAX_TABLE}`;
  return isPrime(size) ? undefined : `the size of a maglev table is a prime number, but ${size} is none`;
}

function isPrime(value: number): boolean {
  if (value < 4) return value > 0;
  if (value % 2 === 0) return false;
  for (let factor = 3; factor * factor <= value; factor += 2) if (value % factor === 0) return false;
  return true;
}

interface HashSpec {
  readonly httpHeaderName?: string;
  readonly minimumRingSize?: number;
  readonly ringHash?: unknown;
  readonly maglev?: unknown;
}

const consistentHash = obj<HashSpec>(
  {
    httpHeaderName: str(),
    httpCookie: obj<{ readonly attributes?: readonly { readonly name: string }[] }>(
      {
        name: req(str({ min: 1 })),
        path: str(),
        ttl: duration({ zero: true }),
        attributes: list(obj({ name: req(str({ min: 1 })), value: str() })),
      },
      {
        check: ({ attributes = [] }, path, report) => {
          for (const [index, { name }] of attributes.entries()) {
            if (attributes.slice(0, index).some((other) => other.name === name))
              report.error(joinPath(joinPath(path, "attributes"), index), `the attribute ${name} stands twice`, "Remove one of them.");
          }
        },
      },
    ),
    useSourceIp: bool(),
    httpQueryParameterName: str(),
    ringHash: obj({ minimumRingSize: int({ min: 0 }) }),
    maglev: obj({ tableSize: req(int({ min: 0, check: must(tableProblem, "Use 65537 or another prime.") })) }),
    minimumRingSize: int({ min: 0 }),
  },
  {
    oneOf: [
      ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"],
      ["ringHash", "maglev"],
    ],
    check: (value, path, report) => {
      if ((value.minimumRingSize ?? 0) === 0) return;
      const at = joinPath(path, "minimumRingSize");
      if (value.ringHash !== undefined || value.maglev !== undefined)
        report.error(at, "minimumRingSize and ringHash or maglev exclude each other", "Use ringHash.minimumRingSize.");
      else
        report.add("warning", {
          code: CODE.deprecated,
          path: at,
          message: "minimumRingSize is deprecated here",
          fix: "Use ringHash.minimumRingSize.",
        });
    },
  },
);

export const loadBalancer: ObjectSchema = obj(
  {
    simple: enumOf(["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"]),
    consistentHash,
    localityLbSetting,
    zoneAwareLbSetting,
    warmup: obj({
      duration: req(duration()),
      minimumPercent: num({ min: 0, max: 100 }),
      aggression: num({ check: must((value: number) => (value >= 1 ? undefined : `aggression is at least 1, but this is ${value}`)) }),
    }),
    warmupDurationSecs: duration(),
  },
  {
    oneOf: [["simple", "consistentHash"]],
    check: (value, path, report) => {
      if (value["localityLbSetting"] !== undefined && value["zoneAwareLbSetting"] !== undefined) {
        report.error(
          joinPath(path, "zoneAwareLbSetting"),
          "localityLbSetting and zoneAwareLbSetting exclude each other",
          "Keep one of them.",
        );
      }
      if (value["warmupDurationSecs"] !== undefined) {
        report.add("warning", {
          code: CODE.deprecated,
          path: joinPath(path, "warmupDurationSecs"),
          message: "warmupDurationSecs is deprecated",
          fix: "Use warmup.duration.",
        });
      }
    },
  },
);
