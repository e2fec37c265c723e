// The bytes of a response, encoded once for every stream that needs the same one. Its nonce is as shared as the bytes: a stream has at
// most one response of a type in flight, so a nonce only has to differ from the one before.
import type { ResourceSet, XdsResource } from "../kit/index.ts";
import { encodeDeltaResponse, encodeSotwResponse } from "./response-frames.ts";
import { hashSet, type SetDiff } from "./set-diff.ts";

export interface EncodedResponse {
  readonly nonce: string;
  readonly bytes: Buffer;
}

export interface ResponseContent {
  readonly typeUrl: string;
  readonly diff: SetDiff;
  /** Sent although the client has them: updates of the cluster they belong to made it wait for them. */
  readonly again: readonly XdsResource[];
  /** The set that asked for `again`, by which the bytes are found. */
  readonly againKey: object | undefined;
  /** Names that were asked for and are not there. */
  readonly missing: readonly string[];
  /** State of the world: what the client has after it. */
  readonly next: ResourceSet;
  /** State of the world: all of `next`, since what is not in the response is gone. */
  readonly whole: boolean;
}

export interface SharedResponses {
  delta(content: ResponseContent): EncodedResponse;
  sotw(content: ResponseContent): EncodedResponse;
}

export function createSharedResponses(): SharedResponses {
  let count = 0;
  const byKey = new WeakMap<object, WeakMap<object, Map<string, EncodedResponse>>>();
  const plain = {};

  function shared(first: object, second: object, typeUrl: string, encode: (nonce: string) => Buffer): EncodedResponse {
    let bySecond = byKey.get(first);
    if (bySecond === undefined) byKey.set(first, (bySecond = new WeakMap()));
    let byType = bySecond.get(second);
    if (byType === undefined) bySecond.set(second, (byType = new Map()));
    let response = byType.get(typeUrl);
    if (response === undefined) byType.set(typeUrl, (response = made(encode)));
    return response;
  }

  function made(encode: (nonce: string) => Buffer): EncodedResponse {
    const nonce = (++count).toString(36);
    return { nonce, bytes: encode(nonce) };
  }

  return {
    delta({ typeUrl, diff, again, againKey, missing }) {
      const encode = (nonce: string): Buffer =>
        encodeDeltaResponse({ typeUrl, nonce, updates: [...diff.updates, ...again], removed: [...diff.removed, ...missing] });
      return missing.length > 0 ? made(encode) : shared(diff, againKey ?? plain, typeUrl, encode);
    },
    sotw({ typeUrl, diff, again, againKey, next, whole }) {
      const version = hashSet(next);
      if (whole) {
        return shared(next, plain, typeUrl, (nonce) => encodeSotwResponse({ typeUrl, nonce, version, resources: [...next.values()] }));
      }
      // Two ways to one set differ in what they send; a way is its diff and where it ends.
      return shared(next, againKey === undefined ? diff : againKey, `${typeUrl}\n${diff.updates.length}`, (nonce) =>
        encodeSotwResponse({ typeUrl, nonce, version, resources: [...diff.updates, ...again] }),
      );
    },
  };
}
