// One try of a probe: HTTP, TCP, a command, or gRPC health. True when it passed in time.
import { spawn } from "node:child_process";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { Probe } from "../resources/index.ts";
import { checkGrpcHealth } from "./probe-grpc.ts";
import { killGroup } from "./process-records.ts";

export interface ProbeTarget {
  /** Container port (number or name) → the port that the application listens on. */
  readonly portOf: (port: number | string) => number | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const LOOPBACK = "127.0.0.1";

export function checkProbe(
  probe: Pick<Probe, "httpGet" | "tcpSocket" | "exec" | "grpc">,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<boolean> {
  if (probe.httpGet !== undefined) return checkHttp(probe.httpGet, target, timeoutMs);
  if (probe.tcpSocket !== undefined) {
    const port = target.portOf(probe.tcpSocket.port);
    return port === undefined ? Promise.resolve(false) : checkTcp({ host: probe.tcpSocket.host ?? LOOPBACK, port, timeoutMs });
  }
  if (probe.exec !== undefined) return checkExec(probe.exec.command, target, timeoutMs);
  if (probe.grpc !== undefined) {
    const port = target.portOf(probe.grpc.port);
    return port === undefined ? Promise.resolve(false) : checkGrpcHealth({ port, service: probe.grpc.service ?? "", timeoutMs });
  }
  return Promise.resolve(true);
}

function checkHttp(get: NonNullable<Probe["httpGet"]>, target: ProbeTarget, timeoutMs: number): Promise<boolean> {
  const port = target.portOf(get.port);
  if (port === undefined) return Promise.resolve(false);
  const secure = get.scheme === "HTTPS";
  const headers: Record<string, string> = { "user-agent": "kube-probe/serin", accept: "*/*", connection: "close" };
  for (const { name, value } of get.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return new Promise((resolve) => {
    const options: https.RequestOptions = { host: get.host ?? LOOPBACK, port, path: get.path ?? "/", headers, agent: false };
    // As the kubelet: a probe asks whether the server answers, not who it is.
    const request = secure ? https.request({ ...options, rejectUnauthorized: false }) : http.request(options);
    const timer = setTimeout(() => request.destroy(), timeoutMs);
    const done = (passed: boolean): void => {
      clearTimeout(timer);
      resolve(passed);
      request.destroy();
    };
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      done(status >= 200 && status < 400);
    });
    request.on("error", () => done(false));
    request.on("close", () => done(false));
    request.end();
  });
}

export function checkTcp(options: { readonly host: string; readonly port: number; readonly timeoutMs: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: options.host, port: options.port });
    const timer = setTimeout(() => done(false), options.timeoutMs);
    const done = (passed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(passed);
    };
    socket.on("connect", () => done(true));
    socket.on("error", () => done(false));
  });
}

function checkExec(command: readonly string[], target: ProbeTarget, timeoutMs: number): Promise<boolean> {
  const [file = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: target.cwd, env: target.env, shell: false, detached: true, stdio: "ignore" });
    const timer = setTimeout(() => void (child.pid !== undefined && killGroup(child.pid, "SIGKILL")), timeoutMs);
    child.on("error", () => {
      clearTimeout(timer);
      resolve(false);
    });
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}
