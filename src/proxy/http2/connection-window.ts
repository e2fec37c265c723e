// What the peer may have under way on the whole connection: credit comes back for bytes that were read or dropped, in large steps (RFC 9113 section 6.9).
import { DEFAULT_WINDOW } from "./frames.ts";
import type { Output } from "./output.ts";

export class ConnectionWindow {
  private readonly output: Output;
  private readonly size: number;
  private left = DEFAULT_WINDOW;
  private owed = 0;

  constructor(output: Output, size: number) {
    this.output = output;
    this.size = size;
  }

  /** Widens the window from the default to its size. */
  open(): void {
    this.owed = this.size - DEFAULT_WINDOW;
    if (this.owed > 0) this.giveBack();
  }

  /** False = the peer sent more than it may. */
  take(bytes: number): boolean {
    this.left -= bytes;
    return this.left >= 0;
  }

  credit(bytes: number): void {
    this.owed += bytes;
    if (this.owed >= this.size >> 1) this.giveBack();
  }

  private giveBack(): void {
    this.left += this.owed;
    this.output.windowUpdate(0, this.owed);
    this.owed = 0;
  }
}
