// What the admin API needs of the control plane; main.ts plugs the real parts in, tests what they like.
import type {
  ApplyRequest,
  ApplyResponse,
  LiveStatus,
  MeshStatus,
  PodList,
  ProxyConfigDump,
  ProxyStatus,
  ResourceKey,
} from "../../admin-api/index.ts";
import type { Issue } from "../../kit/index.ts";
import type { Store } from "../store/store.ts";

export interface AdminBackend {
  readonly store: Store;
  ready(): boolean;
  status(): MeshStatus;
  /** Prometheus text. */
  metrics(): Promise<{ readonly text: string; readonly contentType: string }>;
  apply(request: ApplyRequest): ApplyResponse;
  remove(keys: readonly ResourceKey[]): ApplyResponse;
  pods(): PodList;
  putPods(list: PodList): void;
  issues(): readonly Issue[];
  proxies(): readonly ProxyStatus[];
  proxyConfig(id: string): ProxyConfigDump;
  live(options: { readonly revision: number; readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<LiveStatus>;
}
