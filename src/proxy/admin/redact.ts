// Private keys and passwords in anything that is shown. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--config_dump

/** The fields that Envoy's API marks as sensitive; `secret` of a generic secret, `keys` of ticket keys. */
const SENSITIVE: ReadonlySet<string> = new Set([
  "private_key",
  "password",
  "pkcs12",
  "private_key_provider",
  "session_ticket_keys",
  "generic_secret",
]);
const HIDDEN = "[redacted]";

/** A copy with every text below a sensitive field covered, in either spelling of its name. */
export function redact(value: unknown, hidden = false): unknown {
  if (Array.isArray(value)) return value.map((item) => redact(item, hidden));
  if (typeof value !== "object" || value === null) return hidden ? HIDDEN : value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (hidden && name === "inline_bytes") return [key, Buffer.from(HIDDEN).toString("base64")];
      return [key, redact(inner, hidden || SENSITIVE.has(name))];
    }),
  );
}
