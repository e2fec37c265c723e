// The proxies of the HTTP/2 benchmark, each speaking HTTP/2 on both sides: one host, a 90/10 split over two clusters of two endpoints.
import { bootstrap, DOMAIN, httpManager, splitClusters, SPLIT_ROUTE } from "../bootstrap.ts";
import { type Candidate, envoyLike, haproxy, haproxyBackends, type Scratch } from "../candidate.ts";

export function http2Candidates(scratch: Scratch, upstreams: readonly number[]): readonly Candidate[] {
  const filter = httpManager({ routes: [SPLIT_ROUTE] });
  return [
    ...envoyLike(scratch, (port) => bootstrap([{ name: "in", port, filter }], splitClusters(upstreams, "http2"))),
    haproxy(scratch, {
      defaults: "  http-reuse always\n",
      bind: " proto h2",
      frontend: `  unique-id-format %[uuid()]
  http-request set-header x-request-id %[unique-id] unless { req.hdr(x-request-id) -m found }
  acl host hdr(host) -i ${DOMAIN}
  http-request deny deny_status 404 unless host
  use_backend v2 if { rand(100) lt 10 }
  default_backend v1
`,
      backends: haproxyBackends(upstreams, " proto h2"),
    }),
  ];
}
