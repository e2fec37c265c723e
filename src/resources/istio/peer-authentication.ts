// PeerAuthentication (https://istio.io/latest/docs/reference/config/security/peer_authentication/).
import { joinPath } from "../field-path.ts";
import { enumOf, map, obj, type Rule } from "../schema/schema.ts";
import { matchLabelsSelector } from "./selectors.ts";

const mutualTls = obj({ mode: enumOf(["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]) });

const needsSelector: Rule = {
  message: "portLevelMtls needs a selector with labels",
  test: (self) =>
    self["portLevelMtls"] === undefined ||
    Object.keys((self["selector"] as { readonly matchLabels?: object } | undefined)?.matchLabels ?? {}).length > 0,
  field: "portLevelMtls",
  fix: "Add selector.matchLabels.",
};

export const peerAuthenticationSchema = obj(
  {
    selector: matchLabelsSelector,
    mtls: mutualTls,
    portLevelMtls: map(mutualTls, {
      min: 1,
      check: (ports, path, report) => {
        for (const port of Object.keys(ports)) {
          if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
            report.error(joinPath(path, port), `a port is from 1 to 65535, but this is ${port}`);
        }
      },
    }),
  },
  { rules: [needsSelector] },
);
