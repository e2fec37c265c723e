// Names of gateways in VirtualServices: `mesh`, `name`, `namespace/name`, and the old `name.namespace…`.
import { fqdnProblem, isDnsLabel } from "../checks/names.ts";
import { type Check, list, str } from "../schema/schema.ts";

const UPPER = /[A-Z]/;

const checkName: Check<string> = (name, path, report) => {
  const slash = name.indexOf("/");
  if (slash === -1) {
    const message = fqdnProblem(name) ?? (UPPER.test(name) ? `${JSON.stringify(name)} is no gateway name` : undefined);
    if (message !== undefined) report.error(path, message, "Write mesh, NAME or NAMESPACE/NAME.");
    else if (name.includes(".")) {
      const [gateway, namespace] = name.split(".");
      report.warning(path, `${name} is the old form of a gateway's name`, `Write ${namespace}/${gateway}.`);
    }
    return;
  }
  for (const part of [name.slice(0, slash), name.slice(slash + 1)]) {
    if (!isDnsLabel(part) || UPPER.test(part)) {
      report.error(path, `${JSON.stringify(name)} is no gateway name`, "Write mesh, NAME or NAMESPACE/NAME.");
      return;
    }
  }
};

export const gatewayNames = list(str({ check: checkName }));
