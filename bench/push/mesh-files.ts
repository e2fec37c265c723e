// A mesh of N services for the bench: each with two versions, a DestinationRule and a VirtualService that splits between them.
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

export function hostOf(index: number): string {
  return `svc-${index}.bench.svc.cluster.local`;
}

/** 80 % and less to v1. */
export function virtualService(index: number, v1: number): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svc-${index}, namespace: bench}
spec:
  hosts: [${hostOf(index)}]
  http:
  - match: [{headers: {cookie: {regex: "^(.*?;)?(user=tester)(;.*)?$"}}}]
    route:
    - {destination: {host: ${hostOf(index)}, subset: v2}}
  - route:
    - {destination: {host: ${hostOf(index)}, subset: v1}, weight: ${v1}}
    - {destination: {host: ${hostOf(index)}, subset: v2}, weight: ${100 - v1}}
`;
}

function service(index: number): string {
  const address = (version: number): string => `10.${20 + version}.${index >> 8}.${index & 255}`;
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: svc-${index}, namespace: bench}
spec:
  hosts: [${hostOf(index)}]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints:
  - {address: ${address(1)}, labels: {version: v1}}
  - {address: ${address(2)}, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: svc-${index}, namespace: bench}
spec:
  host: ${hostOf(index)}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
`;
}

export interface MeshFiles {
  readonly dir: string;
  /** Replaces one VirtualService's file in one step. */
  setWeight(index: number, v1: number): void;
}

/** One file per service and one per VirtualService; the first service's VirtualService is left to the API. */
export function writeMeshFiles(root: string, services: number): MeshFiles {
  const dir = path.join(root, "config");
  mkdirSync(dir);
  const setWeight = (index: number, v1: number): void => {
    const next = path.join(root, "next");
    writeFileSync(next, virtualService(index, v1));
    renameSync(next, path.join(dir, `vs-${index}.yaml`));
  };
  for (let i = 0; i < services; i++) {
    writeFileSync(path.join(dir, `svc-${i}.yaml`), service(i));
    if (i > 0) setWeight(i, 80);
  }
  return { dir, setWeight };
}
