// Callers that know two proxies and go to the other when one asks them to leave: what a caller with endpoints does. A connection that is refused is no failure, for
// nothing was sent, and neither is a stream that nobody has seen (RFC 9113, section 8.7); a request that was sent and not answered is one.
import http from "node:http";
import http2 from "node:http2";
import { sleep } from "../fleet.ts";
import { HOST } from "../edge-yaml.ts";

export interface FailoverCallers {
  /** It takes callers again. */
  up(port: number): void;
  stop(): Promise<ReadonlyMap<string, number>>;
}

interface Options {
  readonly ports: readonly [number, number];
  readonly path: string;
  readonly count: number;
  /** Between two requests of a caller. */
  readonly thinkMs: number;
}

type Outcome = "refused" | "leave" | string;

abstract class Callers implements FailoverCallers {
  protected readonly options: Options;
  protected readonly outcomes = new Map<string, number>();
  private readonly away = new Set<number>();
  private readonly running: Promise<unknown>;
  private stopping = false;

  constructor(options: Options) {
    this.options = options;
    // Once the fields of the class below are there too.
    this.running = Promise.resolve().then(() => Promise.all(Array.from({ length: options.count }, (_, i) => this.one(i))));
  }

  /** `leave`: answered, and asked not to come again. */
  protected abstract ask(port: number, caller: number): Promise<Outcome>;
  protected abstract end(): void;

  up(port: number): void {
    this.away.delete(port);
  }

  async stop(): Promise<ReadonlyMap<string, number>> {
    this.stopping = true;
    await this.running;
    this.end();
    return this.outcomes;
  }

  protected count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  private async one(caller: number): Promise<void> {
    const { ports, thinkMs } = this.options;
    for (let i = caller; !this.stopping; i++) {
      const [first, second] = i % 2 === 0 ? ports : [ports[1], ports[0]];
      const port = this.away.has(first) ? second : first;
      const outcome = await this.ask(port, caller);
      if (outcome === "refused" || outcome === "leave") this.away.add(port);
      if (outcome !== "refused") this.count(outcome === "leave" ? "200" : outcome);
      await sleep(thinkMs);
    }
  }
}

function codeOf(error: Error): string {
  return (error as { code?: string }).code ?? error.message;
}

/** Keep-alive connections, one for each caller and proxy. */
export class Http1Callers extends Callers {
  private readonly agents = new Map<string, http.Agent>();

  protected ask(port: number, caller: number): Promise<Outcome> {
    const key = `${port} ${caller}`;
    let agent = this.agents.get(key);
    if (agent === undefined) this.agents.set(key, (agent = new http.Agent({ keepAlive: true, maxSockets: 1 })));
    const { path } = this.options;
    return new Promise((resolve) => {
      const request = http.get({ agent, host: "127.0.0.1", port, path, headers: { host: HOST } }, (response) => {
        let body = "";
        response.on("data", (part: Buffer) => (body += part.toString()));
        response.on("error", (error) => resolve(`broken body: ${codeOf(error)}`));
        response.on("end", () => {
          if (response.statusCode !== 200) resolve(`${response.statusCode} ${body}`);
          else resolve(response.headers.connection === "close" ? "leave" : "200");
        });
      });
      request.setTimeout(20_000, () => request.destroy(new Error("timeout")));
      request.on("error", (error) => resolve(codeOf(error) === "ECONNREFUSED" ? "refused" : codeOf(error)));
    });
  }

  protected end(): void {
    for (const agent of this.agents.values()) agent.destroy();
  }
}

interface Session {
  readonly http2: http2.ClientHttp2Session;
  goAways: number;
  refused: boolean;
}

/** One connection for each proxy; after GOAWAY the next request opens another. */
export class Http2Callers extends Callers {
  private readonly sessions = new Map<number, Session>();
  /** GOAWAY frames of each connection that got one. */
  readonly goAways: number[] = [];
  /** Streams that were begun when GOAWAY came in. */
  unseen = 0;

  private session(port: number): Session {
    const known = this.sessions.get(port);
    if (known !== undefined && !known.http2.closed && !known.http2.destroyed && known.goAways === 0) return known;
    const session: Session = { http2: http2.connect(`http://127.0.0.1:${port}`), goAways: 0, refused: false };
    session.http2.on("error", (error) => {
      if (codeOf(error) === "ECONNREFUSED") session.refused = true;
    });
    session.http2.on("goaway", () => session.goAways++);
    session.http2.on("close", () => {
      if (session.goAways > 0) this.goAways.push(session.goAways);
    });
    this.sessions.set(port, session);
    return session;
  }

  protected ask(port: number): Promise<Outcome> {
    const session = this.session(port);
    const stream = session.http2.request({ ":path": this.options.path, ":authority": HOST });
    let status: number | undefined;
    stream.on("response", (headers) => (status = headers[":status"]));
    stream.on("error", () => undefined);
    stream.resume();
    return new Promise((resolve) => {
      stream.on("close", () => {
        const unseen = status === undefined && stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM;
        if (unseen) this.unseen++;
        if (session.refused || unseen) resolve("refused");
        else if (status !== 200 || stream.rstCode !== 0) resolve(`${status ?? "no answer"}, ${stream.rstCode}`);
        else resolve(session.goAways > 0 ? "leave" : "200");
      });
    });
  }

  protected end(): void {
    for (const session of this.sessions.values()) session.http2.destroy();
  }
}
