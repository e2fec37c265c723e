// What one proxy may see. Equal scopes of one snapshot share one view, and every part keeps its identity from snapshot to snapshot while it is unchanged.
import type { ConfigView, DestinationRule, EgressListenerView, GatewayListenerView, MeshSnapshot } from "../model/index.ts";
import type { ProxyScope, Service, ServiceView, Sidecar, VirtualService } from "../model/index.ts";
import { memoByIdentity } from "../kit/index.ts";
import { failoverLabel, PREFERENCE_LABELS, scopeKey } from "../model/index.ts";
import { type Internals, internalsOf } from "./build-mesh.ts";
import { credentialsFor } from "./credentials/credentials-for.ts";
import { type FoundPatches, NO_PATCHES_FOUND, type PatchedProxy, patchesFor } from "./envoy-filters/patches-for.ts";
import type { Client } from "./destination-rules/rule-index.ts";
import { toGatewayViews } from "./gateways/gateway-views.ts";
import { withProxyConfig } from "./mesh-settings.ts";
import { MESH_GATEWAY } from "./names.ts";
import { servicesSelecting } from "./services/endpoint-index.ts";
import { type ImportedService, importServices, importVirtualServices } from "./sidecars/imports.ts";
import { collectServices, type ListenerImports } from "./sidecars/sidecar-services.ts";
import { sidecarOf } from "./sidecars/to-sidecar.ts";
import type { Lineage } from "./stable.ts";

const views = new WeakMap<MeshSnapshot["config"], Map<string, ConfigView>>();

const keyOf: (scope: ProxyScope) => string = memoByIdentity(scopeKey);

/** `scope.labels` of the view are only those that some rule asks for, so proxies that differ in others share it. */
export function viewFor(snapshot: MeshSnapshot, proxy: PatchedProxy): ConfigView {
  let byScope = views.get(snapshot.config);
  if (byScope === undefined) views.set(snapshot.config, (byScope = new Map()));
  const patches = patchesOf(snapshot, proxy);
  const key = keyOf(proxy.scope) + patches.key;
  let view = byScope.get(key);
  if (view === undefined) byScope.set(key, (view = buildView(snapshot, proxy.scope, { full: key, patches })));
  return view;
}

const patchesMet = new WeakMap<MeshSnapshot["config"], WeakMap<PatchedProxy, FoundPatches>>();

/** Asked for every proxy at every turn, answered once for each config. */
function patchesOf(snapshot: MeshSnapshot, proxy: PatchedProxy): FoundPatches {
  const { envoyFilters, settings } = snapshot.config;
  if (envoyFilters.length === 0) return NO_PATCHES_FOUND;
  let met = patchesMet.get(snapshot.config);
  if (met === undefined) patchesMet.set(snapshot.config, (met = new WeakMap()));
  let found = met.get(proxy);
  if (found === undefined) {
    found = patchesFor(envoyFilters, proxy, { rootNamespace: settings.rootNamespace, lineage: internalsOf(snapshot).lineage });
    met.set(proxy, found);
  }
  return found;
}

const NO_GATEWAYS: readonly GatewayListenerView[] = Object.freeze([]);
const NO_EGRESS: readonly EgressListenerView[] = Object.freeze([]);

const EVERYTHING: Sidecar = Object.freeze({
  name: "",
  namespace: "",
  createdAt: 0,
  workloadSelector: undefined,
  egress: [
    {
      port: undefined,
      bind: "",
      captureMode: "DEFAULT" as const,
      hosts: [{ namespace: "*", host: "*", excluded: false }],
    },
  ],
  ingress: [],
  inboundConnectionPool: undefined,
  outboundTrafficPolicy: undefined,
});

/** Of a gateway: what is exported to its namespace, and nothing that rules of the mesh send to beyond that. */
const OF_GATEWAY: Sidecar = Object.freeze({ ...EVERYTHING, name: "gateway" });
const NO_RULES: readonly VirtualService[] = Object.freeze([]);

interface Outbound {
  readonly egress: readonly EgressListenerView[];
  readonly clusters: readonly ServiceView[];
  readonly servicesByHost: ReadonlyMap<string, ServiceView>;
}

