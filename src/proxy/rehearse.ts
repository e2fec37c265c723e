// The request path without sockets: the code that serves reads a request, mends and matches it and compiles its route, and stops where it would
// choose an endpoint. For `serin explain` and the offline conformance run, which so cannot say anything else than what the proxy does.
import { type Clock, silentLogger } from "../kit/index.ts";
import { createRuntimeCell, type HttpConnectionManagerConfig, type Route, type RuntimeConfig, type VirtualHost } from "./config/index.ts";
import type { RequestHead } from "./http/message.ts";
import { findHead } from "./http1/find-head.ts";
import { Head } from "./http1/head.ts";
import { readRequestHead } from "./http1/request-head.ts";
import type { Arrival } from "./network/arrival.ts";
import { type ConnectionManager, createConnectionManager } from "./network/connection-manager.ts";
import type { Environment } from "./network/environment.ts";
import { routeRequest } from "./network/route-request.ts";
import type { TimerWheel } from "./network/timer-wheel.ts";
import { createAccessLogs } from "./observe/access-log.ts";
import { createStats } from "./observe/stats.ts";
import { noOverload } from "./overload/index.ts";
import type { TlsInfo } from "./transport/tls-info.ts";
import type { Caller, WholeAnswer } from "./router/caller.ts";
import { compileRoute } from "./router/compile-route.ts";
import { Exchange } from "./router/exchange.ts";
import type { ForwardPlan, Target } from "./router/forward-plan.ts";
import { requestList } from "./router/request-out.ts";
import { respond } from "./router/respond.ts";

export interface RehearsedRequest {
  /** One byte per char: the start line and the header lines with CRLF, without the empty line. */
  readonly head: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  /** It comes by TLS. */
  readonly secure: boolean;
}

/** The request as one of its clusters would get it. */
export interface Outgoing {
  readonly cluster: string;
  /** Percent of the requests on this route. */
  readonly share: number;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  /** In order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface Rehearsal {
  /** As it is matched; undefined when it could not be read. */
  readonly request: RequestHead | undefined;
  readonly virtualHost: VirtualHost | undefined;
  readonly route: Route | undefined;
  /** What the proxy answers by itself. */
  readonly answer: (WholeAnswer & { readonly details: string }) | undefined;
  /** Where it goes otherwise. */
  readonly outgoing: readonly Outgoing[];
  readonly plan: ForwardPlan | undefined;
}

/** Nothing is drawn that happens to only some of the requests: a fault or a route for 10 % of them leaves this one alone. */
const NEVER_DRAWN = 1 - 2 ** -53;

/** Time stands still, but for what something waits for: that comes at once. */
function createLeap(): { readonly clock: Clock; readonly wheel: TimerWheel } {
  let time = 0;
  const nothing = (): void => undefined;
  return {
    clock: { now: () => time, wall: () => 0, after: () => nothing },
    wheel: {
      arm(timer, at) {
        time = Math.max(time, at);
        timer.fire();
      },
      disarm: nothing,
      remove: nothing,
      stop: nothing,
    },
  };
}

/** `config` holds the route tables. Nothing is sent, nothing waits, and nothing throws. */
export function rehearse(network: HttpConnectionManagerConfig, config: RuntimeConfig, request: RehearsedRequest): Rehearsal {
  const first = rehearseOnce(network, { config, request, pick: undefined });
  const weights = weightsOf(first.route);
  if (first.plan === undefined || weights === undefined) return first;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  const outgoing = new Map<string, Outgoing>();
  for (const weight of weights) {
    if (weight === 0) continue;
    const { outgoing: list } = rehearseOnce(network, { config, request, pick: (before + weight / 2) / total });
    before += weight;
    for (const one of list) {
      const known = outgoing.get(one.cluster);
      outgoing.set(one.cluster, { ...one, share: (known?.share ?? 0) + (100 * weight) / total });
    }
  }
  return { ...first, outgoing: [...outgoing.values()] };
}

function weightsOf(route: Route | undefined): readonly number[] | undefined {
  const { action } = route ?? {};
  return action?.kind === "forward" && action.cluster.kind === "weighted" ? action.cluster.clusters.map(({ weight }) => weight) : undefined;
}

interface Once {
  readonly config: RuntimeConfig;
  readonly request: RehearsedRequest;
  /** What is drawn when a cluster is chosen. */
  readonly pick: number | undefined;
}

