// State-of-the-world xDS of one type: whoever asks gets everything it asked for, again whenever any of it changed.
// Protocol: Envoy, "xDS REST and gRPC protocol"; the order of the questions is Istio's ShouldRespond (pkg/xds/server.go).
import { createHash } from "node:crypto";
import { TYPE_URL, type ResourceSet, type XdsResource } from "../../kit/index.ts";
import type { Channel, ChannelOptions } from "./channel.ts";
import { hashSet } from "./resource-sets.ts";
import { encodeSotw } from "./wire.ts";

/** Types whose client may ask for all by naming none. */
const WILDCARD: ReadonlySet<string> = new Set([TYPE_URL.listener, TYPE_URL.cluster]);

interface Flight {
  readonly nonce: string;
  readonly version: string;
}

export function createSotwChannel(options: ChannelOptions): Channel {
  let target: ResourceSet | undefined;
  let names = new Set<string>();
  let wildcard = false;
  let first = true;
  let flight: Flight | undefined;
  let lastNonce = "";
  let sent: string | undefined;
  let acked = "";
  let resend = false;
  let nack: { version: string; message: string; at: string } | undefined;

  function wanted(set: ResourceSet): XdsResource[] {
    if (wildcard) return [...set.values()];
    return [...names].flatMap((name) => set.get(name) ?? []);
  }

  function versionOf(set: ResourceSet): string {
    if (wildcard) return hashSet(set);
    const hash = createHash("sha256");
    for (const r of wanted(set)) hash.update(`${r.name}\0${r.version}\0`);
    return hash.digest("base64url").slice(0, 12);
  }

  function sync(): void {
    if (first || flight !== undefined || target === undefined) return;
    const version = versionOf(target);
    if (version === sent && !resend) return;
    const resources = wanted(target);
    // Nothing of what was asked for exists yet: a client waits, it is not told that all is gone.
    if (!wildcard && resources.length === 0 && sent === undefined) return;
    resend = false;
    sent = version;
    lastNonce = options.nextNonce();
    flight = { nonce: lastNonce, version };
    options.send(encodeSotw({ typeUrl: options.typeUrl, version, nonce: lastNonce, resources }));
  }

  return {
    onRequest(request) {
      if (!first && request.nonce !== "" && request.nonce !== lastNonce) return;
      if (flight !== undefined && request.nonce === flight.nonce) {
        if (request.error === undefined) {
          acked = flight.version;
          nack = undefined;
        } else nack = { version: flight.version, message: request.error, at: new Date(options.wall()).toISOString() };
        flight = undefined;
      }
      const asked = new Set(request.subscribe.filter((n) => n !== "*"));
      if (request.error === undefined) {
        // A new name, or a first request after the clusters were sent again, is answered even when the content is the same.
        if (!first && [...asked].some((n) => !names.has(n))) resend = true;
        wildcard = request.subscribe.includes("*") || (asked.size === 0 && WILDCARD.has(options.typeUrl));
        names = asked;
      }
      if (first) resend = true;
      first = false;
      sync();
    },
    setTarget(set) {
      target = set;
      sync();
    },
    allowRemovals() {},
    offerAgain() {},
    inSync: () =>
      first || (flight === undefined && nack === undefined && (target === undefined || sent === undefined || versionOf(target) === sent)),
    isQuiet: () => first || flight === undefined,
    isWildcard: () => wildcard,
    has: (name) => !first && flight === undefined && (wildcard || names.has(name)) && target?.has(name) === true,
    status: () => ({
      typeUrl: options.typeUrl,
      sent: sent ?? "",
      acked,
      resources: target === undefined ? 0 : wanted(target).length,
      ...(nack === undefined ? {} : { nack }),
    }),
  };
}
