// The whole control plane on one screen: sources → store → pipeline → xDS, and the admin API beside it. main.ts gives it the command line,
// tests start it in their own process.
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { MeshStatus } from "../admin-api/index.ts";
import { type Clock, type Issue, type Logger, SerinError, VERSION } from "../kit/index.ts";
import { parseObject, parseSources } from "../resources/index.ts";
import { buildMesh, checkReferences, inboundFor, type IstiodSettings, viewFor } from "../translate/index.ts";
import { checkEnvoyPatch, generate } from "../xds/index.ts";
import { startXdsServer } from "../xds-server/index.ts";
import type { AdminBackend } from "./admin/backend.ts";
import { adminRoutes } from "./admin/routes.ts";
import { startAdminServer } from "./admin/server.ts";
import { readToken } from "./admin/token.ts";
import { applyDocuments, deleteResources } from "./apply.ts";
import { toConfigDump } from "./config-dump.ts";
import { createLiveTracker } from "./live.ts";
import { readMeshConfig } from "./mesh-config.ts";
import { createMetrics } from "./metrics.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { createPipeline } from "./pipeline.ts";
import { createProxies } from "./proxies.ts";
import { createRegistrations } from "./registrations.ts";
import { createDocumentCache } from "./sources/document-cache.ts";
import { createFileSource } from "./sources/file-source.ts";
import { startFileWatch } from "./sources/file-watch.ts";
import { createMeshResources } from "./sources/mesh-resources.ts";
import { createPodCell } from "./sources/pods.ts";
import { openStore } from "./store/store.ts";

export interface ControlPlane {
  readonly admin: string;
  readonly xds: string;
  readonly tokenFile: string;
  stop(): Promise<void>;
}

