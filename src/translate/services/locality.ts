// A workload's locality: what is written down, else its label, where dots may stand for slashes.
import { labelledLocality, type Locality, NOWHERE, splitLocality } from "../../model/index.ts";

export function toLocality(written: string | undefined, labels: Readonly<Record<string, string>>): Locality {
  if (written !== undefined && written !== "") return splitLocality(written);
  const label = labelledLocality(labels);
  if (label === "") return NOWHERE;
  return splitLocality(label.includes("/") ? label : label.replaceAll(".", "/"));
}
