// The proxies that are measured, each doing the same work: host lookup, the demo's cookie rule, weighted pick between two clusters of two
// endpoints, request id, metrics. One worker each, pinned to one core.
import path from "node:path";
import { DOMAIN, accessLog as accessLogTo, bootstrap, httpManager, splitClusters, SPLIT_ROUTE } from "../bootstrap.ts";
import { type Candidate, envoyLike, haproxy, haproxyBackends, packaged, type Scratch } from "../candidate.ts";

export interface Setting {
  readonly scratch: Scratch;
  readonly upstreams: readonly number[];
  readonly accessLog: boolean;
}

const COOKIE = "^(.*?;)?(email=[^;]*@example.com)(;.*)?$";

/** The demo's testers go to v2. */
const COOKIE_ROUTE: object = {
  match: { prefix: "/", headers: [{ name: "cookie", string_match: { safe_regex: { regex: COOKIE } } }] },
  route: { cluster: "v2", timeout: "15s" },
};

function bootstrapOf({ scratch, upstreams, accessLog }: Setting, port: number): object {
  const log = accessLog ? { access_log: [accessLogTo(path.join(scratch.dir, "access.log"))] } : {};
  const filter = httpManager({ routes: [COOKIE_ROUTE, SPLIT_ROUTE], over: log });
  return bootstrap([{ name: "in", port, filter }], splitClusters(upstreams, "http1"));
}

function haproxyOf({ scratch, upstreams, accessLog }: Setting): Candidate {
  return haproxy(scratch, {
    defaults: `  http-reuse always
  option http-keep-alive
${accessLog ? "  log stdout format raw local0\n  option httplog\n" : ""}`,
    frontend: `  unique-id-format %[uuid()]
  http-request set-header x-request-id %[unique-id] unless { req.hdr(x-request-id) -m found }
  acl host hdr(host) -i ${DOMAIN}
  acl tester hdr(cookie) -m reg ^(.*;)?(email=[^;]*@example.com)(;.*)?$
  http-request deny deny_status 404 unless host
  use_backend v2 if tester
  use_backend v2 if { rand(100) lt 10 }
  default_backend v1
`,
    backends: haproxyBackends(upstreams),
  });
}

function nginx({ scratch, upstreams, accessLog }: Setting): Candidate {
  const [a = 0, b = 0, c = 0, d = 0] = upstreams;
  const { dir } = scratch;
  return packaged("nginx", (port) => {
    const text = `worker_processes 1;
daemon off;
master_process off;
pid ${dir}/nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log ${accessLog ? `${dir}/nginx-access.log` : "off"};
  client_body_temp_path ${dir}; proxy_temp_path ${dir}; fastcgi_temp_path ${dir}; uwsgi_temp_path ${dir}; scgi_temp_path ${dir};
  keepalive_requests 100000000;
  upstream v1 { server 127.0.0.1:${a}; server 127.0.0.1:${b}; keepalive 512; keepalive_requests 100000000; }
  upstream v2 { server 127.0.0.1:${c}; server 127.0.0.1:${d}; keepalive 512; keepalive_requests 100000000; }
  split_clients $request_id $split { 10% v2; * v1; }
  map $http_cookie $target { "~^(.*;)?(email=[^;]*@example.com)(;.*)?$" v2; default $split; }
  server {
    listen 127.0.0.1:${port};
    server_name ${DOMAIN};
    location / {
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header x-request-id $request_id;
      proxy_pass http://$target;
    }
  }
}
`;
    return ["-p", dir, "-c", scratch.write("nginx.conf", text)];
  });
}

function nodeProxy(upstreams: readonly number[], kind: "node-http" | "node-pipe"): Candidate {
  const file = path.join(import.meta.dirname, "node-proxy.ts");
  return {
    name: kind,
    launch: (port) => ({ command: [process.execPath, file, kind, String(port), upstreams.join(","), DOMAIN, COOKIE] }),
  };
}

export function candidates(setting: Setting): readonly Candidate[] {
  return [
    ...envoyLike(setting.scratch, (port) => bootstrapOf(setting, port)),
    haproxyOf(setting),
    nginx(setting),
    nodeProxy(setting.upstreams, "node-http"),
    nodeProxy(setting.upstreams, "node-pipe"),
  ];
}
