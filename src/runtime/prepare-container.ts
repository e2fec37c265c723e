// A container of the YAML as a process: its command, its whole environment, its log file; or what is missing.
import path from "node:path";
import { ok, type Result } from "../kit/index.ts";
import type { Container, PodPortStatus } from "../resources/index.ts";
import { toContainerEnv } from "./container-env.ts";
import { toCommand } from "./image-command.ts";
import type { LaunchSpec } from "./launch.ts";
import { type Env, expandVariables, portEnv, proxyEnv, serviceEnv } from "./pod-env.ts";
import type { PodHost } from "./pod-host.ts";
import type { Workload } from "./workload.ts";

export interface PrepareInput {
  readonly container: Container;
  /** Of the pod. */
  readonly name: string;
  readonly workload: Workload;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly PodPortStatus[];
  readonly httpProxyPort: number | undefined;
  readonly host: PodHost;
}

export function prepareContainer(input: PrepareInput): Result<LaunchSpec> {
  const { container, workload, host } = input;
  const { namespace, template } = workload;
  const command = toCommand({ ...host, container, annotations: template.annotations });
  if (!command.ok) return command;
  const env = envOf(input, command.value.env);
  if (!env.ok) return env;
  const fullName = `${input.name}.${namespace}`;
  return ok({
    name: `${fullName}/${container.name}`,
    command: command.value.command.map((word) => expandVariables(word, env.value)),
    cwd: command.value.cwd,
    env: env.value,
    log: path.join(host.logsDir, `${fullName}.${container.name}.log`),
  });
}

function envOf({ container, name, workload, labels, ports, httpProxyPort, host }: PrepareInput, mapped: Env): Result<Env> {
  const { namespace, template } = workload;
  const own = new Set((container.ports ?? []).map((port) => port.containerPort));
  const base: Env = {
    ...host.baseEnv,
    ...serviceEnv(host.services(namespace)),
    HOSTNAME: name,
    SERIN_POD_NAME: name,
    SERIN_POD_NAMESPACE: namespace,
    SERIN_POD_VERSION: labels["version"] ?? "",
    SERIN_APP: labels["app"] ?? workload.name,
    ...(httpProxyPort === undefined ? {} : proxyEnv(httpProxyPort)),
    ...mapped,
  };
  const portVariables = portEnv(ports.filter((port) => own.has(port.containerPort)));
  const given = toContainerEnv({
    container,
    pod: { name, namespace, labels, annotations: template.annotations, serviceAccount: template.serviceAccount },
    base: { ...base, ...portVariables },
    find: (kind, resource) => host.find(kind, namespace, resource),
  });
  // A PORT in the YAML is a port of the image; here the application must listen where it is told.
  return given.ok ? ok({ ...base, ...given.value, ...portVariables }) : given;
}
