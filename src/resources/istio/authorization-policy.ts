// AuthorizationPolicy (https://istio.io/latest/docs/reference/config/security/authorization-policy/, istio ValidateAuthorizationPolicy).
import { must, subnet } from "../checks/fields.ts";
import { extendPath, pathOf } from "../field-path.ts";
import type { ResourceCheck } from "../kind.ts";
import type { Report } from "../report.ts";
import { enumOf, list, obj, req, type Rule, type Schema, str } from "../schema/schema.ts";
import { matchLabelsSelector, oneSelector, targetRef, targetRefs } from "./selectors.ts";

const texts = list(str({ check: must((text: string) => (text === "" ? "must not be empty" : undefined)) }));
const blocks = list(subnet);
const accounts = list(str({ max: 320, check: must(accountProblem) }), { max: 16 });
const ports = list(
  str({
    check: must((text: string) =>
      /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535 ? undefined : `${JSON.stringify(text)} is no port`,
    ),
  }),
);
const paths = list(str({ check: must(pathProblem) }));

function accountProblem(text: string): string | undefined {
  const parts = text.split("/");
  return parts.length <= 2 && parts.every((part) => part !== "") ? undefined : `${JSON.stringify(text)} is no service account`;
}

/** `{*}` is one segment, `{**}` any number and last among the wildcards; both stand alone in their segment. */
function pathProblem(text: string): string | undefined {
  if (text === "") return "must not be empty";
  if (!/\{\*\*?\}/.test(text)) return undefined;
  if (text.replaceAll(/\{\*\*?\}/g, "").includes("*")) return "a path template has no * outside of {*} and {**}";
  const segments = text.replace(/^\//, "").split("/");
  if (segments.some((segment) => /\{\*\*?\}/.test(segment) && !/^\{\*\*?\}$/.test(segment)))
    return "{*} and {**} stand alone between slashes";
  const rest = segments.indexOf("{**}");
  if (rest !== -1 && segments.slice(rest + 1).some((segment) => segment.startsWith("{*"))) return "after {**} comes no other wildcard";
  return undefined;
}

const accountsRule: Rule = {
  message: "serviceAccounts and principals or namespaces exclude each other",
  test: (self) =>
    (self["serviceAccounts"] === undefined && self["notServiceAccounts"] === undefined) ||
    ["principals", "notPrincipals", "namespaces", "notNamespaces"].every((field) => self[field] === undefined),
  field: "serviceAccounts",
  fix: "Keep one of them.",
};

function withNegations(fields: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, schema]) => [
      [name, schema],
      [`not${name.charAt(0).toUpperCase()}${name.slice(1)}`, schema],
    ]),
  );
}

const source = obj(
  withNegations({
    principals: texts,
    requestPrincipals: texts,
    namespaces: texts,
    serviceAccounts: accounts,
    ipBlocks: blocks,
    remoteIpBlocks: blocks,
    trustDomains: texts,
  }),
  { rules: [accountsRule], check: notEmpty("a source") },
);
const operation = obj(withNegations({ hosts: texts, ports, methods: texts, paths }), { check: notEmpty("an operation") });

function notEmpty(what: string) {
  return (value: Readonly<Record<string, unknown>>, path: string, report: Report): void => {
    if (Object.values(value).every((entry) => (entry as readonly unknown[]).length === 0))
      report.error(path, `${what} must not be empty`, "Write a field, or remove it.");
  };
}

const WHEN = [
  /^request\.headers\[.+\]$/, /^(?:source|remote)\.ip$/, /^source\.(?:namespace|principal|serviceAccount|trustDomain)$/,
  /^request\.auth\.(?:principal|audiences|presenter)$/, /^request\.auth\.claims(?:\[.+\])+$/, /^destination\.(?:ip|port|labels\[.+\])$/, /^connection\.sni$/, /^experimental\.envoy\.filters\..+/,
]; // prettier-ignore

const when = obj<{ readonly values?: readonly string[]; readonly notValues?: readonly string[] }>(
  {
    key: req(
      str({
        min: 1,
        check: must(
          (key: string) => (WHEN.some((form) => form.test(key)) ? undefined : `the condition ${JSON.stringify(key)} is not known`),
          "See https://istio.io/latest/docs/reference/config/security/conditions/.",
        ),
      }),
    ),
    values: list(str()),
    notValues: list(str()),
  },
  {
    check: (value, path, report) => {
      if ((value.values ?? []).length + (value.notValues ?? []).length === 0)
        report.error(path, "a condition has values or notValues", "Add one of them.");
    },
  },
);

