// Holds a request back for a while.
import type { Exchange, Service } from "../../router/exchange.ts";
import { HeldRequest } from "../held-request.ts";

/** `goOn` runs after so many milliseconds, unless the caller has gone or the stream's idle time-out strikes first. */
export function delayRequest(exchange: Exchange, delayMs: number, goOn: Service): void {
  new HeldRequest(exchange, delayMs, goOn).start();
}
