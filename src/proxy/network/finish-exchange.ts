// What happens when a request is over, however it ended: its counts and its line in the access logs.
import type { Exchange } from "../router/exchange.ts";

export function finishExchange(exchange: Exchange): void {
  const { stats, loggers, env } = exchange.manager;
  exchange.taker = undefined;
  exchange.endMs = env.clock.now();
  stats.rqActive.value--;
  stats.rqCompleted.value++;
  (stats.classes[(exchange.status / 100) | 0] ?? stats.rqRxReset).value++;
  stats.txBytes.value += exchange.bytesSent;
  stats.rqTime.record(exchange.endMs - exchange.startMs);
  for (const logger of loggers) logger.log(exchange);
  exchange.ended();
}
