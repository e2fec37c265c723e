import { expect, test } from "vitest";
import type { MtlsMode, PeerAuthentication } from "../../model/index.ts";
import { buildMtlsIndex } from "./mtls-index.ts";

const ROOT = "istio-system";
let age = 0;

function policy(namespace: string, mode: MtlsMode | undefined, more: Partial<PeerAuthentication> = {}): PeerAuthentication {
  age += 1;
  return { name: `p${age}`, namespace, createdAt: age, selector: undefined, mode, ports: new Map(), ...more };
}

const web = { app: "web" };

test("nobody says anything: permissive", () => {
  const index = buildMtlsIndex([], ROOT);
  expect(index.forNamespace("shop")).toBe("PERMISSIVE");
  expect(index.forPort("shop", web, 80)).toBe("PERMISSIVE");
});

test("the narrower policy counts, and what it leaves open comes from the wider one", () => {
  const index = buildMtlsIndex(
    [
      policy(ROOT, "STRICT"),
      policy("shop", undefined),
      policy("blog", "DISABLE"),
      policy("blog", undefined, { selector: web }),
      policy("blog", "PERMISSIVE", { selector: { app: "db" } }),
    ],
    ROOT,
  );
  expect(index.forNamespace("shop")).toBe("STRICT");
  expect(index.forNamespace("blog")).toBe("DISABLE");
  expect(index.forPort("blog", web, 80)).toBe("DISABLE");
  expect(index.forPort("blog", { app: "db" }, 80)).toBe("PERMISSIVE");
  expect(index.forPort("elsewhere", web, 80)).toBe("STRICT");
});

test("ports of a workload, by its own port number; an open one is as the workload", () => {
  const ports = new Map<number, MtlsMode | undefined>([
    [8080, "DISABLE"],
    [9090, undefined],
  ]);
  const index = buildMtlsIndex([policy("shop", "STRICT", { selector: web, ports })], ROOT);
  expect(index.forWorkload("shop", { ...web, version: "v1" })).toEqual({
    mode: "STRICT",
    ports: new Map([
      [8080, "DISABLE"],
      [9090, "STRICT"],
    ]),
  });
  expect(index.forPort("shop", web, 8080)).toBe("DISABLE");
  expect(index.forPort("shop", web, 7070)).toBe("STRICT");
  expect(index.forPort("shop", { app: "db" }, 8080)).toBe("PERMISSIVE");
});

test("of several policies of one reach the oldest counts; a selector in the root namespace selects nothing", () => {
  const index = buildMtlsIndex(
    [
      policy(ROOT, "DISABLE", { selector: web }),
      policy("shop", "STRICT"),
      policy("shop", "DISABLE"),
      policy("shop", "PERMISSIVE", { selector: web }),
      policy("shop", "DISABLE", { selector: web }),
    ],
    ROOT,
  );
  expect(index.forPort("elsewhere", web, 80)).toBe("PERMISSIVE");
  expect(index.forNamespace("shop")).toBe("STRICT");
  expect(index.forPort("shop", web, 80)).toBe("PERMISSIVE");
});
