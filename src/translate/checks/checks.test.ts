import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { buildMesh, checkReferences } from "../index.ts";
import { resourcesOf } from "../resources-of.fixture.ts";
import { missesSecondCookie } from "./cookie-regex.ts";

const SERVICES = `
apiVersion: v1
kind: Service
metadata: {name: demo4, namespace: test1}
spec: {selector: {app: demo4}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: two, namespace: test1}
spec: {selector: {app: two}, ports: [{name: http, port: 80}, {name: http-b, port: 81}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: demo4, namespace: test1}
spec: {selector: {matchLabels: {app: demo4}}, template: {metadata: {labels: {app: demo4, version: v1}}, spec: {containers: [{name: a, image: mritd/demo}]}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: demo4, namespace: test1}
spec: {host: demo4, subsets: [{name: v1, labels: {version: v1}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: test1}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [demo4.a.com]}]}
`;

/** Code, path and the text at the reported place. */
function check(document: string): readonly (readonly [string, string, string])[] {
  const text = `${SERVICES}---\n${document.trim()}\n`;
  const lines = text.split("\n");
  const issues = checkReferences(buildMesh({ resources: resourcesOf(text) }), () => undefined);
  return issues.map((issue) => [issue.code, issue.path, (lines[issue.line - 1] ?? "").slice(issue.column - 1)] as const);
}

