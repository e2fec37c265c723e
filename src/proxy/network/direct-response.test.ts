import net from "node:net";
import { afterEach, expect, test } from "vitest";
import { listenerConfig, runtimeConfig } from "../testing/config.ts";
import { raw, startScene, until } from "../testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

test("whoever connects is told the text, and the connection ends", async () => {
  const scene = await startScene(runtimeConfig([listenerConfig({ kind: "direct", response: Buffer.from("hello\n") })], []));
  started.push(scene);
  expect(await raw(scene.port(), "whatever")).toBe("hello\n");
  await until("the session is gone", () => scene.plane.listeners()[0]?.connections === 0);
});

test("a caller that never closes is cut off", async () => {
  const scene = await startScene(runtimeConfig([listenerConfig({ kind: "direct", response: Buffer.alloc(0) })], []));
  started.push(scene);
  const socket = net.connect({ port: scene.port(), host: "127.0.0.1", allowHalfOpen: true });
  started.push({ stop: () => socket.destroy() });
  const sessions = (): number | undefined => scene.plane.listeners()[0]?.connections;
  await until("it is there", () => sessions() === 1);
  await until("the session is gone", () => sessions() === 0);
});
