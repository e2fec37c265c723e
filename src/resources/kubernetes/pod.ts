// Pods and pod templates: what a local process needs is read and checked, the rest is kept
// (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/).
import { labels, must } from "../checks/fields.ts";
import { isLowerDnsLabel } from "../checks/names.ts";
import { extendPath, joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { any, bool, enumOf, int, list, map, obj, type ObjectSchema, req, type Schema, str } from "../schema/schema.ts";
import { ignored } from "./ignored.ts";
import { probe } from "./probe.ts";

const keyRef = obj({ name: req(str({ min: 1 })), key: req(str({ min: 1 })), optional: bool() });
const sourceRef = obj({ name: req(str({ min: 1 })), optional: bool() });

const valueFrom = obj(
  {
    configMapKeyRef: keyRef,
    secretKeyRef: keyRef,
    fieldRef: obj({ fieldPath: req(str({ min: 1 })), ...ignored("apiVersion") }),
    resourceFieldRef: any(),
    fileKeyRef: any(),
  },
  { oneOf: [["configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef"]] },
);

const envName = str({
  min: 1,
  check: must((name: string) => (/[=\0]/.test(name) ? `${JSON.stringify(name)} is no name of a variable` : undefined)),
});

const env = list(
  obj(
    { name: req(envName), value: str(), valueFrom },
    {
      check: (value, path, report) => {
        if ((value["value"] ?? "") !== "" && value["valueFrom"] !== undefined)
          report.error(joinPath(path, "valueFrom"), "value and valueFrom exclude each other", "Keep one of them.");
      },
    },
  ),
);

const PORT_NAME = /^(?=.*[a-z])[a-z0-9](?:[-a-z0-9]{0,13}[a-z0-9])?$/;

const ports = list(
  obj({
    name: str({ pattern: PORT_NAME, patternName: "a port name (15 lower-case letters, digits and dashes at most)" }),
    containerPort: req(int({ min: 1, max: 65_535 })),
    protocol: enumOf(["TCP", "UDP", "SCTP"], { default: "TCP" }),
    ...ignored("hostPort", "hostIP"),
  }),
  { check: (value, path, report) => checkUnique(value as readonly { readonly name?: string }[], { path, report, what: "the port name" }) },
);

const name = req(
  str({
    check: must(
      (text: string) => (isLowerDnsLabel(text) ? undefined : `${JSON.stringify(text)} is no container name`),
      "Use lower-case letters, digits and dashes, 63 at most.",
    ),
  }),
);

const containerFields: Readonly<Record<string, Schema>> = {
  name,
  image: req(str({ min: 1 })),
  command: list(str()),
  args: list(str()),
  workingDir: str(),
  ports,
  env,
  envFrom: list(obj({ prefix: str(), configMapRef: sourceRef, secretRef: sourceRef }, { oneOf: [["configMapRef", "secretRef"]] })),
  livenessProbe: probe({ readiness: false }),
  readinessProbe: probe({ readiness: true }),
  startupProbe: probe({ readiness: false }),
  ...ignored(
    "imagePullPolicy", "lifecycle", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "securityContext", "stdin", "stdinOnce",
    "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts",
  ), // prettier-ignore
};

function containers(options: { readonly min?: number }): Schema {
  return list(obj(containerFields), {
    ...options,
    check: (value, path, report) =>
      checkUnique(value as readonly { readonly name?: string }[], { path, report, what: "the container name" }),
  });
}

function checkUnique(
  entries: readonly { readonly name?: string }[],
  at: { readonly path: string; readonly report: Report; readonly what: string },
): void {
  for (const [index, entry] of entries.entries()) {
    if (entry.name !== undefined && entries.slice(0, index).some((other) => other.name === entry.name)) {
      at.report.error(extendPath(at.path, index, "name"), `${at.what} ${entry.name} stands twice`, "Rename one of the two.");
    }
  }
}

export const podSpec: ObjectSchema = obj({
  containers: req(containers({ min: 1 })),
  initContainers: containers({}),
  serviceAccountName: str(),
  serviceAccount: { ...str(), oldNameOf: "serviceAccountName" },
  restartPolicy: enumOf(["Always", "OnFailure", "Never"]),
  terminationGracePeriodSeconds: int({ min: 0 }),
  ...ignored(
    "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "ephemeralContainers",
    "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostUsers", "hostname", "hostnameOverride", "imagePullSecrets", "nodeName", "nodeSelector", "os",
    "overhead", "preemptionPolicy", "priority", "priorityClassName", "readinessGates", "resourceClaims", "resources", "runtimeClassName",
    "schedulerName", "schedulingGates", "securityContext", "setHostnameAsFQDN", "shareProcessNamespace", "subdomain", "tolerations",
    "topologySpreadConstraints", "volumes",
  ), // prettier-ignore
});

const EMPTY = Object.freeze({});

export const podTemplate: ObjectSchema = obj({
  metadata: obj(
    {
      labels: { ...labels(), default: EMPTY },
      annotations: map(str(), { default: EMPTY }),
      name: str(),
      namespace: str(),
      creationTimestamp: any(),
      ...ignored("generateName", "finalizers", "ownerReferences"),
    },
    { default: Object.freeze({ labels: EMPTY, annotations: EMPTY }) },
  ),
  spec: req(podSpec),
});
