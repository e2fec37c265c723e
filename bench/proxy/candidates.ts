// The proxies that are measured, each doing the same work: host lookup, the demo's cookie rule, weighted pick between two clusters of two
// endpoints, request id, metrics. One worker each, pinned to one core.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Candidate } from "../measure.ts";
import { envoyBootstrap } from "./bootstrap.ts";

export interface Setting {
  readonly dir: string;
  readonly port: number;
  readonly upstreams: readonly number[];
  readonly accessLog: boolean;
  readonly root: string;
}

const DOMAIN = "demo4.test1.svc.cluster.local";
const COOKIE = "^(.*?;)?(email=[^;]*@example.com)(;.*)?$";

export function inPath(program: string): string | undefined {
  const override = process.env[program.toUpperCase()];
  if (override !== undefined) return override;
  for (const dir of (process.env["PATH"] ?? "").split(":")) {
    for (const place of [path.join(dir, program), path.join("/usr/sbin", program)]) if (existsSync(place)) return place;
  }
  return undefined;
}

function write(setting: Setting, name: string, text: string): string {
  mkdirSync(setting.dir, { recursive: true });
  const file = path.join(setting.dir, `${name}-${setting.accessLog ? "log" : "quiet"}`);
  writeFileSync(file, text);
  return file;
}

function serin(setting: Setting): Candidate {
  const file = write(setting, "serin.json", JSON.stringify(envoyBootstrap({ ...setting, domain: DOMAIN, cookie: COOKIE })));
  return { name: "serin", command: [process.env["SERIN"] ?? path.join(setting.root, "bin/serin"), "proxy", "-c", file] };
}

function envoy(setting: Setting): Candidate {
  const program = process.env["ENVOY"] ?? path.join(setting.root, ".cache/envoy/envoy");
  const file = write(setting, "envoy.json", JSON.stringify(envoyBootstrap({ ...setting, domain: DOMAIN, cookie: COOKIE })));
  if (!existsSync(program)) return { name: "envoy", command: undefined, skipped: "tools/install-envoy.sh fetches it" };
  return { name: "envoy", command: [program, "-c", file, "--concurrency", "1", "-l", "error", "--use-dynamic-base-id"] };
}

function haproxy(setting: Setting): Candidate {
  const program = inPath("haproxy");
  if (program === undefined)
    return { name: "haproxy", command: undefined, skipped: "Debian's package haproxy is not installed (or set HAPROXY)" };
  const [a = 0, b = 0, c = 0, d = 0] = setting.upstreams;
  const file = write(
    setting,
    "haproxy.cfg",
    `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  http-reuse always
  option http-keep-alive
${setting.accessLog ? "  log stdout format raw local0\n  option httplog\n" : ""}frontend in
  bind 127.0.0.1:${setting.port}
  unique-id-format %[uuid()]
  http-request set-header x-request-id %[unique-id] unless { req.hdr(x-request-id) -m found }
  acl host hdr(host) -i ${DOMAIN}
  acl tester hdr(cookie) -m reg ^(.*;)?(email=[^;]*@example.com)(;.*)?$
  http-request deny deny_status 404 unless host
  use_backend v2 if tester
  use_backend v2 if { rand(100) lt 10 }
  default_backend v1
backend v1
  balance roundrobin
  server a 127.0.0.1:${a}
  server b 127.0.0.1:${b}
backend v2
  balance roundrobin
  server c 127.0.0.1:${c}
  server d 127.0.0.1:${d}
`,
  );
  return { name: "haproxy", command: [program, "-f", file] };
}

function nginx(setting: Setting): Candidate {
  const program = inPath("nginx");
  if (program === undefined)
    return { name: "nginx", command: undefined, skipped: "Debian's package nginx is not installed (or set NGINX)" };
  const [a = 0, b = 0, c = 0, d = 0] = setting.upstreams;
  const file = write(
    setting,
    "nginx.conf",
    `worker_processes 1;
daemon off;
master_process off;
pid ${setting.dir}/nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log ${setting.accessLog ? `${setting.dir}/nginx-access.log` : "off"};
  client_body_temp_path ${setting.dir}; proxy_temp_path ${setting.dir}; fastcgi_temp_path ${setting.dir}; uwsgi_temp_path ${setting.dir}; scgi_temp_path ${setting.dir};
  keepalive_requests 100000000;
  upstream v1 { server 127.0.0.1:${a}; server 127.0.0.1:${b}; keepalive 512; keepalive_requests 100000000; }
  upstream v2 { server 127.0.0.1:${c}; server 127.0.0.1:${d}; keepalive 512; keepalive_requests 100000000; }
  split_clients $request_id $split { 10% v2; * v1; }
  map $http_cookie $target { "~^(.*;)?(email=[^;]*@example.com)(;.*)?$" v2; default $split; }
  server {
    listen 127.0.0.1:${setting.port};
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
`,
  );
  return { name: "nginx", command: [program, "-p", setting.dir, "-c", file] };
}

function nodeProxy(setting: Setting, kind: "node-http" | "node-pipe"): Candidate {
  return {
    name: kind,
    command: [
      process.execPath,
      path.join(setting.root, "bench/proxy/node-proxy.ts"),
      kind,
      String(setting.port),
      setting.upstreams.join(","),
      DOMAIN,
      COOKIE,
    ],
  };
}

export function candidates(setting: Setting): readonly Candidate[] {
  return [
    serin(setting),
    envoy(setting),
    haproxy(setting),
    nginx(setting),
    nodeProxy(setting, "node-http"),
    nodeProxy(setting, "node-pipe"),
  ];
}
