// Checks and schemas of fields that many kinds share: ports, hosts, labels, durations, regexes.
import { parseDuration } from "../../kit/index.ts";
import { joinPath } from "../field-path.ts";
import { type Check, int, map, type MapSchema, type NumberSchema, str, type StringSchema, uint32 } from "../schema/schema.ts";
import {
  isDnsLabel,
  labelKeyProblem,
  labelValueProblem,
  parseProtocol,
  portProblem,
  PROTOCOL_NAMES,
  subnetProblem,
  wildcardDomainProblem,
} from "./names.ts";

/** A check from a function that says what is wrong. */
export function must<T>(problem: (value: T) => string | undefined, fix?: string): Check<T> {
  return (value, path, report) => {
    const message = problem(value);
    if (message !== undefined) report.error(path, message, fix);
  };
}

export const wildcardDomain: StringSchema = str({
  check: must(wildcardDomainProblem, "Write a DNS name such as demo.default.svc.cluster.local."),
});
export const subnet: StringSchema = str({ check: must(subnetProblem, "Write an address such as 10.0.0.1 or a block such as 10.0.0.0/8.") });
export const port: NumberSchema = uint32({ check: must(portProblem) });
/** 0 means "not set", as the API's uint32 cannot tell them apart. */
export const portOrZero: NumberSchema = uint32({ check: must((value: number) => (value === 0 ? undefined : portProblem(value))) });
export const percent: NumberSchema = int({ min: 0, max: 100 });

export const subsetName: StringSchema = str({
  check: must(
    (name: string) => (name === "" || isDnsLabel(name) ? undefined : `${JSON.stringify(name)} is no subset name`),
    "Use letters, digits and dashes, 63 at most.",
  ),
});

export const protocolName: StringSchema = str({
  check: must(
    (name: string) => (name === "" || parseProtocol(name) !== undefined ? undefined : `the protocol ${JSON.stringify(name)} is not known`),
    `Use one of ${PROTOCOL_NAMES}.`,
  ),
});

export const portName: StringSchema = str({
  check: must(
    (name: string) => (isDnsLabel(name) ? undefined : `${JSON.stringify(name)} is no port name`),
    "Use letters, digits and dashes, 63 at most.",
  ),
});

const checkLabels: Check<Readonly<Record<string, unknown>>> = (labels, path, report) => {
  for (const [key, value] of Object.entries(labels)) {
    const at = joinPath(path, key);
    const message = labelKeyProblem(key) ?? (typeof value === "string" ? labelValueProblem(value) : undefined);
    if (message !== undefined)
      report.error(at, message, "Use letters, digits, dashes, dots and underscores, beginning and ending with a letter or digit.");
  }
};

export function labels(options: { readonly max?: number; readonly lenient?: boolean } = {}): MapSchema {
  const { lenient = false, ...size } = options;
  return map(str({ lenient }), { ...size, check: checkLabels });
}

interface DurationRules {
  /** 0s is legal and switches off. */
  readonly zero?: boolean;
  /** Nothing finer than a second. */
  readonly seconds?: boolean;
}

/** Text, at least a millisecond, in whole milliseconds. */
export function duration(rules: DurationRules = {}): StringSchema {
  return str({
    check: must(
      (text: string) => durationProblem(text, rules),
      rules.seconds === true ? "Write it as 5s or 1m30s." : "Write it as 5s, 250ms or 1m30s.",
    ),
  });
}

function durationProblem(text: string, { zero = false, seconds = false }: DurationRules): string | undefined {
  const ms = parseDuration(text);
  if (ms === undefined) return `${JSON.stringify(text)} is no duration`;
  if (zero && ms === 0) return undefined;
  if (ms < 1) return `a duration is 1ms at least, but this is ${text}`;
  if (Math.abs(ms - Math.round(ms)) > 1e-6) return `a duration has whole milliseconds, but this is ${text}`;
  if (seconds && ms % 1000 !== 0) return `this takes whole seconds, but it is ${text}`;
  if (ms > 315_576_000_000 * 1000) return `the duration ${text} is too long`;
  return undefined;
}
