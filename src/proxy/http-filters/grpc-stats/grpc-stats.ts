// Counts gRPC calls and messages in the statistics of the cluster that they go to.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_stats_filter
import type { HttpFilterConfig } from "../../config/index.ts";
import type { Trailers } from "../../http/message.ts";
import { parseGrpcStatus } from "../../observe/grpc-status.ts";
import { CallerFilter } from "../../router/caller-filter.ts";
import type { AnswerNotes, BodyTaker } from "../../router/caller.ts";
import type { Exchange, Layer } from "../../router/exchange.ts";
import type { GrpcStats } from "../../upstream/grpc-stats.ts";
import type { AnswerStart, BodyPart, UpstreamStream } from "../../upstream/pool/upstream-stream.ts";
import { MessageCounter } from "./message-counter.ts";

/** Which calls are counted by service and method: none, all, or those of these methods by service. All are counted in sum where these are not. */
export interface GrpcStatsConfig {
  readonly named: "none" | "all" | ReadonlyMap<string, ReadonlySet<string>>;
  /** Milliseconds from the end of the request to the end of the answer, as a histogram. */
  readonly times: boolean;
  readonly replaceDots: boolean;
}

export function grpcStatsLayer({ config }: HttpFilterConfig): Layer {
  const rules = config as GrpcStatsConfig;
  return (inner) => (exchange) => {
    const names = exchange.head.grpc ? namesFor(rules, exchange.head.path) : undefined;
    if (names !== undefined) watch(exchange, names, rules.times);
    inner(exchange);
  };
}

const PATH = /^\/([^/?]+)\/([^/?]+)(?:\?|$)/;

/** What the call is counted under, "" = only in the sum; undefined: it is none. */
function namesFor({ named, replaceDots }: GrpcStatsConfig, path: string): string | undefined {
  const [, service, method] = PATH.exec(path) ?? [];
  if (service === undefined || method === undefined) return undefined;
  const wanted = named === "all" || (named !== "none" && named.get(service)?.has(method) === true);
  return wanted ? `${replaceDots ? service.replaceAll(".", "_") : service}.${method}` : "";
}

function watch(exchange: Exchange, names: string, times: boolean): void {
  const call = new Call(exchange, names);
  const { chunked } = exchange.own;
  const counter = new MessageCounter(chunked);
  if (exchange.bodyText !== "") call.sent += counter.feed(Buffer.from(exchange.bodyText, "latin1"));
  if (exchange.bodyPending) {
    const before = exchange.bodyFilter;
    exchange.bodyFilter = (taker) => new CountedBody(before === undefined ? taker : before(taker), call, counter);
  }
  exchange.caller = new CountedCaller(exchange, call);
  exchange.whenOver(() => call.end(times));
}

class Call {
  /** Messages that wait for the cluster to be known. */
  sent = 0;
  private readonly exchange: Exchange;
  private readonly names: string;
  private found: GrpcStats | undefined = undefined;

  constructor(exchange: Exchange, names: string) {
    this.exchange = exchange;
    this.names = names;
  }

  /** undefined = no cluster was chosen. */
  private get stats(): GrpcStats | undefined {
    if (this.found !== undefined) return this.found;
    const { upstreamCluster, manager } = this.exchange;
    return (this.found = upstreamCluster === "" ? undefined : manager.env.clusters.get(upstreamCluster)?.stats.grpc(this.names));
  }

  requests(messages: number): void {
    this.sent += messages;
    const { stats } = this;
    if (stats === undefined || this.sent === 0) return;
    stats.requestMessages.value += this.sent;
    this.sent = 0;
  }

  responses(messages: number): void {
    this.requests(0);
    if (messages > 0 && this.stats !== undefined) this.stats.responseMessages.value += messages;
  }

  end(times: boolean): void {
    this.requests(0);
    const { exchange, stats } = this;
    const said = exchange.responseTrailer("grpc-status") ?? exchange.responseHeader("grpc-status");
    if (stats === undefined || said === undefined) return;
    stats.countStatus(parseGrpcStatus(said));
    const { requestEndMs } = exchange;
    if (times && requestEndMs !== undefined) stats.time().record(exchange.durationMs() - requestEndMs);
  }
}

class CountedBody implements BodyTaker {
  private readonly taker: BodyTaker;
  private readonly call: Call;
  private readonly counter: MessageCounter;

  constructor(taker: BodyTaker, call: Call, counter: MessageCounter) {
    this.taker = taker;
    this.call = call;
    this.counter = counter;
  }

  onRequestData(data: Buffer, part: BodyPart, end: Trailers): void {
    this.call.requests(this.counter.feed(data.subarray(part.from, part.to)));
    this.taker.onRequestData(data, part, end);
  }

  onCallerGone(): void {
    this.taker.onCallerGone();
  }

  onTunnelEnd(): void {
    this.taker.onTunnelEnd();
  }
}

class CountedCaller extends CallerFilter {
  private readonly call: Call;
  private counter: MessageCounter | undefined = undefined;
  /** What comes next was counted with the answer's head. */
  private counted = false;

  constructor({ caller }: Exchange, call: Call) {
    super(caller);
    this.call = call;
  }

  override beginAnswer(stream: UpstreamStream, start: AnswerStart, notes: AnswerNotes): Buffer | undefined {
    this.counter = new MessageCounter(start.framing === "chunked");
    this.count(start.data.subarray(start.bodyAt, start.forwardEnd));
    const rest = this.inner.beginAnswer(stream, start, notes);
    // Nothing is not written.
    this.counted = rest !== undefined && rest.length > 0;
    return rest;
  }

  override writeAnswer(view: Buffer, lasting: boolean): boolean {
    this.count(view);
    return this.inner.writeAnswer(view, lasting);
  }

  override endAnswer(view: Buffer, lasting: boolean, trailers: Trailers): boolean {
    this.count(view);
    return this.inner.endAnswer(view, lasting, trailers);
  }

  private count(view: Buffer): void {
    if (this.counted) this.counted = false;
    else this.call.responses(this.counter?.feed(view) ?? 0);
  }
}
