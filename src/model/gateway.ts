// Gateways as one router proxy sees them: merged per listening address, conflicts already dropped (Istio pilot/pkg/model/gateway.go).
import type { ServerTls } from "./tls.ts";
import type { VirtualService } from "./virtual-service.ts";

export type GatewayProtocol = "HTTP" | "HTTPS" | "GRPC" | "GRPC-WEB" | "HTTP2" | "MONGO" | "TCP" | "TLS";

export interface ServerHost {
  /** `*`, or the one namespace whose VirtualServices may bind (`.` is resolved). */
  readonly namespace: string;
  /** Lower-case DNS name or wildcard. */
  readonly host: string;
}

export interface GatewayServer {
  /** The Gateway this server comes from. */
  readonly gateway: { readonly namespace: string; readonly name: string };
  readonly name: string;
  /** As written in the Gateway. */
  readonly port: { readonly number: number; readonly name: string; readonly protocol: GatewayProtocol };
  readonly hosts: readonly ServerHost[];
  readonly tls: ServerTls | undefined;
}

/** Plain HTTP servers of one address share one route configuration; each TLS server has its own filter chain and routes. */
export interface GatewayServerView {
  readonly server: GatewayServer;
  /** `http.80`, `https.443.PORTNAME.GATEWAY.NAMESPACE`, with `.BIND` where bound; "" for servers without HTTP routes. */
  readonly routeName: string;
  /** VirtualServices bound to this server's gateway and visible to it, oldest first (creation time, name, namespace). */
  readonly virtualServices: readonly VirtualService[];
}

export interface GatewayListenerView {
  /** Where the proxy listens: after the gateway Service's port → targetPort translation. */
  readonly port: number;
  /** "" = the default address. */
  readonly bind: string;
  readonly servers: readonly GatewayServerView[];
}

/** A Gateway resource; which proxies it applies to is decided by their labels. */
export interface Gateway {
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  /** Empty: every router. */
  readonly selector: Readonly<Record<string, string>>;
  readonly servers: readonly (GatewayServer & { readonly bind: string })[];
}