function buildView(
  snapshot: MeshSnapshot,
  fullScope: ProxyScope,
  of: { readonly full: string; readonly patches: FoundPatches },
): ConfigView {
  const { full: fullKey, patches } = of;
  const inner = internalsOf(snapshot);
  const { config } = snapshot;
  const settings = withProxyConfig(config.settings, fullScope.proxyConfig);
  const isSidecar = fullScope.type === "sidecar";
  const sidecar = isSidecar ? sidecarOf(config.sidecars, fullScope, settings.rootNamespace) : undefined;
  const client: Client = { namespace: fullScope.namespace, labels: fullScope.labels };
  const asked = [askedLabels(config.virtualServices), failoverLabels(config.destinationRules), preferenceLabels(config.services)];
  const entries = [...(settings.localityLb?.failoverPriority ?? []), ...(settings.zoneAwareLb?.failoverPriority ?? [])];
  const byMesh = entries.map(failoverLabel);
  const labels = Object.fromEntries(
    Object.entries(fullScope.labels).filter(([name]) => byMesh.includes(name) || asked.some((names) => names.has(name))),
  );
  const reduced: ProxyScope = { ...fullScope, labels };
  const reducedKey = scopeKey(reduced);
  const scope = inner.lineage.value(`scope ${reducedKey}`, [], () => Object.freeze(reduced));

  const outbound = outboundOf(inner, client, isSidecar ? (sidecar ?? EVERYTHING) : OF_GATEWAY);
  const egress = isSidecar ? outbound.egress : NO_EGRESS;
  const gateways = isSidecar ? NO_GATEWAYS : gatewaysFor(snapshot, inner, { scope: fullScope, key: fullKey });
  const { clusters, servicesByHost } = outbound;
  const policy = sidecar?.outboundTrafficPolicy;
  const outboundTrafficPolicy = policy?.mode ?? settings.outboundTrafficPolicy;
  const egressProxy = policy?.egressProxy;
  const key = isSidecar ? `${reducedKey} ${outboundKey(inner, client, sidecar ?? EVERYTHING)} ${patches.key}` : fullKey;
  const users = { gateways, clusters, patches: patches.patches };
  const credentials = credentialsFor(fullScope, users, { secrets: config.secrets, lineage: inner.lineage, key });
  return inner.lineage.value(
    `view ${key}`,
    [settings, outboundTrafficPolicy, egressProxy, egress, gateways, clusters, servicesByHost, patches.patches, credentials],
    (): ConfigView =>
      Object.freeze({
        scope,
        mesh: settings,
        outboundTrafficPolicy,
        egressProxy,
        egress,
        gateways,
        clusters,
        servicesByHost,
        envoyPatches: patches.patches,
        credentials,
      }),
  );
}

const sourceLabels = memoByIdentity((virtualService: VirtualService): readonly string[] => [
  ...new Set(
    [...virtualService.http, ...virtualService.tcp, ...virtualService.tls].flatMap((route) =>
      route.match.flatMap((match) => Object.keys(match.scope.sourceLabels)),
    ),
  ),
]);

/** Names of labels that a VirtualService compares with the caller's; everything else about labels is decided in the view itself. */
const askedLabels = memoByIdentity(
  (virtualServices: readonly VirtualService[]): ReadonlySet<string> => new Set(virtualServices.flatMap(sourceLabels)),
);

/** Names of labels that decide which endpoints are near the caller. */
const failoverLabels = memoByIdentity(
  (rules: readonly DestinationRule[]): ReadonlySet<string> => new Set(rules.flatMap((rule) => rule.failoverLabels)),
);
const preferenceLabels = memoByIdentity(
  (services: readonly Service[]): ReadonlySet<string> =>
    new Set(services.some((service) => service.trafficDistribution !== undefined) ? PREFERENCE_LABELS : []),
);

function outboundKey(inner: Internals, client: Client, sidecar: Sidecar): string {
  return `${client.namespace} ${sidecar.namespace}/${sidecar.name} ${inner.rules.selectionKey(client)}`;
}

