// PeerAuthentication → model.
import { memoByIdentity } from "../../kit/index.ts";
import type { MtlsMode, PeerAuthentication } from "../../model/index.ts";
import type { Resource } from "../../resources/index.ts";

interface ModeSpec {
  readonly mode?: string;
}

interface PeerAuthenticationSpec {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly mtls?: ModeSpec | null;
  readonly portLevelMtls?: Readonly<Record<string, ModeSpec | null>>;
}

const MODES: readonly MtlsMode[] = ["DISABLE", "PERMISSIVE", "STRICT"];

/** UNSET and nothing are the same. */
function toMode(spec: ModeSpec | null | undefined): MtlsMode | undefined {
  return MODES.find((mode) => mode === spec?.mode);
}

export const toPeerAuthentication: (resource: Resource) => PeerAuthentication = memoByIdentity((resource) => {
  const { metadata } = resource;
  const spec = (resource.spec ?? {}) as PeerAuthenticationSpec;
  const labels = spec.selector?.matchLabels ?? {};
  return Object.freeze({
    name: metadata.name,
    namespace: metadata.namespace,
    createdAt: metadata.creationTimestamp,
    selector: Object.keys(labels).length === 0 ? undefined : labels,
    mode: toMode(spec.mtls),
    ports: new Map(Object.entries(spec.portLevelMtls ?? {}).map(([port, mode]) => [Number(port), toMode(mode)])),
  });
});
