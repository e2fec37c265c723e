// The columns of `serin get`, per kind, as kubectl prints them.
import type { StoredResource } from "../admin-api/index.ts";

type Fields = Readonly<Record<string, unknown>>;
type Columns = readonly (readonly [title: string, cell: (object: StoredResource) => string])[];

const spec = (object: StoredResource): Fields => (object.spec ?? {}) as Fields;
const status = (object: StoredResource): Fields => (object.status ?? {}) as Fields;
const list = (value: unknown): string => (Array.isArray(value) && value.length > 0 ? value.map(String).join(",") : "-");
const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "-");
const labels = (value: unknown): string =>
  Object.entries((value ?? {}) as Readonly<Record<string, string>>)
    .map(([name, label]) => `${name}=${label}`)
    .join(",") || "-";

function servicePorts(object: StoredResource): string {
  const ports = (spec(object)["ports"] ?? []) as readonly {
    readonly port?: number;
    readonly number?: number;
    readonly name?: string;
    readonly protocol?: string;
  }[];
  return ports.map((port) => `${port.port ?? port.number}/${port.name ?? port.protocol ?? "TCP"}`).join(",") || "-";
}

/** `v1=90 v2=10` for each HTTP, TLS and TCP route that splits; the first routes only. */
function splits(object: StoredResource): string {
  const routes = (["http", "tls", "tcp"] as const).flatMap((protocol) => (spec(object)[protocol] ?? []) as readonly Fields[]);
  const lines = routes.flatMap((route) => {
    const destinations = (route["route"] ?? []) as readonly {
      readonly destination?: { readonly host?: string; readonly subset?: string };
      readonly weight?: number;
    }[];
    if (destinations.length < 2) return [];
    return [destinations.map((d) => `${d.destination?.subset ?? d.destination?.host}=${d.weight ?? 0}`).join(" ")];
  });
  return lines.length === 0 ? "-" : lines.slice(0, 3).join("; ") + (lines.length > 3 ? "; …" : "");
}

function replicas(object: StoredResource): string {
  return `${Number(status(object)["readyReplicas"] ?? 0)}/${Number(spec(object)["replicas"] ?? 1)}`;
}

function subsets(object: StoredResource): string {
  return ((spec(object)["subsets"] ?? []) as readonly { readonly name: string }[]).map((subset) => subset.name).join(",") || "-";
}

function servers(object: StoredResource): string {
  const entries = (spec(object)["servers"] ?? []) as readonly {
    readonly port?: { readonly number?: number; readonly protocol?: string };
    readonly hosts?: readonly string[];
  }[];
  return entries.map((server) => `${server.port?.number}/${server.port?.protocol} ${(server.hosts ?? []).join(",")}`).join("; ") || "-";
}

function podPorts(object: StoredResource): string {
  const ports = (status(object)["ports"] ?? []) as readonly { readonly containerPort: number; readonly meshPort: number }[];
  return ports.map((port) => `${port.containerPort}→${port.meshPort}`).join(",") || "-";
}

const COLUMNS: Readonly<Record<string, Columns>> = {
  Service: [
    ["CLUSTER-IP", (o) => text(spec(o)["clusterIP"])],
    ["PORTS", servicePorts],
    ["SELECTOR", (o) => labels(spec(o)["selector"])],
  ],
  Deployment: [["READY", replicas]],
  Pod: [
    ["READY", (o) => (status(o)["ready"] === true ? "yes" : "no")],
    ["STATUS", (o) => text(status(o)["phase"])],
    ["RESTARTS", (o) => text(status(o)["restarts"] ?? 0)],
    ["SIDECAR", (o) => (status(o)["sidecar"] === true ? "yes" : "no")],
    ["PORTS", podPorts],
  ],
  VirtualService: [
    ["GATEWAYS", (o) => list(spec(o)["gateways"])],
    ["HOSTS", (o) => list(spec(o)["hosts"])],
    ["WEIGHTS", splits],
  ],
  DestinationRule: [
    ["HOST", (o) => text(spec(o)["host"])],
    ["SUBSETS", subsets],
  ],
  Gateway: [
    ["SELECTOR", (o) => labels(spec(o)["selector"])],
    ["SERVERS", servers],
  ],
  ServiceEntry: [
    ["HOSTS", (o) => list(spec(o)["hosts"])],
    ["PORTS", servicePorts],
    ["RESOLUTION", (o) => text(spec(o)["resolution"])],
  ],
};

/** One table per kind, in the order of first appearance. */
export function toTables(objects: readonly StoredResource[], now: number): string[][][] {
  const kinds = Map.groupBy(objects, (object) => object.kind);
  return [...kinds].map(([kind, ofKind]) => {
    const columns: Columns = [
      ["NAMESPACE", (o) => o.metadata.namespace || "-"],
      ["NAME", (o) => (kinds.size > 1 ? `${kind.toLowerCase()}/${o.metadata.name}` : o.metadata.name)],
      ...(COLUMNS[kind] ?? []),
      ["AGE", (o) => formatAge(o.metadata.creationTimestamp, now)],
    ];
    return [columns.map(([title]) => title), ...ofKind.map((object) => columns.map(([, cell]) => cell(object)))];
  });
}

/** As kubectl: the two largest units at most. Documents of files have no age. */
export function formatAge(timestamp: string, now: number): string {
  const at = Date.parse(timestamp);
  if (Number.isNaN(at) || at === 0) return "-";
  const seconds = Math.max(0, Math.floor((now - at) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
