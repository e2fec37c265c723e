// What the control plane sent, by type and name: the last good version of each resource, and beside it the one that was refused since.
// A bad resource is refused alone; its old version keeps serving, the others of the same response are taken.
import type { Clock } from "../../kit/index.ts";
import { refusalText } from "../wire/refusal.ts";
import { type Decoded, decodeResource, RESOURCE_TYPES, type ResourceType, TYPES } from "./resource-types.ts";

export interface FailedUpdate {
  readonly details: string;
  readonly version: string;
  readonly bytes: Uint8Array;
  readonly at: number;
}

export interface Entry<T extends ResourceType = ResourceType> {
  readonly name: string;
  /** undefined: no version was ever accepted. */
  readonly accepted: { readonly version: string; readonly bytes: Uint8Array; readonly value: Decoded[T]; readonly at: number } | undefined;
  readonly failed: FailedUpdate | undefined;
}

export interface Update {
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

export interface Rejected {
  readonly name: string;
  readonly reason: string;
}

export interface Applied {
  readonly accepted: readonly string[];
  readonly rejected: readonly Rejected[];
}

export interface ResourceStore {
  entries<T extends ResourceType>(type: T): ReadonlyMap<string, Entry<T>>;
  update(type: ResourceType, updates: readonly Update[]): Applied;
  remove(type: ResourceType, names: Iterable<string>): void;
  /** Versions of what is accepted, for a new stream. */
  versions(type: ResourceType): ReadonlyMap<string, string>;
}

export function createResourceStore(clock: Clock): ResourceStore {
  const byType = new Map<ResourceType, Map<string, Entry>>(RESOURCE_TYPES.map((type) => [type, new Map()]));
  const of = (type: ResourceType): Map<string, Entry> => byType.get(type) as Map<string, Entry>;

  function take(type: ResourceType, update: Update): Rejected | string {
    // Its own copy: a view would keep the whole response alive.
    const bytes = Uint8Array.from(update.bytes);
    const known = of(type).get(update.name);
    if (known?.accepted !== undefined && Buffer.compare(known.accepted.bytes, bytes) === 0) {
      of(type).set(update.name, { ...known, accepted: { ...known.accepted, version: update.version }, failed: undefined });
      return update.name;
    }
    try {
      const value = decodeResource(type, bytes);
      const name = (TYPES[type].nameOf as (value: unknown) => string)(value);
      if (name !== update.name) throw new Error(`is named ${JSON.stringify(name)} inside`);
      of(type).set(name, { name, accepted: { version: update.version, bytes, value, at: clock.wall() }, failed: undefined });
      return name;
    } catch (error) {
      const reason = refusalText(error);
      const failed = { details: reason, version: update.version, bytes, at: clock.wall() };
      of(type).set(update.name, { name: update.name, accepted: known?.accepted, failed });
      return { name: update.name, reason };
    }
  }

  return {
    entries: <T extends ResourceType>(type: T) => of(type) as unknown as ReadonlyMap<string, Entry<T>>,
    update(type, updates) {
      const accepted: string[] = [];
      const rejected: Rejected[] = [];
      for (const update of updates) {
        const result = take(type, update);
        if (typeof result === "string") accepted.push(result);
        else rejected.push(result);
      }
      return { accepted, rejected };
    },
    remove(type, names) {
      for (const name of names) of(type).delete(name);
    },
    versions: (type) =>
      new Map([...of(type)].flatMap(([name, { accepted }]) => (accepted === undefined ? [] : [[name, accepted.version] as const]))),
  };
}
