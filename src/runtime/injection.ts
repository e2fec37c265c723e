// Which pods get a sidecar: Istio's rules for automatic injection (https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/),
// with the annotation taken also in a namespace without label, as Istio's early releases documented it.
export interface InjectionInput {
  readonly namespace: string;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly podAnnotations: Readonly<Record<string, string>>;
}

const INJECT = "sidecar.istio.io/inject";
const NEVER = new Set(["kube-system", "kube-public", "kube-node-lease", "local-path-storage", "istio-system"]);

export function needsSidecar(input: InjectionInput): boolean {
  if (NEVER.has(input.namespace) || input.namespaceLabels["istio-injection"] === "disabled") return false;
  const said = toBoolean(input.podLabels[INJECT]) ?? toBoolean(input.podAnnotations[INJECT]);
  if (said !== undefined) return said;
  if (input.podLabels["istio.io/rev"] !== undefined) return true;
  return input.namespaceLabels["istio-injection"] === "enabled" || input.namespaceLabels["istio.io/rev"] !== undefined;
}

function toBoolean(text: string | undefined): boolean | undefined {
  switch (text?.toLowerCase()) {
    case "true":
    case "yes":
    case "y":
    case "on":
      return true;
    case "false":
    case "no":
    case "n":
    case "off":
      return false;
    default:
      return undefined;
  }
}