export async function startControlPlane(
  options: ControlPlaneOptions,
  env: { readonly clock: Clock; readonly logger: Logger; readonly istiod?: IstiodSettings },
): Promise<ControlPlane> {
  const { clock, logger } = env;
  const startedAt = new Date(clock.wall()).toISOString();
  mkdirSync(options.state, { recursive: true, mode: 0o700 });
  const token = readToken({ tokenFile: options.adminTokenFile, stateDir: options.state });
  const meshConfig = readMeshConfig(options.meshConfig);
  const store = openStore({ file: path.join(options.state, "store.db"), clock });
  const closing: (() => void | Promise<void>)[] = [() => store.close()];

  try {
    // Sources: files and the API write to the store; the runtime's pods stand beside it.
    const pods = createPodCell(store);
    const mesh = createMeshResources({
      store,
      parse: (object) => parseObject(object, `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`).resource,
      onChange: () => pipeline.configChanged(),
    });
    const files = createFileSource({ store, parse: createDocumentCache((file) => parseSources([file])), onParsed: mesh.locate });
    const input = () => ({ resources: [...mesh.all(), ...pods.resources()], revision: store.revision() });

    // Store → mesh → each proxy's view → its xDS resources → its stream.
    const pipeline = createPipeline({
      stages: {
        buildMesh: (resources, previous) => buildMesh({ resources, meshConfig: meshConfig.value, istiod: env.istiod ?? {} }, previous),
        checkReferences: (snapshot) => checkReferences(snapshot, checkEnvoyPatch),
        viewFor,
        inboundFor,
        endpointsOf: (snapshot) => snapshot.endpoints,
        generate,
      },
      input,
      onTurn(turn) {
        live.published(turn.revision, turn.affected);
        metrics.observeTurn(turn);
        logger.log("debug", "turn", { ...turn });
      },
      clock,
      logger,
    });
    const registrations = createRegistrations({ store, clock, logger });
    const proxies = createProxies({ pipeline: () => pipeline, live: () => live, registrations, wall: clock.wall, logger });
    const live = createLiveTracker({ clock, proxies: () => proxies });
    const issues = (): readonly Issue[] => [...meshConfig.issues, ...files.issues(), ...pipeline.issues()];
    const countKinds = () =>
      Object.fromEntries([...Map.groupBy(store.list(), (object) => object.kind)].map(([kind, list]) => [kind, list.length]));
    const metrics = createMetrics({
      resources: countKinds,
      revision: store.revision,
      proxies: () =>
        proxies.list().map(({ type, protocol, types }) => ({ type, protocol, refusing: types.some((one) => one.nack !== undefined) })),
    });
    closing.push(
      () => mesh.stop(),
      () => registrations.stop(),
      () => pipeline.stop(),
      () => live.stop(),
      store.watch(store.revision(), (event) => {
        live.written(Number(event.resourceVersion));
        // A status changes no mesh, but its revision is one that somebody may wait for.
        pipeline.configChanged();
      }),
    );

    if (options.config !== undefined) {
      const watch = startFileWatch({
        root: options.config,
        clock,
        logger,
        onChange(changed) {
          files.follow(changed);
          logIssues(files.issues(), logger);
        },
      });
      closing.push(() => watch.stop());
      files.follow(watch.current());
      logIssues(files.issues(), logger);
    }
    pipeline.flush();

    const xds = await startXdsServer({
      ...options.xds,
      clock,
      logger,
      onStream: proxies.open,
      onAnswer: live.changed,
      onHealth: registrations.health,
    });
    const xdsAddress = `${options.xds.host}:${xds.port}`;
    closing.push(() => xds.stop());
    let ready = true;
    closing.push(() => void (ready = false));

    const status = (): MeshStatus => {
      const found = issues();
      return {
        version: VERSION,
        revision: store.revision(),
        startedAt,
        ready,
        xds: xdsAddress,
        meshConfig: meshConfig.value,
        proxies: proxies.list().length,
        resources: countKinds(),
        issues: {
          errors: found.filter((issue) => issue.severity === "error").length,
          warnings: found.filter((issue) => issue.severity === "warning").length,
        },
      };
    };
    const backend: AdminBackend = {
      store,
      ready: () => ready,
      status,
      metrics: metrics.readNow,
      apply: (request) =>
        applyDocuments(request, {
          store,
          parse: (documents) => parseSources(documents),
          onParsed: mesh.locate,
          meshIssues(extra) {
            if (extra !== undefined) return pipeline.issuesWith(replaceResources(input().resources, extra));
            pipeline.settle();
            return pipeline.issues();
          },
        }),
      remove: (keys) => deleteResources(keys, store),
      pods: pods.list,
      putPods(list) {
        if (!pods.publish(list)) return;
        live.written(store.revision());
        pipeline.endpointsChanged();
      },
      issues,
      proxies: proxies.list,
      proxyConfig(id) {
        const identity = proxies.find(id);
        const resources = identity === undefined ? undefined : pipeline.resourcesOf(identity);
        if (resources === undefined)
          throw new SerinError("PROXY_NOT_FOUND", `no connected proxy has the id ${id}`, { fix: "See `serin proxy-status`." });
        return toConfigDump(id, resources);
      },
      live: live.wait,
    };
    const admin = await startAdminServer({ ...options.admin, token, routes: adminRoutes(backend, clock), logger });
    closing.push(() => admin.stop());
    logger.log("info", "control plane ready", { xds: xdsAddress, admin: admin.address, revision: store.revision() });
    return {
      admin: admin.address,
      xds: xdsAddress,
      tokenFile: options.adminTokenFile ?? path.join(options.state, "admin-token"),
      stop: () => closeAll(closing),
    };
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
}

/** The last started first. */
async function closeAll(closing: readonly (() => void | Promise<void>)[]): Promise<void> {
  for (const close of closing.toReversed()) await close();
}

function replaceResources<T extends { readonly kind: string; readonly metadata: { readonly namespace: string; readonly name: string } }>(
  all: readonly T[],
  extra: readonly T[],
): T[] {
  const keyOf = ({ kind, metadata }: T) => `${kind}/${metadata.namespace}/${metadata.name}`;
  return [...new Map([...all, ...extra].map((resource) => [keyOf(resource), resource])).values()];
}

function logIssues(issues: readonly Issue[], logger: Logger): void {
  for (const { severity, code, message, file, line, column, resource } of issues) {
    if (severity === "info") continue;
    logger.log(severity === "error" ? "error" : "warn", message, {
      code,
      at: `${file}:${line}:${column}`,
      resource: `${resource.kind} ${resource.namespace}/${resource.name}`,
    });
  }
}
