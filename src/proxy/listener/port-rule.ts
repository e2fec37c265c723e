// Which connections a listener filter leaves alone, by the port they go to.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener_components.proto (ListenerFilterChainMatchPredicate)
import type { PortRule } from "../config/index.ts";

/** No rule fits nothing. */
export function fitsPort(rule: PortRule | undefined, port: number): boolean {
  if (rule === undefined) return false;
  switch (rule.kind) {
    case "any":
      return true;
    case "range":
      return port >= rule.start && port < rule.end;
    case "not":
      return !fitsPort(rule.rule, port);
    case "or":
      return rule.rules.some((one) => fitsPort(one, port));
    case "and":
      return rule.rules.every((one) => fitsPort(one, port));
  }
}
