// Certificates for the cases, made with openssl in a folder:
//   ca; leaf and client (signed by ca, *.example.com, example.com, *.default.svc.cluster.local); spiffe (the proxy's identity); other (self-signed)
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface KeyPair {
  readonly key: Buffer;
  readonly cert: Buffer;
}

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const NAMES = "DNS:*.example.com,DNS:example.com,DNS:*.default.svc.cluster.local";

function openssl(dir: string, args: readonly string[]): void {
  const done = spawnSync("openssl", args, { cwd: dir, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`openssl ${args[0]}: ${done.error?.message ?? done.stderr}`);
}

function signed(dir: string, name: string, options: { subject: string; san: string }): void {
  openssl(dir, ["req", ...EC, "-keyout", `${name}.key`, "-subj", options.subject, "-out", `${name}.csr`]);
  writeFileSync(path.join(dir, `${name}.ext`), `subjectAltName=${options.san}\nextendedKeyUsage=serverAuth,clientAuth\n`);
  const ca = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30"];
  openssl(dir, ["x509", "-req", "-in", `${name}.csr`, ...ca, "-extfile", `${name}.ext`, "-out", `${name}.crt`]);
}

export interface Identity {
  readonly namespace: string;
  readonly serviceAccount: string;
}

function signIdentity(dir: string, { namespace, serviceAccount }: Identity): void {
  signed(dir, "spiffe", { subject: "/", san: `critical,URI:spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}` });
}

/** Makes the folder unless it is there already. `base`: another folder, whose CA and certificates are shared; only the identity differs. */
export function makeCerts(dir: string, identity: Identity, base?: string): void {
  if (existsSync(path.join(dir, "spiffe.crt"))) return;
  mkdirSync(dir, { recursive: true });
  if (base !== undefined) {
    for (const name of ["ca", "leaf", "client", "other"])
      for (const part of ["key", "crt"]) copyFileSync(path.join(base, `${name}.${part}`), path.join(dir, `${name}.${part}`));
    signIdentity(dir, identity);
    return;
  }
  openssl(dir, ["req", "-x509", ...EC, "-keyout", "ca.key", "-subj", "/CN=ca", "-days", "30", "-out", "ca.crt"]);
  signed(dir, "leaf", { subject: "/CN=leaf", san: NAMES });
  signed(dir, "client", { subject: "/CN=client", san: NAMES });
  const other = ["-subj", "/CN=other", "-addext", "subjectAltName=DNS:other.example.com", "-days", "30", "-out", "other.crt"];
  openssl(dir, ["req", "-x509", ...EC, "-keyout", "other.key", ...other]);
  signIdentity(dir, identity);
}

export function keyPair(dir: string, name: string): KeyPair {
  return { key: readFileSync(path.join(dir, `${name}.key`)), cert: readFileSync(path.join(dir, `${name}.crt`)) };
}
