// A distinguished name as Envoy prints it: RFC 2253, last part first, OpenSSL's short names.
// https://www.rfc-editor.org/rfc/rfc2253
import { childrenOf, type Der, readOid, readText } from "./der.ts";

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.4", "SN"],
  ["2.5.4.5", "serialNumber"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "street"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["2.5.4.12", "title"],
  ["2.5.4.13", "description"],
  ["2.5.4.15", "businessCategory"],
  ["2.5.4.17", "postalCode"],
  ["2.5.4.41", "name"],
  ["2.5.4.42", "GN"],
  ["2.5.4.43", "initials"],
  ["2.5.4.44", "generationQualifier"],
  ["2.5.4.45", "x500UniqueIdentifier"],
  ["2.5.4.46", "dnQualifier"],
  ["2.5.4.65", "pseudonym"],
  ["2.5.4.97", "organizationIdentifier"],
  ["0.9.2342.19200300.100.1.1", "UID"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["1.2.840.113549.1.9.1", "emailAddress"],
  ["1.2.840.113549.1.9.2", "unstructuredName"],
  ["1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"],
  ["1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"],
  ["1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"],
]);

export function printName(name: Der): string {
  return childrenOf(name)
    .map((part) => childrenOf(part).map(printAttribute).join("+"))
    .toReversed()
    .join(",");
}

function printAttribute(attribute: Der): string {
  const [type, value] = childrenOf(attribute);
  if (type === undefined || value === undefined) return "";
  const oid = readOid(type);
  const name = SHORT_NAMES.get(oid);
  const text = name === undefined ? undefined : readText(value);
  if (name === undefined || text === undefined) return `${name ?? oid}=#${value.raw.toString("hex").toUpperCase()}`;
  return `${name}=${escapeValue(text)}`;
}

/** Specials get a backslash, what is not printable ASCII its UTF-8 bytes in hex. */
function escapeValue(text: string): string {
  let out = "";
  const bytes = Buffer.from(text, "utf8");
  for (const [i, byte] of bytes.entries()) {
    const char = String.fromCharCode(byte);
    const edge = (i === 0 && (char === " " || char === "#")) || (i === bytes.length - 1 && char === " ");
    if (byte < 0x20 || byte > 0x7e) out += `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    else out += edge || ',+"\\<>;'.includes(char) ? `\\${char}` : char;
  }
  return out;
}