function rehearseOnce(network: HttpConnectionManagerConfig, { config, request, pick }: Once): Rehearsal {
  let draw = NEVER_DRAWN;
  let answer: Rehearsal["answer"];
  let chosen: { readonly plan: ForwardPlan; readonly target: Target } | undefined;
  const stage = stageOf(network, config, { random: () => draw, secure: request.secure });
  const send = (_exchange: Exchange, plan: ForwardPlan): void => {
    draw = pick ?? 0;
    chosen = { plan, target: plan.choose(exchange) };
  };
  const manager: ConnectionManager = {
    ...stage,
    service: (table, virtualHost, route) => compileRoute(manager, { table, virtualHost, route }, send),
  };
  const caller = callerFor(manager, request, (whole) => (answer = { ...whole, details: exchange.details }));
  const exchange = new Exchange();
  const head = new Head();
  const bytes = `${request.head}\r\n`;
  const found = findHead(bytes);
  const status = found.end < 0 ? 400 : readRequestHead(head, found, { data: Buffer.from(bytes, "latin1"), bytes }, manager.rules);
  exchange.begin(caller, manager, head, 0);
  if (status !== 0) respond(exchange, { kind: "codec", status, details: "http1.codec_error" });
  else routeRequest(exchange);
  return {
    request: status === 0 ? head : undefined,
    virtualHost: exchange.virtualHost,
    route: exchange.route,
    answer,
    outgoing: chosen === undefined ? [] : [outgoingOf(exchange, chosen.target)],
    plan: chosen?.plan,
  };
}

function outgoingOf(exchange: Exchange, target: Target): Outgoing {
  const list = requestList(exchange, target.request, target.hostRewrite);
  if (target.request.includeAttemptCount) list.set("x-envoy-attempt-count", "1");
  return {
    cluster: target.clusterName,
    share: 100,
    method: exchange.head.method,
    path: exchange.path,
    authority: exchange.authority,
    headers: list.names.map((name, i) => [name, list.values[i] as string] as const),
  };
}

interface StageOptions {
  readonly random: () => number;
  readonly secure: boolean;
}

/** Nobody shows a certificate here. */
const TLS: TlsInfo = { version: "TLSv1.3", cipher: "", sessionId: "", peer: undefined, peerChain: [], local: undefined };

function stageOf(network: HttpConnectionManagerConfig, config: RuntimeConfig, { random, secure }: StageOptions): ConnectionManager {
  const runtime = createRuntimeCell();
  runtime.publish(config);
  const { clock, wheel } = createLeap();
  const env: Environment = {
    runtime,
    clusters: { get: () => undefined, version: () => 0, status: () => [], drain: () => undefined, stop: () => undefined },
    tls: { server: () => undefined, client: () => undefined },
    stats: createStats(),
    accessLogs: createAccessLogs({ sink: { write: () => undefined }, clock }),
    clock,
    rng: { random },
    wheel,
    overload: noOverload(),
    logger: silentLogger,
    localAddress: "127.0.0.1",
    wallOffset: () => 0,
    dateLine: () => "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
    draining: () => false,
  };
  return createConnectionManager({ ...network, accessLogs: [] }, env, secure);
}

function callerFor(manager: ConnectionManager, request: RehearsedRequest, onAnswer: (answer: WholeAnswer) => void): Caller {
  const nothing = (): void => undefined;
  const arrival: Arrival = {
    manager: () => manager,
    id: 1,
    filterChainName: "",
    localAddress: request.localAddress,
    localPort: request.localPort,
    remoteAddress: request.remoteAddress,
    remotePort: 0,
    localText: `${request.localAddress}:${request.localPort}`,
    remoteText: `${request.remoteAddress}:0`,
    peerAddress: `${request.remoteAddress}:0`,
    directLocalAddress: "",
    serverName: "",
    alpn: "",
    originalDestination: undefined,
    tls: request.secure ? TLS : undefined,
    bypassesOverload: true,
    becomes: nothing,
    onClosed: nothing,
  };
  return {
    arrival,
    bodyPending: false,
    chunked: false,
    pauseRequest: nothing,
    resumeRequest: nothing,
    sendWhole: onAnswer,
    sayContinue: nothing,
    informational: nothing,
    beginAnswer: () => undefined,
    writeAnswer: () => true,
    endAnswer: () => true,
    whenFlushed: nothing,
    responseDone: nothing,
    abort: nothing,
  };
}
