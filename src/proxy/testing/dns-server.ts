// A DNS server on loopback that says what a test wants: addresses with their TTL, nothing, an error, or nothing at all.
// https://www.rfc-editor.org/rfc/rfc1035#section-4
import dgram from "node:dgram";
import { isIPv4 } from "node:net";
import type { AddressInfo } from "node:net";

/** `silent`: no answer comes. */
export type DnsRecord =
  | { readonly addresses: readonly string[]; readonly ttl: number; readonly delayMs?: number }
  | "NXDOMAIN"
  | "SERVFAIL"
  | "silent";

export interface DnsServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  /** By lower-case name; what is not there does not exist. */
  readonly records: Map<string, DnsRecord>;
  /** `name A` or `name AAAA`, as they came. */
  readonly asked: string[];
  stop(): void;
}

const RCODES = { NXDOMAIN: 3, SERVFAIL: 2 } as const;
const TYPE_A = 1;
const TYPE_AAAA = 28;
const HEADER = 12;

export async function startDns(records: Readonly<Record<string, DnsRecord>> = {}): Promise<DnsServer> {
  const socket = dgram.createSocket("udp4");
  const known = new Map(Object.entries(records));
  const asked: string[] = [];
  const late = new Set<NodeJS.Timeout>();
  socket.on("message", (message, peer) => {
    const { name, type, end } = readQuestion(message);
    asked.push(`${name} ${type === TYPE_AAAA ? "AAAA" : "A"}`);
    const record = known.get(name) ?? "NXDOMAIN";
    if (record === "silent") return;
    const reply = answer(message.subarray(0, end), type, record);
    const delayMs = typeof record === "string" ? 0 : (record.delayMs ?? 0);
    const send = (): void => void socket.send(reply, peer.port, peer.address);
    if (delayMs > 0) late.add(setTimeout(send, delayMs));
    else send();
  });
  await new Promise<void>((done) => void socket.bind(0, "127.0.0.1", done));
  const { port } = socket.address() as AddressInfo;
  const stop = (): void => {
    for (const timer of late) clearTimeout(timer);
    socket.close();
  };
  return { address: `127.0.0.1:${port}`, port, records: known, asked, stop };
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  return { name: labels.join("."), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function answer(question: Buffer, type: number, record: Exclude<DnsRecord, "silent">): Buffer {
  const addresses =
    typeof record === "string" ? [] : record.addresses.filter((one) => (isIPv4(one) ? TYPE_A : TYPE_AAAA) === type).map(bytesOf);
  const head = Buffer.from(question);
  // Answer, recursion desired and available.
  head.writeUInt16BE(0x8180 | (typeof record === "string" ? RCODES[record] : 0), 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const ttl = typeof record === "string" ? 0 : record.ttl;
  return Buffer.concat([head, ...addresses.map((bytes) => resource(type, ttl, bytes))]);
}

function resource(type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  // The name of the question.
  head.writeUInt16BE(0xc000 | HEADER, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [left = "", right = ""] = address.split("::");
  const words = (text: string): number[] => (text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16)));
  const before = words(left);
  const after = words(right);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}
