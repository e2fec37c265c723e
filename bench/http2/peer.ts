// Both ends of the HTTP/2 benchmark speak it with the project's own codec, so that neither is the bottleneck.
import type net from "node:net";
import { systemClock } from "../../src/kit/index.ts";
import { createHttp2Stats } from "../../src/proxy/http2/http2-stats.ts";
import { http2Limits } from "../../src/proxy/http2/limits.ts";
import { createHttp2Session } from "../../src/proxy/http2/session.ts";
import type { Http2Session, SessionHandler } from "../../src/proxy/http2/stream.ts";
import { adopt } from "../../src/proxy/network/conn.ts";
import { createTimerWheel } from "../../src/proxy/network/timer-wheel.ts";

const wheel = createTimerWheel(systemClock);
const stats = createHttp2Stats(
  () => ({ value: 0 }),
  () => ({ value: 0 }),
);

/** A session over a connected socket, which closes with it. */
export function sessionOver(socket: net.Socket, role: "client" | "server", handler: Partial<SessionHandler>): Http2Session {
  const nothing = (): void => undefined;
  const session = createHttp2Session({
    role,
    limits: http2Limits(),
    stats,
    clock: systemClock,
    wheel,
    handler: {
      onRequest: nothing,
      onOversizedRequest: nothing,
      onMalformedRequest: nothing,
      onStreamClosed: nothing,
      onSettings: nothing,
      onGoAway: nothing,
      onClosed: nothing,
      ...handler,
    },
  });
  session.start(adopt(socket, session));
  return session;
}
