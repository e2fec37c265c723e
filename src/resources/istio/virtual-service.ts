// VirtualService in v1, v1beta1, v1alpha3 (https://istio.io/latest/docs/reference/config/networking/virtual-service/).
import { labels, portOrZero, subnet } from "../checks/fields.ts";
import { list, obj, req, str } from "../schema/schema.ts";
import { weightedDestinations } from "./destination.ts";
import { exportTo } from "./export-to.ts";
import { gatewayNames } from "./gateway-names.ts";
import { sourceNamespace } from "./http-match.ts";
import { httpRoute } from "./http-route.ts";

const l4Match = { destinationSubnets: list(subnet), port: portOrZero, sourceLabels: labels(), gateways: gatewayNames, sourceNamespace };

export const virtualServiceSchema = obj({
  hosts: list(str()),
  gateways: gatewayNames,
  http: list(httpRoute),
  tls: list(obj({ match: req(list(obj({ sniHosts: req(list(str())), ...l4Match }), { min: 1 })), route: weightedDestinations() })),
  tcp: list(obj({ match: list(obj({ ...l4Match, sourceSubnet: str() })), route: weightedDestinations() })),
  exportTo,
});
