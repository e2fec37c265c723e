// Envoy's direct response filter: whoever connects is told a fixed text, and that was it.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/direct_response_filter
import type { DirectResponseConfig } from "../config/index.ts";
import type { Arrival } from "./arrival.ts";
import type { Conn, ConnHandler } from "./conn.ts";
import type { Environment } from "./environment.ts";
import { Timer } from "./timer-wheel.ts";

/** Whoever does not close after the answer is cut off. */
const CLOSE_MS = 1000;

export interface DirectResponse {
  accept(arrival: Arrival): DirectResponseSession;
}

export function createDirectResponse(config: DirectResponseConfig, env: Environment): DirectResponse {
  return { accept: (arrival) => new DirectResponseSession(config, { arrival, env }) };
}

export class DirectResponseSession implements ConnHandler {
  conn!: Conn;
  private readonly config: DirectResponseConfig;
  private readonly arrival: Arrival;
  private readonly env: Environment;
  private readonly timer = new Timer(() => this.conn.destroy());

  constructor(config: DirectResponseConfig, at: { readonly arrival: Arrival; readonly env: Environment }) {
    this.config = config;
    this.arrival = at.arrival;
    this.env = at.env;
  }

  readonly busy = false;

  opened(): void {
    const now = this.env.clock.now();
    if (this.config.response.length > 0) this.conn.writeSub(this.config.response);
    this.conn.end();
    this.env.wheel.arm(this.timer, now + CLOSE_MS, now);
  }

  drain(): void {}

  /** What it says is not listened to. */
  onData(): boolean {
    return true;
  }

  onEnd(): void {
    this.conn.whenFlushed(() => this.conn.destroy());
  }

  onClose(): void {
    this.env.wheel.remove(this.timer);
    this.arrival.onClosed();
  }
}
