// The environment of a container: a short allow-list of this machine's, Kubernetes' service variables, ports, the sidecar as HTTP proxy,
// then what the YAML says (https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables).
import type { PodPortStatus } from "../resources/index.ts";

export interface ServiceAddress {
  readonly name: string;
  readonly clusterIP: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports: readonly {
    readonly name?: string;
    readonly port: number;
    readonly protocol?: string;
    readonly targetPort?: number | string;
  }[];
}

/** What programs need to run at all; nothing that could be a secret or steer the runtime (NODE_OPTIONS). */
const ALLOWED = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

export type Env = Readonly<Record<string, string>>;

export function allowedEnv(env: Readonly<Record<string, string | undefined>>): Env {
  return Object.fromEntries(ALLOWED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

export function serviceEnv(services: readonly ServiceAddress[]): Env {
  const env: Record<string, string> = {};
  for (const { name, clusterIP, ports } of services) {
    const first = ports[0];
    if (first === undefined || clusterIP === "" || clusterIP === "None") continue;
    const prefix = toVariable(name);
    env[`${prefix}_SERVICE_HOST`] = clusterIP;
    env[`${prefix}_SERVICE_PORT`] = String(first.port);
    env[`${prefix}_PORT`] = `${(first.protocol ?? "TCP").toLowerCase()}://${clusterIP}:${first.port}`;
    for (const { name: portName, port, protocol = "TCP" } of ports) {
      if (portName !== undefined) env[`${prefix}_SERVICE_PORT_${toVariable(portName)}`] = String(port);
      const one = `${prefix}_PORT_${port}_${protocol}`;
      env[one] = `${protocol.toLowerCase()}://${clusterIP}:${port}`;
      env[`${one}_PROTO`] = protocol.toLowerCase();
      env[`${one}_PORT`] = String(port);
      env[`${one}_ADDR`] = clusterIP;
    }
  }
  return env;
}

/** `PORT` is the first port's, `PORT_<NAME>` (or `PORT_<NUMBER>`) each one's. */
export function portEnv(ports: readonly PodPortStatus[]): Env {
  const env: Record<string, string> = {};
  for (const { name, containerPort, appPort } of ports) {
    env["PORT"] ??= String(appPort);
    env[`PORT_${containerPort}`] = String(appPort);
    if (name !== undefined) env[`PORT_${toVariable(name)}`] = String(appPort);
  }
  return env;
}

/** Node programs look at HTTP_PROXY only when told to. Loopback is this machine, never the mesh. */
export function proxyEnv(httpProxyPort: number): Env {
  const url = `http://127.0.0.1:${httpProxyPort}`;
  const direct = "localhost,127.0.0.1,::1";
  return { HTTP_PROXY: url, http_proxy: url, NO_PROXY: direct, no_proxy: direct, NODE_USE_ENV_PROXY: "1" };
}

/** `$(NAME)` as Kubernetes expands it in commands and values: unknown names stay, `$$(` is a plain `$(`. */
export function expandVariables(text: string, env: Env): string {
  return text.replace(/\$\$\(|\$\(([A-Za-z_][\w.-]*)\)/g, (match, name: string | undefined) => {
    if (name === undefined) return "$(";
    return Object.hasOwn(env, name) ? (env[name] ?? "") : match;
  });
}

function toVariable(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
}
