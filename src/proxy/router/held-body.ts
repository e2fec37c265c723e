// A request's body while it waits for a connection, and for as long as it may have to be sent again.
import type { Conn } from "../network/conn.ts";

/** Kept for another try up to here, as Envoy's buffer limit does; a longer one is sent once. */
const REPLAY_LIMIT = 1_048_576;

export class HeldBody {
  /** All of it so far is here (or it has none): another try can send it again. */
  canReplay = false;
  bytes = 0;
  private parts: Buffer[] = [];
  private retries = false;

  start(retries: boolean): void {
    this.canReplay = true;
    this.retries = retries;
  }

  sendTo(conn: Conn): void {
    for (const part of this.parts) conn.writeSub(part);
    if (!this.canReplay || !this.retries) this.drop();
  }

  /** `waiting`: there is no connection yet that it was sent on. */
  hold(part: Buffer, waiting: boolean): void {
    if (!waiting && (!this.retries || !this.canReplay)) {
      this.canReplay = false;
      return;
    }
    this.parts.push(part);
    this.bytes += part.length;
    if (this.bytes <= REPLAY_LIMIT) return;
    this.canReplay = false;
    if (!waiting) this.drop();
  }

  /** What was sent cannot be sent again. */
  private drop(): void {
    if (this.bytes === 0) return;
    this.canReplay = false;
    this.clear();
  }

  clear(): void {
    if (this.bytes === 0) return;
    this.parts = [];
    this.bytes = 0;
  }
}
