// What `serin up` and the runtime tell each other over the channel between parent and child. The channel's end is a message too: the
// runtime then stops everything, unless it was told to detach.
import type { MeshFile, RuntimeState } from "./mesh-files.ts";

export interface RuntimeOptions {
  readonly name: string;
  readonly dir: string;
  readonly proxy: "serin" | "envoy";
  /** Ports of the default gateway for Service ports 80 and 443; the first free ones from 8080 and 8443 when absent. */
  readonly gatewayPorts: { readonly http?: number; readonly https?: number };
  readonly imageMap?: string;
  /** Istio's MeshConfig: its file, and what of it the runtime reads. */
  readonly meshConfig?: {
    readonly file: string;
    readonly defaultConfig: Readonly<Record<string, unknown>>;
    readonly rootNamespace: string;
  };
  readonly sources: readonly string[];
  /** Start with what the store held at the last stop. */
  readonly keep: boolean;
}

/** From the runtime. */
export type RuntimeMessage =
  | { readonly type: "step"; readonly text: string }
  /** The admin API answers: resources can be applied. */
  | { readonly type: "ready"; readonly mesh: MeshFile }
  | { readonly type: "state"; readonly state: RuntimeState }
  | { readonly type: "event"; readonly level: "info" | "warn" | "error"; readonly text: string }
  | { readonly type: "failed"; readonly code: string; readonly message: string; readonly fix?: string };

/** To the runtime. */
export type RuntimeRequest = { readonly type: "stop" } | { readonly type: "detach" };
