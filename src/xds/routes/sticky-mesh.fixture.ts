// A gateway before one service with a subset for each version, for tests of sticky shares.
export interface Mesh {
  readonly port: number;
  /** Weights by version. */
  readonly weights: Readonly<Record<string, number>>;
  readonly loadBalancer?: string;
  readonly endpoints?: readonly { readonly port: number; readonly version: string }[];
  readonly annotations?: string;
  readonly meshConfig?: unknown;
}

/** A gateway before one service with a subset for each version; answers say which version they are from. */
export function meshText({ port, weights, loadBalancer, endpoints = [], annotations = `serin.dev/sticky-shares: "true"` }: Mesh): string {
  const versions = Object.keys(weights);
  const destinations = versions.map(
    (version) =>
      `{destination: {host: shop, subset: ${version}}, weight: ${weights[version]}, headers: {response: {set: {x-version: ${version}}}}}`,
  );
  const addresses = endpoints.map((one) => `{address: 127.0.0.1, ports: {http: ${one.port}}, labels: {version: ${one.version}}}`);
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: ${port}, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shop, namespace: default}
spec: {hosts: [shop.default.svc.cluster.local], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [${addresses.join()}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: default}
spec:
  host: shop
  subsets: [${versions.map((version) => `{name: ${version}, labels: {version: ${version}}}`).join()}]
  ${loadBalancer === undefined ? "" : `trafficPolicy: {loadBalancer: ${loadBalancer}}`}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default, annotations: {${annotations}}}
spec: {hosts: ["*"], gateways: [edge], http: [{name: main, retries: {attempts: 0}, route: [${destinations.join()}]}]}
`;
}
