// Decoded messages, whether they came as bytes or as JSON: the set fields by Envoy's names. Wrappers are unwrapped, durations are
// milliseconds, enums are their names.
export type Values = Map<string, unknown>;

/** `google.protobuf.Any`: encoded, or already read (JSON). */
export type AnyValue = { readonly typeUrl: string; readonly bytes: Uint8Array } | { readonly typeUrl: string; readonly values: Values };

export function typeNameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
}
