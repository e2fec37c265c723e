// What happens when a request is over, however it ended: its counts and its line in the access logs.
import type { Exchange } from "../router/exchange.ts";

export function finishExchange(exchange: Exchange, now: number): void {
  const { stats, loggers } = exchange.manager;
  exchange.taker = undefined;
  exchange.endMs = now;
  stats.rqActive.value--;
  stats.rqCompleted.value++;
  (stats.classes[(exchange.status / 100) | 0] ?? stats.rqRxReset).value++;
  stats.txBytes.value += exchange.bytesSent;
  stats.rqTime.record(now - exchange.startMs);
  if (loggers.length > 0) for (const logger of loggers) logger.log(exchange);
  exchange.ended();
}
