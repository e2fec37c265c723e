// The bearer token of the admin API: read from --admin-token-file, or made at the first start and kept in the state folder for its owner only.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readTokenFile } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";

export function readToken(options: { readonly tokenFile: string | undefined; readonly stateDir: string }): string {
  const file = options.tokenFile ?? path.join(options.stateDir, "admin-token");
  if (options.tokenFile === undefined && !existsSync(file)) {
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  }
  const token = readTokenFile(file, "Give a readable --admin-token-file.");
  if (token.length < 16) {
    throw new SerinError("ADMIN_TOKEN_WEAK", `the admin token in ${file} has fewer than 16 characters`, {
      fix: "Write 32 random bytes in base64 into it.",
    });
  }
  return token;
}

/** Tests an Authorization header; the time it takes says nothing about the token. */
export function createTokenCheck(token: string): (authorization: string | undefined) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return (authorization) => authorization !== undefined && timingSafeEqual(digest(authorization), expected);
}
