// Telemetry (https://istio.io/latest/docs/reference/config/telemetry/).
import { duration } from "../checks/fields.ts";
import { bool, enumOf, list, map, num, obj, req, type Rule, str } from "../schema/schema.ts";
import { matchLabelsSelector, oneSelector, targetRef, targetRefs } from "./selectors.ts";

const METRICS = [
  "ALL_METRICS", "REQUEST_COUNT", "REQUEST_DURATION", "REQUEST_SIZE", "RESPONSE_SIZE", "TCP_OPENED_CONNECTIONS", "TCP_CLOSED_CONNECTIONS",
  "TCP_SENT_BYTES", "TCP_RECEIVED_BYTES", "GRPC_REQUEST_MESSAGES", "GRPC_RESPONSE_MESSAGES",
]; // prettier-ignore

const mode = enumOf(["CLIENT_AND_SERVER", "CLIENT", "SERVER"]);
const match = obj({ mode });
const providers = list(obj({ name: req(str({ min: 1 })) }));

const tagRules: readonly Rule[] = [
  {
    message: "UPSERT needs a value",
    test: (self) => self["operation"] !== "UPSERT" || (self["value"] ?? "") !== "",
    field: "value",
    fix: "Add value.",
  },
  {
    message: "REMOVE has no value",
    test: (self) => self["operation"] !== "REMOVE" || self["value"] === undefined,
    field: "value",
    fix: "Remove value.",
  },
];

const customTag = obj(
  {
    literal: obj({ value: req(str({ min: 1 })) }),
    environment: obj({ name: req(str({ min: 1 })), defaultValue: str() }),
    header: obj({ name: req(str({ min: 1 })), defaultValue: str() }),
    formatter: obj({ value: req(str({ min: 1 })) }),
  },
  { oneOf: [["literal", "environment", "header", "formatter"]] },
);

export const telemetrySchema = obj(
  {
    selector: matchLabelsSelector,
    targetRef,
    targetRefs,
    tracing: list(
      obj({
        match,
        providers,
        randomSamplingPercentage: num({ min: 0, max: 100 }),
        disableSpanReporting: bool(),
        customTags: map(customTag),
        useRequestIdForTraceSampling: bool(),
        enableIstioTags: bool(),
        disableContextPropagation: bool(),
      }),
    ),
    metrics: list(
      obj({
        providers,
        overrides: list(
          obj({
            match: obj({ metric: enumOf(METRICS), customMetric: str({ min: 1 }), mode }, { oneOf: [["metric", "customMetric"]] }),
            disabled: bool(),
            tagOverrides: map(obj({ operation: enumOf(["UPSERT", "REMOVE"]), value: str() }, { rules: tagRules })),
          }),
        ),
        reportingInterval: duration(),
      }),
    ),
    accessLogging: list(obj({ match, providers, disabled: bool(), filter: obj({ expression: str() }) })),
  },
  { rules: [oneSelector(["selector", "targetRef", "targetRefs"])] },
);
