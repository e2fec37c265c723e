// The command line of `serin control-plane`.
import { Command, InvalidArgumentError, Option } from "commander";
import { type LogLevel, VERSION } from "../kit/index.ts";
import type { IstiodSettings } from "../translate/index.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface ControlPlaneOptions {
  /** Folder or file that is watched; undefined: only what the API applies. */
  readonly config?: string;
  readonly meshConfig?: string;
  readonly xds: HostPort;
  readonly admin: HostPort;
  readonly state: string;
  readonly adminTokenFile?: string;
  readonly printAddresses: boolean;
  readonly logLevel: LogLevel;
}

/** `127.0.0.1:15010`, `[::1]:0`, `:15010`. */
export function parseHostPort(text: string): HostPort {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) throw new InvalidArgumentError("It must be HOST:PORT.");
  return { host: match[1] === undefined || match[1] === "" ? "127.0.0.1" : match[1], port };
}

export function parseOptions(argv: readonly string[]): ControlPlaneOptions {
  const command = new Command("serin control-plane")
    .description("The control plane alone: follows a folder of YAML (Kubernetes and Istio resources) and serves xDS. Starts no process.")
    .version(VERSION)
    .option("--config <path>", "folder or file of resources to follow")
    .option("--mesh-config <file>", "Istio's MeshConfig, YAML or JSON")
    .addOption(
      new Option("--xds <host:port>", "where xDS listens (port 0: any)")
        .argParser(parseHostPort)
        .default({ host: "127.0.0.1", port: 15010 }, "127.0.0.1:15010"),
    )
    .addOption(
      new Option("--admin <host:port>", "where the admin API and /ready listen")
        .argParser(parseHostPort)
        .default({ host: "127.0.0.1", port: 15014 }, "127.0.0.1:15014"),
    )
    .option("--state <folder>", "where the store is kept", "./serin-state")
    .option("--admin-token-file <file>", "bearer token of the admin API (default: made at the first start, STATE/admin-token)")
    .option("--print-addresses", "print one JSON line with the addresses when ready", false)
    .addOption(new Option("--log-level <level>", "least level that is logged").choices(["debug", "info", "warn", "error"]).default("info"))
    .allowExcessArguments(false);
  return command.parse(argv, { from: "user" }).opts<ControlPlaneOptions>();
}

/** Settings that istiod has in its environment, under the same names. */
export function readIstiodSettings(env: Readonly<Record<string, string | undefined>>): IstiodSettings {
  const isOn = (name: string): boolean => /^(1|t|true)$/i.test(env[name] ?? "");
  return {
    scopeGatewayToNamespace: isOn("PILOT_SCOPE_GATEWAY_TO_NAMESPACE"),
    tlsOnSidecarIngress: isOn("ENABLE_TLS_ON_SIDECAR_INGRESS"),
    http10: isOn("PILOT_HTTP10"),
  };
}
