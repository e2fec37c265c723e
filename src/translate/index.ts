export { buildMesh, type MeshInput } from "./build-mesh.ts";
export type { IstiodSettings } from "./mesh-settings.ts";
export { checkReferences } from "./checks/check-references.ts";
export { inboundFor } from "./inbound-for.ts";
export { toMeshSettings } from "./mesh-settings.ts";
export { viewFor } from "./view-for.ts";
export { workloadOfPod, type WorkloadInput } from "./workload.ts";
