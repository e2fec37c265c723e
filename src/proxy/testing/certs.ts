// Certificates for tests, made in the test itself: an authority and leaves with any names, as DER written by hand and signed by Node.
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface TestPair {
  /** PEM */
  readonly cert: string;
  readonly key: string;
}

export interface TestCa extends TestPair {
  issue(options?: LeafOptions): TestPair;
}

export interface LeafOptions {
  /** Attributes, first to last: `[["2.5.4.3", "leaf"]]`. */
  readonly subject?: readonly (readonly [oid: string, value: string])[];
  readonly dns?: readonly string[];
  readonly uri?: readonly string[];
  readonly ip?: readonly Buffer[];
  readonly rsa?: boolean;
  /** Days from now. */
  readonly from?: number;
  readonly days?: number;
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}

function oid(dotted: string): Buffer {
  const [a = 0, b = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [a * 40 + b, ...rest]) {
    const part = [arc & 127];
    for (let n = arc >> 7; n > 0; n >>= 7) part.unshift((n & 127) | 128);
    bytes.push(...part);
  }
  return der(6, Buffer.from(bytes));
}

const text = (value: string): Buffer => der(12, Buffer.from(value, "utf8"));
const time = (at: Date): Buffer => der(24, Buffer.from(`${at.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`));
const ECDSA_SHA256 = der(48, oid("1.2.840.10045.4.3.2"));

function nameOf(subject: LeafOptions["subject"] = [["2.5.4.3", "leaf"]]): Buffer {
  return der(48, ...subject.map(([type, value]) => der(49, der(48, oid(type), text(value)))));
}

function extension(type: string, critical: boolean, value: Buffer): Buffer {
  return der(48, oid(type), ...(critical ? [der(1, Buffer.from([255]))] : []), der(4, value));
}

interface Signing {
  readonly issuer: Buffer;
  readonly key: KeyObject;
}

function certificate(options: LeafOptions, publicKey: KeyObject, by: Signing, extensions: readonly Buffer[]): string {
  const start = Date.now() + ((options.from ?? 0) - 0.5) * 86_400_000;
  const end = start + (options.days ?? 30) * 86_400_000;
  const tbs = der(
    48,
    der(0xa0, der(2, Buffer.from([2]))),
    der(2, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_SHA256,
    by.issuer,
    der(48, time(new Date(start)), time(new Date(end))),
    nameOf(options.subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(48, ...extensions)),
  );
  const signature = sign("sha256", tbs, by.key);
  const whole = der(48, tbs, ECDSA_SHA256, der(3, Buffer.from([0]), signature));
  return `-----BEGIN CERTIFICATE-----\n${whole.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
}

function keyPair(rsa: boolean): { publicKey: KeyObject; pem: string } {
  const { publicKey, privateKey } = rsa
    ? generateKeyPairSync("rsa", { modulusLength: 2048 })
    : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { publicKey, pem: privateKey.export({ type: "pkcs8", format: "pem" }) as string };
}

export function testCa(name = "ca"): TestCa {
  const { publicKey, pem } = keyPair(false);
  const subject = [["2.5.4.3", name]] as const;
  const by: Signing = { issuer: nameOf(subject), key: createPrivateKey(pem) };
  const isCa = extension("2.5.29.19", true, der(48, der(1, Buffer.from([255]))));
  return {
    cert: certificate({ subject }, publicKey, by, [isCa]),
    key: pem,
    issue(options = {}) {
      const leaf = keyPair(options.rsa === true);
      const names = [
        ...(options.dns ?? []).map((value) => der(0x82, Buffer.from(value, "latin1"))),
        ...(options.uri ?? []).map((value) => der(0x86, Buffer.from(value, "latin1"))),
        ...(options.ip ?? []).map((value) => der(0x87, value)),
      ];
      const sans = names.length === 0 ? [] : [extension("2.5.29.17", false, der(48, ...names))];
      const usage = extension("2.5.29.37", false, der(48, oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2")));
      return { cert: certificate(options, leaf.publicKey, by, [...sans, usage]), key: leaf.pem };
    },
  };
}
