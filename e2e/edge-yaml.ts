// One service behind a gateway: the resources that whole-system tests and the fault matrix play on.
export const HOST = "demo4.example.com";
/** Label `istio` of the proxies of each gateway. */
export const GATEWAYS = ["ingressgateway", "ingressgateway-2"] as const;
const SERVICE = "demo4.test1.svc.cluster.local";

export interface EdgeShape {
  readonly endpoints: readonly { readonly port: number; readonly version?: string }[];
  /** Of a second gateway, `GATEWAYS[1]`. */
  readonly secondPort?: number;
  /** By their label `version`. */
  readonly subsets?: readonly string[];
  /** Where the one HTTP rule goes; all endpoints when it is left out. */
  readonly routes?: readonly { readonly subset: string; readonly weight: number }[];
  /** Fields of the DestinationRule's trafficPolicy, in YAML's flow style. */
  readonly trafficPolicy?: string;
  /** Fields of the HTTP rule beside its destinations, in YAML's flow style. */
  readonly rule?: string;
  /** `match` of rules that come before it and go to the same place, in YAML's flow style. */
  readonly matchesBefore?: readonly string[];
  /** Sent back as `x-mark`, so that a test knows which config answers. */
  readonly mark?: string;
}

function gatewayYaml(index: 0 | 1, port: number): string {
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge-${index}, namespace: test1}
spec:
  selector: {istio: ${GATEWAYS[index]}}
  servers: [{port: {number: ${port}, name: http, protocol: HTTP}, hosts: [${HOST}]}]
---`;
}

function routesOf({ routes }: EdgeShape): string {
  if (routes === undefined) return `[{destination: {host: ${SERVICE}}}]`;
  return `[${routes.map(({ subset, weight }) => `{destination: {host: ${SERVICE}, subset: ${subset}}, weight: ${weight}}`).join(", ")}]`;
}

export function edgeYaml(gatewayPort: number, shape: EdgeShape): string {
  const endpoints = shape.endpoints.map(
    ({ port, version }) => `{address: 127.0.0.1, ports: {http: ${port}}${version === undefined ? "" : `, labels: {version: ${version}}`}}`,
  );
  const subsets = (shape.subsets ?? []).map((subset) => `{name: ${subset}, labels: {version: ${subset}}}`);
  const routes = routesOf(shape);
  const before = (shape.matchesBefore ?? []).map((match) => `  - {match: ${match}, route: ${routes}}\n`);
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: demo4, namespace: test1}
spec:
  hosts: [${SERVICE}]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [${endpoints.join(", ")}]
---${gatewayYaml(0, gatewayPort)}${shape.secondPort === undefined ? "" : gatewayYaml(1, shape.secondPort)}
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: demo4, namespace: test1}
spec:
  host: ${SERVICE}
  trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}${shape.trafficPolicy === undefined ? "" : `, ${shape.trafficPolicy}`}}
  subsets: [${subsets.join(", ")}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: demo4, namespace: test1}
spec:
  hosts: [${HOST}]
  gateways: [edge-0${shape.secondPort === undefined ? "" : ", edge-1"}]
  http:
${before.join("")}  - {headers: {response: {set: {x-mark: "${shape.mark ?? "-"}"}}}, route: ${routes}${shape.rule === undefined ? "" : `, ${shape.rule}`}}
`;
}
