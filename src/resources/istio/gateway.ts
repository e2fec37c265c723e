// Gateway in v1, v1beta1, v1alpha3 (https://istio.io/latest/docs/reference/config/networking/gateway/, istio ValidateGateway).
import { must } from "../checks/fields.ts";
import {
  isDnsLabel,
  isHttpProtocol,
  isIpAddress,
  isTlsProtocol,
  parseProtocol,
  portProblem,
  PROTOCOL_NAMES,
  unixPathProblem,
} from "../checks/names.ts";
import { extendPath, joinPath, pathOf } from "../field-path.ts";
import type { ResourceCheck } from "../kind.ts";
import type { Report } from "../report.ts";
import { list, map, obj, req, str, uint32 } from "../schema/schema.ts";
import { gatewayHostProblem } from "./host-in-namespace.ts";
import { serverTls, type ServerTlsSpec } from "./server-tls.ts";

interface ServerSpec {
  readonly port: { readonly number: number; readonly name: string; readonly protocol: string; readonly targetPort?: number };
  readonly bind?: string;
  readonly hosts: readonly string[];
  readonly tls?: ServerTlsSpec;
}

export const gatewaySchema = obj({
  selector: map(str()),
  servers: list(
    obj({
      port: req(obj({ number: req(uint32()), protocol: req(str()), name: req(str({ min: 1 })), targetPort: uint32() })),
      bind: str(),
      hosts: req(list(str({ check: must(gatewayHostProblem, "Write HOST or NAMESPACE/HOST, with a full name or `*`.") }), { min: 1 })),
      tls: serverTls,
      defaultEndpoint: str(),
      name: str(),
    }),
  ),
});

export const checkGateway: ResourceCheck<{ readonly servers?: readonly ServerSpec[] }> = (spec, { metadata, report }) => {
  const servers = spec.servers ?? [];
  if (!isDnsLabel(metadata.name))
    report.error(
      "metadata.name",
      `${JSON.stringify(metadata.name)} is no name for a Gateway`,
      "Use letters, digits and dashes, 63 at most.",
    );
  if (servers.length === 0) report.error("spec", "a Gateway has at least one server", "Add spec.servers.");
  for (const [index, server] of servers.entries()) {
    const path = pathOf("spec", "servers", index);
    checkPort(server, path, report);
    checkTls(server, path, report);
    if (servers.slice(0, index).some((other) => other.port.name === server.port.name)) {
      report.error(
        extendPath(path, "port", "name"),
        `the port name ${server.port.name} stands twice`,
        "Give each server's port its own name.",
      );
    }
  }
};

function checkPort({ port, bind = "" }: ServerSpec, path: string, report: Report): void {
  if (parseProtocol(port.protocol) === undefined)
    report.error(
      extendPath(path, "port", "protocol"),
      `the protocol ${JSON.stringify(port.protocol)} is not known`,
      `Use one of ${PROTOCOL_NAMES}.`,
    );
  if ((port.targetPort ?? 0) > 0)
    report.error(extendPath(path, "port", "targetPort"), "targetPort does nothing in a Gateway", "Remove it.");
  const number = extendPath(path, "port", "number");
  if (bind.startsWith("unix://")) {
    const message = unixPathProblem(bind.slice(7));
    if (message !== undefined) report.error(joinPath(path, "bind"), message);
    if (port.number !== 0) report.error(number, "a server on a unix socket has port 0", "Write 0.");
    return;
  }
  const message = portProblem(port.number);
  if (message !== undefined) report.error(number, message);
  if (bind !== "" && !isIpAddress(bind))
    report.error(joinPath(path, "bind"), `${JSON.stringify(bind)} is no IP address`, "Write an address or unix://PATH.");
}

function checkTls({ port, tls }: ServerSpec, path: string, report: Report): void {
  const protocol = parseProtocol(port.protocol);
  if (protocol === undefined) return;
  const at = joinPath(path, "tls");
  if (isTlsProtocol(protocol) && tls === undefined)
    report.error(path, `a server with protocol ${protocol} has tls`, "Add tls with a mode.");
  if (isTlsProtocol(protocol) || tls === undefined) return;
  if (!isHttpProtocol(protocol)) report.error(at, `a server with protocol ${protocol} has no tls`, "Use TLS or HTTPS, or remove tls.");
  else {
    const passthrough = tls.mode === undefined || tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH";
    if (!passthrough || [tls.caCertificates, tls.privateKey, tls.serverCertificate].some((text) => (text ?? "") !== "")) {
      report.error(at, "a plain-text HTTP server has no tls but httpsRedirect", "Use HTTPS, or keep only httpsRedirect.");
    }
  }
  if (tls.httpsRedirect === true && !isHttpProtocol(protocol))
    report.warning(joinPath(at, "httpsRedirect"), "httpsRedirect works on HTTP servers only", "Remove it.");
}
