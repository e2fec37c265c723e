// HTTPMatchRequest: the conditions of one rule.
import { labels, must, portOrZero } from "../checks/fields.ts";
import { matchHeaderProblem } from "../checks/headers.ts";
import { isDnsLabel } from "../checks/names.ts";
import { joinPath } from "../field-path.ts";
import { bool, list, map, type MapSchema, nullable, obj, type ObjectSchema, type Schema, str } from "../schema/schema.ts";
import { gatewayNames } from "./gateway-names.ts";
import { stringMatch } from "./string-match.ts";

export const sourceNamespace = str({
  check: must((name: string) => (name === "" || isDnsLabel(name) ? undefined : `${JSON.stringify(name)} is no namespace`)),
});

function headerMatches(match: Schema): MapSchema {
  return map(nullable(match), {
    check: (entries, path, report) => {
      for (const name of Object.keys(entries)) {
        const message = matchHeaderProblem(name);
        if (message !== undefined) report.error(joinPath(path, name), message);
      }
    },
  });
}

export const httpMatch: ObjectSchema = obj({
  name: str(),
  uri: stringMatch({ emptyPrefix: true }),
  scheme: stringMatch(),
  method: stringMatch(),
  authority: stringMatch(),
  headers: headerMatches(stringMatch()),
  withoutHeaders: headerMatches(stringMatch({ starRegex: true })),
  queryParams: map(nullable(stringMatch())),
  ignoreUriCase: bool(),
  port: portOrZero,
  sourceLabels: labels(),
  sourceNamespace,
  gateways: gatewayNames,
  statPrefix: str(),
});

/** An entry that is null matches everything. */
export const httpMatches = list(nullable(httpMatch));
