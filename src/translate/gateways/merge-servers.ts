// Servers of all Gateways that choose a proxy, merged per listening address; what conflicts is dropped, the oldest Gateway first
// (Istio pilot/pkg/model/gateway.go mergeGateways).
import { type Gateway, type GatewayServer, isPassthrough } from "../../model/index.ts";

export type BoundServer = GatewayServer & { readonly bind: string };

export interface MergedServer {
  readonly server: BoundServer;
  readonly routeName: string;
}

export interface MergedListener {
  readonly port: number;
  readonly bind: string;
  readonly servers: readonly MergedServer[];
}

export interface DroppedServer {
  readonly server: BoundServer;
  readonly reason: string;
}

export interface MergeResult {
  readonly listeners: readonly MergedListener[];
  readonly dropped: readonly DroppedServer[];
}

const HTTP_PROTOCOLS: ReadonlySet<string> = new Set(["HTTP", "HTTP2", "GRPC", "GRPC-WEB"]);

export function isHttp(server: GatewayServer): boolean {
  return HTTP_PROTOCOLS.has(server.port.protocol);
}

/** HTTPS that the gateway itself decrypts. */
export function terminatesHttps(server: GatewayServer): boolean {
  return server.port.protocol === "HTTPS" && server.tls !== undefined && !isPassthrough(server.tls);
}

function isTls(server: GatewayServer): boolean {
  return server.tls !== undefined && !isHttp(server);
}

/** `http.80`, `https.443.PORTNAME.GATEWAY.NAMESPACE`, `.BIND` where bound; "" without HTTP routes. */
export function gatewayRouteName(server: BoundServer, port: number): string {
  const bind = server.bind === "" ? "" : `.${server.bind}`;
  if (isHttp(server)) return `http.${port}${bind}`;
  if (!terminatesHttps(server)) return "";
  return `https.${server.port.number}.${server.port.name}.${server.gateway.name}.${server.gateway.namespace}${bind}`;
}

function hostKey(host: GatewayServer["hosts"][number]): string {
  return host.namespace === "*" ? host.host : `${host.namespace}/${host.host}`;
}

/** `portOf` translates a server's port to the one the proxy listens on. */
export function mergeServers(gateways: readonly Gateway[], portOf: (port: number) => number): MergeResult {
  const listeners = new Map<string, { port: number; bind: string; servers: MergedServer[] }>();
  const dropped: DroppedServer[] = [];
  const plain = new Map<number, BoundServer>();
  const taken = new Set<number>();
  const tlsHosts = new Map<number, Map<string, string>>();
  const routeNames = new Set<string>();

  function listen(server: BoundServer, port: number, routeName: string): void {
    const key = `${port} ${server.bind}`;
    let listener = listeners.get(key);
    if (listener === undefined) listeners.set(key, (listener = { port, bind: server.bind, servers: [] }));
    listener.servers.push({ server, routeName });
    if (routeName !== "") routeNames.add(routeName);
  }

  /** A TLS host may stand once on a port and bind; otherwise the later server goes as a whole. */
  function takesHosts(server: BoundServer, port: number): boolean {
    if (server.tls === undefined) return true;
    let hosts = tlsHosts.get(port);
    if (hosts === undefined) tlsHosts.set(port, (hosts = new Map()));
    const names = server.hosts.map(hostKey);
    if (names.some((name) => hosts.get(name) === server.bind)) return false;
    for (const name of names) hosts.set(name, server.bind);
    return true;
  }

  function opens(server: BoundServer, port: number): boolean {
    const there = listeners.get(`${port} ${server.bind}`)?.servers ?? [];
    return !there.some((other) => other.server.port.protocol === server.port.protocol);
  }

  /** Why a server cannot join what is already on the port, or undefined. A TLS server that comes first leaves room for one plain server. */
  function conflict(server: BoundServer, port: number, routeName: string): string | undefined {
    const first = plain.get(port);
    if (first !== undefined) {
      if (first.bind !== server.bind) return undefined;
      return isHttp(server) && isHttp(first) ? undefined : `port ${port} already serves ${first.port.protocol}`;
    }
    const named = terminatesHttps(server) && routeNames.has(routeName);
    return named ? `another server on port ${port} has the port name ${server.port.name}` : undefined;
  }

  for (const gateway of gateways) {
    for (const server of gateway.servers) {
      const port = portOf(server.port.number);
      const routeName = gatewayRouteName(server, port);
      if (!takesHosts(server, port)) {
        dropped.push({ server, reason: `one of its hosts is already served with TLS on port ${port}` });
        continue;
      }
      if (taken.has(port)) {
        const reason = conflict(server, port, routeName);
        if (reason !== undefined) {
          dropped.push({ server, reason });
          continue;
        }
      }
      taken.add(port);
      // Conflicts are looked for at the address that was opened last.
      if (!isTls(server) && opens(server, port)) plain.set(port, server);
      listen(server, port, routeName);
    }
  }
  return { listeners: [...listeners.values()], dropped };
}
