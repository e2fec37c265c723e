// The one loop: something changed → short hold-off → buildMesh → each connected proxy its view → generate → its stream. Only values flow
// through it; equal inputs give the same objects, and handing a stream the object it has is silent. A stage that fails leaves
// everybody with what they have.
import { type Clock, createDebounce, type Issue, type Logger, type XdsResources } from "../kit/index.ts";
import type { ConfigView, EndpointIndex, InboundView, ProxyIdentity, ProxyView } from "../model/index.ts";
import type { Resource } from "../resources/index.ts";
import { toCanonicalJson } from "./store/canonical.ts";

/** The pure stages, as src/translate and src/xds give them. */
export interface Stages<Snapshot> {
  /** The same object when nothing in it changed; `previous` is where it takes its parts from. */
  buildMesh(resources: readonly Resource[], previous: Snapshot | undefined): Snapshot;
  checkReferences(snapshot: Snapshot): readonly Issue[];
  /** The same object for equal scopes of one snapshot. */
  viewFor(snapshot: Snapshot, proxy: ProxyIdentity): ConfigView;
  inboundFor(snapshot: Snapshot, proxy: ProxyIdentity): InboundView;
  endpointsOf(snapshot: Snapshot): EndpointIndex;
  generate(view: ProxyView): XdsResources;
}

/** One connected proxy's stream. */
export interface Connection {
  readonly identity: ProxyIdentity;
  set(resources: XdsResources, revision: number): void;
}

export interface Pipeline {
  /** Resources changed: rebuilt after the hold-off. */
  configChanged(): void;
  /** Only pods did: rebuilt at once. */
  endpointsChanged(): void;
  connect(connection: Connection): () => void;
  /** What this proxy is sent now; undefined when there is nothing to send. */
  resourcesOf(identity: ProxyIdentity): XdsResources | undefined;
  /** What is wrong in the mesh as it stands; looked for when asked. */
  issues(): readonly Issue[];
  /** What would be wrong in a mesh of these resources. */
  issuesWith(resources: readonly Resource[]): readonly Issue[];
  /** Runs a turn now, without hold-off (at the start). */
  flush(): void;
  /** Runs a pending turn now, unless one just ran: a single change does not wait, a stream of changes is still collected. */
  settle(): void;
  stop(): void;
}

export interface Turn {
  readonly revision: number;
  /** Connections that got another object than before. */
  readonly affected: number;
  readonly ms: number;
}

const QUIET_MS = 5;
const MAX_HOLD_MS = 50;
/** Pods come and go under one config; what they had is forgotten in bulk. */
const MAX_INBOUND_SETS = 8192;

export function createPipeline<Snapshot extends object>(options: {
  readonly stages: Stages<Snapshot>;
  readonly input: () => { readonly resources: readonly Resource[]; readonly revision: number };
  readonly onTurn: (turn: Turn) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}): Pipeline {
  const { stages, clock, logger } = options;
  const connections = new Map<Connection, XdsResources | undefined>();
  let current: { readonly snapshot: Snapshot; readonly revision: number } | undefined;
  let generated = createGenerateCache(stages.generate);
  let cancelEndpoints: (() => void) | undefined;
  let pending = false;
  let lastTurn = Number.NEGATIVE_INFINITY;

  function resourcesOf(identity: ProxyIdentity): XdsResources | undefined {
    if (current === undefined) return undefined;
    try {
      return generated({
        config: stages.viewFor(current.snapshot, identity),
        inbound: stages.inboundFor(current.snapshot, identity),
        endpoints: stages.endpointsOf(current.snapshot),
      });
    } catch (error) {
      logger.log("error", "the config of a proxy could not be generated; it keeps what it has", {
        proxy: identity.id,
        error: stackOf(error),
      });
      return undefined;
    }
  }

  /** True when the proxy got something it did not have. */
  function serve(connection: Connection, revision: number): boolean {
    const resources = resourcesOf(connection.identity);
    if (resources === undefined) return false;
    const changed = connections.get(connection) !== resources;
    connections.set(connection, resources);
    connection.set(resources, revision);
    return changed;
  }

  function check(snapshot: Snapshot): readonly Issue[] {
    try {
      return stages.checkReferences(snapshot);
    } catch (error) {
      logger.log("error", "the mesh could not be checked", { error: stackOf(error) });
      return [];
    }
  }

  function checkWritten(): readonly Issue[] {
    try {
      return check(stages.buildMesh(options.input().resources, current?.snapshot));
    } catch {
      // The turn that comes says why the mesh could not be built.
      return current === undefined ? [] : check(current.snapshot);
    }
  }

  function turn(): void {
    cancelEndpoints?.();
    cancelEndpoints = undefined;
    debounce.stop();
    pending = false;
    const started = clock.now();
    const { resources, revision } = options.input();
    try {
      current = { snapshot: stages.buildMesh(resources, current?.snapshot), revision };
    } catch (error) {
      logger.log("error", "the mesh could not be built; all proxies keep what they have", { revision, error: stackOf(error) });
      return;
    }
    let affected = 0;
    for (const connection of connections.keys()) if (serve(connection, revision)) affected += 1;
    lastTurn = clock.now();
    options.onTurn({ revision, affected, ms: lastTurn - started });
  }

  const debounce = createDebounce({ quietMs: QUIET_MS, maxMs: MAX_HOLD_MS, clock, fire: turn });

  return {
    configChanged() {
      pending = true;
      debounce.trigger();
    },
    endpointsChanged() {
      cancelEndpoints ??= clock.after(0, turn);
    },
    connect(connection) {
      connections.set(connection, undefined);
      if (current !== undefined) serve(connection, current.revision);
      return () => connections.delete(connection);
    },
    resourcesOf,
    // What was just written counts, though its turn is held off: whoever applies is told of what this very change breaks.
    issues: () => (pending ? checkWritten() : current === undefined ? [] : check(current.snapshot)),
    issuesWith: (resources) => check(stages.buildMesh(resources, undefined)),
    flush: turn,
    settle() {
      if (pending && clock.now() - lastTurn >= MAX_HOLD_MS) turn();
    },
    stop() {
      debounce.stop();
      cancelEndpoints?.();
      connections.clear();
      generated = createGenerateCache(stages.generate);
    },
  };
}

/** Proxies with one shared view, equal inbound ports and the same endpoints get one object. */
function createGenerateCache(generate: (view: ProxyView) => XdsResources): (view: ProxyView) => XdsResources {
  const byConfig = new WeakMap<ConfigView, Map<string, { readonly view: ProxyView; readonly resources: XdsResources }>>();
  return (view) => {
    let byInbound = byConfig.get(view.config);
    if (byInbound === undefined) byConfig.set(view.config, (byInbound = new Map()));
    const { ports, undeclared, peers } = view.inbound;
    const key = ports.length + undeclared.length === 0 && peers === undefined ? "" : toCanonicalJson(view.inbound);
    const hit = byInbound.get(key);
    if (hit?.view.endpoints === view.endpoints) return hit.resources;
    // The first object of equal inbound ports stays the one: generate memoises by identity too.
    const stable = hit === undefined ? view : { ...view, inbound: hit.view.inbound };
    const resources = generate(stable);
    if (byInbound.size >= MAX_INBOUND_SETS) byInbound.clear();
    byInbound.set(key, { view: stable, resources });
    return resources;
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
