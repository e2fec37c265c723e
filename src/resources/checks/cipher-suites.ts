// Which cipher suites Envoy's TLS library knows by OpenSSL's names (istio pkg/config/security ValidCipherSuites). Others would make Envoy
// refuse the whole listener, so they are reported and left out.
const KNOWN: ReadonlySet<string> = new Set([
  "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-RSA-AES256-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA",
]); // prettier-ignore

/** Expressions such as `-AES128-SHA` or `[A|B]` pass: they are for the TLS library to read. */
export function isCipherSuite(name: string): boolean {
  return name === "" || name === "ALL" || !/^[A-Za-z0-9]/.test(name) || KNOWN.has(name);
}

/** The usable ones, each once, in the order written. */
export function usableCipherSuites(names: readonly string[] | undefined): readonly string[] {
  return [...new Set(names)].filter(isCipherSuite);
}
