// Names of pods as Kubernetes makes them: DEPLOYMENT-TEMPLATEHASH-RANDOM, in an alphabet without vowels and look-alikes.
import type { Rng } from "../kit/index.ts";

const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const MAX_PREFIX = 45;

/** Equal for templates that are equal as values, whatever the order of their fields. */
export function templateHash(template: unknown): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(canonical(template))) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return [...String(hash)].map((digit) => ALPHABET[(digit.charCodeAt(0) * 7) % ALPHABET.length]).join("");
}

export function createPodName(options: { readonly workload: string; readonly hash: string; readonly rng: Rng }): string {
  let suffix = "";
  for (let i = 0; i < 5; i++) suffix += ALPHABET[Math.floor(options.rng.random() * ALPHABET.length)] ?? "x";
  return `${options.workload.slice(0, MAX_PREFIX)}-${options.hash}-${suffix}`;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, v]) => v !== undefined && v !== null)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