/** Shared by all proxies of a namespace that one Sidecar and the same DestinationRule selectors choose. */
function outboundOf(inner: Internals, client: Client, sidecar: Sidecar): Outbound {
  const { lineage, registry, virtualServiceIndex, rules, mtls } = inner;
  const usesAutoMtls = (service: Service): boolean =>
    inner.settings.enableAutoMtls && !service.meshExternal && mtls.forNamespace(service.namespace) !== "DISABLE";
  const { namespace } = client;
  const key = outboundKey(inner, client, sidecar);
  const visible = registry.visibleTo(namespace);
  const virtualServices = sidecar === OF_GATEWAY ? NO_RULES : virtualServiceIndex.forGateway(namespace, MESH_GATEWAY);
  return lineage.value(
    `outbound ${key}`,
    [sidecar, visible, virtualServices, rules, registry.byHost, mtls, inner.settings],
    (): Outbound => {
      const imports = sidecar.egress.map((listener, index): ListenerImports => ({
        listener,
        services: lineage.value(`imports ${key} ${index}`, [listener, visible], () => importServices(visible, listener, namespace)),
        virtualServices: lineage.list(`virtualServices ${key} ${index}`, importVirtualServices(virtualServices, listener, namespace)),
      }));
      const toViews = (name: string, imported: readonly ImportedService[]): readonly ServiceView[] =>
        lineage.value(`${name} ${key}`, [imported, rules, mtls, inner.settings], () =>
          lineage.list(
            `views ${name} ${key}`,
            imported.map((one) => serviceView(one, rules.ruleFor(client, one.service), usesAutoMtls(one.service))),
          ),
        );
      // A listener that imports every service there is leaves nothing for VirtualServices to add: the usual case, and the cheap one.
      const whole = imports.find(
        ({ listener, services }) => listener.port === undefined && services.length === registry.services.length,
      )?.services;
      const all = whole ?? stableImports(lineage, `clusters ${key}`, collectServices(imports, registry.byHost, namespace));
      const clusters = toViews("clusters", all);
      const egress = lineage.list(
        `egress ${key}`,
        imports.map(({ listener, services, virtualServices }, index) => {
          const views = toViews(`services ${index}`, services);
          return lineage.value(`egress ${key} ${index}`, [listener, views, virtualServices], (): EgressListenerView =>
            Object.freeze({
              port: listener.port,
              bind: listener.bind,
              captureMode: listener.captureMode,
              services: views,
              virtualServices,
            }),
          );
        }),
      );
      const servicesByHost = lineage.value(
        `byHost ${key}`,
        [clusters],
        () => new Map(clusters.map((view) => [view.service.hostname, view])),
      );
      return { egress, clusters, servicesByHost };
    },
  );
}

/** Imported services are small objects made anew each time: compared by what they say. */
function stableImports(lineage: Lineage, key: string, imported: readonly ImportedService[]): readonly ImportedService[] {
  const parts: unknown[] = [];
  for (const { service, ports } of imported) parts.push(service, ports === undefined ? "" : ports.join());
  return lineage.value(key, parts, () => imported);
}

const serviceViews = new WeakMap<Service, WeakMap<object, Map<string, ServiceView>>>();
const NO_RULE = {};

/** The same service, rule, ports and mutual TLS: the same object, in every namespace. */
function serviceView({ service, ports }: ImportedService, destinationRule: DestinationRule | undefined, autoMtls: boolean): ServiceView {
  let byRule = serviceViews.get(service);
  if (byRule === undefined) serviceViews.set(service, (byRule = new WeakMap()));
  let byPorts = byRule.get(destinationRule ?? NO_RULE);
  if (byPorts === undefined) byRule.set(destinationRule ?? NO_RULE, (byPorts = new Map()));
  const key = `${autoMtls ? "mtls" : ""} ${ports === undefined ? "" : ports.join()}`;
  let view = byPorts.get(key);
  if (view === undefined) byPorts.set(key, (view = Object.freeze({ service, destinationRule, ports, autoMtls })));
  return view;
}

function gatewaysFor(
  snapshot: MeshSnapshot,
  inner: Internals,
  of: { readonly scope: ProxyScope; readonly key: string },
): readonly GatewayListenerView[] {
  const { registry, virtualServiceIndex, lineage } = inner;
  const { gateways } = snapshot.config;
  return lineage.value(
    `gateways ${of.key}`,
    [gateways, registry, virtualServiceIndex, snapshot.config.settings.scopeGatewayToNamespace],
    () => {
      const services = servicesSelecting(registry, of.scope.namespace, of.scope.labels);
      const near = snapshot.config.settings.scopeGatewayToNamespace
        ? gateways.filter((gateway) => gateway.namespace === of.scope.namespace)
        : gateways;
      const built = toGatewayViews(of.scope, { gateways: near, services, virtualServices: virtualServiceIndex });
      return lineage.list(
        `gateway listeners ${of.key}`,
        built.map((listener) => {
          const name = `gateway ${of.key} ${listener.bind}:${listener.port}`;
          const servers = lineage.list(
            `${name} servers`,
            listener.servers.map((view, index) => {
              const virtualServices = lineage.list(`${name} ${index}`, view.virtualServices);
              return lineage.value(`${name} server ${index}`, [view.server, view.routeName, virtualServices], () =>
                Object.freeze({ server: view.server, routeName: view.routeName, virtualServices }),
              );
            }),
          );
          return lineage.value(name, [servers], (): GatewayListenerView => Object.freeze({ ...listener, servers }));
        }),
      );
    },
  );
}
