// What both variants of the xDS protocol share: the stream they speak on, and what they tell the subscriber side.
import type { Values } from "../wire/values.ts";
import type { Applied, Update } from "./resource-store.ts";
import type { ResourceType } from "./resource-types.ts";

export interface Subscriber {
  /** Takes a response over; the returned names are refused. Runs the new config before it returns, so that an ACK means: in force. */
  apply(
    type: ResourceType,
    change: { readonly updates: readonly Update[]; readonly removed: readonly string[]; readonly whole: boolean },
  ): Applied;
  versions(type: ResourceType): ReadonlyMap<string, string>;
  /** undefined = not subscribed; an empty set where everything is asked for. */
  names(type: ResourceType): ReadonlySet<string> | undefined;
  /** Who calls, for the first request of a stream. */
  readonly node: Values;
  /** The control plane's name for itself. */
  identified(identifier: string): void;
}

/** One stream's protocol state. */
export interface Conversation {
  /** First requests. */
  start(): void;
  onMessage(bytes: Uint8Array): void;
  /** What is asked for changed. */
  interestsChanged(): void;
}

export interface Variant {
  readonly method: string;
  /** Of the secret discovery service, which speaks of one type. */
  readonly secretMethod: string;
  converse(subscriber: Subscriber, send: (bytes: Uint8Array) => void): Conversation;
}

export const INVALID_ARGUMENT = 3;

export function errorDetail(type: ResourceType, applied: Applied): Values | undefined {
  if (applied.rejected.length === 0) return undefined;
  const message = applied.rejected.map(({ name, reason }) => `${type} ${name}: ${reason}`).join("\n");
  return new Map<string, unknown>([
    ["code", INVALID_ARGUMENT],
    ["message", message],
  ]);
}
