// RequestAuthentication (https://istio.io/latest/docs/reference/config/security/request_authentication/, istio validateJwtRule).
import { duration, must } from "../checks/fields.ts";
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { bool, list, obj, oldName, req, str } from "../schema/schema.ts";
import { matchLabelsSelector, oneSelector, targetRef, targetRefs } from "./selectors.ts";

interface JwtRule {
  readonly issuer?: string;
  readonly jwksUri?: string;
  readonly jwks?: string;
}

function uriProblem(text: string): string | undefined {
  return /^https?:\/\/[^/?#\s]+/.test(text) ? undefined : `${JSON.stringify(text)} is no http:// or https:// address`;
}

const texts = list(str({ min: 1 }));
const jwksUri = str({ min: 1, max: 2048, check: must(uriProblem) });

const jwtRule = obj<JwtRule>(
  {
    issuer: str({ min: 1 }),
    audiences: texts,
    jwksUri,
    jwks_uri: oldName(jwksUri, "jwksUri"),
    jwks: str(),
    fromHeaders: list(obj({ name: req(str({ min: 1 })), prefix: str() })),
    fromParams: texts,
    fromCookies: texts,
    outputPayloadToHeader: str(),
    outputClaimToHeaders: list(
      obj({ header: req(str({ min: 1, pattern: /^[-_A-Za-z0-9]+$/, patternName: "a header name" })), claim: req(str({ min: 1 })) }),
    ),
    forwardOriginalToken: bool(),
    timeout: duration(),
    spaceDelimitedClaims: list(str({ min: 1 }), { max: 64 }),
  },
  { oneOf: [["jwksUri", "jwks"]], check: checkJwtRule },
);

function checkJwtRule(rule: JwtRule, path: string, report: Report): void {
  if (rule.issuer === undefined && rule.jwksUri === undefined) report.error(path, "a rule has issuer or jwksUri", "Add issuer.");
  if (rule.jwks === undefined || rule.jwks === "") return;
  const at = joinPath(path, "jwks");
  try {
    const set = JSON.parse(rule.jwks) as { readonly keys?: readonly Readonly<Record<string, unknown>>[] } | null;
    if (typeof set !== "object" || set === null) throw new Error("no object");
    const keys = Array.isArray(set.keys) ? set.keys : [set as Readonly<Record<string, unknown>>];
    if (keys.some((key) => key["d"] !== undefined || key["k"] !== undefined))
      report.warning(at, "jwks has private keys; only public ones are used", "Remove the private parts.");
  } catch {
    report.error(at, "jwks is no JSON Web Key Set", "Write it as JSON.");
  }
}

export const requestAuthenticationSchema = obj(
  { selector: matchLabelsSelector, targetRef, targetRefs, jwtRules: list(jwtRule, { max: 4096 }) },
  { rules: [oneSelector(["selector", "targetRef", "targetRefs"])] },
);
