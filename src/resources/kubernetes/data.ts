// ConfigMap, Secret, ServiceAccount and Namespace: small kinds with little to check.
import { joinPath } from "../field-path.ts";
import type { ResourceCheck } from "../kind.ts";
import { any, bool, map, obj, str } from "../schema/schema.ts";
import { ignored } from "./ignored.ts";

const KEY = /^[-._a-zA-Z0-9]{1,253}$/;

export const configMapSchema = obj({ data: map(str()), binaryData: map(str()), immutable: bool() });
export const secretSchema = obj({ data: map(str()), stringData: map(str()), type: str(), immutable: bool() });
export const serviceAccountSchema = obj({ ...ignored("secrets", "imagePullSecrets", "automountServiceAccountToken") });
export const namespaceSchema = obj({ finalizers: any() });

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

type Data = Readonly<Record<"data" | "binaryData" | "stringData", Readonly<Record<string, string>> | undefined>>;

function checkKeys(base64: readonly (keyof Data)[]): ResourceCheck<Data> {
  return (spec, { report }) => {
    for (const field of ["data", "binaryData", "stringData"] as const) {
      for (const [key, value] of Object.entries(spec[field] ?? {})) {
        const path = joinPath(field, key);
        if (!KEY.test(key)) report.error(path, `${JSON.stringify(key)} is no key`, "Use letters, digits, dashes, dots and underscores.");
        if (base64.includes(field) && !BASE64.test(value.replaceAll(/\s/g, "")))
          report.error(path, "the value is not base64", field === "data" ? "Encode it, or use stringData." : "Encode it, or use data.");
      }
    }
  };
}

export const checkConfigMap = checkKeys(["binaryData"]);
export const checkSecret = checkKeys(["data"]);
