// A connection's way from the socket to its filter chain, step by step as bytes come in: PROXY protocol header, inspectors, the match, the TLS
// handshake. Whatever is not complete in time, or cannot be, is closed; what an attacker sends here costs little and stays bounded.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/listeners/listener_filters
import type net from "node:net";
import type { FilterChain, Listener } from "../config/index.ts";
import type { Environment } from "../network/environment.ts";
import { Timer } from "../network/timer-wheel.ts";
import { acceptTls, type Secured } from "../transport/accept-tls.ts";
import type { ServerTls } from "../transport/tls-contexts.ts";
import type { PeerProblem } from "../transport/verify-peer.ts";
import { type ClientHello, readClientHello } from "./client-hello.ts";
import { type ConnectionFacts, matchFilterChain } from "./filter-chain-match.ts";
import { inspect } from "./inspect.ts";
import { fitsPort } from "./port-rule.ts";
import type { ListenerStats, TlsInspectorStats } from "./listener-stats.ts";
import { readProxyHeader } from "./proxy-protocol.ts";

/** A handshake that is not over after this long is an attack, where the config has no limit of its own. */
const HANDSHAKE_TIMEOUT_MS = 15_000;

export type Refused = "closed" | "timeout" | "filter" | "no chain" | "secrets" | "tls";

export interface Admitted {
  readonly sock: net.Socket;
  /** The TCP connection under `sock`, where that is TLS. */
  readonly carrier: net.Socket | undefined;
  readonly facts: ConnectionFacts;
  readonly chain: FilterChain;
  readonly secured: Secured | undefined;
  /** Bytes that were read already. */
  readonly first: Buffer | undefined;
}

export interface AdmissionOptions {
  readonly env: Environment;
  readonly listener: Listener;
  readonly sock: net.Socket;
  readonly facts: ConnectionFacts;
  readonly stats: ListenerStats;
  readonly inspectorStats: TlsInspectorStats;
}

export interface AdmissionHandlers {
  onAdmitted(admitted: Admitted): void;
  /** The socket is closed. `reason`: of a failed handshake, in Envoy's words. */
  onRefused(why: Refused, facts: ConnectionFacts, at: { readonly chain: FilterChain | undefined; readonly reason: string }): void;
}

const NO_BYTES: Buffer = Buffer.alloc(0);

export class Admission {
  private readonly options: AdmissionOptions;
  private readonly handlers: AdmissionHandlers;
  private readonly listener: Listener;
  private facts: ConnectionFacts;
  private bytes: Buffer = NO_BYTES;
  private proxied: boolean;
  private inspected: boolean;
  /** What the inspectors may look for, once it is known where the connection goes. */
  private wants: { readonly tls: boolean; readonly http: boolean } | undefined = undefined;
  private hello: ClientHello | undefined = undefined;
  private chain: FilterChain | undefined = undefined;
  /** While hands are shaken. */
  private secured: net.Socket | undefined = undefined;
  private over = false;
  private reading = false;
  private readonly timer = new Timer(() => this.onTimeout());
  private readonly onGone = (): void => void this.refuse("closed");
  private readonly onData = (chunk: Buffer): void => {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    this.step();
  };
  /** The caller has said all it will: what is here is taken for plain text. */
  private readonly onEnd = (): void => {
    if (this.bytes.length === 0 || !this.proxied || this.chain !== undefined) {
      this.refuse("closed");
      return;
    }
    this.inspected = true;
    this.step();
  };

  constructor(options: AdmissionOptions, handlers: AdmissionHandlers) {
    this.options = options;
    this.handlers = handlers;
    this.facts = options.facts;
    this.listener = options.listener;
    this.proxied = options.listener.inspectors.proxyProtocol === undefined;
    const { tls, http } = options.listener.inspectors;
    this.inspected = !tls && !http;
  }

  start(): void {
    if (!this.proxied || !this.inspected) this.limit(this.listener.inspectors.timeoutMs);
    this.step();
  }

  /** The listener goes away. */
  cancel(): void {
    if (!this.over) this.refuse("closed");
  }

  private limit(ms: number): void {
    const { wheel, clock } = this.options.env;
    wheel.disarm(this.timer);
    if (ms <= 0) return;
    const now = clock.now();
    wheel.arm(this.timer, now + ms, now);
  }

  private read(): void {
    if (this.reading) return;
    this.reading = true;
    const { sock } = this.options;
    sock.on("data", this.onData);
    sock.on("end", this.onEnd);
    sock.on("error", this.onGone);
    sock.on("close", this.onGone);
  }

  private stopReading(): void {
    const { sock } = this.options;
    this.options.env.wheel.remove(this.timer);
    if (!this.reading) return;
    this.reading = false;
    sock.off("data", this.onData);
    sock.off("end", this.onEnd);
    sock.off("error", this.onGone);
    sock.off("close", this.onGone);
    sock.pause();
  }

  private step(): void {
    if (this.over) return;
    if (!this.proxied && !this.takeProxyHeader()) return;
    if (!this.inspected && !this.takeInspection()) return;
    this.chain ??= matchFilterChain(this.listener, this.facts);
    const { chain } = this;
    if (chain === undefined) this.refuse("no chain");
    else if (chain.tls === undefined) this.admit(chain, undefined);
    else this.beginTls(chain);
  }

