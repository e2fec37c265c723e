// `headers.request|response.set|add|remove` of routes and destinations.
import { must } from "../checks/fields.ts";
import { headerOperationProblem, headerValueProblem, requestHeaderProblem } from "../checks/headers.ts";
import { joinPath } from "../field-path.ts";
import { list, map, type MapSchema, obj, type ObjectSchema, str } from "../schema/schema.ts";

const value = str({ check: must(headerValueProblem, "Write %% for a percent sign.") });

function names(problem: (name: string) => string | undefined): MapSchema {
  return map(value, {
    check: (headers, path, report) => {
      for (const name of Object.keys(headers)) {
        const message = problem(name);
        if (message !== undefined) report.error(joinPath(path, name), message);
      }
    },
  });
}

function operations(problem: (name: string) => string | undefined): ObjectSchema {
  return obj({ set: names(problem), add: names(problem), remove: list(str({ check: must(headerOperationProblem) })) });
}

export const headers: ObjectSchema = obj({ request: operations(requestHeaderProblem), response: operations(headerOperationProblem) });
