// WasmPlugin (https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/).
import { must } from "../checks/fields.ts";
import { joinPath } from "../field-path.ts";
import { any, enumOf, int, int32, list, obj, req, type Rule, str } from "../schema/schema.ts";
import { matchLabelsSelector, oneSelector, targetRef, targetRefs } from "./selectors.ts";

function urlProblem(text: string): string | undefined {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  return scheme === undefined || ["http", "https", "oci", "file"].includes(scheme)
    ? undefined
    : `${JSON.stringify(text)} is none of http, https, oci, file`;
}

const inlineOnly: Rule = {
  message: "value belongs to valueFrom INLINE",
  test: (self) => self["valueFrom"] !== "HOST" || self["value"] === undefined,
  field: "value",
  fix: "Remove value.",
};

const env = list(
  obj({ name: req(str({ min: 1, max: 256 })), valueFrom: enumOf(["INLINE", "HOST"]), value: str({ max: 2048 }) }, { rules: [inlineOnly] }),
  {
    max: 256,
    check: (entries, path, report) => {
      const names = entries.map((entry) => (entry as { readonly name: string }).name);
      for (const [index, name] of names.entries())
        if (names.indexOf(name) < index) report.error(joinPath(path, index), `the variable ${name} stands twice`, "Remove one of the two.");
    },
  },
);

const ports = list(obj({ number: req(int({ min: 1, max: 65_535 })) }), {
  check: (entries, path, report) => {
    const numbers = entries.map((entry) => (entry as { readonly number: number }).number);
    for (const [index, number] of numbers.entries())
      if (numbers.indexOf(number) < index) report.error(joinPath(path, index), `the port ${number} stands twice`, "Remove one of the two.");
  },
});

export const wasmPluginSchema = obj(
  {
    selector: matchLabelsSelector,
    targetRef,
    targetRefs,
    url: req(str({ min: 1, check: must(urlProblem) })),
    sha256: str({ pattern: /^(?:|[a-f0-9]{64})$/, patternName: "a SHA-256 in hex" }),
    imagePullPolicy: enumOf(["UNSPECIFIED_POLICY", "IfNotPresent", "Always"]),
    imagePullSecret: str({ min: 1, max: 253 }),
    verificationKey: str(),
    pluginConfig: any(),
    pluginName: str({ min: 1, max: 256 }),
    phase: enumOf(["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"]),
    priority: int32(),
    failStrategy: enumOf(["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]),
    vmConfig: obj({ env }),
    match: list(obj({ mode: enumOf(["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"]), ports })),
    type: enumOf(["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"]),
  },
  { rules: [oneSelector(["selector", "targetRef", "targetRefs"])] },
);