  /** False = not yet, or over. */
  private takeProxyHeader(): boolean {
    const config = this.listener.inspectors.proxyProtocol;
    if (config === undefined || this.bytes.length === 0) return this.wait();
    const header = readProxyHeader(this.bytes, config);
    if (header === "more") return this.wait();
    if (header === "broken") return this.refuse("filter");
    this.proxied = true;
    if (header === "none") return true;
    this.bytes = this.bytes.subarray(header.length);
    if (header.announced !== undefined) this.facts = { ...this.facts, ...header.announced };
    return true;
  }

  private wanted(): { readonly tls: boolean; readonly http: boolean } {
    const { tls, http, skipsTls, skipsHttp } = this.listener.inspectors;
    const { localPort } = this.facts;
    return { tls: tls && !fitsPort(skipsTls, localPort), http: http && !fitsPort(skipsHttp, localPort) };
  }

  private takeInspection(): boolean {
    const { inspectorStats } = this.options;
    const wants = (this.wants ??= this.wanted());
    if (!wants.tls && !wants.http) {
      this.inspected = true;
      return true;
    }
    const seen = inspect(this.bytes, wants);
    if (seen === undefined) return this.wait();
    if (seen === "refused") {
      inspectorStats.tooLarge.value++;
      return this.refuse("filter");
    }
    if (seen.hello !== undefined) inspectorStats.found(seen.serverName, seen.applicationProtocols);
    else if (wants.tls) inspectorStats.notFound.value++;
    const { transport, serverName, applicationProtocols, hello } = seen;
    this.inspected = true;
    this.hello = hello;
    this.facts = { ...this.facts, transport, serverName, applicationProtocols };
    return true;
  }

  private wait(): false {
    this.read();
    return false;
  }

  /** The hello decides on certificate and protocol, so it is read here even where no inspector did. */
  private beginTls(chain: FilterChain): void {
    const { env } = this.options;
    const tls = chain.tls === undefined ? undefined : env.tls.server(chain.tls);
    if (tls === undefined) {
      this.options.stats.secretsNotReady.value++;
      this.refuse("secrets");
      return;
    }
    if (this.hello === undefined) {
      if (this.bytes.length === 0 || readClientHello(this.bytes) === "more") {
        this.limit(chain.handshakeTimeoutMs > 0 ? chain.handshakeTimeoutMs : HANDSHAKE_TIMEOUT_MS);
        this.wait();
        return;
      }
      const hello = readClientHello(this.bytes);
      if (typeof hello !== "string") this.hello = hello;
    }
    this.shakeHands(chain, tls);
  }

  private shakeHands(chain: FilterChain, tls: ServerTls): void {
    const { env, sock, stats } = this.options;
    this.stopReading();
    this.limit(chain.handshakeTimeoutMs > 0 ? chain.handshakeTimeoutMs : HANDSHAKE_TIMEOUT_MS);
    const { serverName, applicationProtocols } = this.hello ?? { serverName: "", applicationProtocols: [] };
    const first = this.bytes.length === 0 ? undefined : this.bytes;
    this.bytes = NO_BYTES;
    const onFailure = (reason: string, problem: PeerProblem | undefined): void => {
      if (this.over) return;
      stats.ssl.failed(problem);
      this.refuse("tls", reason);
    };
    this.secured = acceptTls(
      sock,
      { tls, serverName, applicationProtocols, first, now: () => env.clock.wall() },
      {
        onFailure,
        onSecure: (secure, secured) => {
          if (this.over) return;
          const { version, cipher, peer } = secured.info;
          stats.ssl.secured({ version, cipher, reused: secured.reused, hasPeer: peer !== undefined });
          this.facts = { ...this.facts, serverName: this.facts.serverName === "" ? serverName : this.facts.serverName };
          this.admit(chain, { sock: secure, secured });
        },
      },
    );
  }

  private admit(chain: FilterChain, tls: { readonly sock: net.Socket; readonly secured: Secured } | undefined): void {
    const { sock } = this.options;
    this.over = true;
    this.stopReading();
    this.handlers.onAdmitted({
      sock: tls?.sock ?? sock,
      carrier: tls === undefined ? undefined : sock,
      facts: this.facts,
      chain,
      secured: tls?.secured,
      first: this.bytes.length === 0 ? undefined : this.bytes,
    });
  }

  private onTimeout(): void {
    if (this.over) return;
    const waiting = !this.proxied || !this.inspected;
    if (waiting) this.options.stats.preCxTimeout.value++;
    // An address that was to be announced cannot be done without.
    if (!waiting || !this.proxied || !this.listener.inspectors.continueOnTimeout) {
      this.refuse("timeout");
      return;
    }
    this.inspected = true;
    this.step();
  }

  private refuse(why: Refused, reason = ""): false {
    if (this.over) return false;
    this.over = true;
    const { sock, stats } = this.options;
    this.stopReading();
    if (why === "filter") stats.filterError.value++;
    if (why === "no chain") stats.noFilterChain.value++;
    sock.on("error", () => undefined);
    if (this.secured !== undefined) this.secured.destroy();
    // Envoy has only looked at what came, and closing a socket with unread bytes resets it.
    else if (this.bytes.length > 0) sock.resetAndDestroy();
    else sock.destroy();
    this.handlers.onRefused(why, this.facts, { chain: this.chain, reason });
    return false;
  }
}