const vs = (spec: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: one, namespace: test1}
spec:
${spec.replace(/^\n/, "")}`;

describe("checkReferences", () => {
  test("a sound mesh has nothing to say", () => {
    const spec = `
  hosts: [demo4.a.com]
  gateways: [edge]
  http:
  - match: [{uri: {prefix: /a}}]
    route: [{destination: {host: demo4, subset: v1}, weight: 100}]
  - route: [{destination: {host: demo4}}]`;
    expect(check(vs(spec))).toEqual([]);
  });

  test.each<[string, string, [string, string, string]]>([
    [
      "host not known",
      "\n  hosts: [demo4]\n  http:\n  - route: [{destination: {\n      host: demo5}}]",
      ["IST0101", "spec.http[0].route[0].destination.host", "host: demo5}}]"],
    ],
    [
      "subset in no DestinationRule",
      "\n  hosts: [demo4]\n  http:\n  - route: [{destination: {host: demo4,\n      subset: v9}}]",
      ["IST0101", "spec.http[0].route[0].destination.subset", "subset: v9}}]"],
    ],
    [
      "gateway not found",
      "\n  hosts: [demo4.a.com]\n  gateways:\n  - nope\n  http:\n  - route: [{destination: {host: demo4}}]",
      ["IST0101", "spec.gateways[0]", "nope"],
    ],
    [
      "host outside the gateway",
      "\n  hosts: [other.com]\n  gateways: [edge]\n  http:\n  - route: [{destination: {host: demo4}}]",
      ["IST0132", "spec.hosts", "hosts: [other.com]"],
    ],
    [
      "weight of a single destination",
      "\n  hosts: [demo4]\n  http:\n  - route:\n    - destination: {host: demo4}\n      weight: 7",
      ["SERIN0201", "spec.http[0].route[0].weight", "weight: 7"],
    ],
    [
      "a port that the service lacks",
      "\n  hosts: [demo4]\n  http:\n  - route: [{destination: {host: demo4, port: {\n      number: 8080}}}]",
      ["SERIN0204", "spec.http[0].route[0].destination.port.number", "number: 8080}}}]"],
    ],
    [
      "several ports and none named, from a gateway",
      "\n  hosts: [demo4.a.com]\n  gateways: [edge]\n  http:\n  - route: [{destination: {\n      host: two}}]",
      ["SERIN0205", "spec.http[0].route[0].destination.host", "host: two}}]"],
    ],
    [
      "the same destination twice",
      "\n  hosts: [demo4]\n  http:\n  - route:\n    - {destination: {host: demo4}, weight: 1}\n    - {weight: 2,\n       destination: {host: demo4}}",
      ["SERIN0206", "spec.http[0].route[1].destination", "destination: {host: demo4}}"],
    ],
    [
      "a match for a gateway that is not bound",
      "\n  hosts: [demo4]\n  http:\n  - match:\n    - gateways:\n      - test1/edge\n    route: [{destination: {host: demo4}}]",
      ["SERIN0203", "spec.http[0].match[0].gateways[0]", "test1/edge"],
    ],
    [
      "a rule after a catch-all",
      "\n  hosts: [demo4]\n  http:\n  - route: [{destination: {host: demo4}}]\n  - {name: late, route: [{destination: {host: demo4}}]}",
      ["IST0130", "spec.http[1]", "{name: late, route: [{destination: {host: demo4}}]}"],
    ],
    [
      "a TCP rule after one without match",
      "\n  hosts: [demo4]\n  tcp:\n  - route: [{destination: {host: demo4}}]\n  - {match: [{port: 80}], route: [{destination: {host: demo4}}]}",
      ["IST0130", "spec.tcp[1]", "{match: [{port: 80}], route: [{destination: {host: demo4}}]}"],
    ],
    [
      "a match that an earlier rule takes",
      "\n  hosts: [demo4]\n  http:\n  - match: [{uri: {prefix: /a}}]\n    route: [{destination: {host: demo4}}]\n  - match:\n    - uri: {prefix: /b}\n    - {uri: {exact: /a/b}}\n    route: [{destination: {host: demo4}}]",
      ["IST0131", "spec.http[1].match[1]", "{uri: {exact: /a/b}}"],
    ],
    [
      "the cookie that comes second",
      `\n  hosts: [demo4]\n  http:\n  - match:\n    - headers:\n        cookie:\n          regex: "^(.*?;)?(email=[^;]*@some-company-name.com)(;.*)?$"\n    route: [{destination: {host: demo4}}]`,
      ["SERIN0202", "spec.http[0].match[0].headers.cookie.regex", `regex: "^(.*?;)?(email=[^;]*@some-company-name.com)(;.*)?$"`],
    ],
  ])("%s", (_name, spec, expected) => {
    expect(check(vs(spec))).toEqual([expected]);
  });

  test.each<[string, readonly [string, string]]>([
    ["yes", ["SERIN0209", 'metadata.annotations["serin.dev/sticky-shares"]']],
    ["true", ["SERIN0209", "spec.tcp[0].route"]],
  ])("sticky shares: %s, with shares of connections beside", (value, expected) => {
    const marked = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: one, namespace: test1, annotations: {serin.dev/sticky-shares: "${value}"}}
spec: {hosts: [demo4], tcp: [{route: [{destination: {host: demo4}, weight: 1}, {destination: {host: two, port: {number: 80}}, weight: 2}]}]}`;
    expect(check(marked).map(([code, path]) => [code, path])).toEqual([expected]);
  });

  test("subsets without pods, hosts without services, gateways without workloads, twice the same host", () => {
    const text = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: b, namespace: test1}
spec: {host: demo4, subsets: [{name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: c, namespace: test1}
spec: {host: nobody}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: far, namespace: test1}
spec: {selector: {istio: egress}, servers: [{port: {number: 90, name: http, protocol: HTTP}, hosts: [x.com]}]}
---
${vs("  {hosts: [demo4], http: [{route: [{destination: {host: demo4}}]}]}")}
---
${vs("  {hosts: [demo4.test1.svc.cluster.local], http: [{route: [{destination: {host: demo4}}]}]}").replace("name: one", "name: other")}
`;
    expect(check(text).map(([code, path]) => `${code} ${path}`)).toEqual([
      "IST0173 spec.subsets[0].labels",
      "IST0101 spec.host",
      "IST0109 spec.hosts[0]",
      "IST0109 spec.hosts[0]",
      "IST0101 spec.selector",
    ]);
  });

  test("another name of a service is the service; of a name that is none there is nothing to send to", () => {
    const alias = (name: string, of: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: test1}
spec: {type: ExternalName, externalName: ${of}}
---`;
    const route = (destination: string): string =>
      vs(`
  hosts: [demo4.a.com]
  gateways: [edge]
  http:
  - route: [{destination: {host: ${destination}}}]`);
    const old = alias("old", "demo4.test1.svc.cluster.local");
    expect(check(`${old}\n${route("old, subset: v1, port: {number: 80}")}`)).toEqual([]);
    expect(check(`${old}\n${route("old, port: {number: 81}")}`).map(([code]) => code)).toEqual(["SERIN0204"]);
    expect(check(`${alias("far", "www.example.com")}\n${route("far")}`)).toEqual([
      ["IST0101", "spec.http[0].route[0].destination.host", "host: far}}]"],
    ]);
  });

  test("hosts that requests name have no subsets", () => {
    const entry = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: names, namespace: test1}
spec: {hosts: ["*.example.com"], location: MESH_EXTERNAL, resolution: DYNAMIC_DNS, ports: [{number: 80, name: http, protocol: HTTP}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: names, namespace: test1}
spec: {host: "*.example.com", subsets: [{name: v1, labels: {version: v1}}]}`;
    expect(check(entry).map(([code, path]) => [code, path])).toEqual([["IST0173", "spec.subsets[0].labels"]]);
  });

  test("workloads and namespaces that are claimed twice", () => {
    const text = `
apiVersion: v1
kind: Service
metadata: {name: raw, namespace: test1}
spec: {selector: {app: demo4}, ports: [{name: tcp, port: 9, targetPort: 80}, {name: db, port: 7}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: a, namespace: test1}
spec: {workloadSelector: {labels: {app: demo4}}, egress: [{hosts: ["./*"]}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: b, namespace: test1}
spec: {workloadSelector: {labels: {version: v1}}, egress: [{hosts: ["./*"]}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: c, namespace: zoo}
spec: {egress: [{hosts: ["./*"]}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: d, namespace: zoo}
spec: {egress: [{hosts: ["./*"]}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: both, labels: {istio-injection: enabled, istio.io/rev: x}}
`;
    expect(check(text).map(([code, path]) => `${code} ${path}`)).toEqual([
      "IST0118 spec.ports[1].name",
      "IST0111 ",
      "IST0111 ",
      "IST0110 spec.workloadSelector",
      "IST0110 spec.workloadSelector",
      "IST0116 spec.ports[0]",
      "IST0123 metadata.labels",
    ]);
  });

  test("the issues are the same list while nothing changes", () => {
    const snapshot = buildMesh({ resources: resourcesOf(SERVICES) });
    const fine = (): undefined => undefined;
    expect(checkReferences(snapshot, fine)).toBe(checkReferences(snapshot, fine));
  });
});

test.each([
  ["^(.*?;)?(email=[^;]*@x.com)(;.*)?$", true],
  [".*;email=.*", true],
  ["(^|;)user=jason(;.*)?", true],
  ["^(.*?; ?)?(email=[^;]*)(;.*)?$", false],
  ["^(.*;)?\\s*(user=jason)(;.*)?$", false],
  [".*user=jason.*", false],
])("cookie pattern %s misses a second cookie: %s", (pattern, expected) => expect(missesSecondCookie(pattern)).toBe(expected));

/** What real Istio answered: a rule that was used in a recorded case is never reported as unreachable. */
describe("recorded cases", () => {
  const root = join(import.meta.dirname, "../../../scenarios/http-match");
  const files = readdirSync(root).filter((name) => name.endsWith(".yaml"));
  test.each(files)("%s is built and checked", (file) => {
    const { resources } = parse(readFileSync(join(root, file), "utf8")) as { resources: string };
    const issues = checkReferences(buildMesh({ resources: resourcesOf(resources) }), () => undefined);
    expect(issues.filter((issue) => issue.severity === "error" && issue.code !== "IST0109")).toEqual([]);
    for (const issue of issues) expect(issue.line).toBeGreaterThan(1);
  });
});
