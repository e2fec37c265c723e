import { createHash, X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { SanMatcher, ValidationConfig } from "../config/index.ts";
import { testCa } from "../testing/certs.ts";
import { fingerprint, publicKeyPin, readCertificate, urlEncodedPem } from "./certificate.ts";
import { DerError } from "./der.ts";
import { matchesDnsName, normalizeHash, verifyPeer } from "./verify-peer.ts";

const ca = testCa();
const SUBJECT = [
  ["2.5.4.6", "DE"],
  ["2.5.4.10", "Acme, Inc"],
  ["2.5.4.11", ' #x"y+z;ü '],
  ["2.5.4.3", "peer"],
] as const;
const pair = ca.issue({
  subject: SUBJECT,
  dns: ["*.example.com", "example.org", "evil.com\0.example.net"],
  uri: ["spiffe://cluster.local/ns/a/sa/b"],
  ip: [Buffer.from([127, 0, 0, 1]), Buffer.from("20010db8000000000000000000000001", "hex")],
});
const x509 = new X509Certificate(pair.cert);
const certificate = readCertificate(x509.raw);

describe("readCertificate", () => {
  test("names of every kind, without one that holds a NUL", () => {
    expect(certificate.sans.map(({ type, value }) => [type, value])).toEqual([
      ["DNS", "*.example.com"],
      ["DNS", "example.org"],
      ["URI", "spiffe://cluster.local/ns/a/sa/b"],
      ["IP_ADDRESS", "127.0.0.1"],
      ["IP_ADDRESS", "2001:db8::1"],
    ]);
  });

  test("the subject as RFC 2253, the issuer, the serial number, the time", () => {
    expect(certificate.subject).toBe('CN=peer,OU=\\ #x\\"y\\+z\\;\\C3\\BC\\ ,O=Acme\\, Inc,C=DE');
    expect(certificate.issuer).toBe("CN=ca");
    expect(certificate.serial).toBe(x509.serialNumber.toLowerCase());
    expect(certificate.notAfter).toBe(Date.parse(x509.validTo));
    expect(certificate.notBefore).toBe(Date.parse(x509.validFrom));
  });

  test("fingerprint and pin", () => {
    expect(fingerprint(certificate)).toBe(x509.fingerprint256.replaceAll(":", "").toLowerCase());
    const spki = x509.publicKey.export({ type: "spki", format: "der" });
    expect(publicKeyPin(certificate)).toBe(createHash("sha256").update(spki).digest("base64"));
  });

  test("PEM for a header", () => {
    expect(urlEncodedPem([certificate])).toBe(encodeURIComponent(pair.cert));
  });

  test("bytes that are none", () => {
    for (let length = 0; length < certificate.der.length; length += 7)
      expect(() => readCertificate(certificate.der.subarray(0, length))).toThrow(DerError);
  });
});

describe("matchesDnsName", () => {
  test.each([
    ["a.example.com", "*.example.com", true],
    ["A.Example.com", "*.EXAMPLE.com", true],
    ["a.b.example.com", "*.example.com", false],
    ["example.com", "*.example.com", false],
    ["foobar.example.com", "foo*.example.com", true],
    ["fo.example.com", "foo*.example.com", false],
    ["a.example.com", "*a.example.com", true],
    ["a.example.com", "**.example.com", false],
    ["xn--a.example.com", "xn--*.example.com", false],
    ["a.example.com", "a.*.com", false],
    ["com", "*", false],
    ["example.com", "example.com", true],
  ])("%s by %s: %s", (name, pattern, fits) => {
    expect(matchesDnsName(name, pattern)).toBe(fits);
  });
});

describe("verifyPeer", () => {
  const base: ValidationConfig = {
    trustedCa: ca.cert,
    systemRoots: false,
    crl: "",
    spki: [],
    hashes: [],
    sans: [],
    acceptUntrusted: false,
  };
  const dns = (name: string): SanMatcher => ({ type: "DNS", oid: "", dnsName: name, test: () => false, describe: name });
  const uri = (wanted: string): SanMatcher => ({
    type: "URI",
    oid: "",
    dnsName: undefined,
    test: (v) => v.startsWith(wanted),
    describe: wanted,
  });
  const now = Date.now();
  const verify = (over: Partial<ValidationConfig>, presented: Partial<Parameters<typeof verifyPeer>[1]> = {}) =>
    verifyPeer({ ...base, ...over }, { certificate, chainProblem: undefined, now, names: [], ...presented });

  test("a trusted chain is enough where nothing else is asked", () => {
    expect(verify({})).toBeUndefined();
    expect(verify({}, { chainProblem: "CERT_UNTRUSTED" })).toBe("untrusted");
    expect(verify({}, { certificate: undefined })).toBe("no_certificate");
  });

  test("nothing is asked: everybody passes", () => {
    expect(verifyPeer(undefined, { certificate: undefined, chainProblem: "X", now, names: ["a"] })).toBeUndefined();
    expect(verify({ acceptUntrusted: true, sans: [dns("no")] }, { chainProblem: "X" })).toBeUndefined();
  });

  test("time runs out for a resumed session too", () => {
    expect(verify({}, { now: certificate.notAfter + 1 })).toBe("expired");
    expect(verify({}, { now: certificate.notBefore - 1 })).toBe("expired");
  });

  test("one name of the list must fit one of the certificate, kind by kind", () => {
    expect(verify({ sans: [dns("no.org"), dns("x.example.com")] })).toBeUndefined();
    expect(verify({ sans: [dns("spiffe://cluster.local/ns/a/sa/b")] })).toBe("san");
    expect(verify({ sans: [uri("spiffe://cluster.local/")] })).toBeUndefined();
    expect(verify({ sans: [uri("spiffe://other/")] })).toBe("san");
    expect(verify({ sans: [dns("evil.com")] })).toBe("san");
  });

  test("names that a request asks for", () => {
    expect(verify({}, { names: ["y.example.com"] })).toBeUndefined();
    expect(verify({}, { names: ["127.0.0.1"] })).toBeUndefined();
    expect(verify({}, { names: ["example.com"] })).toBe("san");
    expect(verify({ sans: [dns("no.org")] }, { names: ["y.example.com"] })).toBe("san");
  });

  test("a pin of either list", () => {
    const hash = normalizeHash(x509.fingerprint256) ?? "";
    expect(verify({ hashes: [hash] })).toBeUndefined();
    expect(verify({ spki: [publicKeyPin(certificate)], hashes: ["0".repeat(64)] })).toBeUndefined();
    expect(verify({ hashes: ["0".repeat(64)] })).toBe("pin");
    expect(verify({ trustedCa: "", hashes: [hash] }, { chainProblem: "CERT_UNTRUSTED" })).toBeUndefined();
  });
});
