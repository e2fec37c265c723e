// `region/zone/subzone`, or the label istio-locality, which is not split at dots (seen on real Istio).
import type { Locality } from "../../model/index.ts";

const NOWHERE: Locality = Object.freeze({ region: "", zone: "", subZone: "" });

export function toLocality(written: string | undefined, labels: Readonly<Record<string, string>>): Locality {
  const text = written !== undefined && written !== "" ? written : (labels["istio-locality"] ?? "");
  if (text === "") return NOWHERE;
  const [region = "", zone = "", subZone = ""] = text.split("/");
  return { region, zone, subZone };
}