const rule = obj({
  from: list(obj({ source: req(source) }), { min: 1, max: 512 }),
  to: list(obj({ operation: req(operation) }), { min: 1 }),
  when: list(when),
});

export const authorizationPolicySchema = obj(
  {
    selector: matchLabelsSelector,
    targetRef,
    targetRefs,
    action: enumOf(["ALLOW", "DENY", "AUDIT", "CUSTOM"]),
    provider: obj({ name: str() }),
    rules: list(rule, { max: 512 }),
  },
  { rules: [oneSelector(["selector", "targetRef", "targetRefs"])] },
);

interface PolicyShape {
  readonly action?: string;
  readonly provider?: { readonly name?: string };
  readonly rules?: readonly {
    readonly from?: readonly { readonly source: Readonly<Record<string, unknown>> }[];
    readonly to?: readonly { readonly operation: Readonly<Record<string, unknown>> }[];
    readonly when?: readonly { readonly key: string }[];
  }[];
}

export const checkAuthorizationPolicy: ResourceCheck<PolicyShape> = (spec, { report }) => {
  const { action = "ALLOW", rules } = spec;
  if ((action === "CUSTOM" || action === "DENY") && rules === undefined)
    report.error("spec", `${action} without rules never applies`, "Add rules; `rules: [{}]` takes in every request.");
  if (action === "CUSTOM" && (spec.provider?.name ?? "") === "")
    report.error("spec", "CUSTOM needs provider.name", "Name a provider of the mesh config.");
  if (action !== "CUSTOM" && spec.provider !== undefined)
    report.error("spec.provider", `provider belongs to action CUSTOM, not ${action}`, "Remove it, or set action: CUSTOM.");
  for (const [index, entry] of (rules ?? []).entries()) {
    const path = pathOf("spec", "rules", index);
    if (action === "CUSTOM") checkCustom(entry, path, report);
    if (action === "DENY" && isHttpOnly(entry))
      report.warning(path, "a DENY rule with HTTP fields only denies everything on TCP ports", "Add the ports that it is about.");
  }
};

type RuleShape = NonNullable<PolicyShape["rules"]>[number];

function checkCustom(entry: RuleShape, path: string, report: Report): void {
  const fields = ["namespaces", "serviceAccounts", "trustDomains", "principals", "requestPrincipals"];
  for (const [index, { source: from }] of (entry.from ?? []).entries()) {
    for (const name of Object.keys(from)) {
      const plain = name.replace(/^not(.)/, (_all, first: string) => first.toLowerCase());
      if (fields.includes(plain))
        report.error(
          extendPath(path, "from", index, "source", name),
          `${name} cannot be used with CUSTOM`,
          "Use ipBlocks or remoteIpBlocks.",
        );
    }
  }
  for (const [index, { key }] of (entry.when ?? []).entries()) {
    if (/^source\.(?:namespace|serviceAccount|trustDomain|principal)$|^request\.auth\./.test(key))
      report.error(extendPath(path, "when", index, "key"), `${key} cannot be used with CUSTOM`, "Remove the condition.");
  }
}

function isHttpOnly(entry: RuleShape): boolean {
  const has = (objects: readonly Readonly<Record<string, unknown>>[], fields: readonly string[]): boolean =>
    objects.some((object) => fields.some((field) => object[field] !== undefined));
  const from = (entry.from ?? []).map(({ source: value }) => value);
  const to = (entry.to ?? []).map(({ operation: value }) => value);
  const tcpFrom = has(from, [
    "principals",
    "notPrincipals",
    "ipBlocks",
    "notIpBlocks",
    "namespaces",
    "notNamespaces",
    "remoteIpBlocks",
    "notRemoteIpBlocks",
    "serviceAccounts",
    "notServiceAccounts",
  ]);
  return (from.length > 0 && to.length === 0 && !tcpFrom) || (to.length > 0 && !has(to, ["ports", "notPorts"]));
}
