// The connected proxy that a pod's name means: its own name, `name.namespace`, `namespace/name`, or a beginning that fits one alone.
import type { AdminClient, ProxyStatus } from "../admin-api/index.ts";
import { SerinError } from "../kit/index.ts";

export async function findProxy(client: AdminClient, wanted: string, namespace?: string): Promise<ProxyStatus> {
  const proxies = (await client.proxies()).filter((proxy) => namespace === undefined || proxy.namespace === namespace);
  const names = (proxy: ProxyStatus) => [proxy.name, `${proxy.name}.${proxy.namespace}`, `${proxy.namespace}/${proxy.name}`, proxy.id];
  const exact = proxies.filter((proxy) => names(proxy).includes(wanted));
  const found = exact.length > 0 ? exact : proxies.filter((proxy) => names(proxy).some((name) => name.startsWith(wanted)));
  const [proxy] = found;
  if (proxy === undefined) {
    throw new SerinError("PROXY_NOT_FOUND", `no connected proxy is called ${wanted}`, { fix: "See `serin proxy-status`." });
  }
  if (found.length > 1 && new Set(found.map((p) => p.id)).size > 1) {
    throw new SerinError("NAME_AMBIGUOUS", `${wanted} may be ${found.map((p) => `${p.name}.${p.namespace}`).join(", ")}`, {
      fix: "Give the whole name.",
    });
  }
  return proxy;
}
