// Ranges of addresses as Istio's API writes them.
import { isIP } from "node:net";

interface Cidr {
  readonly address: string;
  readonly length: number;
}

/** An address alone is a range of one; undefined: neither address nor range. */
function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const address = slash === -1 ? text : text.slice(0, slash);
  const version = isIP(address);
  if (version === 0) return undefined;
  const bits = version === 6 ? 128 : 32;
  const length = slash === -1 ? bits : Number(text.slice(slash + 1));
  return Number.isInteger(length) && length >= 0 && length <= bits ? { address, length } : undefined;
}

function bitsOf(address: string): bigint {
  if (isIP(address) === 4) return address.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = "", tail] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const all = [...first, ...Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0"), ...last];
  return all.reduce((sum, part) => (sum << 16n) | BigInt(`0x${part === "" ? "0" : part}`), 0n);
}

/** Equal for ranges that hold the same addresses, however they are written. */
export function cidrKey(text: string): string | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined) return undefined;
  const version = isIP(cidr.address);
  // IPv4 inside IPv6: compared as written.
  if (version === 6 && cidr.address.includes(".")) return text;
  return `${version}:${bitsOf(cidr.address) >> BigInt((version === 6 ? 128 : 32) - cidr.length)}/${cidr.length}`;
}
