// The stand-in program: one small HTTP server that plays the images of well-known demos (`node stand-in.js APP`).
import http from "node:http";
import { answerWith, type App, identityFrom } from "./app.ts";
import { APPS } from "./apps.ts";

const name = process.argv[2] ?? "";
const app: App | undefined = Object.hasOwn(APPS, name) ? APPS[name] : undefined;
if (app === undefined) throw new Error(`there is no stand-in ${name}; there are ${Object.keys(APPS).join(", ")}`);

const identity = identityFrom(process.env);
const ports = new Set(
  Object.entries(process.env)
    .filter(([key]) => key === "PORT" || key.startsWith("PORT_"))
    .map(([, value]) => Number(value)),
);
if (ports.size === 0) ports.add(8080);

const servers = [...ports].map((port) => {
  const server = http.createServer((request, response) => answerWith(app, identity, { request, response }));
  // The proxy in front keeps connections; it shall be the one that closes them.
  server.keepAliveTimeout = 600_000;
  server.listen(port, "127.0.0.1", () => console.log(`${name} ${identity.version} listens on 127.0.0.1:${port}`));
  return server;
});

process.on("SIGTERM", () => {
  let open = servers.length;
  // Requests under way end; idle connections are closed by close().
  for (const server of servers) server.close(() => --open === 0 && process.exit(0));
});
