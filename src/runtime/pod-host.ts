// What all pods of a runtime share.
import type { StoredResource } from "../admin-api/index.ts";
import type { Clock } from "../kit/index.ts";
import type { ImageMap } from "./image-map.ts";
import type { Launch } from "./launch.ts";
import type { Env, ServiceAddress } from "./pod-env.ts";
import type { Ports } from "./ports.ts";
import type { DataPlane } from "./proxy-process.ts";
import type { ProxySettings, ProxySettingsInput } from "./proxy-settings.ts";

export interface PodHost {
  readonly launch: Launch;
  readonly clock: Clock;
  readonly ports: Ports;
  readonly plane: DataPlane;
  readonly xdsPort: number;
  readonly imageMap: ImageMap;
  readonly standIn: readonly string[];
  /** Environment of our own programs. */
  readonly ownEnv: Env;
  /** Environment that every container starts from. */
  readonly baseEnv: Env;
  readonly cwd: string;
  readonly runDir: string;
  readonly logsDir: string;
  find(kind: "ConfigMap" | "Secret", namespace: string, name: string): StoredResource | undefined;
  proxySettings(of: Pick<ProxySettingsInput, "namespace" | "labels" | "annotations">): ProxySettings;
  services(namespace: string): readonly ServiceAddress[];
  onChange(): void;
  onEvent(text: string): void;
}
