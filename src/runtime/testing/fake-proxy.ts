// A proxy for the runtime's tests: reads its bootstrap, answers on its admin port, carries nothing.
import { readFileSync } from "node:fs";
import http from "node:http";

interface Bootstrap {
  readonly admin: { readonly address: { readonly socket_address: { readonly port_value: number } } };
}

const file = process.argv[process.argv.indexOf("-c") + 1] ?? "";
const bootstrap = JSON.parse(readFileSync(file, "utf8")) as Bootstrap;
http
  .createServer((request, response) => response.end(request.url === "/ready" ? "LIVE\n" : "http.inbound.downstream_rq_active: 0\n"))
  .listen(bootstrap.admin.address.socket_address.port_value, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
